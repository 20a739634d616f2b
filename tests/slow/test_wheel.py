"""A wheel of the tree, installed where nothing else of the tree is."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from suite.data.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = ("pyproject.toml", "README.md", "LICENSE", "suite", "search_spaces", "reports")


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that holds the wheel, and sees the packages it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"  # a copy, because a build leaves its files in the tree
    tree.mkdir()
    for name in PACKAGED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, tree / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-index", "--quiet")
    run(*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, tree, cwd=folder)
    (wheel,) = folder.glob("suite-*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    run(*pip, "--python", python, "install", *offline, wheel, cwd=folder)
    # Behind the environment's own packages; a .pth file there, such as this tree's, is not read.
    (own,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (own / "outer.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "venv" / "bin"


def test_the_wheel_is_used_and_not_the_tree(installed: Path, tmp_path: Path) -> None:
    program = "import suite, search_spaces as s, reports as r; print(suite.__file__, s.__file__, r.__file__)"
    found = run(installed / "python", "-c", program, cwd=tmp_path).split()
    assert len(found) == 3
    assert all(Path(file).is_relative_to(installed.parent) for file in found)


def test_a_shipped_search_runs_from_any_folder_and_ends_in_a_report(
    installed: Path, store: Store, tmp_path: Path
) -> None:
    small = "--trials 2 --epochs 1 --set train_images=64 --set latency.rounds=2 --confirm-seeds 1 --out run"
    said = run(
        installed / "suite",
        *("run", "--search", "tiny", "--data", str(store.folder)),
        *small.split(),
        cwd=tmp_path,
    )
    assert said.startswith("2 trials in ")
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for shipped in ("page.css", "script/state.js"):
        assert (ROOT / "reports" / "html" / shipped).read_text(encoding="utf-8") in report
    assert "fewer parameters than VGG-16" in report  # of published.yaml
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]
