"""Trained networks as safetensors, the ``TrialConfig`` that made them beside the file or in its header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from suite.errors import RequestError
from suite.labels import LabelSet
from suite.networks import build_network
from suite.trial import TrialConfig

#: Under this word a file that travels alone holds its configuration as JSON, in its own header.
CONFIG_KEY = "trial_config"


def save_network(network: nn.Module, config: TrialConfig, path: Path) -> None:
    """Write ``path`` (.safetensors) and its configuration as JSON, each replaced in one step."""
    write_tensors(network.state_dict(), config.to_json(), path)


def write_tensors(state: Mapping[str, Tensor], beside: Mapping[str, Any], path: Path) -> None:
    """Write ``path`` (.safetensors) and, as JSON, what is to be said of it, each replaced in one step."""
    told = path.with_suffix(".json")
    partials = {path: path.with_suffix(".safetensors.partial"), told: path.with_suffix(".json.partial")}
    save_file(tensors_of(state), partials[path])
    partials[told].write_text(json.dumps(beside, indent=2) + "\n", encoding="utf-8")
    for final, partial in partials.items():
        partial.replace(final)


def tensors_of(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state as safetensors takes it: on the CPU, in the plain order in memory."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}


def load_network(path: Path) -> tuple[nn.Module, TrialConfig, LabelSet]:
    """The network of a weights file, its configuration and its label set.

    Raises:
        RequestError: the file or its configuration is missing, or they do not belong together.
    """
    try:
        config = TrialConfig.from_json(_configuration(path))
        label_set = LabelSet(config.label_low, config.label_high, config.label_step)
        network = build_network(config, label_set.bins)
        network.load_state_dict(load_file(path))
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise RequestError(
            f"{path} cannot be read as a trained network ({str(error).splitlines()[0]}); it needs the "
            f"safetensors file of a run and {path.with_suffix('.json').name} beside it"
        ) from None
    return network.eval(), config, label_set


def _configuration(path: Path) -> str:
    with safe_open(path, framework="pt") as file:
        inside: str | None = (file.metadata() or {}).get(CONFIG_KEY)
    return inside or path.with_suffix(".json").read_text(encoding="utf-8")
