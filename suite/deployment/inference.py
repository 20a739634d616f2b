"""Inference with model files: pixels in, estimates out. An ONNX file runs without PyTorch."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from suite.deployment.calibration_metadata import CALIBRATION_KEY, parse_calibration
from suite.deployment.own_programs import is_own, is_own_file
from suite.errors import RequestError, first_line
from suite.files.reading import LARGEST_WEIGHTS, FileContentError, check_regular, parse_json
from suite.machine import usable_cpus, without_tf32
from suite.optional_dependencies import need, unlogged
from suite.printable import printable
from suite.statistics.conformal import Calibration
from suite.trial import TrialConfig
from suite.trial_reading import parse_config

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
#: The arithmetic of a file whose metadata name none.
FLOAT = "float32"
#: Characters of the description of a file's arithmetic that are shown.
LONGEST_ARITHMETIC = 120


@dataclass(frozen=True)
class Outputs:
    """The outputs of a model for a batch.

    Attributes:
        values: Estimates, float32 (n,), label units.
        distributions: Label distributions, float32 (n, bins), each row summing to 1; None where the method has none.
        one_pass: Estimates for the images as they are, float32 (n,), where ``values`` are means with those for their
            mirror images; None where they are not.
    """

    values: Floats
    distributions: Floats | None
    one_pass: Floats | None = None


@dataclass(frozen=True)
class Model:
    """An opened model file.

    Attributes:
        config: The configuration of its training, with resolution, label set and method.
        run: Returns the outputs for RGB images, uint8 (n, resolution, resolution, 3), n from 1 up.
        arithmetic: How the file computes, in words.
        calibration: Of its intervals; None where the file has none.
    """

    config: TrialConfig
    run: Callable[[Pixels], Outputs]
    arithmetic: str = FLOAT
    calibration: Calibration | None = None


def open_model(path: Path, *, trust_code: bool = False) -> Model:
    """Open a model file. The ending of its name decides the format.

    Args:
        path: The file.
        trust_code: Open a ``.pt2`` file, which can run any code of its author, even where this user did not export it.

    Raises:
        RequestError: The file does not exist, is not a model of this suite, needs a package that is not installed, or
            would run code that is not trusted.
    """
    if path.suffix not in OPENERS:
        raise RequestError(f"{path} ends in none of {', '.join(OPENERS)}; name a file of 'suite export'")
    try:
        check_regular(path, LARGEST_WEIGHTS)
    except FileNotFoundError:
        raise RequestError(
            f"{path} is not a file; name one that 'suite export' wrote, or the weights of a run"
        ) from None
    except FileContentError as error:
        raise RequestError(
            f"{path} cannot be read ({error}); name a file of 'suite export' that can"
        ) from None
    return OPENERS[path.suffix](path, trust_code)


def run_model(model: Model, images: Pixels, *, mirrored: bool) -> Outputs:
    """Run a model on a batch.

    Args:
        model: The opened model.
        images: RGB images, uint8 (n, resolution, resolution, 3).
        mirrored: Average the outputs with those for the mirror images, as the metrics of a training do. It doubles
            the work, and mostly is a little more accurate.

    Raises:
        RequestError: The outputs are not finite numbers, one estimate for each image.
    """
    outputs = _checked(model.run(images), len(images))
    if not mirrored:
        return outputs
    flipped = _checked(model.run(np.ascontiguousarray(images[:, :, ::-1])), len(images))
    half = np.float32(0.5)
    values = (outputs.values + flipped.values) * half
    if outputs.distributions is None or flipped.distributions is None:
        return Outputs(values, None, outputs.values)
    return Outputs(values, (outputs.distributions + flipped.distributions) * half, outputs.values)


def torch_runner(module: Callable[..., Any]) -> Callable[[Pixels], Outputs]:
    """Return a function that runs an ``InferenceModule``, or the program that was exported from one."""
    import torch

    def run(images: Pixels) -> Outputs:
        with torch.inference_mode(), without_tf32():
            value, *rest = module(torch.from_numpy(np.ascontiguousarray(images)))
        return Outputs(value.numpy(), rest[0].numpy() if rest else None)

    return run


def _checked(outputs: Outputs, images: int) -> Outputs:
    """Return outputs that are what every exported network gives."""
    values, shares = outputs.values, outputs.distributions
    is_whole = values.shape == (images,) and (
        shares is None or (shares.ndim == 2 and len(shares) == images and shares.shape[1] > 1)
    )
    is_share = shares is None or bool(
        np.isfinite(shares).all() and (shares >= 0).all() and (shares > 0).any(axis=1).all()
    )
    if not is_whole or not np.isfinite(values).all() or not is_share:
        raise RequestError(
            "the model does not give a finite number for every image, so that its file is damaged or is not of this "
            "suite; write it again with 'suite export'"
        )
    return outputs


def _open_onnx(path: Path, trust_code: bool) -> Model:
    runtime = need("onnxruntime", f"{path.name}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = usable_cpus()  # its default is the cores of the whole machine
    options.log_severity_level = 4  # errors are raised, too; printed, they would carry the file's own text
    try:
        # With a fallback, the runtime prints what it raises, even to the output that a program reads.
        session = runtime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
        metadata = session.get_modelmeta().custom_metadata_map
        config = _config_in(metadata)
        calibration = parse_calibration(metadata.get(CALIBRATION_KEY), config)
        _check_graph(session, config)
    except Exception as error:  # the runtime has an error class of its own for each cause
        raise _unreadable(path, error) from None
    input_name = session.get_inputs()[0].name

    def run(images: Pixels) -> Outputs:
        try:
            value, *rest = session.run(None, {input_name: images})
        except Exception as error:  # as above, such as a size that the graph does not have
            raise _unreadable(path, error) from None
        return Outputs(value, rest[0] if rest else None)

    return Model(config, run, _arithmetic_in(metadata), calibration)


def _open_safetensors(path: Path, trust_code: bool) -> Model:
    from suite.deployment.inference_module import InferenceModule
    from suite.networks.tensor_files import read_header
    from suite.networks.weights import load_network

    network, config, label_set = load_network(path)
    metadata = read_header(path).metadata  # weights of a run have none
    try:
        calibration = parse_calibration(metadata.get(CALIBRATION_KEY), config)
    except FileContentError as error:
        raise _unreadable(path, error) from None
    run = torch_runner(InferenceModule(network, config, label_set))
    return Model(config, run, _arithmetic_in(metadata), calibration)


def _open_program(path: Path, trust_code: bool) -> Model:
    # A large file of somebody else is refused without being held in memory. Then what is checked is what is opened.
    content = path.read_bytes() if trust_code or is_own_file(path) else None
    if content is None or not (trust_code or is_own(content)):
        raise RequestError(
            f"{path} is not a program that you exported on this machine, and opening a .pt2 file runs code of its "
            "author; ask for an .onnx or .safetensors file, or add --trust-code (in Python trust_code=True) if you "
            "would run any program of that person"
        )
    import torch

    files = {"metadata.json": ""}
    try:
        with unlogged():  # torch logs the traceback of what it raises
            program = torch.export.load(io.BytesIO(content), extra_files=files)
        metadata = parse_json(files["metadata.json"])
        config = _config_in(metadata)
        calibration = parse_calibration(metadata.get(CALIBRATION_KEY), config)
    except Exception as error:  # the class depends on which part of the archive is damaged
        raise _unreadable(path, error) from None
    return Model(config, torch_runner(program.module()), _arithmetic_in(metadata), calibration)


OPENERS: Mapping[str, Callable[[Path, bool], Model]] = {
    ".onnx": _open_onnx,
    ".pt2": _open_program,
    ".safetensors": _open_safetensors,
}


def _config_in(metadata: Any) -> TrialConfig:
    described = metadata.get("trial_config") if isinstance(metadata, Mapping) else None
    if not isinstance(described, str):
        raise FileContentError("it has no trial_config in its metadata")
    return parse_config(described)


def _arithmetic_in(metadata: Mapping[str, object]) -> str:
    return printable(metadata.get("arithmetic", FLOAT))[:LONGEST_ARITHMETIC]


def _check_graph(session: Any, config: TrialConfig) -> None:
    """Refuse a graph that does not take and give what the graphs of this suite do."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    side = config.resolution
    if [(each.type, each.shape[1:]) for each in inputs] != [("tensor(uint8)", [side, side, 3])]:
        raise FileContentError(f"it does not take RGB images of {side} pixels a side, as its metadata say")
    if not 1 <= len(outputs) <= 2 or any(each.type != "tensor(float)" for each in outputs):
        raise FileContentError("it gives other outputs than estimates and distributions")


def _unreadable(path: Path, error: Exception) -> RequestError:
    reason = first_line(error)
    return RequestError(f"{path} cannot be read as a model ({reason}); write it again with 'suite export'")
