"""Trained networks as safetensors files, with their ``TrialConfig`` beside the file or in its header."""

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
from suite.files.atomic import atomic_path
from suite.methods.labels import LabelSet, label_set_of
from suite.networks import build_network
from suite.trial import TrialConfig

#: The key of the configuration, as JSON, in the header of a file that has no JSON file beside it.
CONFIG_KEY = "trial_config"


def save_network(network: nn.Module, config: TrialConfig, path: Path) -> None:
    """Write a network to ``path`` (.safetensors) and its configuration to a JSON file beside it.

    Each file is replaced in one step.

    Raises:
        OSError: A file cannot be written.
    """
    write_tensors(network.state_dict(), config.to_json(), path)


def write_tensors(state: Mapping[str, Tensor], description: Mapping[str, Any], path: Path) -> None:
    """Write tensors to ``path`` (.safetensors) and a description to a JSON file beside it.

    Each file is replaced in one step.

    Raises:
        OSError: A file cannot be written.
    """
    with (  # the last that is opened is renamed first
        atomic_path(path.with_suffix(".json"), durable=True) as json_path,
        atomic_path(path, durable=True) as tensors,
    ):
        save_tensors(state, tensors)
        json_path.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def save_tensors(state: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors to a safetensors file.

    Args:
        state: Tensors by name, on any device.
        path: The file.
        metadata: Entries of its header.

    Raises:
        OSError: The file cannot be written. (Safetensors raises its own exception, which is translated.)
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    path.touch()
    mode = path.stat().st_mode  # safetensors would make the file private
    try:
        save_file(tensors, path, metadata=None if metadata is None else dict(metadata))
        path.chmod(mode)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise OSError(str(error)) from None
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None


def load_network(path: Path) -> tuple[nn.Module, TrialConfig, LabelSet]:
    """Load a network in evaluation mode, with its configuration and its label set.

    Raises:
        RequestError: The file or its configuration is missing, or the two do not match.
    """
    try:
        config = TrialConfig.from_json(_configuration(path))
        label_set = label_set_of(config)
        network = build_network(config, label_set.bins)
        network.load_state_dict(load_file(path))
    # A configuration with values of the wrong types raises nearly anything while the network is built.
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
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise RequestError(
            f"{path} cannot be read as a trained network ({reason}); it needs the "
            f"safetensors file of a run and {path.with_suffix('.json').name} beside it"
        ) from None
    return network.eval(), config, label_set


def _configuration(path: Path) -> str:
    with safe_open(path, framework="pt") as file:
        in_header: str | None = (file.metadata() or {}).get(CONFIG_KEY)
    return in_header or path.with_suffix(".json").read_text(encoding="utf-8")
