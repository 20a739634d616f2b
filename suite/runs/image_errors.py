"""The errors of trainings on the same images, from the predictions that a run keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.runs.tables import read_predictions
from suite.statistics.crossed import CrossedMean, mean_difference, mean_error

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ImageErrors:
    """Absolute errors of trainings on the same images of one split.

    Attributes:
        trainings: Their ids.
        table: The predictions of the first training, in the order of the images.
        errors: Absolute errors, float64 (trainings, n), label units.
    """

    trainings: tuple[str, ...]
    table: pd.DataFrame
    errors: Floats

    @property
    def people(self) -> npt.NDArray[np.str_]:
        """Who is pictured in each image, str (n,)."""
        return self.table["person"].astype(str).to_numpy(dtype=np.str_)

    def rows(self, rows: Sequence[int]) -> "ImageErrors":
        """Return these of the trainings, by their places."""
        return replace(
            self, trainings=tuple(self.trainings[row] for row in rows), errors=self.errors[list(rows)]
        )

    def mean(self, confidence: float = 0.95) -> CrossedMean:
        """Return the mean with its interval over trainings and people; of one training, over people."""
        return mean_error(self.errors, self.people, confidence)

    def difference_to(self, baseline: "ImageErrors", confidence: float = 0.95) -> CrossedMean | None:
        """Return the mean of these minus the baseline's, image by image and training by training.

        Args:
            baseline: As many trainings of another network, in the order of these: the first with the seed of the first.
            confidence: Of the interval.

        Returns:
            None where the images are not the same.
        """
        if self.errors.shape != baseline.errors.shape or not _same_images(self.table, baseline.table):
            return None
        return mean_difference(self.errors - baseline.errors, self.people, confidence)


def read_image_errors(
    folder: Path, trainings: Sequence[str], split: Literal["val", "test"]
) -> ImageErrors | None:
    """Read the errors of trainings; None where one of them has no predictions of the split, or of other images.

    Runs of earlier versions keep no predictions, and later ones only those of networks that the test split was read
    for.

    Raises:
        RequestError: A file of predictions is damaged.
    """
    parts = []
    for name in trainings:
        table = read_predictions(folder, name)
        if table is None:
            return None
        parts.append(table[table["split"] == split].sort_values("image").reset_index(drop=True))
    if not parts or not len(parts[0]) or not all(_same_images(parts[0], part) for part in parts[1:]):
        return None
    errors = np.stack([np.abs(_numbers(part, "estimate") - _numbers(part, "label")) for part in parts])
    return ImageErrors(tuple(trainings), parts[0], errors)


def read_by_seed(
    folder: Path, trainings: Mapping[int, str], split: Literal["val", "test"]
) -> ImageErrors | None:
    """Read the errors of trainings by their seeds, in rising order of these; None as ``read_image_errors``."""
    return read_image_errors(folder, [trainings[seed] for seed in sorted(trainings)], split)


def _same_images(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    return np.array_equal(first["image"].to_numpy(), second["image"].to_numpy())


def _numbers(table: pd.DataFrame, column: str) -> Floats:
    return table[column].to_numpy(np.float64)
