"""``suite compress`` writes rows with a parent, and does no step twice."""

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from suite.cli.main import main
from suite.compression import prune_and_finetune
from suite.data.dataset import load_dataset
from suite.data.store import Store
from suite.deployment.inference import open_model
from suite.deployment.verify import predict_split
from suite.measure.profiling import count_parameters, profile_trial
from suite.networks.weights import load_network, save_network
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of, read_run
from suite.trial import Network, TrialConfig
from tests.support.runs import metrics, trial_result
from tests.support.trained_runs import CONFIG, lively


def rows_of(run: Path) -> pd.DataFrame:
    return read_run(run).trials.set_index("id")


def compress(run: Path, *words: str) -> int:
    return main(["compress", str(run), "--trial", "t0000", *words])


def test_prune_tune_and_quantise_are_rows_with_a_parent(
    run: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--to", "5k", "--epochs", "3", "--rounds", "2", "--importance", "lamp", "--int8"]
    assert compress(run, *options) == 0
    output = capsys.readouterr().err
    assert "epoch 3 of 3: validation MAE" in output
    rows = rows_of(run)
    pruned, int8 = rows.index[-2:]
    assert (rows.parent[pruned], rows.stage[pruned]) == ("t0000", "pruned")
    assert (rows.parent[int8], rows.stage[int8], int8) == (pruned, "int8", f"{pruned}-int8")
    network, config, _ = load_network(run / "weights" / f"{pruned}.safetensors")
    assert count_parameters(network) == rows.params[pruned] <= 5000
    assert config_of(rows.loc[pruned].to_dict()).widths == config.widths
    assert config.learning_rate == 3e-3  # the trial's own
    assert json.loads((run / "weights" / f"{pruned}.pruning.json").read_text())["goal"]["most"] == 5000
    epochs = read_run(run).epochs
    assert list(epochs[epochs.id == pruned].epoch) == [1, 2, 3]
    assert epochs[epochs.id == pruned].val_mae_years.iloc[-1] == rows.val_mae_years[pruned]
    val = load_dataset(store, "age", 32).splits["val"]
    values = predict_split(open_model(run / "weights" / f"{int8}.onnx"), val).values
    assert abs(values - val.labels.numpy()).mean() == pytest.approx(rows.val_mae_years[int8], abs=1e-3)
    assert rows.bytes[int8] == (run / "weights" / f"{int8}.onnx").stat().st_size
    assert rows.test_mae_years[[pruned, int8]].isna().all()


def test_a_repeated_command_does_no_step_twice(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--keep", "0.5", "--epochs", "1"]
    assert compress(run, *options) == 0
    before = rows_of(run)
    assert list(before.widths.iloc[-1]) == [8, 8, 8, 8, 8]
    monkeypatch.setattr(prune_and_finetune, "fit", None)  # any training would fail
    assert compress(run, *options, "--int8") == 0
    assert f"{before.index[-1]} is there already" in capsys.readouterr().err
    assert list(rows_of(run).index) == [*before.index, f"{before.index[-1]}-int8"]
    # The files of a row, exported and read as any trial's.
    assert main(["export", str(run), "--trial", before.index[-1], "-o", str(run / "small.onnx")]) == 0


def test_an_interrupted_step_leaves_no_row_and_starts_again(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = prune_and_finetune.fit

    def interrupted(*arguments: object, **named: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(prune_and_finetune, "fit", interrupted)
    before = list(rows_of(run).index)
    assert compress(run, "--keep", "0.5", "--epochs", "1") == 130
    assert list(rows_of(run).index) == before
    monkeypatch.setattr(prune_and_finetune, "fit", real)
    assert compress(run, "--keep", "0.5", "--epochs", "1") == 0
    assert len(rows_of(run)) == len(before) + 1


def test_fine_tuning_starts_from_the_kept_channels(run: Path) -> None:
    """With all channels kept and no epochs, the network is its parent."""
    assert compress(run, "--keep", "1,1,1,1,1", "--epochs", "0") == 0
    rows = rows_of(run)
    images = torch.randn(2, 3, 32, 32)
    old, new = (load_network(run / "weights" / f"{one}.safetensors")[0] for one in ("t0000", rows.index[-1]))
    assert torch.equal(old(images), new(images))
    assert rows.params.iloc[-1] == rows.params["t0000"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("", "there is nothing to do; add --to, --keep, --student or --int8"),
        ("--to small", "'small' is not a count of params"),
        ("--to 100", "the smallest network that pruning can leave, of widths (8, 8, 8, 8, 8)"),
        ("--keep 0.5,0.5", "the shares to keep are (0.5, 0.5)"),
        ("--keep 1.5", "above 0 and at most 1"),
        ("--keep 0.5 --epochs 1 --rounds 2", "1 epochs are too few for 2 rounds"),
        ("--to 1M", "params and may have 1,000,000, so that nothing would be cut; ask for less"),
        ("--keep 0.5 --spread global", "--spread has no effect without --to; add one, or leave --spread out"),
        ("--student micro --rounds 2", "--rounds has no effect without --to or --keep"),
        ("--int8 --epochs 3", "--epochs has no effect without --to or --keep or --student"),
        (
            "--keep 0.5 --temperature 3",
            "--temperature has no effect with a distillation weight of 0",
        ),
        ("--student micro --distill-weight 0 --temperature 3", "--temperature has no effect"),
        ("--student micro --epochs 0", "a student starts from scratch and would have 0 epochs"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(
    options: str, complaint: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = list(rows_of(run).index)
    assert compress(run, *options.split()) == 2
    output = capsys.readouterr().err
    assert complaint in output
    assert output.count("\n") == 1
    assert list(rows_of(run).index) == before


@pytest.mark.parametrize(
    "options",
    [
        "compress {run} --trial t0000 --to small",
        "compress {run} --trial t0000 --student huge",
        "export {run} --trial t0000 --int8 -o net.pt2",
        "export {run} --trial t0000 --bf16 -o net.onnx",
    ],
)
def test_a_request_that_is_wrong_for_every_trial_is_refused_before_the_data_is_opened(
    options: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendering it may take a minute."""

    def opened(*arguments: object, **named: object) -> None:
        raise AssertionError("the data was opened")

    monkeypatch.setattr("suite.deployment.trained_trial.open_trial", opened)
    assert main(options.format(run=run).split()) == 2
    with pytest.raises(AssertionError, match="the data was opened"):
        compress(run, "--to", "1k")


def test_a_run_whose_search_has_not_finished_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "status": "interrupted"}))
    assert compress(run, "--keep", "0.5", "--epochs", "0") == 2
    assert "is interrupted; end its search with 'suite resume" in capsys.readouterr().err


def test_a_pruned_network_learns_from_its_parent(run: Path) -> None:
    assert compress(run, "--keep", "0.5", "--epochs", "1") == 0
    assert compress(run, "--keep", "0.5", "--epochs", "1", "--distill-weight", "2", "--temperature", "3") == 0
    rows = rows_of(run)
    alone, taught = rows.index[-2:]
    assert (rows.stage[taught], rows.parent[taught]) == ("pruned", "t0000")
    assert (rows.distill_weight[alone], rows.distill_weight[taught]) == (0, 2)
    config = load_network(run / "weights" / f"{taught}.safetensors")[1]
    assert (config.temperature, config.teacher) == (3, str((run / "weights" / "t0000.safetensors").resolve()))
    assert rows.val_mae_years[alone] != rows.val_mae_years[taught]


def test_a_student_is_trained_from_scratch_with_the_trial_as_its_teacher(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--student", "4,4,8,8,8/1,1,1,1,1", "--epochs", "2", "--int8"]
    assert compress(run, *options) == 0
    rows = rows_of(run)
    student, int8 = rows.index[-2:]
    assert (rows.stage[student], rows.parent[student]) == ("distilled", "t0000")
    assert (rows.stage[int8], rows.parent[int8]) == ("int8", student)
    assert (rows.distill_weight[student], rows.epochs_run[student]) == (1, 2)
    network, config, _ = load_network(run / "weights" / f"{student}.safetensors")
    assert config.widths == (4, 4, 8, 8, 8)
    assert count_parameters(network) == rows.params[student]
    assert json.loads((run / "weights" / f"{student}.student.json").read_text())["parent"] == "t0000"
    # Another trial can be made of the student; the paths of this machine do not travel in exports.
    assert main(["compress", str(run), "--trial", student, "--keep", "1", "--epochs", "0"]) == 0
    out = run / "student.safetensors"
    assert main(["export", str(run), "--trial", student, "-o", str(out)]) == 0
    assert load_network(out)[1].teacher is None
    capsys.readouterr()
    assert compress(run, *options) == 0
    assert f"{student} is there already" in capsys.readouterr().err


def test_a_student_warms_up_as_the_trials_recipe_says(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A network that was pruned and fine-tuned does not."""
    file = run / "weights" / "t0000.safetensors"
    network, config, _ = load_network(file)
    save_network(network, dataclasses.replace(config, epochs=2, warmup_method="dldl", warmup_epochs=1), file)
    assert compress(run, "--student", "4,4,8,8,8/1,1,1,1,1", "--epochs", "2") == 0
    assert compress(run, "--keep", "0.5", "--epochs", "1") == 0
    student, pruned = rows_of(run).tail(2).itertuples()
    assert (student.stage, student.warmup_method, student.warmup_epochs) == ("distilled", "dldl", 1)
    assert (pruned.stage, pruned.warmup_epochs) == ("pruned", 0)
    capsys.readouterr()
    assert compress(run, "--student", "4,4,8,8,8", "--epochs", "1") == 2
    assert "warmup_epochs is 1 of 1 epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("network", "widths"),
    [
        pytest.param("resnet50", (16, 8, 16, 16, 24, 16, 24, 32, 40), marks=pytest.mark.slow),
        ("vgg16-bn", (8, 8, 16, 16, 24, 32, 40)),
    ],
)
def test_another_network_is_pruned_fine_tuned_and_exported(
    network: Network, widths: tuple[int, ...], run: Path
) -> None:
    config = dataclasses.replace(CONFIG, network=network, pruned_widths=widths)
    save_network(lively(config), config, run / "weights" / "t0003.safetensors")
    parent = add_trial(run, "t0000", "t0003", config)
    options = ["--keep", "1,1,0.5,0.5,0.5", "--rounds", "2", "--epochs", "2"]
    assert main(["compress", str(run), "--trial", parent, *options]) == 0
    rows = rows_of(run)
    pruned = rows.index[-1]
    loaded, pruned_config, _ = load_network(run / "weights" / f"{pruned}.safetensors")
    assert pruned_config.pruned_widths is not None
    assert pruned_config.pruned_widths[:2] == widths[:2]
    assert sum(pruned_config.pruned_widths) < sum(widths)
    assert list(rows.pruned_widths[pruned]) == list(pruned_config.pruned_widths)
    assert rows.params[pruned] == count_parameters(loaded)
    assert (
        config_of({"id": pruned, **rows.loc[pruned].to_dict()}).pruned_widths == pruned_config.pruned_widths
    )
    assert main(["export", str(run), "--trial", pruned, "-o", str(run / "small.onnx")]) == 0
    budget = str(int(rows.params[pruned]) - 1)
    again = ["--to", budget, "--spread", "global", "--epochs", "0", "--importance", "magnitude"]
    assert main(["compress", str(run), "--trial", pruned, *again]) == 0
    assert rows_of(run).params.iloc[-1] < rows.params[pruned]


def add_trial(run: Path, like: str, trial_id: str, config: TrialConfig) -> str:
    """Add a row with the error of another row and another network, and return its id."""
    ledger = RunLedger(run)
    row = next(row for row in ledger.rows if row["id"] == like)
    validation = metrics(row["val_mae_years"])
    ledger.add_trial(
        trial_result(trial_id, config=config, profile=profile_trial(config, 101), validation=validation)
    )
    return trial_id


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--student huge", "'huge' is not a network; write one of thin, tiny"),
        ("--student 8,8,8", "'8,8,8' is not a network"),
        ("--student 999999999,1,1,1,1", "is not a network"),
        ("--student 1,1,1,1,1/999999999,1,1,1,1", "is not a network"),
        (f"--student micro --epochs {10**30}", "field 'epochs' is 1000"),
        ("--student micro --epochs 0", "a student starts from scratch"),
    ],
)
def test_a_wrong_student_is_refused_in_one_sentence(
    options: str, complaint: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compress(run, *options.split()) == 2
    assert complaint in capsys.readouterr().err


def test_a_method_without_a_distribution_cannot_teach(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", str(run), "--trial", "t0001", "--student", "micro"]) == 2
    assert "method coral, which has no distribution to distil" in capsys.readouterr().err
