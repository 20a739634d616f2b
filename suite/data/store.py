"""The packed store: images decoded once into a memory-mapped array that all trials share.

A store is a folder of three files::

    images.npy      uint8 (images, side, side, 3), RGB, memory-mapped by its readers
    labels.parquet  one row per image, in the order of the array: split, subject, source, and for each
                    attribute NAME its label NAME and the annotators' deviation NAME_std (NaN if unknown)
    store.json      StoreInfo
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.commands import command
from suite.errors import RequestError
from suite.files.atomic import write_atomically
from suite.trial import UNIT

SCHEMA_VERSION = 1

Split = Literal["train", "val", "test"]


@dataclass(frozen=True)
class LabelRange:
    """The label set of an attribute: from low to high, both included, in steps."""

    low: float
    high: float
    step: float


@dataclass(frozen=True)
class StoreInfo:
    """The description of a store, which is the content of ``store.json``."""

    name: str
    attributes: Mapping[str, LabelRange]
    images: int
    side: int  # pixels
    fingerprint: str  # SHA-256 of the images and the labels
    protocol: str  # how the splits were made, as a sentence
    origin: str  # the source of the images, as a sentence
    skipped: int = 0  # number of images of the source that were left out; skipped.csv names them
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Store:
    """An opened store; images and labels are read when they are first used."""

    folder: Path
    info: StoreInfo

    @cached_property
    def images(self) -> npt.NDArray[np.uint8]:
        """uint8 (images, side, side, 3), RGB, read-only and memory-mapped."""
        try:
            mapped: npt.NDArray[np.uint8] = np.load(
                self.folder / "images.npy", mmap_mode="r", allow_pickle=False
            )
        except (OSError, ValueError) as error:
            raise self._damaged("images.npy", error) from None
        return mapped

    @cached_property
    def labels(self) -> pd.DataFrame:
        """One row per image, in the order of ``images``."""
        try:
            labels = pd.read_parquet(self.folder / "labels.parquet")
        except (OSError, ValueError) as error:  # which pyarrow's errors derive from
            raise self._damaged("labels.parquet", error) from None
        return labels

    def _damaged(self, file: str, error: Exception) -> RequestError:
        reason = (getattr(error, "strerror", None) or str(error)).splitlines()[0]
        return RequestError(
            f"{file} of {self.folder} cannot be read ({reason}); pack the data again, or take it from a backup"
        )

    def rows(self, split: Split) -> npt.NDArray[np.int64]:
        """Return the indices of the images in a split, ascending."""
        return np.flatnonzero(self.labels["split"].to_numpy() == split).astype(np.int64)


def fingerprint(images: npt.NDArray[np.uint8], labels: pd.DataFrame) -> str:
    """Return the SHA-256 of the pixels and of the labels as CSV, in hexadecimal."""
    digest = hashlib.sha256()
    for start in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[start : start + 1024]).tobytes())
    digest.update(labels.to_csv(index=False).encode())
    return digest.hexdigest()


def can_group(column: str) -> bool:
    """Whether a column of a store's labels names groups: it is not a split, a person, a source or a label."""
    return column not in ("split", "subject", "source") and column.removesuffix("_std") not in UNIT


def write_info(folder: Path, info: StoreInfo) -> None:
    """Write ``store.json``. It must be the last file of a store, because its presence marks a complete one."""
    text = json.dumps(dataclasses.asdict(info), indent=2)
    write_atomically(folder / "store.json", text + "\n")


def open_store(folder: Path) -> Store:
    """Open the store in ``folder``.

    Raises:
        RequestError: The folder holds no complete store of this version.
    """
    try:
        fields: Any = json.loads((folder / "store.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fields = None
    if not isinstance(fields, dict):
        raise RequestError(
            f"{folder} holds no packed data (no readable store.json); make one with "
            f"'{command('data', 'pack', 'SET', 'PATH', '-o', folder)}'"
        )
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise RequestError(
            f"{folder}/store.json has schema version {fields.get('schema_version')}, this suite reads "
            f"{SCHEMA_VERSION}; pack the data again with 'suite data pack'"
        )
    try:
        fields["attributes"] = {k: LabelRange(**v) for k, v in fields["attributes"].items()}
        info = StoreInfo(**fields)
        complete = isinstance(info.images, int) and isinstance(info.side, int)
    except (KeyError, TypeError, AttributeError):
        complete = False
    if not complete:
        raise RequestError(
            f"{folder}/store.json is incomplete; pack the data again, or take it from a backup"
        )
    return Store(folder, info)
