"""``suite predict``: images to estimates."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from suite.cli.main import main
from suite.data.dataset import load_dataset
from suite.data.store import Store
from suite.deployment.inference import open_model

#: What is said of the text beside the images.
PASSED_OVER = "suite: passed over in the folders: files with other endings: 1 (1 .txt)\n"


@pytest.fixture
def model(run: Path, tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    assert main(["export", str(run), "--trial", "t0000", "-o", str(path)]) == 0
    return path


@pytest.fixture
def pictures(tmp_path: Path, store: Store) -> Path:
    """A folder with five validation images as PNG, in a folder below it one more, and a text."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for place in range(6):
        name = f"more/{place}.png" if place == 5 else f"{place}.png"
        Image.fromarray(np.asarray(store.images[160 + place])).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    return folder


def test_predict_says_of_files_what_the_network_says_of_the_stored_images(
    model: Path, pictures: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["predict", str(model), str(pictures), "--json", "--batch-size", "4"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(line["file"]).name for line in lines] == [
        "0.png",
        "1.png",
        "2.png",
        "3.png",
        "4.png",
        "5.png",
    ]
    part = load_dataset(store, "age", 32).splits["val"]
    pixels = part.images[part.rows[:6]].numpy()
    opened = open_model(model)
    both = (opened.run(pixels).values + opened.run(pixels[:, :, ::-1].copy()).values) / 2
    assert [line["value"] for line in lines] == pytest.approx(both, abs=1e-3)
    assert all(line["low"] < line["high"] and line["unit"] == "years" for line in lines)


def test_wrong_files_do_not_stop_the_others(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    whole = (pictures / "0.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "broken.jpg").symlink_to("nothing.jpg")
    names = ("gone.jpg", "pictures/notes.txt", "half.png", "empty", "links")
    paths = [str(tmp_path / name) for name in names]
    assert main(["predict", str(model), *paths, str(pictures / "1.png")]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "1.png" in captured.out
    assert "years  80 %: " in captured.out
    complaints = captured.err.splitlines()
    assert len(complaints) == 5
    assert complaints[4].endswith("links/broken.jpg is left out: No such file or directory")
    assert complaints[0].endswith("gone.jpg is left out: No such file or directory")
    assert complaints[1].endswith("notes.txt is left out: no image (JPEG, PNG, WEBP, BMP, TIFF, GIF, AVIF)")
    assert "half.png is left out: " in complaints[2]
    assert "empty is left out: the folder holds no images" in complaints[3]


def test_a_thousand_images_are_one_call(
    run: Path, tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the weights of a run, which no export has touched; by a method without a distribution."""
    folder = tmp_path / "many"
    folder.mkdir()
    written = io.BytesIO()
    Image.fromarray(np.asarray(store.images[0])).save(written, "JPEG")
    for place in range(1000):
        (folder / f"{place:04d}.jpg").write_bytes(written.getvalue())
    assert (
        main(["predict", str(run / "weights" / "t0001.safetensors"), str(folder), "--json", "--no-mirror"])
        == 0
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 1000
    assert len({line["value"] for line in lines}) == 1
    assert lines[0]["low"] is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("gone.onnx x.png", "gone.onnx is not a file"),
        (f"{'n' * 300}.onnx x.png", "cannot be read (File name too long)"),
        ("net.tflite x.png", "net.tflite ends in none of .onnx, .pt2, .safetensors"),
        ("text.onnx x.png", "text.onnx cannot be read as a model"),
        ("text.pt2 x.png", "text.pt2 is not a program that you exported on this machine"),
        ("--trust-code text.pt2 x.png", "text.pt2 cannot be read as a model"),
        ("text.safetensors x.png", "text.safetensors"),
    ],
)
def test_a_wrong_prediction_is_one_sentence(
    arguments: str,
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for ending in ("onnx", "pt2", "safetensors"):
        (tmp_path / f"text.{ending}").write_text("no model\n")
    capsys.readouterr()
    assert main(["predict", *arguments.split()]) == 2
    captured = capsys.readouterr().err
    assert complaint in captured
    assert captured.count("\n") == 1


def test_torch_logs_no_traceback_of_a_file_that_is_not_a_program(tmp_path: Path) -> None:
    (tmp_path / "text.pt2").write_text("no model\n")
    command = [sys.executable, "-m", "suite.cli", "predict", "--trust-code", "text.pt2", "x.png"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert process.stderr.startswith("suite: text.pt2 cannot be read as a model")
    assert process.stderr.count("\n") == 1


def test_a_name_that_no_file_can_have_is_left_out(
    model: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["predict", str(model), "x" * 5000, str(pictures / "1.png")]) == 1
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert captured.err.endswith("x is left out: File name too long\n")


def test_a_reader_that_has_enough_is_not_a_fault(model: Path, pictures: Path) -> None:
    """As behind ``| head -1``: the pipe is closed before anything is printed."""
    command = [sys.executable, "-m", "suite.cli", "predict", str(model), str(pictures)]
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, PASSED_OVER)


def test_an_entry_that_is_no_file_of_an_image_ends_nothing(
    model: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe would block, an endless device and a sparse file fill the memory."""
    os.mkfifo(pictures / "a.jpg")
    with (pictures / "b.jpg").open("wb") as sparse:
        sparse.truncate(100_000_000_000)
    (pictures / "c.jpg").symlink_to("/dev/zero")
    (pictures / "d.jpg").symlink_to("d.jpg")
    capsys.readouterr()
    assert main(["predict", str(model), str(pictures)]) == 1
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 6
    assert [line.split(" is left out: ")[-1] for line in captured.err.splitlines()[1:]] == [
        "it is not a regular file",
        "the file has 100,000,000,000 bytes, over the limit of 100,000,000",
        "it is not a regular file",
        "Too many levels of symbolic links",
    ]
    assert captured.err.startswith(PASSED_OVER)


def test_names_reach_the_terminal_without_their_control_characters_and_json_exactly(
    model: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (pictures / "0.png").read_bytes()
    names = [
        "\x1b]52;c;aGk=\x07.png",
        "a\nforged.png  25.0 years.png",
        "gpj.\u202e.png",
        "\udce4.png",
        "\x7f.png",
    ]
    for name in names:
        (pictures / name).write_bytes(content)
    (pictures / "broken\r.png").write_text("no image")
    (pictures / "x.\x1b[31m").write_text("")
    capsys.readouterr()
    assert main(["predict", str(model), str(pictures)]) == 1
    captured = capsys.readouterr()
    assert captured.out.replace("\n", "").isprintable()
    assert captured.out.count("\n") == 11
    assert captured.err.count("\n") == 2
    assert captured.err.replace("\n", "").isprintable()
    assert main(["predict", str(model), str(pictures), "--json"]) == 1
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert {Path(json.loads(line)["file"]).name for line in printed.splitlines()} >= set(names)


def test_a_name_that_the_output_cannot_encode_does_not_end_the_list(model: Path, pictures: Path) -> None:
    (pictures / os.fsdecode(b"\xe4.png")).write_bytes((pictures / "0.png").read_bytes())
    (pictures / "\u00e4.png").write_bytes((pictures / "0.png").read_bytes())
    process = subprocess.run(
        [sys.executable, "-m", "suite.cli", "predict", str(model), str(pictures)],
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, PASSED_OVER)
    assert [Path(line.split("  ")[0]).name for line in process.stdout.splitlines()][-3:] == [
        "5.png",
        "\\xe4.png",
        "\\xe4.png",
    ]


def test_the_whole_distribution_is_printed_as_labels_and_shares(
    model: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["predict", str(model), str(pictures / "0.png"), "--json", "--distribution"]) == 0
    found = json.loads(capsys.readouterr().out)
    labels, shares = found["distribution"]["labels"], found["distribution"]["shares"]
    assert labels == list(range(101))
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert sum(label * share for label, share in zip(labels, shares, strict=True)) == pytest.approx(
        found["value"], abs=1e-2
    )
    assert main(["predict", str(model), str(pictures / "0.png"), "--json"]) == 0
    assert "distribution" not in json.loads(capsys.readouterr().out)
    assert main(["predict", str(model), str(pictures / "0.png"), "--distribution"]) == 2
    assert "add --json" in capsys.readouterr().err


def test_an_interval_that_is_not_calibrated_is_said_to_be_the_networks_own(
    run: Path, model: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = str(run / "weights" / "t0000.safetensors")
    capsys.readouterr()
    for file, calibrated in ((weights, False), (str(model), True)):
        images = [str(pictures / "0.png"), str(pictures / "1.png")]
        assert main(["predict", file, *images, "--json"]) == 0
        told = capsys.readouterr()
        assert [json.loads(line)["calibrated"] for line in told.out.splitlines()] == [calibrated] * 2
        assert told.err.count("carries no calibration") == (not calibrated)


def test_an_image_unlike_those_of_validation_is_flagged(
    run: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture whose estimate lies beyond all of validation's; the threshold is moved instead of the picture."""
    path = tmp_path / "net.safetensors"
    assert main(["export", str(run), "--trial", "t0000", "-o", str(path)]) == 0
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    calibration = json.loads(metadata["calibration"])
    moved = {**calibration, "estimate_low": 99.0, "estimate_high": 100.0}
    save_file(load_file(path), path, {**metadata, "calibration": json.dumps(moved)})
    capsys.readouterr()
    assert main(["predict", str(path), str(pictures / "0.png")]) == 0
    assert capsys.readouterr().out.endswith("unlike the images of validation: end of range\n")
