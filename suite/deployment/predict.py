"""Image files to estimates, in batches; a file that is no image does not stop the others."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from suite.data.decoding import UndecodableError, decode
from suite.deployment.inference import Model, Pixels, run_model
from suite.deployment.intervals import central_interval
from suite.machine import usable_cpus

#: The names that a folder's images end in; a file that is named itself may be called anything.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
INTERVAL_SHARE = 0.8


@dataclass(frozen=True)
class Prediction:
    """What a model says of a file."""

    file: str
    value: float  # label units
    low: float | None  # of the 80 % interval; None where the method has no distribution
    high: float | None


@dataclass(frozen=True)
class UnreadableFile:
    """A file that could not be read, and why."""

    file: str
    reason: str


def image_files(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant: each path itself, and for a folder all images in it and below, by name.

    A folder without images stands for itself, and is refused as a file would be.
    """
    files: list[Path] = []
    for path in paths:
        if _is_folder(path):
            named = (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
            inside = sorted(
                file for file in named if file.is_file() or not file.exists()
            )  # a link to nothing
            files += inside or [path]
        else:
            files.append(path)
    return files


def predict_files(
    model: Model, files: Sequence[Path], *, batch: int = 64, mirrored: bool = True
) -> Iterator[Prediction | UnreadableFile]:
    """What becomes of each file, in order, as soon as its batch is done.

    Each image is turned upright, and its middle square is scaled to the model's resolution: faces must be
    cropped as those were that the model was trained on.

    Args:
        model: opened.
        files: in one of ``suite.data.decoding.FORMATS``.
        batch: files read, and images asked for, at a time.
        mirrored: average with the mirror image, as the metrics of a training do.
    """
    side = model.config.resolution
    with ThreadPoolExecutor(usable_cpus()) as threads:  # Pillow decodes outside of Python's lock
        for start in range(0, len(files), batch):
            chosen = files[start : start + batch]
            decoded = list(threads.map(lambda file: _decoded(file, side), chosen))
            images = [pixels for pixels in decoded if not isinstance(pixels, str)]
            answers = iter(_answers(model, images, mirrored))
            for file, outcome in zip(chosen, decoded, strict=True):
                if isinstance(outcome, str):
                    yield UnreadableFile(str(file), outcome)
                else:
                    yield Prediction(str(file), *next(answers))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as of too long a name; reading it says so
        return False


def _decoded(file: Path, side: int) -> Pixels | str:
    if _is_folder(file):
        return f"the folder holds no images ({', '.join(SUFFIXES)})"
    try:
        return decode(file.read_bytes(), side)
    except OSError as error:
        return error.strerror or str(error)
    except UndecodableError as error:
        return str(error)


def _answers(
    model: Model, images: Sequence[Pixels], mirrored: bool
) -> list[tuple[float, float | None, float | None]]:
    if not images:
        return []
    said = run_model(model, np.stack(images), mirrored=mirrored)
    values = [float(value) for value in said.values]
    if said.distributions is None:
        return [(value, None, None) for value in values]
    ends = central_interval(
        said.distributions, model.config.label_low, model.config.label_high, INTERVAL_SHARE
    )
    return [(value, float(low), float(high)) for value, (low, high) in zip(values, ends, strict=True)]
