"""Commands on hostile files: a result or one sentence, never a traceback, a hang or a full memory.

`make test` draws a few examples of each kind, the same in every run. `make fuzz` draws others for five minutes:
SUITE_FUZZ_EXAMPLES sets how many of each kind, and pytest's --hypothesis-seed which.
"""

import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from suite.cli.main import main
from suite.data.store import Store
from suite.printable import UNPRINTABLE
from suite.runs.ledger import RunLedger
from suite.runs.tables import write_prediction_rows
from suite.trial import EpochResult
from tests.data.readers.conftest import MINIATURES
from tests.fuzz.command_process import CommandProcess, read_files
from tests.fuzz.mutations import changes, write
from tests.support.runs import metrics

EXAMPLES = int(os.environ.get("SUITE_FUZZ_EXAMPLES") or 0)
LONGEST = 10.0  # seconds
MOST_MEMORY = 2 * 2**30  # bytes more than with good input

fuzz = settings(
    max_examples=EXAMPLES or 8,
    derandomize=not EXAMPLES,
    database=None,
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.timeout(1200 if EXAMPLES else 240)


class Files(dict[str, bytes]):
    """Files of a folder by their path in it."""

    def __repr__(self) -> str:
        """Hypothesis shows it with an example."""
        return f"<{len(self)} files>"


Command = Callable[[Path, Path], Sequence[str]]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Mapping[str, Files]:
    """Good files of each kind: a run folder, weights, a model, images, a store."""
    folder = tmp_path_factory.mktemp("good")
    run = _run_folder(folder / "run", store)
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.jpg", "b.png", "c.gif", "d.webp", "e.bmp", "f.tif"):
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / "images" / name)
    model = folder / "model" / "model.onnx"
    model.parent.mkdir()
    assert main(["export", str(run), "--trial", "t0000", "-o", str(model)]) == 0
    weights = {name: read_files(run)[f"weights/{name}"] for name in ("t0000.safetensors", "t0000.json")}
    return {
        "run": Files(read_files(run)),
        "store": Files(read_files(store.folder)),
        "images": Files(read_files(folder / "images")),
        "model": Files({"model.onnx": model.read_bytes()}),
        "weights": Files(weights),
    }


def _run_folder(folder: Path, store: Store) -> Path:
    """Return a run folder with everything that a search leaves, down to a journal and predictions."""
    from tests.support.trained_runs import run as run_fixture

    (folder.parent / "made").mkdir()
    made: Path = run_fixture.__wrapped__(folder.parent / "made", store)  # type: ignore[attr-defined]
    ledger = RunLedger(made)
    ledger.add_epoch("t0001", EpochResult(1, 2.0, 1.0, 1.0, 0.01, 1.0, 100.0, metrics()), "age")
    predictions = pd.DataFrame(
        {"split": "test", "image": np.arange(40), "label": 30.0, "estimate": 31.0, "person": "someone"}
    )
    write_prediction_rows(made, "t0000", predictions)
    return made.rename(folder)


@pytest.fixture(scope="module")
def process(good: Mapping[str, Files], tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandProcess]:
    folder = tmp_path_factory.mktemp("warm")
    for kind, files in good.items():
        for name, content in files.items():
            (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / kind / name).write_bytes(content)
    image = str(folder / "images" / "a.jpg")
    made = CommandProcess(
        [
            ["predict", str(folder / "model" / "model.onnx"), image],
            ["predict", str(folder / "weights" / "t0000.safetensors"), image],
            ["report", str(folder / "run"), "-o", str(folder / "report.html")],
            ["data", "show", str(folder / "store"), "-o", str(folder / "show.png")],
        ]
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def attack(process: CommandProcess, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Change one of the files, run one of the commands, and look at how it ends."""

    def go(draw: Callable[..., object], files: Files, commands: Sequence[Command]) -> None:
        folder = tmp_path_factory.mktemp("hostile")
        try:
            change = draw(changes(files))
            write(files, change, folder / "in")  # type: ignore[arg-type]
            command = draw(st.sampled_from(commands))
            (folder / "out").mkdir()
            arguments = command(folder / "in", folder / "out")  # type: ignore[operator]
            ended = process.run([str(word) for word in arguments], LONGEST)
            assert ended.code in (0, 1, 2), ended.output  # 1: a check found faults, an image was left out
            assert ended.bytes_more < MOST_MEMORY, f"{ended.bytes_more:,} bytes for {arguments}"
            raw = [c for c in ended.output if unicodedata.category(c) in UNPRINTABLE and c != "\n"]
            assert not raw, f"printed raw: {raw[:10]} in {ended.output[:1000]!r}"
            assert not [path for path in folder.parent.glob("ESC*")], "a file was written outside"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return go


@fuzz
@given(data=st.data())
def test_a_run_folder(data: st.DataObject, good: Mapping[str, Files], attack: Callable[..., None]) -> None:
    attack(
        data.draw,
        good["run"],
        [
            lambda run, out: ["status", run],
            lambda run, out: ["status", run, "--json"],
            lambda run, out: ["report", run, "-o", out / "report.html"],
            lambda run, out: ["export", run, "--trial", "t0000", "-o", out / "t.safetensors"],
        ],
    )


@fuzz
@given(data=st.data())
def test_a_store(data: st.DataObject, good: Mapping[str, Files], attack: Callable[..., None]) -> None:
    commands: list[Command] = [
        lambda store, out: ["data", "check", store],
        lambda store, out: ["data", "show", store, "-o", out / "show.png"],
    ]
    attack(data.draw, good["store"], commands)


@fuzz
@given(data=st.data())
def test_weights_and_their_description(
    data: st.DataObject, good: Mapping[str, Files], attack: Callable[..., None]
) -> None:
    image = np.zeros((24, 24, 3), np.uint8)

    def predict(folder: Path, out: Path) -> Sequence[str]:
        Image.fromarray(image).save(out / "a.png")
        return ["predict", str(folder / "t0000.safetensors"), str(out / "a.png")]

    attack(data.draw, good["weights"], [predict])


@fuzz
@given(data=st.data())
def test_a_model(data: st.DataObject, good: Mapping[str, Files], attack: Callable[..., None]) -> None:
    def predict(folder: Path, out: Path) -> Sequence[str]:
        Image.fromarray(np.zeros((24, 24, 3), np.uint8)).save(out / "a.png")
        return ["predict", str(folder / "model.onnx"), str(out / "a.png")]

    attack(data.draw, good["model"], [predict])


@fuzz
@given(data=st.data())
def test_images(data: st.DataObject, good: Mapping[str, Files], attack: Callable[..., None]) -> None:
    def predict(folder: Path, out: Path) -> Sequence[str]:
        (out / "model.onnx").write_bytes(good["model"]["model.onnx"])
        return ["predict", str(out / "model.onnx"), str(folder)]

    attack(data.draw, good["images"], [predict])


def pack(name: str, source: str) -> Command:
    """Return the command that packs a set, and leaves out whatever is damaged."""
    options = ["--size", "32", "--workers", "1", "--max-skipped", "1"]
    return lambda folder, out: [
        "data",
        "pack",
        name,
        str(folder / source),
        "-o",
        str(out / "packed"),
        *options,
    ]


@fuzz
@given(data=st.data(), name=st.sampled_from(sorted(MINIATURES)))
def test_a_data_set(
    data: st.DataObject, name: str, photo: Callable[..., bytes], attack: Callable[..., None]
) -> None:
    attack(
        data.draw, Files(MINIATURES[name](photo)), [pack(name, "faces.csv" if name == "manifest" else ".")]
    )


@fuzz
@given(data=st.data(), kind=st.sampled_from(["zip", "tar", "gztar", "xztar"]))
def test_an_archive(
    data: st.DataObject, kind: str, archives: Mapping[str, Files], attack: Callable[..., None]
) -> None:
    attack(data.draw, archives[kind], [pack("utkface", "set.bin")])


@pytest.fixture(scope="module")
def archives(photo: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Files]:
    """The miniature of UTKFace in each kind of archive."""
    folder = tmp_path_factory.mktemp("archives")
    for name, content in MINIATURES["utkface"](photo).items():
        (folder / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "set" / name).write_bytes(content)
    made = {
        kind: Path(shutil.make_archive(str(folder / kind), kind, folder / "set"))
        for kind in ("zip", "tar", "gztar", "xztar")
    }
    return {kind: Files({"set.bin": path.read_bytes()}) for kind, path in made.items()}
