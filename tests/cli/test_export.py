"""``suite export``: the comparison with PyTorch, what is refused, and the model card."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suite.cli.main import main
from suite.data.dataset import load_dataset
from suite.data.store import open_store
from suite.deployment.inference import open_model, run_model
from suite.deployment.intervals import intervals_of
from suite.runs.info import read_info, write_info
from suite.runs.tables import read_run


def test_export_compares_on_the_runs_own_images(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.onnx"
    assert main(["export", str(run), "--trial", "t0001", "-o", str(path)]) == 0
    assert "as PyTorch on 40 validation images in 3 batches" in capsys.readouterr().out
    assert open_model(path).config.method == "coral"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            "--trial t0009 -o net.onnx",
            "t0009 of {run} is not one of its trials; the best by validation are t0000, t0001",
        ),
        ("--trial t0002 -o net.onnx", "t0002 of {run} ended as failed; the best by"),
        ("--trial t0000 -o net.h5", "net.h5 ends in none of .onnx, .pt2, .safetensors"),
        ("--trial t0000 -o none/net.onnx", "none/net.onnx cannot be written (No such file or directory)"),
        ("--trial t0000 -o none/net.pt2", "none/net.pt2 cannot be written (No such file or directory)"),
        ("--trial t0000 -o none/net.safetensors", "none/net.safetensors cannot be written"),
        ("--trial t0000 -o none/net.onnx --int8", "none/net.onnx cannot be written"),
        ("--trial t0000 -o none/net.safetensors --bf16", "none/net.safetensors cannot be written"),
        ("--trial t0000 -o file/net.onnx", "file/net.onnx cannot be written (Not a directory)"),
        ("--trial t0000 -o folder.onnx", "folder.onnx cannot be written (Is a directory)"),
        (f"--trial t0000 -o {'n' * 300}.onnx", "cannot be written (File name too long)"),
        ("--trial t0000 -o net.onnx --card none/card.md", "none/card.md cannot be written"),
        ("--trial t0000 -o net.onnx --card folder.onnx", "folder.onnx cannot be written (Is a directory)"),
        ("--trial t0000 -o net.onnx --threshold-age 16", "change the model card; name its file with --card"),
        (
            "--trial t0000 -o net.onnx --card card.md --threshold-age 21 --challenge-age 18",
            "--challenge-age is 18, below the age of 21 that is asked for; give 21 or more, or lower --threshold-age",
        ),
        ("--trial t0000 -o net.onnx --card ./net.onnx", "net.onnx cannot be both the card and the network"),
    ],
)
def test_a_wrong_export_is_one_sentence(
    arguments: str,
    complaint: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "folder.onnx").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main(["export", str(run), *arguments.split()]) == 2
    captured = capsys.readouterr().err
    assert complaint.format(run=run) in captured
    assert captured.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_other_data_than_the_runs_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    info = json.loads((run / "run.json").read_text())
    info["data"]["fingerprint"] = "cd" * 32
    (run / "run.json").write_text(json.dumps(info))
    assert main(["export", str(run), "--trial", "t0000", "-o", str(tmp_path / "net.onnx")]) == 2
    assert "is not what" in capsys.readouterr().err


def test_without_the_extra_an_export_is_one_sentence(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)  # an import of it fails as where it is not installed
    assert main(["export", str(run), "--trial", "t0000", "-o", str(tmp_path / "net.onnx")]) == 2
    assert "needs onnx, which is not installed; install it with pip install" in capsys.readouterr().err


def test_a_mismatch_fails_and_leaves_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import suite.deployment.export as export_module

    write = export_module.WRITERS[".onnx"].write

    def other(module: Any, config: Any, path: Path) -> None:
        from tests.support.trained_runs import inference_module_of

        write(inference_module_of("er")[0], config, path)

    monkeypatch.setitem(export_module.WRITERS, ".onnx", export_module.Writer(other))
    before = sorted(tmp_path.iterdir())
    assert main(["export", str(run), "--trial", "t0001", "-o", str(tmp_path / "net.onnx")]) == 1
    assert "net.onnx was not written" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_a_card_tells_of_a_student_who_taught_it(run: Path, tmp_path: Path) -> None:
    arguments = [
        "compress",
        str(run),
        "--trial",
        "t0000",
        "--student",
        "4,4,8,8,8/1,1,1,1,1",
        "--epochs",
        "1",
    ]
    assert main(arguments) == 0
    student = read_run(run).trials["id"].iloc[-1]
    arguments = ["export", str(run), "--trial", student, "-o", str(tmp_path / "net.onnx")]
    assert main([*arguments, "--card", str(tmp_path / "card.md")]) == 0
    card = (tmp_path / "card.md").read_text()
    assert "1 epochs from random weights, adamw" in card
    assert "taught by t0000 beside the labels (weight 1, temperature 2)" in card
    rows = read_run(run).trials.set_index("id")
    assert [line for line in card.splitlines() if line.startswith(("| t0000 ", f"| {student} "))] == [
        f"| t0000 | trained | 1 | {rows.params['t0000']:,} | {rows.val_mae_years['t0000']:.2f} |",
        f"| {student} | from scratch, taught by t0000 | 1 | {rows.params[student]:,} "
        f"| {rows.val_mae_years[student]:.2f} |",
    ]


def test_a_card_tells_what_was_measured_and_what_was_not(run: Path, tmp_path: Path) -> None:
    arguments = ["export", str(run), "--trial", "t0000", "-o", str(tmp_path / "net.onnx")]
    assert main([*arguments, "--card", str(tmp_path / "card.md")]) == 0
    card = (tmp_path / "card.md").read_text()
    store = open_store(Path(read_run(run).info.data.folder))
    part = load_dataset(store, "age", 32).splits["test"]
    model = open_model(tmp_path / "net.onnx")
    pixels = part.images[part.rows].numpy()
    values = (model.run(pixels).values + model.run(pixels[:, :, ::-1].copy()).values) / 2
    errors = np.abs(values - part.labels.numpy())
    assert f"| test | 40 | {errors.mean():.2f} (" in card
    assert "| validation | 40 |" in card
    nineties = errors[part.labels.numpy() >= 90]
    assert f"| 90 to 100 | {len(nineties)} | {nineties.mean():.2f} (" in card
    ends = intervals_of(run_model(model, pixels, mirrored=True), model.config, model.calibration)
    assert ends is not None
    inside = (part.labels.numpy() >= ends[:, 0]) & (part.labels.numpy() <= ends[:, 1])
    assert f"calibrated on validation, holds {inside.mean():.0%} of the labels of the test split, and" in card
    assert f"| 90 to 100 | {len(nineties)} | " in card
    assert card.count("| too few to say (fewer than 15 people) |") == 10
    assert "The data names no other groups" in card
    assert "The run did not time this trial." in card
    children = part.labels.numpy() < 18
    assert "Is this person 18 or older? A person is accepted if the estimate is 25 years or more" in card
    assert (
        f"| everybody | {children.sum()} | {(values[children] >= 25).mean():.1%}".replace("%", " %") in card
    )


def test_a_card_has_the_decisions_of_another_threshold(run: Path, tmp_path: Path) -> None:
    arguments = ["export", str(run), "--trial", "t0000", "-o", str(tmp_path / "net.onnx")]
    options = ["--card", str(tmp_path / "card.md"), "--threshold-age", "60"]
    assert main([*arguments, *options]) == 0
    card = (tmp_path / "card.md").read_text()
    assert "Is this person 60 or older? A person is accepted if the estimate is 60 years or more" in card
    assert "| people under 60 | accepted (false accepts) | people of 60 and over |" in card


def test_a_threshold_that_the_network_cannot_estimate_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", str(run), "--trial", "t0000", "-o", str(tmp_path / "net.onnx")]
    assert main([*arguments, "--card", str(tmp_path / "card.md"), "--threshold-age", "300"]) == 2
    assert "--threshold-age is 300, and the network estimates 0 to 100 years" in capsys.readouterr().err
    assert not (tmp_path / "net.onnx").exists()


def test_a_card_does_not_read_the_test_split_first(run: Path, tmp_path: Path) -> None:
    arguments = ["export", str(run), "--trial", "t0001", "-o", str(tmp_path / "net.onnx")]
    assert main([*arguments, "--card", str(tmp_path / "card.md")]) == 0
    card = (tmp_path / "card.md").read_text()
    assert "| test |" not in card
    assert "The run has not read the test split for this trial." in card
    assert "calibrated on validation, holds" in card, "also of a method without a distribution"
    assert "of the validation split, on which it was fitted, and is" in card


def test_data_that_was_moved_is_found_where_the_user_says_it_is(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "a run"))
    info = read_info(copy)
    shutil.copytree(info.data.folder, tmp_path / "moved here")
    write_info(copy, replace(info, data=replace(info.data, folder=str(tmp_path / "gone"))))
    words = ["export", str(copy), "--trial", "t0000", "-o", str(tmp_path / "net.safetensors")]
    assert main(words) == 2
    assert "gone; if it was moved, name its folder with --data" in capsys.readouterr().err
    assert main([*words, "--data", str(tmp_path / "moved here")]) == 0


def test_a_card_names_no_folder(run: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    file = str(tmp_path / "net.safetensors")
    assert main(["export", str(run), "--trial", "t0000", "-o", file, "--card", str(card)]) == 0
    text = card.read_text(encoding="utf-8") + Path(file).read_bytes().decode("latin-1")
    for folder in (run, read_info(run).data.folder, tmp_path, Path.home()):
        assert str(folder) not in text
