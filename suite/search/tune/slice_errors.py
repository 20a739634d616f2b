"""The validation errors of slices, measured by Ray tasks all over the cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
import torch

from suite.machine import best_device
from suite.presets import Architecture
from suite.search.proposals import Slice
from suite.search.tune.searcher import TrialEnvironment
from suite.search.tune.trial_training import elastic_network, trial_data
from suite.search.tune.worker_loss import RETRIES
from suite.training.evaluation import evaluate
from suite.training.recipe import resolve_precision
from suite.trial import Attribute

#: Tasks for each place of the cluster. More even out their lengths; fewer save their overhead.
TASKS_A_PLACE = 3


@dataclass(frozen=True)
class SliceErrors:
    """Measures slices on a cluster.

    Attributes:
        environment: What every process is given.
        share: Ray resources of one task.
        at_once: Tasks that run at the same time.
        source: The elastic network.
        attribute: What is estimated.
        resolution: Of the images, pixels a side.
    """

    environment: TrialEnvironment
    share: dict[str, float]
    at_once: int
    source: Slice
    attribute: Attribute
    resolution: int

    def measure(
        self, architectures: Sequence[Architecture], on_progress: Callable[[int], None]
    ) -> list[float]:
        """Return the mean absolute errors of slices on the validation split, label units, in their order.

        A task whose process or node is lost runs again elsewhere.

        Args:
            architectures: The slices.
            on_progress: Called with the number of slices measured so far.

        Raises:
            RequestError: The run folder lacks the elastic network.
        """
        size = max(1, -(-len(architectures) // (self.at_once * TASKS_A_PLACE)))
        batches = [architectures[start : start + size] for start in range(0, len(architectures), size)]
        task: Any = ray.remote(_errors_of).options(
            num_cpus=self.share["CPU"], num_gpus=self.share["GPU"], max_retries=RETRIES
        )
        references = [task.remote(self, batch) for batch in batches]
        errors: list[float] = []
        try:
            for reference in references:
                errors += _result(reference)
                on_progress(len(errors))
        except BaseException:
            for reference in references:
                ray.cancel(reference, force=False)
            raise
        return errors


def _result(reference: Any) -> list[float]:
    try:
        errors: list[float] = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    return errors


def _errors_of(request: SliceErrors, architectures: Sequence[Architecture]) -> list[float]:
    """Measure slices in a process of the cluster."""
    environment = request.environment
    torch.set_num_threads(environment.threads)
    dataset = trial_data(environment.files, request.attribute, request.resolution)
    elastic = elastic_network(environment.files, request.source.elastic)
    device = torch.device(environment.device or best_device())
    return [
        evaluate(
            elastic.slice(architecture, dataset, request.source.recalibration_images, device),
            dataset.splits["val"],
            elastic.label_set,
            method=elastic.config.method,
            precision=resolve_precision(elastic.config.precision, device),
            device=device,
        ).mae
        for architecture in architectures
    ]
