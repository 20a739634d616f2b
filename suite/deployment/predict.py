"""Predictions for image files, in batches; a file that cannot be read does not stop the others."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from suite.data.archive_safety import UnreadableFileError, check_content, read_file
from suite.data.decoding import UndecodableError, decode
from suite.deployment.image_files import SUFFIXES, UnreadableFile, is_folder
from suite.deployment.inference import Model, Outputs, Pixels, run_model
from suite.deployment.intervals import intervals_of, output_deviations
from suite.machine import usable_cpus
from suite.statistics.conformal import Unlike, unlike


@dataclass(frozen=True)
class Prediction:
    """The estimate for a file.

    Attributes:
        file: The file.
        value: Estimate, label units.
        low: Lower end of the 80 % interval; None where the file has no calibration and its method no distribution.
        high: Upper end of the 80 % interval; None likewise.
        calibrated: Whether the interval is calibrated; else it is the network's own opinion.
        unlike: Why the image is unlike those of validation: an estimate at the end of their range, or a flatter
            distribution than theirs. None where it is not, or where the file has no calibration.
        distribution: The share of each label from ``label_low`` on, in steps of ``label_step``; None where it was not
            asked for or the method has none.
    """

    file: str
    value: float
    low: float | None
    high: float | None
    calibrated: bool = False
    unlike: Unlike | None = None
    distribution: tuple[float, ...] | None = None


def predict_files(
    model: Model,
    files: Sequence[Path],
    *,
    batch: int = 64,
    mirrored: bool = True,
    distributions: bool = False,
) -> Iterator[Prediction | UnreadableFile]:
    """Yield the outcome for each file, in order, batch by batch.

    An image is turned upright, and its central square is scaled to the model's resolution. Faces must be cropped as in
    the data that the model was trained on.

    Args:
        model: The opened model.
        files: Files in one of ``suite.data.decoding.FORMATS``.
        batch: Files that are read and estimated at a time.
        mirrored: Average with the mirror image, as the metrics of a training do.
        distributions: Give the whole distribution of each image as well.

    Raises:
        RequestError: The outputs of the model are not those of a file of this suite.
    """
    side = model.config.resolution
    with ThreadPoolExecutor(usable_cpus()) as threads:  # Pillow releases the GIL while it decodes
        for start in range(0, len(files), batch):
            chosen = files[start : start + batch]
            decoded = list(threads.map(lambda file: _decoded(file, side), chosen))
            images = [pixels for pixels in decoded if not isinstance(pixels, str)]
            estimates = iter(_estimates(model, images, mirrored, distributions))
            for file, outcome in zip(chosen, decoded, strict=True):
                if isinstance(outcome, str):
                    yield UnreadableFile(str(file), outcome)
                else:
                    yield replace(next(estimates), file=str(file))


def _decoded(file: Path, side: int) -> Pixels | str:
    """Return the pixels of a file, or why it cannot be read."""
    if is_folder(file):
        return f"the folder holds no images ({', '.join(SUFFIXES)})"
    try:
        return decode(check_content(read_file(file)), side)
    except (UnreadableFileError, UndecodableError) as error:
        return str(error)


def _estimates(
    model: Model, images: Sequence[Pixels], mirrored: bool, distributions: bool
) -> Iterator[Prediction]:
    """Yield the prediction of each image, without the name of its file."""
    if not images:
        return
    outputs = run_model(model, np.stack(images), mirrored=mirrored)
    ends = intervals_of(outputs, model.config, model.calibration)
    reasons = _reasons(model, outputs)
    for place, value in enumerate(outputs.values):
        low, high = (None, None) if ends is None else map(float, ends[place])
        shares = outputs.distributions if distributions else None
        yield Prediction(
            file="",
            value=float(value),
            low=low,
            high=high,
            calibrated=model.calibration is not None,
            unlike=reasons[place],
            distribution=None if shares is None else tuple(map(float, shares[place])),
        )


def _reasons(model: Model, outputs: Outputs) -> Sequence[Unlike | None]:
    if model.calibration is None:
        return [None] * len(outputs.values)
    deviations = output_deviations(outputs, model.config)
    return unlike(model.calibration, outputs.values.astype(np.float64), deviations)
