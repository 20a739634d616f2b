"""Predictions for image files, in batches; a file that cannot be read does not stop the others."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from suite.data.archive_safety import UnreadableFileError, check_content, read_file
from suite.data.decoding import UndecodableError, decode
from suite.deployment.image_files import SUFFIXES, UnreadableFile, is_folder
from suite.deployment.inference import Model, Pixels, run_model
from suite.deployment.intervals import central_interval
from suite.machine import usable_cpus

INTERVAL_SHARE = 0.8


@dataclass(frozen=True)
class Prediction:
    """The estimate for a file.

    Attributes:
        file: The file.
        value: Estimate, label units.
        low: Lower end of the 80 % interval; None where the method has no distribution.
        high: Upper end of the 80 % interval; None where the method has no distribution.
    """

    file: str
    value: float
    low: float | None
    high: float | None


def predict_files(
    model: Model, files: Sequence[Path], *, batch: int = 64, mirrored: bool = True
) -> Iterator[Prediction | UnreadableFile]:
    """Yield the outcome for each file, in order, batch by batch.

    An image is turned upright, and its central square is scaled to the model's resolution. Faces must be cropped as in
    the data that the model was trained on.

    Args:
        model: The opened model.
        files: Files in one of ``suite.data.decoding.FORMATS``.
        batch: Files that are read and estimated at a time.
        mirrored: Average with the mirror image, as the metrics of a training do.
    """
    side = model.config.resolution
    with ThreadPoolExecutor(usable_cpus()) as threads:  # Pillow releases the GIL while it decodes
        for start in range(0, len(files), batch):
            chosen = files[start : start + batch]
            decoded = list(threads.map(lambda file: _decoded(file, side), chosen))
            images = [pixels for pixels in decoded if not isinstance(pixels, str)]
            estimates = iter(_estimates(model, images, mirrored))
            for file, outcome in zip(chosen, decoded, strict=True):
                if isinstance(outcome, str):
                    yield UnreadableFile(str(file), outcome)
                else:
                    yield Prediction(str(file), *next(estimates))


def _decoded(file: Path, side: int) -> Pixels | str:
    """Return the pixels of a file, or why it cannot be read."""
    if is_folder(file):
        return f"the folder holds no images ({', '.join(SUFFIXES)})"
    try:
        return decode(check_content(read_file(file)), side)
    except (UnreadableFileError, UndecodableError) as error:
        return str(error)


def _estimates(
    model: Model, images: Sequence[Pixels], mirrored: bool
) -> list[tuple[float, float | None, float | None]]:
    """Return the estimate of each image with the ends of its interval."""
    if not images:
        return []
    outputs = run_model(model, np.stack(images), mirrored=mirrored)
    values = [float(value) for value in outputs.values]
    if outputs.distributions is None:
        return [(value, None, None) for value in values]
    ends = central_interval(
        outputs.distributions, model.config.label_low, model.config.label_high, INTERVAL_SHARE
    )
    return [(value, float(low), float(high)) for value, (low, high) in zip(values, ends, strict=True)]
