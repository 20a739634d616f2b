"""Every format has the outputs of PyTorch, and describes itself in its metadata."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import suite
from suite.data.dataset import Dataset, LabelledImages
from suite.deployment.calibration_fit import fit_on_images
from suite.deployment.export import WRITERS, export
from suite.deployment.inference import OPENERS, open_model
from suite.deployment.inference_module import InferenceModule, fold_batch_norm
from suite.deployment.verify import MismatchError
from suite.errors import RequestError
from suite.methods import METHODS
from suite.networks.weights import load_network
from suite.training.evaluation import predict
from suite.training.inputs import normalised
from suite.trial import MethodName, Network
from tests.support.trained_runs import inference_module_of


@pytest.fixture
def val(dataset: Dataset) -> LabelledImages:
    return dataset.splits["val"]


@pytest.mark.parametrize("method", METHODS)
def test_onnx_has_the_outputs_of_pytorch_for_every_method(
    method: MethodName, val: LabelledImages, tmp_path: Path
) -> None:
    module, config = inference_module_of(method)
    exported = export(module, config, val, tmp_path / "net.onnx")
    assert exported.verification.images == len(val)
    # Read without the suite's own code.
    session = onnxruntime.InferenceSession(exported.path)
    pixels = val.images[val.rows[:5]]
    outputs = dict(
        zip(
            [o.name for o in session.get_outputs()],
            session.run(None, {"images": pixels.numpy()}),
            strict=True,
        )
    )
    logits = module.network(normalised(pixels))
    expected = METHODS[method].decode(logits, module.label_set)
    assert outputs["value"] == pytest.approx(expected.detach().numpy(), abs=1e-3)
    if METHODS[method].distribution:
        assert outputs["distribution"] == pytest.approx(torch.softmax(logits, 1).detach().numpy(), abs=1e-5)
        assert outputs["distribution"] @ module.label_set.values.numpy() == pytest.approx(
            outputs["value"], abs=1e-3
        )
    else:
        assert list(outputs) == ["value"]


def test_a_residual_network_becomes_onnx(val: LabelledImages, tmp_path: Path) -> None:
    module, config = inference_module_of(network="resnet50")
    assert export(module, config, val, tmp_path / "net.onnx").verification.share_difference < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("network", ["vgg16", "vgg16-bn"])
def test_vgg_16_becomes_onnx_though_its_feature_map_is_smaller_than_its_pooling(
    network: Network, val: LabelledImages, tmp_path: Path
) -> None:
    module, config = inference_module_of(network=network)
    assert export(module, config, val, tmp_path / "net.onnx").verification.share_difference < 1e-4


def test_an_onnx_file_describes_its_input_and_outputs(val: LabelledImages, tmp_path: Path) -> None:
    module, config = inference_module_of()
    export(module, config, val, tmp_path / "net.onnx")
    metadata = {entry.key: entry.value for entry in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert (metadata["attribute"], metadata["unit"], metadata["resolution"], metadata["method"]) == (
        "age",
        "years",
        "32",
        "dldl-v2",
    )
    assert (metadata["label_low"], metadata["label_high"], metadata["label_step"], metadata["bins"]) == (
        "0",
        "100",
        "1",
        "101",
    )
    assert metadata["channel_mean"] == "0.5958 0.4637 0.4065"
    assert "uint8 (batch, 32, 32, 3)" in metadata["input"]
    assert open_model(tmp_path / "net.onnx").config == config


@pytest.mark.parametrize("method", ["dldl-v2", "coral"])
def test_a_program_of_torch_export_has_the_outputs_of_pytorch(
    method: MethodName, val: LabelledImages, tmp_path: Path
) -> None:
    module, config = inference_module_of(method)
    config = dataclasses.replace(config, backbone="/home/jdoe/vgg.pth")
    module = InferenceModule(
        module.network, config, module.label_set, fit_on_images(module.network, config, val)
    )
    exported = export(module, config, val, tmp_path / "net.pt2")
    assert exported.verification.value_difference < 1e-3
    opened = open_model(exported.path)
    assert opened.config == dataclasses.replace(config, backbone=None)
    assert opened.calibration == module.calibration is not None
    with zipfile.ZipFile(exported.path) as file:
        content = b"".join(file.read(name) for name in file.namelist())
    for private in (Path(torch.__file__).parent, Path(suite.__file__).parent, "/home/jdoe"):
        assert str(private).encode() not in content, "it names a folder of the machine that made it"


def test_exported_safetensors_need_no_second_file(val: LabelledImages, tmp_path: Path) -> None:
    module, config = inference_module_of()
    config = dataclasses.replace(config, backbone="/home/user/faces.safetensors", backbone_sha256="ab")
    path = export(module, config, val, tmp_path / "net.safetensors").path
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]
    network, loaded_config, _ = load_network(path)
    assert loaded_config == dataclasses.replace(config, backbone=None)
    for name, tensor in module.network.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)


def test_an_export_predicts_a_split_as_the_evaluation_of_a_training_does(
    val: LabelledImages, tmp_path: Path
) -> None:
    from suite.deployment.verify import predict_split

    module, config = inference_module_of()
    path = export(module, config, val, tmp_path / "net.onnx").path
    expected = predict(
        module.network,
        val,
        module.label_set,
        method=config.method,
        precision="float32",
        device=torch.device("cpu"),
    )
    assert predict_split(open_model(path), val).values == pytest.approx(expected.numpy(), abs=1e-3)


@pytest.mark.parametrize("ending", [".onnx", ".safetensors"])
def test_a_mismatch_leaves_an_existing_file_as_it_was(
    ending: str, val: LabelledImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose weights were changed between writing and opening."""
    import suite.deployment.export as export_module

    module, config = inference_module_of()
    write = export_module.WRITERS[ending].write

    def changed(module: InferenceModule, config: object, path: Path) -> None:
        other, _ = inference_module_of()
        with torch.no_grad():
            other.network.head.weight[0] += 0.05
        write(other, config, path)

    monkeypatch.setitem(export_module.WRITERS, ending, export_module.Writer(changed))
    path = tmp_path / f"net{ending}"
    path.write_text("mine")
    with pytest.raises(MismatchError, match=r"PyTorch"):
        export(module, config, val, path)
    assert path.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["net.tflite", "none/net.onnx"])
def test_a_file_that_cannot_be_written_is_refused_in_one_sentence(
    name: str, val: LabelledImages, tmp_path: Path
) -> None:
    module, config = inference_module_of()
    with pytest.raises(RequestError, match=r"ends in none of|cannot be written"):
        export(module, config, val, tmp_path / name)


def test_every_format_can_be_written_and_opened() -> None:
    assert set(WRITERS) == set(OPENERS)


def test_folding_keeps_the_outputs_and_leaves_no_normalisation() -> None:
    module, _ = inference_module_of()
    images = torch.randn(3, 3, 32, 32)
    small = fold_batch_norm(module.network)
    assert not [layer for layer in small.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert torch.allclose(small(images), module.network(images), atol=1e-5)
    assert np.isfinite(small(images).detach().numpy()).all()


@pytest.mark.parametrize("ending", [".onnx", ".pt2", ".safetensors"])
def test_a_file_that_is_not_a_model_is_refused_in_one_sentence(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"net{ending}").write_bytes(b"no model")
    with pytest.raises(RequestError, match=r"cannot be read as a"):
        open_model(tmp_path / f"net{ending}", trust_code=True)
