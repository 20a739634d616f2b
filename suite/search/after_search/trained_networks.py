"""The trained networks of a run, without those that no measurement can use."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from suite.methods.labels import LabelSet
from suite.networks.weights import NotFiniteNetworkError, load_network
from suite.trial import TrialConfig


def load_finite(
    folder: Path, row: Mapping[str, Any], on_stage: Callable[[str], None]
) -> tuple[nn.Module, TrialConfig, LabelSet] | None:
    """Load the network of a row; None where its statistics overflowed, so that the others are still measured.

    A training that ends so is "diverged". Earlier versions called it "finished".

    Args:
        folder: The run folder.
        row: Of the trial.
        on_stage: Called with a sentence where there is no such network.

    Raises:
        RequestError: The file is missing, or damaged in another way.
    """
    try:
        return load_network(folder / "weights" / f"{row['id']}.safetensors")
    except NotFiniteNetworkError as error:
        on_stage(f"{row['id']} is left out: {error}")
        return None
