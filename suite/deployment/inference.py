"""Model files as something to ask: pixels in, estimates out. ONNX is answered without PyTorch."""

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
#: How a file computes that says nothing else.
FLOAT = "float32"


@dataclass(frozen=True)
class Answers:
    """What a model says of a batch."""

    values: Floats  # (n,), label units
    distributions: Floats | None  # (n, bins), each row summing to 1; None: the method has none


@dataclass(frozen=True)
class Model:
    """An opened model file.

    Attributes:
        config: of the training that it came from: resolution, label set, method.
        run: answers to uint8 (n, resolution, resolution, 3), RGB, of any n from 1 up.
        arithmetic: what the file says of how it computes, in words.
    """

    config: TrialConfig
    run: Callable[[Pixels], Answers]
    arithmetic: str = FLOAT


def open_model(path: Path) -> Model:
    """Open a model file by the ending of its name.

    Raises:
        RequestError: it is missing, no model of this suite, or needs a package that is not installed.
    """
    if path.suffix not in OPENERS:
        raise RequestError(f"{path} ends in none of {', '.join(OPENERS)}; name a file of 'suite export'")
    try:
        is_file = path.is_file()
    except OSError as error:  # a name that is too long, or behind a folder that may not be entered
        raise RequestError(f"{path} cannot be read ({error.strerror}); name a file that can") from None
    if not is_file:
        raise RequestError(f"{path} is no file; name one that 'suite export' wrote, or the weights of a run")
    return OPENERS[path.suffix](path)


def ask(model: Model, images: Pixels, *, mirrored: bool) -> Answers:
    """A model's answers; ``mirrored`` averages them with those for the mirror images, as metrics are taken.

    Args:
        model: opened.
        images: uint8 (n, resolution, resolution, 3).
        mirrored: twice the work, mostly a little more accurate.
    """
    straight = model.run(images)
    if not mirrored:
        return straight
    flipped = model.run(np.ascontiguousarray(images[:, :, ::-1]))
    half = np.float32(0.5)
    values = (straight.values + flipped.values) * half
    if straight.distributions is None or flipped.distributions is None:
        return Answers(values, None)
    return Answers(values, (straight.distributions + flipped.distributions) * half)


def _open_onnx(path: Path) -> Model:
    runtime = need("onnxruntime", f"{path.name}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = usable_cpus()  # it would take those of the whole machine
    options.log_severity_level = 3  # errors are raised; the rest is of no use to who asks
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        told = session.get_modelmeta().custom_metadata_map
        config = _config_in(told)
    except Exception as error:  # the runtime raises classes of its own, by cause
        raise _unreadable(path, error) from None
    entering = session.get_inputs()[0].name

    def run(images: Pixels) -> Answers:
        value, *rest = session.run(None, {entering: images})
        return Answers(value, rest[0] if rest else None)

    return Model(config, run, told.get("arithmetic", FLOAT))


def _open_safetensors(path: Path) -> Model:
    from safetensors import safe_open

    from suite.deployment.inference_module import InferenceModule
    from suite.networks.weights import load_network

    network, config, label_set = load_network(path)
    with safe_open(path, framework="pt") as file:
        told: Mapping[str, str] = file.metadata() or {}  # weights of a run have none
    answers = torch_answers(InferenceModule(network, config, label_set))
    return Model(config, answers, told.get("arithmetic", FLOAT))


def _open_program(path: Path) -> Model:
    import torch

    files = {"metadata.json": ""}
    try:
        with unlogged():  # it logs the traceback of what it raises
            program = torch.export.load(path, extra_files=files)
        told = json.loads(files["metadata.json"])
        config = _config_in(told)
    except Exception as error:  # of many classes, by what of the archive is damaged
        raise _unreadable(path, error) from None
    return Model(config, torch_answers(program.module()), told.get("arithmetic", FLOAT))


def torch_answers(module: Callable[..., Any]) -> Callable[[Pixels], Answers]:
    """Answers of a ``suite.deployment.inference_module.InferenceModule``, or of the program exported from one."""
    import torch

    def run(images: Pixels) -> Answers:
        with torch.inference_mode(), without_tf32():
            value, *rest = module(torch.from_numpy(np.ascontiguousarray(images)))
        return Answers(value.numpy(), rest[0].numpy() if rest else None)

    return run


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
    said = next(iter(str(error).splitlines()), type(error).__name__)[:200]
    return RequestError(f"{path} cannot be read as a model ({said}); write it again with 'suite export'")
