"""The packed store: images decoded once into a memory-mapped array that all trials share.

A store is a folder of three files::

    images.npy      uint8 (images, side, side, 3), RGB, memory-mapped by its readers
    labels.parquet  one row per image, in the order of the array: split, subject, source, and for each
                    attribute NAME its label NAME and the annotators' deviation NAME_std (NaN if unknown)
    store.json      StoreInfo

Random splits keep copies of an image together. Stores of earlier versions may not; their ``protocol`` does not mention
copies, and everything else is the same.

What these files say is checked before it is believed, because somebody else may have written them. In particular,
the fingerprint in ``store.json`` is a claim. ``Store.sampled_fingerprint`` is computed, cheaply, wherever data is
recognised; ``suite data check`` computes the whole one.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.commands import command
from suite.errors import RequestError
from suite.files.arrays import read_array
from suite.files.atomic import write_atomically
from suite.files.reading import (
    LARGEST_DESCRIPTION,
    FileContentError,
    parse_json,
    read_table,
    read_text,
    schema_version,
    typed,
)
from suite.trial import UNIT

SCHEMA_VERSION = 1

#: Steps from the lowest label to the highest: a hundred times those of ages, and no more than a network can estimate.
MOST_STEPS = 10_000
#: Bytes of pixels that a sampled fingerprint reads at most: all of the embedded faces, and a tenth of a second.
SAMPLE_BYTES = 100_000_000

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
    fingerprint: str  # SHA-256 of the images and the labels, as the file claims
    protocol: str  # how the splits were made, as a sentence
    origin: str  # the source of the images, as a sentence
    skipped: int = 0  # number of images of the source that were left out; skipped.csv names them
    schema_version: int = SCHEMA_VERSION
    sampled_fingerprint: str = (
        ""  # SHA-256 of a sample of the images, and the labels; stores of older versions have none
    )


@dataclass(frozen=True)
class Store:
    """An opened store; images and labels are read when they are first used."""

    folder: Path
    info: StoreInfo

    @cached_property
    def images(self) -> npt.NDArray[np.uint8]:
        """uint8 (images, side, side, 3), RGB, read-only and memory-mapped.

        Raises:
            RequestError: The file is missing, damaged, or holds other images than ``store.json`` says.
        """
        try:
            return read_array(
                self.folder / "images.npy", (self.info.images, self.info.side, self.info.side, 3)
            )
        except (FileContentError, FileNotFoundError) as error:
            raise self._damaged("images.npy", error) from None

    @cached_property
    def labels(self) -> pd.DataFrame:
        """One row per image, in the order of ``images``; text that is missing is empty.

        Raises:
            RequestError: The file is missing, damaged, or lacks a column or rows.
        """
        numbers = [column for name in self.info.attributes for column in (name, f"{name}_std")]
        kinds = dict.fromkeys(("split", "subject", "source"), "text") | dict.fromkeys(numbers, "number")
        try:
            labels = read_table(self.folder / "labels.parquet", columns=kinds)
            if missing := [column for column in kinds if column not in labels]:
                raise FileContentError(f"it has no column {', '.join(missing)}")
            if len(labels) != self.info.images:
                raise FileContentError(f"it has {len(labels):,} rows for {self.info.images:,} images")
        except (FileContentError, FileNotFoundError) as error:
            raise self._damaged("labels.parquet", error) from None
        texts = {name: labels[name].astype(object).fillna("") for name in ("split", "subject", "source")}
        return labels.assign(**texts).reset_index(drop=True)

    @cached_property
    def sampled_fingerprint(self) -> str:
        """The sampled fingerprint of what is in the folder, SHA-256 in hexadecimal.

        Raises:
            RequestError: It is another than the one with which the store was packed, or a file is damaged.
        """
        computed = sampled_fingerprint(self.images, self.labels)
        if self.info.sampled_fingerprint not in ("", computed):
            raise RequestError(
                f"the images or labels of {self.folder} are not those that were packed into it; pack the data again, "
                "or take it from a backup"
            )
        return computed

    def _damaged(self, file: str, error: Exception) -> RequestError:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
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


def sampled_fingerprint(images: npt.NDArray[np.uint8], labels: pd.DataFrame) -> str:
    """Return the SHA-256 of a sample of the pixels and of all labels as CSV, in hexadecimal.

    A small set is sampled whole. It costs a fraction of a second, and finds that a set is another or was damaged in
    many places; to find any change, compute ``fingerprint``.
    """
    digest = hashlib.sha256(sampled_pixels(images).encode())
    digest.update(labels.to_csv(index=False).encode())
    return digest.hexdigest()


def sampled_pixels(images: npt.NDArray[np.uint8]) -> str:
    """Return the SHA-256 of the shape and of images spread evenly over the set, in hexadecimal."""
    digest = hashlib.sha256(repr(images.shape).encode())
    count = min(len(images), max(2, SAMPLE_BYTES // images[0].nbytes))
    rows = np.unique(np.linspace(0, len(images) - 1, count).round().astype(np.int64))
    for chunk in np.array_split(rows, max(1, len(rows) // 256)):
        digest.update(np.ascontiguousarray(images[chunk]).tobytes())
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
        fields = parse_json(read_text(folder / "store.json", largest=LARGEST_DESCRIPTION))
    except FileNotFoundError:
        raise _no_store(folder, "no store.json") from None
    except FileContentError as error:
        raise _damaged(folder, error) from None
    if not isinstance(fields, dict) or "schema_version" not in fields:
        raise _no_store(folder, "its store.json is not one of the suite: it has no schema_version")
    try:
        version = schema_version(fields)
    except FileContentError as error:
        raise _damaged(folder, error) from None
    if version != SCHEMA_VERSION:
        raise RequestError(
            f"{folder}/store.json has schema version {version}, this suite reads {SCHEMA_VERSION}; "
            "pack the data again with 'suite data pack'"
        )
    try:
        info = typed(fields, StoreInfo)
        _check_values(info)
    except FileContentError as error:
        raise _damaged(folder, error) from None
    return Store(folder, info)


def _damaged(folder: Path, error: FileContentError) -> RequestError:
    return RequestError(
        f"{folder}/store.json is incomplete or damaged ({str(error)[:200]}); pack the data again, or restore it from "
        "a backup"
    )


def _no_store(folder: Path, reason: str) -> RequestError:
    return RequestError(
        f"{folder} holds no packed data ({reason}); make one with "
        f"'{command('data', 'pack', 'SET', 'PATH', '-o', folder)}'"
    )


def _check_values(info: StoreInfo) -> None:
    if info.images < 1 or info.side < 1 or info.skipped < 0:
        raise FileContentError(f"{info.images} images of {info.side} pixels, {info.skipped} skipped")
    if not info.attributes:
        raise FileContentError("it names no attribute")
    for name, labels in info.attributes.items():
        if name not in UNIT:
            raise FileContentError(f"{name[:40]!r} is no attribute")
        steps = (labels.high - labels.low) / labels.step if labels.step > 0 else math.nan
        if not 0 < steps <= MOST_STEPS:
            raise FileContentError(
                f"the labels of {name} go from {labels.low:g} to {labels.high:g} by {labels.step:g}"
            )
