"""A model file from somebody else is believed in nothing that its metadata say before it was checked."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from suite.cli.main import main
from suite.data.dataset import Dataset
from suite.deployment.export import export
from suite.deployment.inference import Model, Outputs, open_model, run_model
from suite.errors import RequestError
from suite.trial import TrialConfig
from tests.support.trained_runs import CONFIG, inference_module_of

PIXELS = np.zeros((2, 32, 32, 3), np.uint8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from suite.deployment.export import writer_for

    path = tmp_path_factory.mktemp("exported") / "net.onnx"
    module, config = inference_module_of()
    writer_for(path)(module, config, path)
    return path.read_bytes()


def forged(exported: bytes, path: Path, **entries: str) -> Path:
    """The file with other entries of its metadata."""
    model = onnx.load_from_string(exported)
    kept = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **entries})
    path.write_bytes(model.SerializeToString())
    return path


def described(**fields: Any) -> str:
    return json.dumps({**CONFIG.to_json(), **fields})


@pytest.mark.parametrize(
    "description",
    [
        described(label_high=float("nan")),
        described(label_high=float("inf")),
        described(label_step=1e-9),
        described(attribute="height"),
        described(resolution=10**9),
        described(resolution=64),
        described(method="<b>"),
        described(widths=[1] * 1000),
        "[" * 90_000,
        "x" * 10**6,
        "",
    ],
    ids=lambda text: text[-60:],
)
def test_forged_metadata_of_an_onnx_file_are_one_sentence(
    description: str, exported: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = forged(exported, tmp_path / "net.onnx", trial_config=description)
    assert main(["predict", str(path), str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "net.onnx cannot be read as a model (" in told
    assert told.count("\n") == 1
    assert len(told) < 500 + len(str(path))


def test_onnx_runtime_prints_nothing_of_a_damaged_file(
    exported: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(exported.replace(b"float32 (batch)", b"float32 \xff\xffatch)"))
    assert main(["predict", str(path), str(tmp_path), "--json"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_the_arithmetic_that_a_file_names_is_printable_and_short(exported: bytes, tmp_path: Path) -> None:
    path = forged(exported, tmp_path / "net.onnx", arithmetic="int8\n\x1b]52;c;eA==\x07" + "x" * 10_000)
    arithmetic = open_model(path).arithmetic
    assert arithmetic.isprintable()
    assert len(arithmetic) <= 120


def test_a_graph_of_other_inputs_is_refused(tmp_path: Path) -> None:
    values = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["images"], ["value"])],
        "other",
        [values("images", onnx.TensorProto.FLOAT, ["batch"])],
        [values("value", onnx.TensorProto.FLOAT, ["batch"])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, {"trial_config": described()})
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(RequestError, match="does not take RGB images of 32 pixels a side"):
        open_model(tmp_path / "net.onnx")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_estimates_that_are_no_numbers_are_not_an_answer(value: float) -> None:
    good = np.full((2, 101), 1 / 101, np.float32)
    for outputs in (
        Outputs(np.full(2, value, np.float32), good),
        Outputs(np.zeros(2, np.float32), good * np.float32(value)),
        Outputs(np.zeros(1, np.float32), None),
        Outputs(np.zeros(2, np.float32), good[:, :1]),
    ):
        model = Model(TrialConfig(), lambda images, outputs=outputs: outputs)
        with pytest.raises(RequestError, match="does not give a finite number for every image"):
            run_model(model, PIXELS, mirrored=False)


@pytest.mark.parametrize("ending", ["onnx", "pt2", "safetensors"])
def test_what_is_no_file_does_not_block(ending: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"net.{ending}")
    with pytest.raises(RequestError, match="it is not a regular file"):
        open_model(tmp_path / f"net.{ending}")


def test_a_file_that_was_just_written_still_opens(dataset: Dataset, tmp_path: Path) -> None:
    module, config = inference_module_of("coral")
    path = export(module, config, dataset.splits["val"], tmp_path / "net.onnx").path
    assert run_model(open_model(path), PIXELS, mirrored=True).values.shape == (2,)


def test_the_runtime_prints_nothing_of_a_files_own_text(
    exported: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load_from_string(exported)
    model.graph.node[0].name = "x\x1b[31m\nsuite: forged"
    model.graph.node[0].op_type = "Nothing"
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    assert main(["predict", str(tmp_path / "net.onnx"), str(tmp_path)]) == 2
    written = capfd.readouterr()
    assert "\x1b" not in written.out + written.err
    assert len(written.err.splitlines()) == 1
