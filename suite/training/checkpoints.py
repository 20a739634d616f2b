"""Checkpoints: a training in progress as a file, from which another process continues to the same result."""

import dataclasses
import hashlib
import os
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import torch
from pydantic import Field
from torch import Tensor

from suite.files.atomic import atomic_path
from suite.files.reading import FileContentError, check_regular, typed
from suite.networks.tensor_files import check_shapes
from suite.networks.weights import shapes_of
from suite.training.elastic import ElasticFit
from suite.training.fit import Fit
from suite.trial import EpochResult, TrialConfig
from suite.trial_reading import read_config

#: Increased when the content of the file changes.
VERSION = 3
#: The version before had no checksum. Its files are still read.
WITHOUT_CHECKSUM = 2
#: The comment of the zip file that a checkpoint is: this, and the SHA-256 of everything before the comment.
COMMENT = b"suite-sha256:"
COMMENT_BYTES = len(COMMENT) + 64
#: Bytes of the largest checkpoint; one of VGG-16 with its optimiser has a tenth of it.
LARGEST = 20_000_000_000
#: Numbers and texts of the largest checkpoint, without its tensors: 15 an epoch, for 100,000 epochs.
MOST_VALUES = 3_000_000
#: The time between two checkpoints, in multiples of the time that saving one takes. All checkpoints together then
#: take at most a fiftieth of a training's time.
INTERVAL_IN_SAVES = 50
#: The expected time of the first save in a process.
FIRST_SAVE_SECONDS = 0.02


@dataclass(frozen=True)
class FitStep:
    """The request that a training serves, where the configuration alone does not identify it.

    Attributes:
        request: An identification of the request, chosen by the caller.
        number: Counts the trainings of a request that takes several, from 1.
    """

    request: str = ""
    number: Annotated[int, Field(ge=1, le=1_000_000)] = 1


#: The step of a training that its configuration describes completely.
ONLY_STEP = FitStep()


@dataclass(frozen=True)
class Checkpoint:
    """A training between two epochs."""

    config: TrialConfig  # of the training, with its weight files pinned
    precision: str  # of the training
    epochs: tuple[EpochResult, ...]  # all so far, those of earlier steps included
    seconds: float  # the time that they took, in all processes
    state: Mapping[str, Any]  # of ``suite.training.fit.Fit``
    step: FitStep = ONLY_STEP

    def matches(self, training: Fit | ElasticFit) -> bool:
        """Whether it is of a training with this configuration and precision."""
        return (self.config, self.precision) == (training.config, training.precision)

    def check_sizes(self, bins: int) -> None:
        """Compare the tensors with the network that the configuration describes, before that is built.

        Raises:
            FileContentError: They are of another network.
            RequestError: The configuration describes no valid network.
        """
        network = self.state.get("network")
        tensors = network if isinstance(network, Mapping) else {}
        found = {str(name): tuple(t.shape) for name, t in tensors.items() if isinstance(t, Tensor)}
        check_shapes(found, shapes_of(self.config, bins))

    def restore(self, training: Fit | ElasticFit) -> bool:
        """Let a training that has not begun continue from here, as if it had never been interrupted.

        Returns:
            False where this is no checkpoint of it. A new training must then be begun.
        """
        if not self.matches(training):
            return False
        try:
            training.load_state(self.state)
        except FileContentError:
            return False
        return True


class CheckpointTimer:
    """Decides when to save, so rarely that saving takes at most a fiftieth of the time."""

    def __init__(self) -> None:
        self._seconds = FIRST_SAVE_SECONDS
        self.begin()

    def begin(self) -> None:
        """Start the clock of a training; the duration of the last save is the estimate for its first one."""
        self._not_before = time.perf_counter() + INTERVAL_IN_SAVES * self._seconds

    def save_if_due(self, save: Callable[[], None]) -> None:
        """Call ``save`` if it is due. Its exceptions are passed on, and the next try waits for the next interval."""
        began = time.perf_counter()
        if began < self._not_before:
            return
        try:
            save()
        finally:
            ended = time.perf_counter()
            self._seconds = ended - began
            self._not_before = ended + INTERVAL_IN_SAVES * self._seconds


def save_checkpoint(
    training: Fit | ElasticFit,
    epochs: Sequence[EpochResult],
    seconds: float,
    path: Path,
    step: FitStep = ONLY_STEP,
) -> None:
    """Write a checkpoint, completely or not at all.

    Args:
        training: The training.
        epochs: Its epochs so far, those of earlier steps included.
        seconds: The time that they took.
        path: The file.
        step: The request that the training serves.

    Raises:
        OSError: The file cannot be written; an earlier checkpoint is still there.
    """
    document = {
        "version": VERSION,
        "config": training.config.to_json(),
        "precision": training.precision,
        "epochs": [dataclasses.asdict(epoch) for epoch in epochs],
        "seconds": seconds,
        "state": training.state(),
        "part": dataclasses.asdict(step),
    }
    try:
        with atomic_path(path, durable=True) as temporary, temporary.open("w+b") as file:
            torch.save(document, file)
            _add_checksum(file)
    except RuntimeError as error:  # torch's own for a full disk
        raise OSError(str(error)) from None


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None where there is none that this version can continue from, or a damaged one."""
    try:
        check_regular(path, LARGEST)
        is_checked = _has_checksum(path)
        _check_stored(path)
        document = torch.load(path, map_location="cpu", weights_only=True)
        if document["version"] != (VERSION if is_checked else WITHOUT_CHECKSUM):
            return None
        plain = {name: document[name] for name in ("config", "precision", "epochs", "seconds", "part")}
        _check_size(plain)
        about = typed(plain, _About)
        state = document["state"]
        _check_epochs(about, state["epoch"])
        return Checkpoint(
            config=read_config(document["config"]),
            precision=about.precision,
            epochs=tuple(about.epochs),
            seconds=about.seconds,
            state=state,
            step=about.part,
        )
    except Exception:  # the unpickler raises nearly anything for damaged bytes
        return None


@dataclass(frozen=True)
class _About:
    """What a checkpoint says of its training, besides its configuration and its tensors."""

    precision: str
    epochs: tuple[EpochResult, ...]
    seconds: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
    part: FitStep


def _check_stored(path: Path) -> None:
    """Refuse a zip file whose content is compressed, as nothing that PyTorch writes is: it may unpack without end.

    Raises:
        FileContentError: It is one.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > path.stat().st_size:
            raise FileContentError("it unpacks to more than it has")


def _check_size(document: object) -> None:
    """Refuse plain values that a forged pickle shares so often that writing them out has no end.

    Raises:
        FileContentError: There are more than ``MOST_VALUES``.
    """
    left, values = [document], 0
    while left:
        value = left.pop()
        values += 1
        if values > MOST_VALUES:
            raise FileContentError(f"it has more than {MOST_VALUES:,} values")
        if isinstance(value, Mapping):
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value


def _check_epochs(about: _About, in_training: object) -> None:
    """Refuse epochs that no table of a run may have, or that are not those of the training.

    Raises:
        FileContentError: They are.
    """
    numbers = [epoch.epoch for epoch in about.epochs]
    errors = [error for epoch in about.epochs for error in (epoch.validation.mae, epoch.validation.rmse)]
    if numbers != list(range(1, len(numbers) + 1)) or any(error < 0 for error in errors):
        raise FileContentError("its epochs are not those of a training")
    earlier = len(numbers) - in_training if isinstance(in_training, int) else -1
    if earlier < 0 or (earlier > 0 and about.part.number == 1):
        raise FileContentError("it has other epochs than its training")


def _add_checksum(file: BinaryIO) -> None:
    """Append the comment to a zip file, whose last two bytes are the length of the comment that it lacks."""
    file.seek(-2, os.SEEK_END)
    file.write(COMMENT_BYTES.to_bytes(2, "little"))
    size = file.tell()
    digest = _sha256(file, size)
    file.seek(size)
    file.write(COMMENT + digest)


def _has_checksum(path: Path) -> bool:
    """Whether a file has a checksum.

    Raises:
        FileContentError: It has, and the file is damaged.
    """
    size = path.stat().st_size - COMMENT_BYTES
    if size < 0:
        return False
    with path.open("rb") as file:
        file.seek(size)
        comment = file.read()
        if not comment.startswith(COMMENT):
            return False
        if comment.removeprefix(COMMENT) != _sha256(file, size):
            raise FileContentError("it is damaged")
    return True


def _sha256(file: BinaryIO, size: int) -> bytes:
    """Return the SHA-256 of the first ``size`` bytes of a file, in hexadecimal."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (chunk := file.read(min(size, 2**20))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest().encode()
