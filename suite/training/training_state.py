"""The state of a training between two epochs, checked before another training of its configuration takes it over.

A checkpoint may be damaged or forged. Its state is compared with that of a training before its first epoch: whatever
follows from the configuration must be equal, and the tensors must have the shapes of the network.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from suite.files.reading import FileContentError
from suite.networks.tensor_files import check_finite, check_shapes, check_whole

PARTS = {"epoch", "network", "optimizer", "schedule"}
#: What changes in the course of a training. The rest of the optimiser and the schedule follows from the configuration.
CHANGING = {
    "lr",
    "betas",
    "_last_lr",
    "_step_count",
    "last_epoch",
    "_is_initial",
    "_get_lr_called_within_step",
}
#: The tensors of Adam for a parameter that have its shape.
MOMENTS = ("exp_avg", "exp_avg_sq")


def check_state(state: Mapping[str, Any], own: Mapping[str, Any], network: nn.Module, *, steps: int) -> None:
    """Check a state before it is loaded; how many epochs there were, the caller has checked.

    Args:
        state: What a checkpoint holds.
        own: The state of the training that is to continue, at the beginning of the same stage.
        network: The network of that training.
        steps: How many steps of the stage were trained.

    Raises:
        FileContentError: It is not the state of such a training.
    """
    if set(state) != PARTS or isinstance(state["epoch"], bool):
        raise FileContentError("it holds no state of a training")
    _check_tensors(state["network"], own["network"])
    _check_optimizer(state["optimizer"], own["optimizer"], [*network.parameters()])
    if not _is_alike(state["schedule"], own["schedule"]):
        raise FileContentError("its schedule is not that of the configuration")
    if state["schedule"]["last_epoch"] != steps:
        raise FileContentError("its schedule is at another step than its epoch")


def _check_optimizer(found: object, own: Mapping[str, Any], parameters: list[nn.Parameter]) -> None:
    if not isinstance(found, Mapping) or set(found) != set(own) or not isinstance(found["state"], Mapping):
        raise FileContentError("it holds no state of an optimiser")
    if not _is_alike(found["param_groups"], own["param_groups"]):
        raise FileContentError("its optimiser is not that of the configuration")
    if set(found["state"]) != set(range(len(parameters))):
        raise FileContentError("its optimiser has other parameters than the network")
    for number, parameter in enumerate(parameters):
        expected = {"step": torch.zeros(()), **dict.fromkeys(MOMENTS, parameter.detach())}
        _check_tensors(found["state"][number], expected)


def _check_tensors(found: object, expected: Mapping[str, Tensor]) -> None:
    tensors = dict(found) if isinstance(found, Mapping) else {}
    if not tensors or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise FileContentError("it has something else in the place of tensors")
    check_shapes(_shapes(tensors), _shapes(expected))
    for name, tensor in tensors.items():
        if tensor.dtype != expected[name].dtype:
            raise FileContentError(f"its tensor {name[:80]!r} has another type of number")
    check_whole(tensors)
    check_finite(tensors)


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {str(name): tuple(tensor.shape) for name, tensor in tensors.items()}


def _is_alike(found: object, own: object, *, may_change: bool = False) -> bool:
    """Whether two plain values have the same structure, and are equal but for numbers that change."""
    if isinstance(own, Mapping):
        return (
            isinstance(found, Mapping)
            and set(found) == set(own)
            and all(_is_alike(found[key], own[key], may_change=key in CHANGING) for key in own)
        )
    if isinstance(own, list | tuple):
        return (
            isinstance(found, type(own))
            and len(found) == len(own)
            and all(_is_alike(a, b, may_change=may_change) for a, b in zip(found, own, strict=True))
        )
    if may_change:
        return type(found) is type(own) and isinstance(found, int | float) and math.isfinite(found)
    return type(found) is type(own) and found == own
