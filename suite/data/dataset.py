"""Data sets for training: one attribute of a store at one resolution, in three splits.

Images at another resolution than the store's are resized once and then memory-mapped, so that all trials of a
machine share one copy in the page cache.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from suite.data.store import LabelRange, Split, Store
from suite.errors import RequestError
from suite.files.atomic import atomic_path
from suite.files.cache import cache_folder
from suite.trial import Attribute


@dataclass(frozen=True)
class LabelledImages:
    """The images of one split, as rows of an array that the splits share."""

    images: Tensor  # uint8 (all images of the store, side, side, 3), shared by the splits
    rows: Tensor  # int64 (n,), ascending, the images of this split
    labels: Tensor  # float32 (n,), label units
    deviations: Tensor  # of the annotators, float32 (n,), label units; NaN where unknown

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, count: int | None) -> "LabelledImages":
        """Take ``count`` images spread evenly over the split, the same ones in every call; None takes all."""
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
        splits[split] = LabelledImages(images, rows, labels[rows], deviations[rows])
    return Dataset(attribute, resolution, store.info.attributes[attribute], splits)


def mapped_images(store: Store, resolution: int) -> Tensor:
    """Return ``images_at`` as a tensor, uint8 (images, resolution, resolution, 3), still memory-mapped."""
    with warnings.catch_warnings():  # the map is read-only, and nothing writes to the tensor
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(images_at(store, resolution))


def images_at(store: Store, resolution: int) -> npt.NDArray[np.uint8]:
    """Return a store's images at a resolution, uint8 (images, resolution, resolution, 3), memory-mapped.

    Images at another resolution than the store's are made once, by an antialiased bilinear filter, and kept in the
    cache folder under the store's fingerprint.
    """
    if resolution == store.info.side:
        return store.images
    kept = cache_folder() / "resized" / f"{store.info.fingerprint[:16]}-{resolution}.npy"
    if not kept.exists():
        _write_resized(store.images, resolution, kept)
    mapped: npt.NDArray[np.uint8] = np.load(kept, mmap_mode="r", allow_pickle=False)
    return mapped


def _write_resized(images: npt.NDArray[np.uint8], resolution: int, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(kept) as temporary:
        shape = (len(images), resolution, resolution, 3)
        resized = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        for start in range(0, len(images), 256):
            part = torch.from_numpy(np.array(images[start : start + 256])).permute(0, 3, 1, 2).float()
            small = torch.nn.functional.interpolate(
                part, size=(resolution, resolution), mode="bilinear", antialias=True, align_corners=False
            )
            resized[start : start + 256] = small.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
        resized.flush()
