"""int8 is small, calibrated on training images alone, and measured before it is kept."""

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from suite.compression import quantise as quantisation
from suite.compression.quantise import export_int8, layers_by_damage
from suite.data.dataset import Dataset, LabelledImages
from suite.deployment.calibration_fit import fit_on_images
from suite.deployment.export import export
from suite.deployment.inference import open_model
from suite.deployment.inference_module import InferenceModule
from suite.deployment.verify import MismatchError, predict_split
from suite.errors import RequestError
from suite.methods.labels import label_set_of
from tests.support.trained_runs import CONFIG, inference_module_of, lively


def silent(sentence: str) -> None:
    pass


def test_int8_is_a_quarter_of_the_size_and_near_the_float_network(dataset: Dataset, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, widths=(16, 32, 32, 64, 64), depths=(1, 1, 2, 2, 2))
    network, val = lively(config), dataset.splits["val"]
    module = InferenceModule(network, config, label_set_of(config), fit_on_images(network, config, val))
    plain = export(module, config, val, tmp_path / "float.onnx")
    quantised = export_int8(module, config, dataset.splits["train"], val, tmp_path / "int8.onnx", silent)
    assert quantised.exported.bytes < 0.33 * plain.bytes
    model = open_model(quantised.exported.path)
    assert model.config == config
    assert model.calibration == module.calibration is not None
    near = predict_split(model, val).values - predict_split(open_model(plain.path), val).values
    assert np.abs(near).max() < 1
    errors = np.abs(predict_split(model, val).values - val.labels.numpy())
    assert quantised.validation.mae == pytest.approx(errors.mean(), abs=1e-4)
    assert quantised.validation.mae - quantised.mae_float < 0.1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["float.onnx", "int8.onnx"]


def test_what_a_killed_process_left_is_gone_after_the_next_one(dataset: Dataset, tmp_path: Path) -> None:
    left = tmp_path / ".int8.partial"
    left.mkdir()
    (left / "float.onnx").write_bytes(b"half of it")
    module, config = inference_module_of()
    splits = dataset.splits
    export_int8(module, config, splits["train"], splits["val"], tmp_path / "int8.onnx", silent)
    assert [file.name for file in tmp_path.iterdir()] == ["int8.onnx"]


def test_weights_are_8_bit_by_channel_and_no_normalisation_is_left(dataset: Dataset, tmp_path: Path) -> None:
    module, config = inference_module_of()
    path = tmp_path / "int8.onnx"
    export_int8(module, config, dataset.splits["train"], dataset.splits["val"], path, silent)
    graph = onnx.load(path).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    weights = [tensor for name, tensor in stored.items() if name.endswith("weight_quantized")]
    assert len(weights) == 6
    assert all(tensor.data_type == onnx.TensorProto.INT8 for tensor in weights)
    scales = [tensor for name, tensor in stored.items() if name.endswith("weight_scale")]
    assert sorted(tensor.dims[0] for tensor in scales) == [8, 8, 16, 16, 16, 101]
    assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_only_training_images_calibrate(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other validation images change nothing in the file."""
    module, config = inference_module_of()
    train, val = dataset.splits["train"], dataset.splits["val"]
    monkeypatch.setattr(quantisation, "MOST_LOSS", 1.0)
    export_int8(module, config, train, val, tmp_path / "one.onnx", silent)
    black = LabelledImages(torch.zeros_like(val.images), val.rows, val.labels, val.deviations)
    export_int8(module, config, train, black, tmp_path / "two.onnx", silent)
    dark = LabelledImages(train.images // 8, train.rows, train.labels, train.deviations)
    export_int8(module, config, dark, val, tmp_path / "three.onnx", silent)
    one, two, three = ((tmp_path / f"{name}.onnx").read_bytes() for name in ("one", "two", "three"))
    assert one == two
    assert one != three


def test_a_layer_that_int8_damages_stays_in_float(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One channel of the second convolution has outputs a thousand times those of the others."""
    module, config = inference_module_of()
    layer, following = module.network.features[4], module.network.features[8]
    with torch.no_grad():
        layer.weight[0] *= 1000
        following.weight[:, 0] /= 1000
    train, val = dataset.splits["train"], dataset.splits["val"]
    plain = export(module, config, val, tmp_path / "float.onnx").path
    estimates = torch.from_numpy(predict_split(open_model(plain), val).values)
    val = LabelledImages(val.images, val.rows, estimates, val.deviations)  # so that all error is int8's
    path = tmp_path / "int8.onnx"
    monkeypatch.setattr(quantisation, "MOST_LOSS", 1.0)
    careless = export_int8(module, config, train, val, path, silent)
    assert careless.float_layers == ()
    monkeypatch.setattr(quantisation, "MOST_LOSS", careless.validation.mae / 2 / 100)
    careful = export_int8(module, config, train, val, path, silent)
    kept = careful.float_layers
    assert list(kept) == layers_by_damage(plain, train, silent)[: len(kept)]
    assert 1 <= len(kept) <= quantisation.MOST_FLOAT_LAYERS
    assert careful.validation.mae <= careless.validation.mae / 2
    assert careful.exported.arithmetic.endswith(f"float32 in {', '.join(kept)}")
    assert np.abs(predict_split(open_model(path), val).values - estimates.numpy()).mean() == pytest.approx(
        careful.validation.mae, abs=1e-4
    )
    stored = {tensor.name for tensor in onnx.load(path).graph.initializer}
    assert all(f"{name}.weight_quantized" not in stored for name in kept)
    assert sum(name.endswith("weight_quantized") for name in stored) == 6 - len(kept)


def test_int8_that_loses_too_much_is_not_written(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, config = inference_module_of()
    monkeypatch.setattr(quantisation, "MOST_LOSS", -1.0)  # no int8 file can be better than float by this much
    messages: list[str] = []
    path = tmp_path / "int8.onnx"
    with pytest.raises(MismatchError, match=r"int8 has a validation MAE of .* though features\.|though head"):
        export_int8(module, config, dataset.splits["train"], dataset.splits["val"], path, messages.append)
    assert "looking for the layers that cause it" in messages[1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["int8.pt2", "none/int8.onnx"])
def test_a_file_that_cannot_be_written_is_refused_in_one_sentence(
    name: str, dataset: Dataset, tmp_path: Path
) -> None:
    module, config = inference_module_of()
    with pytest.raises(RequestError, match=r"does not end in \.onnx|cannot be written"):
        export_int8(module, config, dataset.splits["train"], dataset.splits["val"], tmp_path / name, silent)
