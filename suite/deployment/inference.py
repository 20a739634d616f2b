"""Inference with model files: pixels in, estimates out. An ONNX file runs without PyTorch."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from suite.errors import RequestError
from suite.machine import usable_cpus, without_tf32
from suite.optional_dependencies import need, unlogged
from suite.trial import TrialConfig

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
#: The arithmetic of a file whose metadata name none.
FLOAT = "float32"


@dataclass(frozen=True)
class Outputs:
    """The outputs of a model for a batch.

    Attributes:
        values: Estimates, float32 (n,), label units.
        distributions: Label distributions, float32 (n, bins), each row summing to 1; None where the method has none.
    """

    values: Floats
    distributions: Floats | None


@dataclass(frozen=True)
class Model:
    """An opened model file.

    Attributes:
        config: The configuration of its training, with resolution, label set and method.
        run: Returns the outputs for RGB images, uint8 (n, resolution, resolution, 3), n from 1 up.
        arithmetic: How the file computes, in words.
    """

    config: TrialConfig
    run: Callable[[Pixels], Outputs]
    arithmetic: str = FLOAT


def open_model(path: Path) -> Model:
    """Open a model file. The ending of its name decides the format.

    Raises:
        RequestError: The file does not exist, is not a model of this suite, or needs a package that is not installed.
    """
    if path.suffix not in OPENERS:
        raise RequestError(f"{path} ends in none of {', '.join(OPENERS)}; name a file of 'suite export'")
    try:
        is_file = path.is_file()
    except OSError as error:  # the name is too long, or a folder above may not be entered
        raise RequestError(f"{path} cannot be read ({error.strerror}); name a file that can") from None
    if not is_file:
        raise RequestError(
            f"{path} is not a file; name one that 'suite export' wrote, or the weights of a run"
        )
    return OPENERS[path.suffix](path)


def run_model(model: Model, images: Pixels, *, mirrored: bool) -> Outputs:
    """Run a model on a batch.

    Args:
        model: The opened model.
        images: RGB images, uint8 (n, resolution, resolution, 3).
        mirrored: Average the outputs with those for the mirror images, as the metrics of a training do. It doubles
            the work, and mostly is a little more accurate.
    """
    outputs = model.run(images)
    if not mirrored:
        return outputs
    flipped = model.run(np.ascontiguousarray(images[:, :, ::-1]))
    half = np.float32(0.5)
    values = (outputs.values + flipped.values) * half
    if outputs.distributions is None or flipped.distributions is None:
        return Outputs(values, None)
    return Outputs(values, (outputs.distributions + flipped.distributions) * half)


def torch_runner(module: Callable[..., Any]) -> Callable[[Pixels], Outputs]:
    """Return a function that runs an ``InferenceModule``, or the program that was exported from one."""
    import torch

    def run(images: Pixels) -> Outputs:
        with torch.inference_mode(), without_tf32():
            value, *rest = module(torch.from_numpy(np.ascontiguousarray(images)))
        return Outputs(value.numpy(), rest[0].numpy() if rest else None)

    return run


def _open_onnx(path: Path) -> Model:
    runtime = need("onnxruntime", f"{path.name}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = usable_cpus()  # its default is the cores of the whole machine
    options.log_severity_level = 3  # errors are raised, and its other messages help no user of a model
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        metadata = session.get_modelmeta().custom_metadata_map
        config = _config_in(metadata)
    except Exception as error:  # the runtime has an error class of its own for each cause
        raise _unreadable(path, error) from None
    input_name = session.get_inputs()[0].name

    def run(images: Pixels) -> Outputs:
        value, *rest = session.run(None, {input_name: images})
        return Outputs(value, rest[0] if rest else None)

    return Model(config, run, metadata.get("arithmetic", FLOAT))


def _open_safetensors(path: Path) -> Model:
    from safetensors import safe_open

    from suite.deployment.inference_module import InferenceModule
    from suite.networks.weights import load_network

    network, config, label_set = load_network(path)
    with safe_open(path, framework="pt") as file:
        metadata: Mapping[str, str] = file.metadata() or {}  # weights of a run have none
    run = torch_runner(InferenceModule(network, config, label_set))
    return Model(config, run, metadata.get("arithmetic", FLOAT))


def _open_program(path: Path) -> Model:
    import torch

    files = {"metadata.json": ""}
    try:
        with unlogged():  # torch logs the traceback of what it raises
            program = torch.export.load(path, extra_files=files)
        metadata = json.loads(files["metadata.json"])
        config = _config_in(metadata)
    except Exception as error:  # the class depends on which part of the archive is damaged
        raise _unreadable(path, error) from None
    return Model(config, torch_runner(program.module()), metadata.get("arithmetic", FLOAT))


OPENERS: Mapping[str, Callable[[Path], Model]] = {
    ".onnx": _open_onnx,
    ".pt2": _open_program,
    ".safetensors": _open_safetensors,
}


def _config_in(metadata: Mapping[str, str]) -> TrialConfig:
    if "trial_config" not in metadata:
        raise ValueError("it has no trial_config in its metadata")
    return TrialConfig.from_json(metadata["trial_config"])


def _unreadable(path: Path, error: Exception) -> RequestError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)[:200]
    return RequestError(f"{path} cannot be read as a model ({reason}); write it again with 'suite export'")
