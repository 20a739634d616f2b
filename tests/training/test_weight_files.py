"""Files of weights are read without running anything in them, and pinned by their SHA-256."""

import math
import os
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from suite.errors import RequestError
from suite.training import weight_files
from suite.training.weight_files import pin_weight_files, read_state
from suite.trial import TrialConfig


def test_another_file_than_the_recorded_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save(nn.Linear(3, 2).state_dict(), path)
    recorded = pin_weight_files(TrialConfig(backbone=str(path)))
    assert pin_weight_files(recorded) == recorded
    torch.save({"w": torch.zeros(3)}, path)
    with pytest.raises(RequestError, match="as backbone_sha256 says"):
        pin_weight_files(recorded)


def test_a_missing_backbone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none\.pt cannot be read \(No such file"):
        pin_weight_files(TrialConfig(backbone=str(tmp_path / "none.pt")))


class Trap:
    """An object whose unpickling would run code."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (Path("trapped"),))


@pytest.mark.parametrize("kind", ["text", "empty", "code", "network", "numbers", "not safetensors"])
def test_a_file_that_holds_no_weights_is_one_sentence_and_runs_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ("weights.safetensors" if kind == "not safetensors" else "weights.pt")
    if kind in ("text", "not safetensors"):
        path.write_text("no weights at all")
    elif kind == "empty":
        path.touch()
    else:
        torch.save({"code": Trap(), "network": nn.Linear(3, 2), "numbers": {"a": 1}}[kind], path)
    with pytest.raises(
        RequestError, match=r"weights\.(pt|safetensors) (cannot be read as weights|holds no)"
    ) as caught:
        read_state(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "trapped").exists()


def forged_stride() -> torch.Tensor:
    """A tensor of four bytes that claims 10^12 values."""
    return torch.zeros(1).expand(10**12)


@pytest.mark.parametrize("kind", ["pipe", "closed", "unbounded", "stride", "sparse", "no numbers", "bomb"])
def test_a_file_that_claims_more_than_it_holds_is_one_sentence(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.pt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "closed":
        path.touch(mode=0)
    elif kind == "unbounded":
        path.symlink_to("/dev/zero")
    elif kind == "bomb":
        monkeypatch.setattr(weight_files, "LARGEST_WEIGHTS", 100_000)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data", bytes(200_000))
    else:
        tensor = {
            "stride": forged_stride(),
            "sparse": torch.eye(3).to_sparse(),
            "no numbers": torch.tensor([math.nan]),
        }
        torch.save({"w": tensor[kind]}, path)
    with pytest.raises(RequestError, match=r"weights\.pt cannot be read as weights \(.+\)") as caught:
        read_state(path)
    assert "\n" not in str(caught.value)


def test_a_pipe_is_not_hashed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    with pytest.raises(RequestError, match=r"pipe\.pt cannot be read \(it is not a regular file"):
        pin_weight_files(TrialConfig(teacher=str(tmp_path / "pipe.pt")))


def test_a_file_that_is_more_than_weights_is_not_told_to_be_read_without_protection(tmp_path: Path) -> None:
    path = tmp_path / "whole.pt"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(RequestError, match="something else than tensors and plain containers") as caught:
        read_state(path)
    assert "default value" not in str(caught.value)
