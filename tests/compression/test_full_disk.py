"""A disk that is full in the middle of ``suite compress``: one sentence, and the same command goes on."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from suite.cli.main import main
from suite.compression import steps as chain
from suite.networks.weights import save_tensors
from suite.runs.tables import read_run

ASKED = ["--trial", "t0000", "--keep", "0.5", "--epochs", "1"]


def test_weights_that_cannot_be_written_are_one_sentence_and_leave_nothing(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted((run / "weights").iterdir())
    with monkeypatch.context() as full:
        full.setattr("suite.networks.weights.save_file", no_room)
        assert main(["compress", str(run), *ASKED]) == 2
    said = capsys.readouterr().err
    assert "cannot be written to (No space left on device); what has ended is kept there" in said
    assert said.endswith("continue with the same command again\n")
    assert sorted((run / "weights").iterdir()) == before
    assert main(["compress", str(run), *ASKED]) == 0
    assert read_run(run).trials["stage"].iloc[-1] == "pruned"


def test_a_row_that_cannot_be_written_is_made_again(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = list(read_run(run).trials["id"])
    with monkeypatch.context() as full:
        full.setattr(chain.RunLedger, "add_trial", no_room)
        assert main(["compress", str(run), *ASKED]) == 2
    assert list(read_run(run).trials["id"]) == before
    assert main(["compress", str(run), *ASKED]) == 0
    epochs = read_run(run).epochs
    assert list(epochs[epochs["id"] == read_run(run).trials["id"].iloc[-1]]["epoch"]) == [1]


def test_what_safetensors_says_of_a_disk_becomes_the_systems_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        save_tensors({"a": torch.zeros(1)}, tmp_path / "none" / "a.safetensors")
    assert raised.value.errno == errno.ENOENT
    monkeypatch.setattr("suite.networks.weights.save_file", broken)
    with pytest.raises(OSError, match="broken"):
        save_tensors({"a": torch.zeros(1)}, tmp_path / "a.safetensors")


def broken(*_: object, **__: object) -> None:
    raise safetensors.SafetensorError("broken")


SCRIPT = """
mount -t tmpfs -o size={room}k none disk || exit 99
cp -r run disk/run
{python} -m suite.cli compress disk/run {asked} 2> full.txt
echo $? > full.code
ls -A disk/run/weights > full.ls
mount -o remount,size=40m disk
{python} -m suite.cli compress disk/run {asked} 2> again.txt
echo $? > again.code
cp -r disk/run after
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_disk_that_is_full_and_then_is_not(run: Path, tmp_path: Path) -> None:
    """There is room for what is there and for some kilobytes more, not for the student's weights."""
    (tmp_path / "disk").mkdir()
    used = int(subprocess.check_output(["du", "-sk", "--apparent-size", str(run)]).split()[0])
    asked = "--trial t0000 --student 64,64,64,64,64/1,1,1,1,1 --epochs 2 --int8"
    script = SCRIPT.format(room=used + 160, python=sys.executable, asked=asked)
    unshared = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")
    done = subprocess.run([*unshared, "sh", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    if done.returncode == 99 or not (tmp_path / "full.code").exists():
        pytest.skip("this machine lets a process mount no disk of its own")
    said = (tmp_path / "full.txt").read_text()
    assert (tmp_path / "full.code").read_text().strip() == "2", said
    assert "Traceback" not in said
    assert "No space left on device" in said
    assert "partial" not in (tmp_path / "full.ls").read_text()
    assert (tmp_path / "again.code").read_text().strip() == "0", (tmp_path / "again.txt").read_text()
    assert list(read_run(tmp_path / "after").trials["stage"])[-2:] == ["distilled", "int8"]
