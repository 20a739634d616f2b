"""A disk that is full in mid-search: one sentence, exit code 2, and ``suite resume`` once there is room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from suite.runs.tables import read_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: A disk of 200 kB, which is made larger for the resumption. What is on it is copied out, as nobody else sees
#: this mount.
SCRIPT = """
mount -t tmpfs -o size=200k none disk || exit 99
cp -r small.yaml disk
{python} -m suite.cli run --search small.yaml --out disk/run --max-concurrent 1 2> full.txt
echo $? > full.code
cp -r disk/run at-the-end
mount -o remount,size=40m disk
{python} -m suite.cli resume disk/run 2> resumed.txt
echo $? > resumed.code
cp -r disk/run run
"""


def test_a_full_disk_is_one_sentence_and_the_search_goes_on_once_there_is_room(search_file: Path) -> None:
    folder = search_file.parent
    (folder / "disk").mkdir()
    unshared = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    script = SCRIPT.format(python=sys.executable)
    done = subprocess.run([*unshared, "sh", "-c", script], cwd=folder, capture_output=True, check=False)
    if done.returncode == 99 or not (folder / "full.code").exists():
        pytest.skip("this machine lets a process mount no disk of its own")
    said = (folder / "full.txt").read_text()
    assert (folder / "full.code").read_text().strip() == "2", said
    assert "Traceback" not in said
    assert "cannot be written to (" in said
    assert "o space left on device); what has ended is kept there" in said
    assert "suite resume " in said.splitlines()[-1]
    before = read_run(folder / "at-the-end").trials
    assert 1 <= len(before) < 7

    resumed = (folder / "resumed.txt").read_text()
    assert (folder / "resumed.code").read_text().strip() == "0", resumed
    run = read_run(folder / "run")
    assert len(run.trials) == 7
    assert run.trials["id"].is_unique
    assert (run.trials["status"] == "finished").all()
    assert set(run.epochs.groupby("id").size()) == {6}
    kept = before.merge(run.trials, on="id", suffixes=("_then", "_now"))
    assert len(kept) == len(before)
    assert list(kept["started_then"]) == list(kept["started_now"])
