"""A search whose run folder is on a real local server of S3."""

import json
from pathlib import Path

import pytest

from suite.cli.main import main
from suite.data.store import Store
from suite.runs.storage.location import read_run_at
from suite.runs.storage.object_storage import open_object_folder
from tests.support.drivers import SPACE, Driver


@pytest.fixture
def machine(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to start commands in; each machine has a cache of its own."""
    (tmp_path / "space.yaml").write_text(SPACE.format(data=store.folder))
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "first"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_search_goes_on_from_another_machine(
    machine: Path,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"s3://{bucket}/runs/killed"
    first = Driver("run", "--search", "space.yaml", "--out", url, cwd=machine)
    first.wait_for_trials(3)
    first.kill()
    before = read_run_at(url)
    assert before.info.status == "running"
    assert len(before.trials) >= 3  # a trial that was spoken of is on the storage
    kept = {name for name in open_object_folder(url).names() if name.startswith("weights/")}
    assert {f"weights/{trial_id}.safetensors" for trial_id in before.trials["id"]} <= kept
    assert main(["status", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "killed"

    monkeypatch.setenv("SUITE_CACHE", str(machine / "second"))
    second = Driver("resume", url, cwd=machine)
    assert second.end() == 0, second.said
    assert second.said[-1].endswith(f"Report: {url}/report.html")
    after = read_run_at(url)
    assert (after.info.status, len(after.trials), after.trials["id"].is_unique) == ("finished", 7, True)
    assert list(after.trials["started"][: len(before.trials)]) == list(before.trials["started"])
    assert after.trials["test_mae_years"].notna().any()
    names = open_object_folder(url).names()
    assert {"report.html", "run.json", "state.tar", "trials.parquet", "epochs.parquet"} <= set(names)
    assert "lock.json" not in names
    assert not [entry for entry in (machine / "second" / "runs").iterdir() if entry.is_dir()]

    again = Driver("run", "--search", "space.yaml", "--out", url, "--or-resume", cwd=machine)
    assert again.end() == 0, again.said
    assert list(read_run_at(url).trials["started"]) == list(after.trials["started"])
    other = ["run", "--search", "space.yaml", "--trials", "9", "--out", url, "--or-resume"]
    refused = Driver(*other, cwd=machine)
    assert refused.end() == 2
    assert "holds a run of another search" in refused.said[-1]
    monkeypatch.chdir(machine)
    assert main(["report", url, "-o", "mine.html"]) == 0
    assert "<html" in (machine / "mine.html").read_text()
    assert main(["report", url]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{url}/report.html"
