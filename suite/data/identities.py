"""Identities: the people of a store as the classes of a face recognition task."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from suite.data.dataset import LabelledImages, mapped_images
from suite.data.store import Store
from suite.errors import RequestError

#: The last image of an identity with at least this many images is held out for evaluation.
LEAST_TO_HOLD_OUT = 4


@dataclass(frozen=True)
class Identities:
    """The training split by identity; labels are class numbers, deviations NaN."""

    train: LabelledImages
    held_out: LabelledImages  # one image of each identity that has at least four; may be empty
    count: int  # of identities
    resolution: int  # pixels a side


def load_identities(store: Store, resolution: int) -> Identities:
    """Load the identities of a store's training split; validation and test images are not used.

    Raises:
        RequestError: The store names no people in its training images, or only one.
    """
    rows = store.rows("train")
    names = store.labels["subject"].fillna("").astype(str).to_numpy()[rows]
    if not len(rows) or (names == "").any():
        raise RequestError(
            f"{store.folder} does not name the people in its training images (column subject); pretrain "
            "on data with subjects, such as faces"
        )
    found, classes = np.unique(names, return_inverse=True)
    if len(found) < 2:
        raise RequestError(
            f"{store.folder} has {len(found)} identity to train on; recognition needs at least 2"
        )
    held_out = _held_out(classes)
    images = mapped_images(store, resolution)

    def part(chosen: npt.NDArray[np.bool_]) -> LabelledImages:
        labels = torch.tensor(classes[chosen].astype(np.float32))
        none = torch.full_like(labels, torch.nan)
        return LabelledImages(images, torch.from_numpy(rows[chosen]), labels, none)

    return Identities(part(~held_out), part(held_out), len(found), resolution)


def _held_out(classes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether each image is the last of an identity with enough images, bool (images,)."""
    backwards = classes[::-1]
    _, lasts, counts = np.unique(backwards, return_index=True, return_counts=True)
    held_out = np.zeros(len(classes), dtype=np.bool_)
    held_out[lasts[counts >= LEAST_TO_HOLD_OUT]] = True
    return held_out[::-1]
