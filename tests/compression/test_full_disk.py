"""A disk that is full during ``suite compress``: one sentence, and repeating the command continues."""

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
from suite.compression import steps
from suite.networks.weights import save_tensors
from suite.runs.tables import read_run

OPTIONS = ["--trial", "t0000", "--keep", "0.5", "--epochs", "1"]


def test_weights_that_cannot_be_written_are_one_sentence_and_leave_nothing(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def disk_is_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted((run / "weights").iterdir())
    with monkeypatch.context() as full:
        full.setattr("suite.networks.weights.save_file", disk_is_full)
        assert main(["compress", str(run), *OPTIONS]) == 2
    output = capsys.readouterr().err
    assert "cannot be written to (No space left on device); what has ended is kept there" in output
    assert output.endswith("continue with the same command again\n")
    assert sorted((run / "weights").iterdir()) == before
    assert main(["compress", str(run), *OPTIONS]) == 0
    assert read_run(run).trials["stage"].iloc[-1] == "pruned"


def test_a_row_that_could_not_be_written_is_written_by_the_next_command(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def disk_is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = list(read_run(run).trials["id"])
    with monkeypatch.context() as full:
        full.setattr(steps.RunLedger, "add_trial", disk_is_full)
        assert main(["compress", str(run), *OPTIONS]) == 2
    assert list(read_run(run).trials["id"]) == before
    assert main(["compress", str(run), *OPTIONS]) == 0
    epochs = read_run(run).epochs
    assert list(epochs[epochs["id"] == read_run(run).trials["id"].iloc[-1]]["epoch"]) == [1]


def test_an_error_of_safetensors_becomes_the_error_of_the_system(
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
mount -t tmpfs -o size={kilobytes}k none disk || exit 99
cp -r run disk/run
{python} -m suite.cli compress disk/run {options} 2> full.txt
echo $? > full.code
ls -A disk/run/weights > full.ls
mount -o remount,size=40m disk
{python} -m suite.cli compress disk/run {options} 2> again.txt
echo $? > again.code
cp -r disk/run after
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_disk_that_is_full_and_then_is_not(run: Path, tmp_path: Path) -> None:
    """The disk has a few kilobytes left, too little for the weights of the student."""
    (tmp_path / "disk").mkdir()
    used = int(subprocess.check_output(["du", "-sk", "--apparent-size", str(run)]).split()[0])
    options = "--trial t0000 --student 64,64,64,64,64/1,1,1,1,1 --epochs 2 --int8"
    script = SCRIPT.format(kilobytes=used + 160, python=sys.executable, options=options)
    unshared = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")
    done = subprocess.run([*unshared, "sh", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    if done.returncode == 99 or not (tmp_path / "full.code").exists():
        pytest.skip("this machine lets a process mount no disk of its own")
    output = (tmp_path / "full.txt").read_text()
    assert (tmp_path / "full.code").read_text().strip() == "2", output
    assert "Traceback" not in output
    assert "No space left on device" in output
    assert "partial" not in (tmp_path / "full.ls").read_text()
    assert (tmp_path / "again.code").read_text().strip() == "0", (tmp_path / "again.txt").read_text()
    assert list(read_run(tmp_path / "after").trials["stage"])[-2:] == ["distilled", "int8"]
