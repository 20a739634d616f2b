import json
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from suite.machine import usable_cpus
from suite.runs import provenance


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout with one commit, which suite takes for its own."""
    module = tmp_path / "checkout" / "suite" / "runs" / "provenance.py"
    module.parent.mkdir(parents=True)
    module.write_text("# one\n")
    folder = module.parent.parent.parent
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--no-gpg-sign", "-m", "one")
    monkeypatch.setattr(provenance, "__file__", str(module))
    return folder


def test_versions_are_those_of_the_installed_packages() -> None:
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    assert found["torch"] == metadata.version("torch")
    assert set(provenance.PACKAGES) | {"python", "suite"} == set(found)


def test_a_missing_package_is_reported_as_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("a-package-that-nobody-wrote",))
    assert provenance.versions()["a-package-that-nobody-wrote"] == "not installed"


def test_the_revision_of_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    assert provenance.git_revision() == git(checkout, "rev-parse", "HEAD")


def test_changed_files_are_marked_in_the_revision(checkout: Path) -> None:
    (checkout / "suite" / "runs" / "provenance.py").write_text("# two\n")
    assert provenance.git_revision() == git(checkout, "rev-parse", "HEAD") + "+changes"


def test_outside_a_checkout_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        provenance, "__file__", str(tmp_path / "site-packages" / "suite" / "runs" / "provenance.py")
    )
    assert provenance.git_revision() == ""


def test_without_git_there_is_no_revision(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout / "no-programs-here"))
    assert provenance.git_revision() == ""


def test_the_hardware_is_this_machines_and_fits_into_run_json() -> None:
    found = json.loads(json.dumps(provenance.hardware()))
    assert found["cpus"] == usable_cpus()
    assert found["memory_gib"] > 0
    assert found["processor"]
    assert set(found) == {"system", "processor", "cpus", "memory_gib", "gpus"}
