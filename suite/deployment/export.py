"""Export of a trained network to one file: ONNX, a ``torch.export`` program, or safetensors.

A file gets its name only after it was opened, run and verified against PyTorch.
"""

import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from suite.data.dataset import LabelledImages
from suite.deployment.inference import FLOAT, open_model
from suite.deployment.inference_module import INPUT, InferenceModule, model_metadata
from suite.deployment.onnx_graph import onnx_model
from suite.deployment.own_programs import remember_program
from suite.deployment.verify import Verification, verify
from suite.errors import RequestError
from suite.files.atomic import atomic_path
from suite.files.outputs import unwritable
from suite.files.write_errors import why_not_written
from suite.networks.weights import save_tensors
from suite.optional_dependencies import need
from suite.trial import TrialConfig

#: The largest batch of an exported program, which needs some bound.
LARGEST_BATCH = 65536


@dataclass(frozen=True)
class ModelFile:
    """A model file for clients.

    Attributes:
        path: The file.
        bytes: Its size.
        arithmetic: How it computes, in words.
    """

    path: Path
    bytes: int
    arithmetic: str


@dataclass(frozen=True)
class ExportedModel(ModelFile):
    """A file that was written from a network.

    Attributes:
        verification: How close it is to PyTorch; for an int8 file, how close the float graph is.
    """

    verification: Verification


def export(module: InferenceModule, config: TrialConfig, part: LabelledImages, path: Path) -> ExportedModel:
    """Write a network to a file and verify it against PyTorch. The ending of the name decides the format.

    Args:
        module: The network.
        config: Its configuration.
        part: Images of the run's data to verify on.
        path: A .onnx, .pt2 or .safetensors file; an existing file is replaced in one step.

    Raises:
        RequestError: The name has another ending, a package is not installed, or the folder cannot be written to.
        MismatchError: The outputs of the file differ from PyTorch's; ``path`` is unchanged.
    """
    with partial_file(path) as partial:
        verification = write_and_verify(module, config, part, partial)
    return ExportedModel(path, path.stat().st_size, FLOAT, verification)


def write_and_verify(
    module: InferenceModule, config: TrialConfig, part: LabelledImages, path: Path
) -> Verification:
    """Write a network to a file and verify it against PyTorch, without replacing the file in one step.

    Raises:
        RequestError: The name has another ending, or a package is not installed.
        MismatchError: The outputs of the file differ from PyTorch's; the file is left there.
        OSError: The file cannot be written.
    """
    writer_for(path)(module, config, path)
    return verify(open_model(path), module, part)


@contextmanager
def partial_file(path: Path) -> Iterator[Path]:
    """Yield a path next to ``path`` for a new file, which replaces ``path`` at the end and is removed on failure.

    Raises:
        RequestError: The file cannot be written.
    """
    try:
        with atomic_path(path, suffix=path.suffix) as temporary:
            yield temporary
    except OSError as error:
        raise unwritable(path, why_not_written(error)) from None


@contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder next to ``path`` for intermediate files, which is removed at the end.

    A folder that a killed process left there is removed first.

    Raises:
        OSError: The folder cannot be made.
    """
    folder = path.with_name(f".{path.stem}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_ending(path: Path, ending: str, kind: str) -> None:
    """Refuse a file name with another ending than its kind has.

    Raises:
        RequestError: The name has another ending.
    """
    if path.suffix != ending:
        raise RequestError(
            f"{path} does not end in {ending}, as every {kind} file does; name a file with that ending"
        )


Write = Callable[[InferenceModule, TrialConfig, Path], None]


@dataclass(frozen=True)
class Writer:
    """How a format is written.

    Attributes:
        write: Writes a network to a file.
        packages: Optional packages that writing and verifying the file need.
    """

    write: Write
    packages: tuple[str, ...] = ()


def writer_for(path: Path) -> Write:
    """Return the function that writes the format that a file name ends in.

    Raises:
        RequestError: There is no such format, or it needs a package that is not installed.
    """
    if path.suffix not in WRITERS:
        raise RequestError(
            f"{path} ends in none of {', '.join(WRITERS)}; name a file with one of these endings"
        )
    writer = WRITERS[path.suffix]
    for package in writer.packages:
        need(package, f"An export to {path.suffix}")
    return writer.write


def _write_onnx(module: InferenceModule, config: TrialConfig, path: Path) -> None:
    model = onnx_model(module.network, config, module.label_set, model_metadata(config, module.calibration))
    path.write_bytes(model.SerializeToString())


def _write_program(module: InferenceModule, config: TrialConfig, path: Path) -> None:
    side = config.resolution
    images = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    with torch.no_grad():
        program = torch.export.export(module, (images,), dynamic_shapes={INPUT: {0: batch}})
    for graph in program.graph_module.modules():
        for node in graph.graph.nodes if isinstance(graph, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # it names the folders in which suite and torch are installed
    files, written = (
        {"metadata.json": json.dumps(model_metadata(config, module.calibration), indent=2)},
        io.BytesIO(),
    )
    # Given a path, torch raises its own error classes instead of OSError.
    torch.export.save(program, written, extra_files=files)
    content = written.getvalue()
    remember_program(content)  # from memory: what is at the path may be another's by now
    path.write_bytes(content)


def _write_safetensors(module: InferenceModule, config: TrialConfig, path: Path) -> None:
    save_tensors(module.network.state_dict(), path, model_metadata(config, module.calibration))


WRITERS: Mapping[str, Writer] = {
    ".onnx": Writer(_write_onnx, packages=("onnx", "onnxruntime")),
    ".pt2": Writer(_write_program),
    ".safetensors": Writer(_write_safetensors),
}
