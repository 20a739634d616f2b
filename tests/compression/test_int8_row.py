"""The export of an int8 row is a copy of its file, byte by byte."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from suite.cli.main import main
from suite.compression import quantise as quantisation
from suite.data.store import Store
from suite.deployment.inference import open_model
from suite.runs.tables import read_run
from tests.support.trained_runs import inference_module_of


@pytest.fixture
def int8(run: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A pruned trial's int8 row."""
    monkeypatch.setattr(quantisation, "MOST_LOSS", 0.05)  # one epoch is not a training
    assert main(["compress", str(run), "--trial", "t0000", "--keep", "0.5", "--epochs", "1", "--int8"]) == 0
    return str(read_run(run).trials["id"].iloc[-1])


def export(run: Path, trial_id: str, *words: str) -> int:
    return main(["export", str(run), "--trial", trial_id, *words])


def file_of(run: Path, int8: str) -> Path:
    return run / "weights" / f"{int8}.onnx"


def test_the_file_is_copied_and_not_quantised_again(
    int8: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quantisation, "quantise", None)
    parent = int8.removesuffix("-int8")
    capsys.readouterr()
    for number, options in enumerate(([int8], [int8, "--int8"], [parent, "--int8"])):
        out = tmp_path / f"net-{number}.onnx"
        assert export(run, *options, "-o", str(out)) == 0
        assert out.read_bytes() == file_of(run, int8).read_bytes()
        output = capsys.readouterr().out
        assert f"a copy of {file_of(run, int8).resolve()}, the file of {int8}" in output
        mae = read_run(run).trials.set_index("id").val_mae_years[int8]
        assert f"int8, weights by channel, activations by layer: validation MAE {mae:.2f} years" in output


def test_card_and_predictions_are_those_of_the_copied_file(
    int8: str, run: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, card = tmp_path / "net.onnx", tmp_path / "net.md"
    assert export(run, int8, "-o", str(out), "--card", str(card)) == 0
    card_text = card.read_text()
    row = read_run(run).trials.set_index("id").loc[int8]
    assert f"| Made from | trial {int8} of the run small" in card_text
    assert f"| File | `net.onnx`, {row.bytes:,} bytes |" in card_text
    assert "| Computes in | int8, weights by channel" in card_text
    assert f"| validation | 40 | {row.val_mae_years:.2f} (" in card_text
    assert "1 epochs from the channels of t0000 that were kept" in card_text
    made = card_text.split("## What it was made from")[1].split("##")[0]
    pruned = row.parent
    assert [line.split(" | ")[:3] for line in made.splitlines() if line.startswith("| t0000")] == [
        ["| t0000", "trained", "1"],
        [f"| {pruned}", "channels of t0000 that matter most by taylor", "1"],
        [f"| {int8}", f"{pruned} in int8", "0"],
    ]
    assert "| test |" not in card_text
    Image.fromarray(np.asarray(store.images[160])).save(tmp_path / "one.png")
    capsys.readouterr()
    assert main(["predict", str(out), str(tmp_path / "one.png"), "--no-mirror"]) == 0
    value = open_model(out).run(np.asarray(store.images[160:161])).values[0]
    assert f"  {value:.1f} years" in capsys.readouterr().out


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def of_another_network(file: Path) -> None:
    from suite.deployment.export import _write_onnx

    _write_onnx(*inference_module_of("coral"), file)


def gone(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (cut_short, "cannot be read as a model"),
        (of_another_network, "is not the file that the row {int8} describes"),
        (
            gone,
            "{int8}.onnx, the file of {int8}, is missing; write it again with 'suite compress {run} --trial",
        ),
    ],
)
def test_a_file_that_is_not_that_of_the_row_is_refused(
    spoil: object, complaint: str, int8: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(file_of(run, int8))  # type: ignore[operator]
    capsys.readouterr()
    before = sorted(tmp_path.iterdir())
    assert export(run, int8, "-o", str(tmp_path / "net.onnx")) == 2
    output = capsys.readouterr().err
    assert complaint.format(int8=int8, run=run) in output
    assert output.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_with_another_error_than_its_row_is_a_failure(
    int8: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from suite.runs.ledger import RunLedger

    RunLedger(run).amend(int8, {"val_mae_years": 3.0})
    assert export(run, int8, "-o", str(tmp_path / "net.onnx")) == 1
    assert f"the file of {int8} has a validation MAE of" in capsys.readouterr().err
    assert not (tmp_path / "net.onnx").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [("-o net.safetensors", "does not end in .onnx"), ("--bf16 -o net.safetensors", "is int8; name t0000-p")],
)
def test_another_kind_than_onnx_is_refused(
    options: str,
    complaint: str,
    int8: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(run, int8, *options.split()) == 2
    assert complaint in capsys.readouterr().err
    assert main(["compress", str(run), "--trial", int8, "--keep", "0.5"]) == 2
    assert f"{int8} is int8 already" in capsys.readouterr().err
