"""The trials of a search as typed rows, and the front among them."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from reports.formatting import sizes
from reports.model.cells import Row, number, rows_by_stage, words, worst_group
from reports.model.confirmation import Confirmed, confirmations, is_complete
from reports.model.recipe import WITH_KL, WITH_L1_WEIGHT, Recipe, recipe
from reports.model.timing import Timing, common_side, timing
from suite.presets import PRESETS
from suite.runs.front import rows_to_confirm
from suite.runs.info import ReferenceNetwork, RunInfo
from suite.runs.tables import Run
from suite.statistics.pareto import knee, non_dominated
from suite.trial import WorstGroup

#: TinyAgeNet's stages (paper, network architecture); ThinAgeNet has twice its widths.
TINY_WIDTHS, DEPTHS = PRESETS["tiny"].widths, PRESETS["tiny"].depths
THIN_WIDTHS = PRESETS["thin"].widths

#: Stages whose rows ``suite compress`` did not make from another trial's network.
NOT_COMPRESSED = ("search", "confirm", "parent", "elastic")

#: The networks that have stages of their own, as a reader knows them.
NAMES = {"vgg16": "VGG-16", "vgg16-bn": "VGG-16 with batch norm", "resnet50": "ResNet-50"}


@dataclass(frozen=True)
class Trial:
    """A trial of the search; numbers are NaN if they are missing or the method does not use them.

    ``val_mae`` and ``test_mae`` are those of its training in the search, in the run's unit. Sizes are exact counts;
    ``macs`` is at the trial's resolution. ``widths`` and ``depths`` are empty for a network with stages of its
    own. ``confirmed`` is set for trials that were trained again: the front's, and those selected beside it.
    """

    id: str
    status: str
    cause: str
    network: str
    pooling: str
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    recipe: Recipe
    lambda_l1: float
    label_deviation: float
    learning_rate: float
    params: float
    macs: float
    macs_at_224: float
    bytes: float
    val_mae: float
    test_mae: float
    own_timing: Timing  # at the trial's resolution
    common_timing: Timing  # at the one resolution that all are timed at, the paper's 224 by default
    epochs_run: int
    seconds: float
    trials_known: float
    seed: int
    stage: str = "search"  # or how it was made from its parent: "pruned", "int8", "distilled"; or "parent"
    parent: str = ""
    slice_of: str = ""  # id of the elastic training whose slice its training started from
    ended: float = math.nan  # seconds since the run's first start
    on_front: bool = False
    confirmed: Confirmed | None = None
    one_pass: float = math.nan  # val_mae of the images as they are, without the mean with their mirror images
    searched_worst_group: WorstGroup | None = None  # on validation, of its training in the search
    worst_group_bound: float = math.inf  # that the run puts on its error for the worst group

    @property
    def error(self) -> float:
        """Validation MAE: the confirmed mean if there is one, else the search's."""
        mean = self.confirmed.mean if self.confirmed else math.nan
        return mean if math.isfinite(mean) else self.val_mae

    @property
    def test_error(self) -> float:
        """Test MAE: the mean of the confirming trainings, or the trial's own; NaN if not measured."""
        mean = self.confirmed.mean_test if self.confirmed else math.nan
        return mean if math.isfinite(mean) else self.test_mae

    @property
    def worst_group(self) -> WorstGroup | None:
        """The group with the largest validation MAE, by the confirming trainings if there are any."""
        again = self.confirmed.worst_group if self.confirmed else None
        return again or self.searched_worst_group

    @property
    def worst_group_mae(self) -> float:
        """The validation MAE of the worst group; NaN where the data names no groups."""
        return self.worst_group.mae if self.worst_group else math.nan

    @property
    def is_within_bounds(self) -> bool:
        """Whether it may be on the front: its error for the worst group is within the run's bound."""
        return math.isinf(self.worst_group_bound) or self.worst_group_mae <= self.worst_group_bound

    @property
    def exported(self) -> str:
        """Id of the training to export: the most accurate of those that confirm it, which may be longer, or its own."""
        done = (
            [training for training in self.confirmed.trainings if training.finished] if self.confirmed else []
        )
        return min(done, key=lambda training: training.val_mae).id if done else self.id

    @property
    def finished(self) -> bool:
        """Whether the trial trained to its end and has a validation error."""
        return self.status == "finished" and math.isfinite(self.val_mae)

    @cached_property
    def timing(self) -> Timing:
        """Measurement to show: at the common resolution if there is one, else at the trial's own."""
        return self.common_timing if self.common_timing.known else self.own_timing

    @property
    def is_compact(self) -> bool:
        """Whether widths and depths describe its network."""
        return self.network == "compact"

    @property
    def design(self) -> tuple[str, ...]:
        """Its architecture in words, a line each: widths and depths, or the network's name."""
        if not self.is_compact:
            return (NAMES.get(self.network, self.network),)
        lines = (f"widths {sizes(self.widths)}", f"depths {sizes(self.depths)}")
        return lines if self.pooling == "hybrid" else (*lines, f"{self.pooling} pooling")

    @property
    def is_tiny(self) -> bool:
        """Whether its network is TinyAgeNet's architecture."""
        return self._has_stages(TINY_WIDTHS)

    @property
    def is_thin(self) -> bool:
        """Whether its network is ThinAgeNet's architecture."""
        return self._has_stages(THIN_WIDTHS)

    def _has_stages(self, widths: tuple[int, ...]) -> bool:
        as_published = self.is_compact and self.pooling == "hybrid"
        return as_published and self.widths == widths and self.depths == DEPTHS


@dataclass(frozen=True)
class FrontSummary:
    """The trials of a search, and its front.

    ``trials`` holds the front first, by size, then confirmed trials off it, then the others, both by validation
    error, then those without one. If the front was confirmed, ``front`` is that of the confirmed means alone, and
    ``best`` the lowest of these. Otherwise ``best`` has the lowest validation error of all finished trials,
    on the front or not. ``knee`` is None where the front has fewer than three members. ``searched_front``
    is the front by the errors of the search, by size; ``selected`` are the trials that the run confirms, or would:
    that front, and what is near it; ``confirmations`` has all that has ended of them.
    What ``suite compress`` made is in ``compressed`` alone, and the network that a search prunes in
    ``parent``: the front is what the search found.
    """

    trials: tuple[Trial, ...]
    front: tuple[Trial, ...]
    best: Trial | None
    knee: Trial | None
    smallest: Trial | None
    resolutions: tuple[int, ...]  # pixels a side at which trials train, ascending; the run's without a trial
    train_images: tuple[int, ...]  # training images that trials use, ascending; the run's without a trial
    searched_front: tuple[Trial, ...] = ()
    selected: tuple[Trial, ...] = ()
    confirmations: Mapping[str, Confirmed] = field(default_factory=dict)
    compressed: tuple[Trial, ...] = ()  # what was made from trials, in the order in which it ended
    parent: Trial | None = None  # what the search's trials were cut out of

    @property
    def relatives(self) -> tuple[Trial, ...]:
        """Compressed networks made from the search's trials, and the parent that these were pruned from."""
        return self.compressed if self.parent is None else (*self.compressed, self.parent)

    @property
    def is_confirmed(self) -> bool:
        """Whether the front is based on confirmed means."""
        return any(trial.confirmed for trial in self.selected)

    def count(self, status: str) -> int:
        """Return how many trials have a status: finished, stopped, diverged or failed."""
        return self._counts[status]

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(trial.status for trial in self.trials)

    @cached_property
    def timed_at(self) -> tuple[int, ...]:
        """Pixels a side of the latencies that are shown, ascending; empty if there are none."""
        return tuple(sorted({trial.timing.side for trial in self.trials if trial.timing.known}))


def summarise(run: Run) -> FrontSummary:
    """Read the trials of a run and find the front of the finished ones, over the run's objectives.

    If that front was confirmed, the final one is found among the confirmed trials, by their confirmed means. A trial
    that errs more for its worst group than the run's bound allows is on no front.
    """
    rows = rows_by_stage(run)
    trials = [_trial(row, run.info) for row in rows.get("search", [])]
    made = [row for stage, found in rows.items() if stage not in NOT_COMPRESSED for row in found]
    searched, again = _members(trials, run.info), confirmations(run)
    selected = {str(row["id"]) for row in rows_to_confirm(rows.get("search", []), run.info)}
    candidates = [trial for trial in trials if trial.finished and trial.is_within_bounds]
    on_front = searched
    if is_complete(selected, again, run.info):
        trials = [replace(t, confirmed=again[t.id]) if t.id in selected else t for t in trials]
        confirmed = [trial for trial in trials if trial.confirmed and trial.confirmed.errors]
        on_front = _members(confirmed, run.info)
        if "val_mae" in run.info.objectives:  # else the most accurate need not have been confirmed
            candidates = [trial for trial in confirmed if trial.is_within_bounds]
    trials = [replace(trial, on_front=True) if trial.id in on_front else trial for trial in trials]
    by_id = {trial.id: trial for trial in trials}
    front = sorted((by_id[id_] for id_ in on_front), key=lambda t: (t.params, t.error))
    return FrontSummary(
        trials=tuple(sorted(trials, key=_reading_order)),
        front=tuple(front),
        best=min(
            (by_id[trial.id] for trial in candidates),
            key=lambda t: (t.error, not t.on_front, t.params),
            default=None,
        ),
        knee=_knee(front, run.info) if len(front) > 2 else None,
        smallest=front[0] if front else None,
        resolutions=tuple(sorted({t.recipe.resolution for t in trials})) or (run.info.resolution,),
        train_images=tuple(sorted({t.recipe.train_images for t in trials})) or (run.info.data.train_images,),
        searched_front=tuple(sorted((by_id[id_] for id_ in searched), key=lambda t: (t.params, t.val_mae))),
        selected=tuple(sorted((by_id[id_] for id_ in selected), key=lambda t: (t.params, t.val_mae))),
        confirmations=again,
        compressed=tuple(_trial(row, run.info) for row in made),
        parent=next((_trial(row, run.info) for row in rows.get("parent", [])), None),
    )


def objectives(trial: Trial, info: RunInfo) -> list[float]:
    """Return the trial's losses in the order of the run's objectives."""
    return [trial.error if name == "val_mae" else float(getattr(trial, name)) for name in info.objectives]


def _members(trials: Sequence[Trial], info: RunInfo) -> set[str]:
    """Return the ids of the trials on their front."""
    losses = np.array([objectives(trial, info) for trial in trials])
    losses = losses.reshape(len(trials), len(info.objectives))
    losses[[not (trial.finished and trial.is_within_bounds) for trial in trials]] = np.nan
    return {trial.id for trial, member in zip(trials, non_dominated(losses), strict=True) if member}


def _knee(front: list[Trial], info: RunInfo) -> Trial:
    """Return the knee of the front's members; ``knee`` expects the error in the first column."""
    costs = [name for name in info.objectives if name not in ("val_mae", "worst_group_mae")]
    losses = [[member.error, *(float(getattr(member, cost)) for cost in costs)] for member in front]
    return front[knee(np.array(losses))]


def reference(info: RunInfo, key: str) -> ReferenceNetwork | None:
    """Return the exactly counted network for a key of ``published.yaml``: vgg16, thin or tiny."""
    for network in info.references:
        if "".join(filter(str.isalnum, network.name.lower())).startswith(key):
            return network
    return None


def _reading_order(trial: Trial) -> tuple[bool, bool, bool, float]:
    confirmed = trial.confirmed is not None
    last = _last(trial.params if trial.on_front else trial.error)
    return (not trial.on_front, not confirmed, not trial.finished, last)


def _last(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _trial(row: Row, info: RunInfo) -> Trial:
    trained = recipe(row, info.resolution, info.data.train_images_stored)
    side, network = common_side(info), str(row["network"])
    has_stages = network == "compact"
    return Trial(
        id=str(row["id"]),
        status=str(row["status"]),
        cause=words(row, "cause"),
        network=network,
        pooling=words(row, "pooling", "hybrid"),
        widths=tuple(int(width) for width in row["widths"]) if has_stages else (),
        depths=tuple(int(depth) for depth in row["depths"]) if has_stages else (),
        recipe=trained,
        lambda_l1=_of_method(row, "lambda_l1", trained, WITH_L1_WEIGHT),
        label_deviation=_of_method(row, "label_deviation", trained, WITH_KL),
        learning_rate=number(row, "learning_rate"),
        params=number(row, "params"),
        macs=number(row, "macs"),
        macs_at_224=number(row, "macs_at_224"),
        bytes=number(row, "bytes"),
        val_mae=number(row, info.error_column),
        one_pass=number(row, f"val_mae_one_pass_{info.unit}"),
        test_mae=number(row, f"test_mae_{info.unit}"),
        own_timing=timing(row, trained.resolution, ""),
        common_timing=timing(row, side, f"_at_{side}"),
        epochs_run=int(row["epochs_run"]),
        seconds=number(row, "seconds"),
        trials_known=number(row, "trials_known"),
        seed=int(row["seed"]),
        stage=str(row["stage"]),
        parent=words(row, "parent"),
        slice_of=words(row, "slice_of"),
        ended=number(row, "started") + number(row, "seconds"),
        searched_worst_group=worst_group(row, "val", info.unit),
        worst_group_bound=info.worst_group_bound,
    )


def _of_method(row: Row, column: str, trained: Recipe, users: tuple[str, ...]) -> float:
    """Return a number that only some methods use; NaN for other methods."""
    return number(row, column) if set(trained.methods) & set(users) else math.nan
