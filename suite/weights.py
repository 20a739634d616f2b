"""Trained networks as files: safetensors, and the ``TrialConfig`` that made them beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from suite.errors import RequestError
from suite.labels import LabelSet
from suite.networks import build_network
from suite.trial import TrialConfig


def save_network(network: nn.Module, config: TrialConfig, path: Path) -> None:
    """Write ``path`` (.safetensors) and its configuration as JSON, each replaced in one step."""
    write_tensors(network.state_dict(), config.to_json(), path)


def write_tensors(state: Mapping[str, Tensor], beside: Mapping[str, Any], path: Path) -> None:
    """Write ``path`` (.safetensors) and, as JSON, what is to be said of it, each replaced in one step."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    told = path.with_suffix(".json")
    partials = {path: path.with_suffix(".safetensors.partial"), told: path.with_suffix(".json.partial")}
    save_file(tensors, partials[path])
    partials[told].write_text(json.dumps(beside, indent=2) + "\n", encoding="utf-8")
    for final, partial in partials.items():
        partial.replace(final)


def load_network(path: Path) -> tuple[nn.Module, TrialConfig, LabelSet]:
    """The network of a weights file, its configuration and its label set.

    Raises:
        RequestError: the file or its configuration is missing, or they do not belong together.
    """
    try:
        config = TrialConfig.from_json(path.with_suffix(".json").read_text(encoding="utf-8"))
        label_set = LabelSet(config.label_low, config.label_high, config.label_step)
        network = build_network(config, label_set.bins)
        network.load_state_dict(load_file(path))
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise RequestError(
            f"{path} cannot be read as a trained network ({str(error).splitlines()[0]}); it needs the "
            f"safetensors file of a run and {path.with_suffix('.json').name} beside it"
        ) from None
    return network.eval(), config, label_set
