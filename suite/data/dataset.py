"""Data sets for training: one attribute of a store at one resolution, in three splits.

Images at another resolution than the store's are resized once and then memory-mapped, so that all trials of a
machine share one copy in the page cache.
"""

import contextlib
import hashlib
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from suite.data.store import LabelRange, Split, Store, can_group, sampled_pixels
from suite.errors import RequestError
from suite.files.arrays import new_array, read_array
from suite.files.atomic import atomic_path
from suite.files.cache import cache_folder, writable_cache
from suite.files.reading import FileContentError
from suite.statistics.clustered import people_of
from suite.statistics.worst_group import Group, groups_that_count
from suite.trial import Attribute

#: The part of the cache with images at other resolutions than their store's.
RESIZED = "resized"
#: Bytes of the images that are resized at a time; what computes them takes a few times as much.
RESIZED_BYTES = 100_000_000


@dataclass(frozen=True)
class LabelledImages:
    """The images of one split, as rows of an array that the splits share."""

    images: Tensor  # uint8 (all images of the store, side, side, 3), shared by the splits
    rows: Tensor  # int64 (n,), ascending, the images of this split
    labels: Tensor  # float32 (n,), label units
    deviations: Tensor  # of the annotators, float32 (n,), label units; NaN where unknown
    groups: tuple[Group, ...] = ()  # of its people, those that count; of validation and test alone

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, count: int | None) -> "LabelledImages":
        """Take ``count`` images spread evenly over the split, the same ones in every call; None takes all.

        A part of a split has no groups.
        """
        if count is None or count >= len(self):
            return self
        chosen = torch.linspace(0, len(self) - 1, count, dtype=torch.float64).round().long()
        return LabelledImages(self.images, self.rows[chosen], self.labels[chosen], self.deviations[chosen])


@dataclass(frozen=True)
class Dataset:
    """One attribute of a store at one resolution."""

    attribute: Attribute
    resolution: int  # pixels a side
    label_range: LabelRange  # the label set of the data
    splits: Mapping[Split, LabelledImages]


def load_dataset(store: Store, attribute: Attribute, resolution: int) -> Dataset:
    """Load one attribute of a store at a resolution; the images stay memory-mapped.

    Raises:
        RequestError: The store lacks the attribute, or a split has no images.
    """
    if attribute not in store.info.attributes:
        raise RequestError(
            f"{store.folder} has no labels for {attribute!r}, only for "
            f"{', '.join(sorted(store.info.attributes))}; set attribute to one of these"
        )
    images = mapped_images(store, resolution)
    labels = torch.tensor(store.labels[attribute].to_numpy(np.float32))
    deviations = torch.tensor(store.labels[f"{attribute}_std"].to_numpy(np.float32))
    splits: dict[Split, LabelledImages] = {}
    for split in ("train", "val", "test"):
        rows = torch.from_numpy(store.rows(split))
        if not len(rows):
            raise RequestError(f"{store.folder} has no {split} images; pack more images into it")
        groups = () if split == "train" else groups_of(store, split)
        splits[split] = LabelledImages(images, rows, labels[rows], deviations[rows], groups)
    return Dataset(attribute, resolution, store.info.attributes[attribute], splits)


def groups_of(store: Store, split: Split) -> tuple[Group, ...]:
    """Return the groups of the people of a split that count, by the columns of the store that name groups."""
    labels = store.labels.iloc[store.rows(split)]
    columns = {str(name): _names(labels[name]) for name in labels.columns if can_group(str(name))}
    return groups_that_count(columns, people_of(_names(labels["subject"]))) if columns else ()


def _names(column: "pd.Series[Any]") -> npt.NDArray[np.str_]:
    return column.fillna("").astype(str).to_numpy(dtype=np.str_)


def mapped_images(store: Store, resolution: int) -> Tensor:
    """Return ``images_at`` as a tensor, uint8 (images, resolution, resolution, 3), still memory-mapped."""
    with warnings.catch_warnings():  # the map is read-only, and nothing writes to the tensor
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(images_at(store, resolution))


def images_at(store: Store, resolution: int) -> npt.NDArray[np.uint8]:
    """Return a store's images at a resolution, uint8 (images, resolution, resolution, 3), memory-mapped.

    Images at another resolution than the store's are made once, by an antialiased bilinear filter, and kept in the
    cache folder.

    Raises:
        RequestError: The images cannot be read, or the cache folder cannot be written to.
    """
    if resolution == store.info.side:
        return store.images
    kept, shape = resized_file(store, resolution), (store.info.images, resolution, resolution, 3)
    with contextlib.suppress(FileNotFoundError, FileContentError):
        return read_array(kept, shape)
    with writable_cache(RESIZED, needed=math.prod(shape)), atomic_path(kept, durable=True) as temporary:
        _write_resized(store.images, resolution, temporary)
    try:
        return read_array(kept, shape)
    except (FileNotFoundError, FileContentError) as error:
        raise RequestError(
            f"{kept} of the cache cannot be read ({error}); delete it, and try again"
        ) from None


def resized_file(store: Store, resolution: int) -> Path:
    """Return the path in the cache of a store's images at a resolution; the file may not exist yet."""
    return cache_folder() / RESIZED / f"{_resized_name(store)}-{resolution}.npy"


def resized_files(store: Store) -> Mapping[int, Path]:
    """Return the files that the cache has of a store's images, by resolution."""
    found = (cache_folder() / RESIZED).glob(f"{_resized_name(store)}-*.npy")
    return {int(file.stem.rpartition("-")[2]): file for file in sorted(found)}


def _resized_name(store: Store) -> str:
    """Return the name of a store's images in the cache.

    It is made of what the store holds, never of what ``store.json`` claims: a damaged or forged copy of a store has
    other images, and so other files.
    """
    pixels = sampled_pixels(store.images)
    changed = (store.folder / "images.npy").stat().st_mtime_ns
    return hashlib.sha256(f"{pixels} {changed}".encode()).hexdigest()[:32]


def resized(images: npt.NDArray[np.uint8], resolution: int) -> npt.NDArray[np.uint8]:
    """Return images at a resolution, by an antialiased bilinear filter; uint8 (n, resolution, resolution, 3)."""
    part = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float()
    small = torch.nn.functional.interpolate(
        part, size=(resolution, resolution), mode="bilinear", antialias=True, align_corners=False
    )
    pixels: npt.NDArray[np.uint8] = small.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return pixels


def _write_resized(images: npt.NDArray[np.uint8], resolution: int, path: Path) -> None:
    target = new_array(path, (len(images), resolution, resolution, 3))
    at_once = max(1, RESIZED_BYTES // (12 * resolution * resolution))  # in float32
    for start in range(0, len(images), at_once):
        target[start : start + at_once] = resized(images[start : start + at_once], resolution)
    target.flush()
