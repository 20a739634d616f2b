"""A trained network as one file: ONNX, a ``torch.export`` program, or safetensors.

No file appears under the wanted name before it was opened, run and compared with PyTorch.
"""

import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from suite.data.dataset import LabelledImages
from suite.deployment.inference import FLOAT, OPENERS, open_model
from suite.deployment.inference_module import INPUT, InferenceModule, describe_model
from suite.deployment.onnx_graph import onnx_model
from suite.deployment.verify import Verification, compare
from suite.errors import RequestError
from suite.files.atomic import atomic_path
from suite.networks.weights import save_tensors
from suite.optional_dependencies import need
from suite.trial import TrialConfig

#: More images than this in one call are refused by the program; it needs some bound.
LARGEST_BATCH = 65536


@dataclass(frozen=True)
class ModelFile:
    """A file for clients."""

    path: Path
    bytes: int
    arithmetic: str  # in words


@dataclass(frozen=True)
class Exported(ModelFile):
    """A file that was written from a network."""

    agreement: Verification  # of an int8 file: of the float graph that it was made from


def export(deployed: InferenceModule, config: TrialConfig, part: LabelledImages, path: Path) -> Exported:
    """Write a network to a file of the kind that its name ends in, and compare the two.

    Args:
        deployed: the network.
        config: its own.
        part: images of the run's data to compare on.
        path: .onnx, .pt2 or .safetensors; a file that is there is replaced in one step.

    Raises:
        RequestError: another ending, a missing package, or a folder that cannot be written to.
        MismatchError: the file answers otherwise than PyTorch; ``path`` is as it was.
    """
    with beside(path) as partial:
        agreement = write_and_compare(deployed, config, part, partial)
    return Exported(path, path.stat().st_size, FLOAT, agreement)


def write_and_compare(
    deployed: InferenceModule, config: TrialConfig, part: LabelledImages, path: Path
) -> Verification:
    """Write a network to a file of the kind that its name ends in, and compare the two.

    Raises:
        RequestError: another ending, or a missing package.
        MismatchError: the file answers otherwise than PyTorch; it is there all the same.
        OSError: it cannot be written.
    """
    writer_for(path)(deployed, config, path)
    return compare(open_model(path), deployed, part)


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A place to write a file and try it, which becomes ``path`` at the end and is gone after a failure.

    Raises:
        RequestError: nothing can be written there.
    """
    try:
        with atomic_path(path, suffix=path.suffix) as temporary:
            yield temporary
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from None


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """An empty folder for what is made on the way to ``path``, gone afterwards.

    What a killed process left in it goes first, so that the same command leaves nothing.

    Raises:
        OSError: it cannot be made.
    """
    folder = path.with_name(f".{path.stem}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_ending(path: Path, ending: str, kind: str) -> None:
    """Raises:
    RequestError: a file of this kind ends otherwise.
    """
    if path.suffix != ending:
        raise RequestError(f"{path} does not end in {ending}, and {kind} is written so; name the file so")


def check_place(path: Path) -> None:
    """Refuse a file that could not be written, before it is worked for.

    Raises:
        RequestError: its folder is missing or not to be written to, or it is a folder itself.
    """
    folder, number = path.parent, 0
    try:
        if not folder.is_dir():
            number = errno.ENOTDIR if folder.exists() else errno.ENOENT
        elif path.is_dir():
            number = errno.EISDIR
        elif not os.access(folder, os.W_OK | os.X_OK):
            number = errno.EACCES
    except OSError as error:  # a name that is too long, or behind a folder that may not be entered
        number = error.errno or errno.EIO
    if number:
        raise _unwritable(path, os.strerror(number))


def _unwritable(path: Path, why: str) -> RequestError:
    return RequestError(
        f"{path} cannot be written ({why}); name a file in a folder that exists, has room, and that you may "
        "write to"
    )


Write = Callable[[InferenceModule, TrialConfig, Path], None]


def writer_for(path: Path) -> Write:
    """What writes the kind of file that a name ends in.

    Raises:
        RequestError: none does, or it needs a package that is not installed.
    """
    if path.suffix not in WRITERS:
        raise RequestError(f"{path} ends in none of {', '.join(OPENERS)}; name the file so")
    if path.suffix == ".onnx":
        for package in ("onnx", "onnxruntime"):
            need(package, "An ONNX export")
    return WRITERS[path.suffix]


def _write_onnx(deployed: InferenceModule, config: TrialConfig, path: Path) -> None:
    model = onnx_model(deployed.network, config, deployed.label_set, describe_model(config))
    path.write_bytes(model.SerializeToString())


def _write_program(deployed: InferenceModule, config: TrialConfig, path: Path) -> None:
    side = config.resolution
    images = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    with torch.no_grad():
        program = torch.export.export(deployed, (images,), dynamic_shapes={INPUT: {0: batch}})
    told, written = {"metadata.json": json.dumps(describe_model(config), indent=2)}, io.BytesIO()
    torch.export.save(program, written, extra_files=told)  # to a path it would raise errors of its own
    path.write_bytes(written.getbuffer())


def _write_safetensors(deployed: InferenceModule, config: TrialConfig, path: Path) -> None:
    save_tensors(deployed.network.state_dict(), path, describe_model(config))


WRITERS: Mapping[str, Write] = {
    ".onnx": _write_onnx,
    ".pt2": _write_program,
    ".safetensors": _write_safetensors,
}
