"""Trained networks as safetensors, the ``TrialConfig`` that made them beside the file or in its header."""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from suite.errors import RequestError
from suite.methods.labels import LabelSet, label_set_of
from suite.networks import build_network
from suite.trial import TrialConfig

#: Under this word a file that travels alone holds its configuration as JSON, in its own header.
CONFIG_KEY = "trial_config"


def save_network(network: nn.Module, config: TrialConfig, path: Path) -> None:
    """Write ``path`` (.safetensors) and its configuration as JSON, each replaced in one step.

    Raises:
        OSError: they cannot be written.
    """
    write_tensors(network.state_dict(), config.to_json(), path)


def write_tensors(state: Mapping[str, Tensor], beside: Mapping[str, Any], path: Path) -> None:
    """Write ``path`` (.safetensors) and, as JSON, what is to be said of it, each replaced in one step.

    Raises:
        OSError: they cannot be written.
    """
    told = path.with_suffix(".json")
    partials = {path: path.with_suffix(".safetensors.partial"), told: path.with_suffix(".json.partial")}
    try:
        save_tensors(state, partials[path])
        partials[told].write_text(json.dumps(beside, indent=2) + "\n", encoding="utf-8")
        for final, partial in partials.items():
            partial.replace(final)
    except OSError:
        for (
            partial
        ) in partials.values():  # where the disk is full, they take the room of what may yet be saved
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        raise


def save_tensors(state: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a state as a safetensors file.

    Args:
        state: tensors by name, on any device.
        path: the file.
        metadata: what its header is to say.

    Raises:
        OSError: it cannot be written; safetensors has an exception of its own for that.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    path.touch()
    mode = path.stat().st_mode  # safetensors would let nobody else read it
    try:
        save_file(tensors, path, metadata=None if metadata is None else dict(metadata))
        path.chmod(mode)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise OSError(str(error)) from None
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None


def load_network(path: Path) -> tuple[nn.Module, TrialConfig, LabelSet]:
    """The network of a weights file, its configuration and its label set.

    Raises:
        RequestError: the file or its configuration is missing, or they do not belong together.
    """
    try:
        config = TrialConfig.from_json(_configuration(path))
        label_set = label_set_of(config)
        network = build_network(config, label_set.bins)
        network.load_state_dict(load_file(path))
    # A configuration of other types than it should have breaks what is built from it.
    except (
        OSError,
        ValueError,
        TypeError,
        RuntimeError,
        LookupError,
        AttributeError,
        SafetensorError,
        RequestError,
    ) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise RequestError(
            f"{path} cannot be read as a trained network ({said}); it needs the "
            f"safetensors file of a run and {path.with_suffix('.json').name} beside it"
        ) from None
    return network.eval(), config, label_set


def _configuration(path: Path) -> str:
    with safe_open(path, framework="pt") as file:
        inside: str | None = (file.metadata() or {}).get(CONFIG_KEY)
    return inside or path.with_suffix(".json").read_text(encoding="utf-8")
