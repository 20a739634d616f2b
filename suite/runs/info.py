"""``run.json``: the search as requested, and the data, machines and versions that it ran with."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from suite.errors import RequestError
from suite.files.atomic import replace_file
from suite.trial import UNIT, Attribute

#: Raised when a column is renamed, dropped or changes its meaning; new columns do not raise it.
SCHEMA_VERSION = 1

RunStatus = Literal["running", "interrupted", "finished", "failed"]


@dataclass(frozen=True)
class DataUsed:
    """The data set of a run, as its report names it."""

    name: str
    folder: str
    fingerprint: str
    side: int  # pixels of the stored images
    train_images: int  # used by each trial, after `train_images` of the search space
    train_images_stored: int
    val_images: int
    test_images: int
    origin: str
    protocol: str
    skipped: int
    #: Validation MAE of the best constant (the median of the training labels), in label units.
    constant_val_mae: float


@dataclass(frozen=True)
class ReferenceNetwork:
    """An exact size to compare with: counted here, never trained in this run."""

    name: str
    params: int
    macs: int  # at the run's resolution
    macs_at_224: int
    bytes: int


@dataclass(frozen=True)
class Resources:
    """Share of a machine that a trial was to have, and how many trials at once, as asked for."""

    cpus_per_trial: float = 1.0
    gpus_per_trial: float | None = None  # None: a quarter where the cluster has GPUs
    max_concurrent: int | None = None  # None: as many as the cluster holds
    address: str | None = None  # of a running Ray cluster; None or "local": one of this machine alone

    @property
    def of_this_machine(self) -> bool:
        """No running cluster is asked for."""
        return self.address in (None, "local")


@dataclass(frozen=True)
class RunInfo:
    """``run.json``."""

    name: str
    status: RunStatus
    command: Sequence[str]
    search: Mapping[str, Any]  # the search space as resolved: defaults, --set and --data applied
    search_file: str
    attribute: Attribute
    resolution: int  # pixels a side at which the trials train
    objectives: Sequence[str]
    trials_asked: int
    seed: int
    max_concurrent: int
    data: DataUsed
    references: Sequence[ReferenceNetwork]
    versions: Mapping[str, str]
    git_revision: str  # empty where the suite does not run from a git checkout
    hardware: Mapping[str, Any]
    started: str  # ISO 8601 with the time zone
    resources: Resources = Resources()
    ended: str = ""  # empty while it runs
    seconds: float = 0.0  # wall time, all sessions of a resumed run together
    latency: Mapping[str, Any] = field(default_factory=dict)  # how latency was measured
    out_of_bounds: int = 0  # networks that were proposed, or are points of the grid, and not trained for it
    repeats: int = 0  # suggestions of a configuration that had been trained, and not trained again
    ended_early: str = ""  # why the search has fewer trials than were asked for, where it gave up
    schema_version: int = SCHEMA_VERSION

    @property
    def unit(self) -> str:
        """Unit of the mean absolute error: "years" or "points"."""
        return UNIT[self.attribute]

    @property
    def error_column(self) -> str:
        """The column of ``trials.parquet`` that the front is made of: ``val_mae_years``."""
        return f"val_mae_{self.unit}"


def write_info(folder: Path, info: RunInfo) -> None:
    """Write ``run.json``."""
    text = json.dumps(dataclasses.asdict(info), indent=2) + "\n"
    replace_file(folder / "run.json", lambda partial: partial.write_text(text, encoding="utf-8"))


def read_info(folder: Path) -> RunInfo:
    """Read ``run.json``.

    Raises:
        RequestError: the folder is no run of this schema version.
    """
    try:
        fields: Any = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fields = None
    if not isinstance(fields, dict):
        raise RequestError(
            f"{folder} is no run folder (no readable run.json); 'suite run' makes one under runs/"
        )
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise RequestError(
            f"{folder}/run.json has schema version {fields.get('schema_version')}, this suite reads "
            f"{SCHEMA_VERSION}; read it with the version of suite that its 'versions' names"
        )
    try:
        fields["data"] = DataUsed(**fields["data"])
        fields["references"] = [ReferenceNetwork(**reference) for reference in fields["references"]]
        fields["resources"] = Resources(**fields.get("resources", {}))  # a run of an earlier version has none
        return RunInfo(**fields)
    except (KeyError, TypeError) as error:
        raise RequestError(
            f"{folder}/run.json is not whole ({error}); take it from a backup, or run the search again"
        ) from None
