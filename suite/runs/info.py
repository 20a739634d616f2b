"""``run.json``: the search as requested, and the data, hardware and versions that it ran with."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from suite.errors import RequestError
from suite.files.atomic import write_atomically
from suite.trial import UNIT, Attribute

#: Increased when a column is renamed, dropped or changes its meaning, but not for a new column.
SCHEMA_VERSION = 1

RunStatus = Literal["running", "interrupted", "finished", "failed"]


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
    """

    name: str
    folder: str
    fingerprint: str
    side: int
    train_images: int
    train_images_stored: int
    val_images: int
    test_images: int
    origin: str
    protocol: str
    skipped: int
    constant_val_mae: float
    sampled_fingerprint: str = ""


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
    params: int
    macs: int
    macs_at_224: int
    bytes: int


@dataclass(frozen=True)
class Resources:
    """The share of a machine for each trial, and how many trials run at once, as requested.

    Attributes:
        cpus_per_trial: Cores for each trial.
        gpus_per_trial: GPUs for each trial; None for a quarter if the cluster has GPUs.
        max_concurrent: How many trials run at once; None for as many as the cluster holds.
        address: The address of a running Ray cluster; None or "local" for one on this machine alone.
    """

    cpus_per_trial: float = 1.0
    gpus_per_trial: float | None = None
    max_concurrent: int | None = None
    address: str | None = None

    @property
    def of_this_machine(self) -> bool:
        """Whether the run uses this machine alone."""
        return self.address in (None, "local")


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
        schema_version: The version of the run folder's schema.
    """

    name: str
    status: RunStatus
    command: Sequence[str]
    search: Mapping[str, Any]
    search_file: str
    attribute: Attribute
    resolution: int
    objectives: Sequence[str]
    trials_asked: int
    seed: int
    max_concurrent: int
    data: DataUsed
    references: Sequence[ReferenceNetwork]
    versions: Mapping[str, str]
    git_revision: str
    hardware: Mapping[str, Any]
    started: str
    resources: Resources = Resources()
    ended: str = ""
    seconds: float = 0.0
    latency: Mapping[str, Any] = field(default_factory=dict)
    out_of_bounds: int = 0
    repeats: int = 0
    ended_early: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def unit(self) -> str:
        """The unit of the mean absolute error: "years" or "points"."""
        return UNIT[self.attribute]

    @property
    def error_column(self) -> str:
        """The column of ``trials.parquet`` with the error of the front, such as ``val_mae_years``."""
        return f"val_mae_{self.unit}"


def write_info(folder: Path, info: RunInfo) -> None:
    """Write ``run.json``.

    Raises:
        OSError: The file cannot be written; the one that was there stays.
    """
    text = json.dumps(dataclasses.asdict(info), indent=2) + "\n"
    write_atomically(folder / "run.json", text, durable=True)


def read_info(folder: Path) -> RunInfo:
    """Read ``run.json``.

    Raises:
        RequestError: The folder holds no run, or a run of another schema version.
    """
    try:
        fields: Any = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fields = None
    if not isinstance(fields, dict):
        raise RequestError(
            f"{folder} is not a run folder (no readable run.json); 'suite run' makes one under runs/"
        )
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise RequestError(
            f"{folder}/run.json has schema version {fields.get('schema_version')}, this suite reads "
            f"{SCHEMA_VERSION}; read it with the version of suite that its 'versions' names"
        )
    try:
        fields["data"] = DataUsed(**fields["data"])
        fields["references"] = [ReferenceNetwork(**reference) for reference in fields["references"]]
        fields["resources"] = Resources(**fields.get("resources", {}))  # runs of earlier versions have none
        return RunInfo(**fields)
    except (KeyError, TypeError) as error:
        raise RequestError(
            f"{folder}/run.json is incomplete ({error}); restore it from a backup, or run the search again"
        ) from None
