"""``run.json``: the search as requested, and the data, hardware and versions that it ran with."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from suite.commands import command
from suite.errors import RequestError
from suite.files.atomic import write_atomically
from suite.files.reading import (
    LARGEST_DESCRIPTION,
    LARGEST_INTEGER,
    FileContentError,
    parse_json,
    read_text,
    schema_version,
    typed,
)
from suite.trial import UNIT, Attribute

#: Increased when a column is renamed, dropped or changes its meaning, but not for a new column.
SCHEMA_VERSION = 1

RunStatus = Literal["running", "interrupted", "finished", "failed"]
Objective = Literal["val_mae", "worst_group_mae", "params", "macs", "bytes"]
#: What a run did whose ``search`` lacks these fields, as one of an earlier version does: it confirmed nothing, or the
#: front alone, with trainings as long as the search's.
BEFORE_CONFIRMATION: Mapping[str, int | str] = {
    "confirm_seeds": 1,
    "confirm_epochs": "1x",
    "confirm_neighbours": 0,
}
#: What a file may hold. The limits are far above what a run has, and keep later arithmetic finite.
Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
Size = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
Few = Annotated[int, Field(ge=0, le=1_000_000)]
Side = Annotated[int, Field(ge=1, le=100_000)]
Seed = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
Seconds = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


@dataclass(frozen=True)
class DataUsed:
    """The data set of a run, as its report shows it.

    Attributes:
        name: The name of the data set.
        folder: The folder of the packed data set.
        fingerprint: The digest of its images and labels.
        side: The height and width of the stored images in pixels.
        train_images: How many training images each trial uses, after ``train_images`` of the search space.
        train_images_stored: How many training images there are.
        val_images: How many validation images there are.
        test_images: How many test images there are.
        origin: Where the images come from.
        protocol: How they were split.
        skipped: How many images of the source were left out.
        constant_val_mae: The validation MAE of the best constant prediction, the median of the training labels,
            in units of the label.
        sampled_fingerprint: The digest of a sample of its images and of its labels, as computed when the run began;
            empty in runs of earlier versions.
        constant_worst_group_mae: The validation MAE of that constant for the worst group of people; None where the
            data names no group that counts, and in runs of earlier versions.
    """

    name: str
    folder: str
    fingerprint: str
    side: Side
    train_images: Count
    train_images_stored: Count
    val_images: Count
    test_images: Count
    origin: str
    protocol: str
    skipped: Count
    constant_val_mae: Annotated[float, Field(le=1e12)]
    sampled_fingerprint: str = ""
    constant_worst_group_mae: Annotated[float, Field(le=1e12)] | None = None


@dataclass(frozen=True)
class ReferenceNetwork:
    """A network to compare sizes with: its size is counted, but it is not trained in this run.

    Attributes:
        name: The name of the network.
        params: How many parameters it has.
        macs: Multiply-adds at the run's resolution.
        macs_at_224: Multiply-adds at 224 x 224 pixels.
        bytes: The size of its weights in bytes.
    """

    name: str
    params: Size
    macs: Size
    macs_at_224: Size
    bytes: Size


@dataclass(frozen=True)
class Resources:
    """The share of a machine for each trial, and how many trials run at once, as requested.

    Attributes:
        cpus_per_trial: Cores for each trial.
        gpus_per_trial: GPUs for each trial; None for a quarter if the cluster has GPUs.
        max_concurrent: How many trials run at once; None for as many as the cluster holds.
        address: The address of a running Ray cluster; None or "local" for one on this machine alone.
    """

    cpus_per_trial: Share = 1.0
    gpus_per_trial: Share | None = None
    max_concurrent: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    address: str | None = None

    @property
    def of_this_machine(self) -> bool:
        """Whether the run uses this machine alone."""
        return self.address in (None, "local")


@dataclass(frozen=True)
class CostRange:
    """What the networks of a search space cost, whatever its bounds, and whatever was trained of it.

    Attributes:
        least: Of the smallest network.
        greatest: Of the largest network.
    """

    least: Size
    greatest: Size


@dataclass(frozen=True)
class RunInfo:
    """The content of ``run.json``.

    Attributes:
        name: The name of the search.
        status: How far the run is.
        command: The command line.
        search: The resolved search space, with defaults, ``--set`` and ``--data`` applied.
        search_file: The file of the search space.
        attribute: The attribute that the networks estimate.
        resolution: The height and width of the images in training, in pixels.
        objectives: The names of the objectives.
        trials_asked: How many trials were requested.
        seed: The seed of the search.
        max_concurrent: How many trials run at once.
        data: The data set.
        references: Networks to compare sizes with.
        versions: Versions of suite and of the packages that can change its results.
        git_revision: The revision of suite; empty if it does not run from a git checkout.
        hardware: The hardware of the driver's machine.
        started: When the run began, in ISO 8601 with the time zone.
        resources: The requested resources of a trial.
        ended: When the run ended; empty while it runs.
        seconds: Wall time of all sessions together.
        latency: How latency was measured.
        out_of_bounds: How many networks were proposed, or are points of the grid, but exceed the bounds and were
            not trained.
        repeats: How many proposals repeated a trained configuration and were not trained again.
        ended_early: Why the search has fewer trials than requested, if it gave up; otherwise empty.
        cost_ranges: What the networks of the space cost, by objective; without those of a network that is too large to
            be counted, and empty in runs of earlier versions.
        schema_version: The version of the run folder's schema.
    """

    name: str
    status: RunStatus
    command: Sequence[str]
    search: Mapping[str, Any]
    search_file: str
    attribute: Attribute
    resolution: Side
    objectives: Annotated[Sequence[Objective], Field(min_length=1)]
    trials_asked: Few
    seed: Seed
    max_concurrent: Few
    data: DataUsed
    references: Sequence[ReferenceNetwork]
    versions: Mapping[str, str]
    git_revision: str
    hardware: Mapping[str, Any]
    started: str
    resources: Resources = Resources()
    ended: str = ""
    seconds: Seconds = 0.0
    latency: Mapping[str, Any] = field(default_factory=dict)
    out_of_bounds: Count = 0
    repeats: Count = 0
    ended_early: str = ""
    cost_ranges: Mapping[str, CostRange] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    @property
    def unit(self) -> str:
        """The unit of the mean absolute error: "years" or "points"."""
        return UNIT[self.attribute]

    @property
    def error_column(self) -> str:
        """The column of ``trials.parquet`` with the error of the front, such as ``val_mae_years``."""
        return f"val_mae_{self.unit}"

    @property
    def worst_group_bound(self) -> float:
        """The most that a member of the front may err for the worst group, label units; infinite without a bound.

        Raises:
            FileContentError: The block is not one that ``read_info`` lets in.
        """
        bound = typed(self.search.get("bounds") or {}, _Bounds).worst_group_mae
        return math.inf if bound is None else bound

    @property
    def most(self) -> Mapping[str, float]:
        """The most that the front's members may have in columns of ``trials.parquet``: the bounds on errors."""
        bound = self.worst_group_bound
        return {objective_column("worst_group_mae", self.unit): bound} if math.isfinite(bound) else {}

    @property
    def sharing(self) -> "SharingUsed | None":
        """How the networks of the search share weights; None where each was trained alone.

        Raises:
            FileContentError: The block is not one that ``read_info`` lets in.
        """
        block = self.search.get("sharing")
        return None if block is None else typed(block, SharingUsed)

    @property
    def confirmations_of_a_member(self) -> int:
        """How many trainings confirm each member of the front; 0 where none does."""
        seeds = int(self._confirmation("confirm_seeds"))
        both = self.sharing is not None and self.sharing.confirm == "both"
        return seeds * (2 if both else 1) if seeds > 1 else 0

    @property
    def confirmed_neighbours(self) -> int:
        """How many trials beside the front are confirmed at most."""
        return int(self._confirmation("confirm_neighbours"))

    def confirming_epochs(self, epochs: int) -> int:
        """Return how many epochs the trainings have that confirm a trial of so many."""
        asked = self._confirmation("confirm_epochs")
        return int(asked) if isinstance(asked, int) else epochs * int(asked.removesuffix("x"))

    @property
    def confirms_longer(self) -> bool:
        """Whether the trainings that confirm may be longer than those of the search."""
        return self._confirmation("confirm_epochs") != BEFORE_CONFIRMATION["confirm_epochs"]

    def _confirmation(self, field: str) -> int | str:
        asked: int | str = self.search.get(field, BEFORE_CONFIRMATION[field])
        return asked


def objective_column(objective: str, unit: str) -> str:
    """Return the column of ``trials.parquet`` with an objective.

    Args:
        objective: One of ``Objective``.
        unit: The unit of errors, "years" or "points".
    """
    columns = {"val_mae": f"val_mae_{unit}", "worst_group_mae": f"val_worst_group_mae_{unit}"}
    return columns.get(objective, objective)


def write_info(folder: Path, info: RunInfo) -> None:
    """Write ``run.json``.

    Raises:
        RequestError: The name of the data's folder is not UTF-8, and could not be read back.
        OSError: The file cannot be written; the one that was there stays.
    """
    if info.data.folder != _as_utf8(info.data.folder):
        raise RequestError(
            f"the name of the folder {info.data.folder} is not UTF-8, so no run can name it as its data; rename it"
        )
    info = dataclasses.replace(
        info, command=[_as_utf8(word) for word in info.command], search_file=_as_utf8(info.search_file)
    )
    text = json.dumps(dataclasses.asdict(info), indent=2) + "\n"
    write_atomically(folder / "run.json", text, durable=True)


def _as_utf8(text: str) -> str:
    """Return text with an escape for each byte of a file name that is not UTF-8 (a lone surrogate, PEP 383)."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class _Range:
    """A varied field of ``search``: a range, a choice, or neither in a search space of an earlier version."""

    choices: Sequence[Any] = ()
    log: bool = False


@dataclass(frozen=True)
class _Latency:
    """The part of ``search.latency`` that reports use."""

    resolution: Side = 224


@dataclass(frozen=True)
class _Bounds:
    """The part of ``search.bounds`` that decides what is on the front."""

    worst_group_mae: Annotated[float, Field(gt=0, le=1e12)] | None = None


@dataclass(frozen=True)
class SharingUsed:
    """The part of ``search.sharing`` that reports use; see ``search_spaces.settings.Sharing``.

    Attributes:
        epochs: Of the elastic training.
        random_slices: Slices of each step, beside the largest network and the smallest.
        recalibration_images: Training images that a slice's batch-norm statistics are measured on.
        confirm: "procedure" repeats everything with each confirming seed; "scratch" trains the members alone; "both"
            does both, and the procedure's errors count.
    """

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 16
    random_slices: Annotated[int, Field(ge=0, le=64)] = 1
    recalibration_images: Annotated[int, Field(ge=2, le=1_000_000)] = 1024
    confirm: Literal["procedure", "scratch", "both"] = "procedure"

    @property
    def counted(self) -> Literal["procedure", "scratch"]:
        """The way of confirming whose errors count."""
        return "scratch" if self.confirm == "scratch" else "procedure"


@dataclass(frozen=True)
class _KnownSearch:
    """The fields of ``search`` that are read without the loader of search spaces, which may have changed."""

    name: str = ""
    description: str | None = ""
    sampler: str = ""
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    confirm_seeds: Annotated[int, Field(ge=1, le=100)] = 1
    confirm_epochs: (
        Annotated[int, Field(ge=1, le=100_000)] | Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}x$")]
    ) = "1x"
    confirm_neighbours: Annotated[int, Field(ge=0, le=1000)] = 0
    base: Mapping[str, Any] | None = None
    vary: Mapping[str, Any] | None = None
    sharing: SharingUsed | None = None
    latency: _Latency | None = None
    bounds: _Bounds | None = None


def read_info(folder: Path) -> RunInfo:
    """Read ``run.json``, and check the type and the range of every value that later code uses.

    Raises:
        RequestError: The folder holds no run, a run of another schema version, or a damaged one.
    """
    try:
        fields: Any = parse_json(read_text(folder / "run.json", largest=LARGEST_DESCRIPTION))
    except FileNotFoundError:
        raise _no_run(folder, "it has no run.json") from None
    except FileContentError as error:
        raise _damaged(folder, error) from None
    if not isinstance(fields, dict) or "schema_version" not in fields:
        raise _no_run(folder, "its run.json is not one of the suite: it has no schema_version")
    try:
        version = schema_version(fields)
    except FileContentError as error:
        raise _damaged(folder, error) from None
    if version != SCHEMA_VERSION:
        raise RequestError(
            f"{folder}/run.json has schema version {version}, this suite reads {SCHEMA_VERSION}; "
            "read it with the version of suite that its 'versions' names"
        )
    try:
        info = typed(fields, RunInfo)
        _check_search(typed(info.search, _KnownSearch))
    except FileContentError as error:
        raise _damaged(folder, error) from None
    return info


def _damaged(folder: Path, error: FileContentError) -> RequestError:
    return RequestError(
        f"{folder}/run.json is incomplete or damaged ({str(error)[:200]}); restore it from a backup, or run "
        "the search again"
    )


def _check_search(search: _KnownSearch) -> None:
    for name, varied in (search.vary or {}).items():
        for stage in varied if isinstance(varied, list) else [varied]:
            try:
                typed(stage if isinstance(stage, dict) else {}, _Range)
            except FileContentError as error:
                raise FileContentError(f"search.vary.{name}: {error}") from None


def _no_run(folder: Path, reason: str) -> RequestError:
    return RequestError(
        f"{folder} is not a run folder ({reason[:200]}); '{command('run')}' makes one under runs/"
    )
