"""Trained networks as safetensors files, with their ``TrialConfig`` beside the file or in its header."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from suite.errors import RequestError
from suite.files.atomic import atomic_path
from suite.files.reading import FileContentError, read_text
from suite.methods.labels import LabelSet, label_set_of
from suite.networks import build_network
from suite.networks.tensor_files import NotFiniteError, Shape, check_shapes, read_header, read_tensors
from suite.networks.weight_init import WithoutInitialisation
from suite.trial import TrialConfig
from suite.trial_reading import LARGEST_CONFIG, parse_config

#: The key of the configuration, as JSON, in the header of a file that has no JSON file beside it.
CONFIG_KEY = "trial_config"


class NotFiniteNetworkError(RequestError):
    """A network with a value that is infinite or not a number."""


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

    The description is compared with the shapes in the file before a network is built from it, so that forged widths
    and depths take neither time nor memory.

    Raises:
        NotFiniteNetworkError: A value is infinite or not a number.
        RequestError: The file or its configuration is missing, or the two do not match.
    """
    try:
        header = read_header(path)
        in_header = header.metadata.get(CONFIG_KEY)
        config = parse_config(in_header or read_text(path.with_suffix(".json"), largest=LARGEST_CONFIG))
        label_set = label_set_of(config)
        check_shapes(header.shapes, shapes_of(config, label_set.bins))
        network = build_network(config, label_set.bins)
        network.load_state_dict(read_tensors(path))
    except NotFiniteError as error:
        raise NotFiniteNetworkError(
            f"{path} is a network that cannot estimate anything ({error}); train it again with a lower learning rate"
        ) from None
    except (OSError, RequestError, FileContentError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if isinstance(error, FileNotFoundError):
            reason = f"there is no {Path(str(error)).name}"
        raise RequestError(
            f"{path} cannot be read as a trained network ({next(iter(reason.splitlines()), '')}); it needs the "
            f"safetensors file of a run and {path.with_suffix('.json').name} beside it"
        ) from None
    return network.eval(), config, label_set


def shapes_of(config: TrialConfig, bins: int) -> dict[str, Shape]:
    """Return the shape of each tensor of a trial's network, by name, without making the tensors.

    Raises:
        RequestError: The configuration describes no valid network.
    """
    with torch.device("meta"), WithoutInitialisation():
        state = build_network(config, bins).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
