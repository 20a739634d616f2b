import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from suite.cli.main import main
from suite.compression import bf16
from suite.compression.bf16 import export_bf16
from suite.data.dataset import Dataset
from suite.deployment.export import export
from suite.deployment.inference import open_model
from suite.deployment.inference_module import InferenceModule
from suite.deployment.verify import MismatchError
from suite.methods.labels import label_set_of
from tests.support.trained_runs import CONFIG, lively

WIDE = dataclasses.replace(CONFIG, widths=(16, 32, 64, 64, 64))


def test_bf16_weights_are_half_the_bytes_and_nearly_as_accurate(dataset: Dataset, tmp_path: Path) -> None:
    module = InferenceModule(lively(WIDE), WIDE, label_set_of(WIDE))
    val = dataset.splits["val"]
    plain = export(module, WIDE, val, tmp_path / "float.safetensors")
    half = export_bf16(module, WIDE, val, tmp_path / "half.safetensors")
    assert half.exported.bytes < 0.56 * plain.bytes
    kinds = {tensor.dtype for tensor in load_file(half.exported.path).values() if tensor.dim() > 1}
    assert kinds == {torch.bfloat16}
    pixels = val.images[val.rows].numpy()
    off = open_model(half.exported.path).run(pixels).values - open_model(plain.path).run(pixels).values
    assert 0 < np.abs(off).max() < 0.5
    assert abs(half.validation.mae - half.mae_float) < 0.1


def test_bf16_that_loses_too_much_is_not_written(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bf16, "MOST_LOSS", -1.0)
    module = InferenceModule(lively(WIDE), WIDE, label_set_of(WIDE))
    with pytest.raises(MismatchError, match="with bf16 weights the validation MAE is"):
        export_bf16(module, WIDE, dataset.splits["val"], tmp_path / "half.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_loss_of_accuracy(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["export", str(run), "--trial", "t0000", "--bf16", "-o"]
    assert main([*options, str(tmp_path / "half.safetensors"), "--card", str(tmp_path / "card.md")]) == 0
    assert "float32, weights rounded to bf16: validation MAE" in capsys.readouterr().out
    assert "| Computes in | float32, weights rounded to bf16 |" in (tmp_path / "card.md").read_text()
    assert main([*options, str(tmp_path / "half.onnx")]) == 2
    assert "half.onnx does not end in .safetensors" in capsys.readouterr().err
