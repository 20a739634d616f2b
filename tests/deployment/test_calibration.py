"""The calibration of a network is the same in every file of it, and believed in no file before it was checked."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import suite
from suite.cli.main import main
from suite.compression.bf16 import export_bf16
from suite.data.dataset import Dataset
from suite.data.store import Store
from suite.deployment.calibration_fit import calibration_of, fit_on_images
from suite.deployment.calibration_metadata import CALIBRATION_KEY, calibration_json, parse_calibration
from suite.deployment.export import export
from suite.deployment.inference import Model, Outputs, open_model, run_model
from suite.deployment.inference_module import InferenceModule
from suite.deployment.intervals import central_interval, intervals_of
from suite.deployment.trained_trial import TrainedTrial, open_trial
from suite.errors import RequestError
from suite.files.reading import FileContentError
from suite.runs.ledger import RunLedger
from suite.runs.tables import read_predictions
from suite.search.after_search.evaluation import evaluate_trials
from suite.statistics.conformal import Calibration
from suite.trial import TrialConfig
from tests.search.after_search.test_overflowed_networks import Notes
from tests.support.trained_runs import CONFIG, inference_module_of

KNOWN = Calibration(
    share=0.8,
    scale="deviation",
    floor=1.0,
    edges=(0.0, 50.0, 100.0),
    reaches=(0.1 + 0.2, 1.25),
    label_edges=(0.0, 70.0, 100.0),
    label_reaches=(0.0, 2.5),
    images=800,
    people=200,
    estimate_low=1.5,
    estimate_high=95.5,
    deviation_high=20.0,
)


def trial(run: Path) -> TrainedTrial:
    return open_trial(run, "t0000", lambda stage: None, lambda done, total: None)


def evaluate(run: Path, store: Store) -> None:
    ledger = RunLedger(run)
    evaluate_trials(ledger, [row for row in ledger.rows if row["status"] == "finished"], store, Notes())


def test_every_format_carries_the_same_calibration_and_gives_its_intervals(
    dataset: Dataset, tmp_path: Path
) -> None:
    """A program of torch.export is made in ``test_export.py``, and int8 in ``test_quantise.py``, with one as well."""
    plain, config = inference_module_of()
    val = dataset.splits["val"]
    module = InferenceModule(plain.network, config, plain.label_set, KNOWN)
    files = [export(module, config, val, tmp_path / f"net{end}").path for end in (".onnx", ".safetensors")]
    files.append(export_bf16(module, config, val, tmp_path / "half.safetensors").exported.path)
    pixels, ends = val.images[val.rows].numpy(), []
    for file in files:
        model = open_model(file)
        assert model.calibration == KNOWN
        ends.append(intervals_of(run_model(model, pixels, mirrored=True), model.config, model.calibration))
    assert ends[1] == pytest.approx(ends[0], abs=0.05)
    assert ends[2] == pytest.approx(ends[0], abs=2), "with weights rounded to bf16"


def test_a_file_of_an_earlier_version_opens_and_has_the_interval_of_its_distribution(
    dataset: Dataset, tmp_path: Path
) -> None:
    module, config = inference_module_of()
    model = open_model(export(module, config, dataset.splits["val"], tmp_path / "net.onnx").path)
    assert model.calibration is None
    outputs = run_model(model, dataset.splits["val"].images[:3].numpy(), mirrored=True)
    assert outputs.distributions is not None
    assert intervals_of(outputs, config, None) == pytest.approx(
        central_interval(outputs.distributions, 0, 100)
    )
    assert intervals_of(Outputs(outputs.values, None), config, None) is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"share": 0.5}, "hold 0.5 of the labels"),
        ({"scale": "years"}, "scale"),
        ({"floor": 0.0}, "smallest deviation is 0"),
        ({"floor": float("nan")}, "infinite or not a number"),
        ({"edges": [0, 100]}, "2 reaches for 2 ends"),
        ({"edges": [0, 50, 90]}, "do not rise from 0 to 100"),
        ({"edges": [0, 100, 100]}, "do not rise from 0 to 100"),
        ({"edges": [0, float("nan"), 100]}, "infinite or not a number"),
        ({"edges": list(range(1000)), "reaches": [1] * 999}, "999 reaches"),
        ({"reaches": [-1, 1]}, "not between 0 and 100"),
        ({"label_reaches": [0, 101]}, "not between 0 and 100"),
        ({"label_edges": [-1, 50, 100]}, "do not rise from 0 to 100"),
        ({"label_edges": None}, "label_edges"),
        ({"reaches": [1, 1e300]}, "not between 0 and 100"),
        ({"reaches": [1, "1"]}, "reaches.1"),
        ({"people": 3}, "800 images of 3 people"),
        ({"people": 900}, "800 images of 900 people"),
        ({"images": 10**30}, "out of range"),
        ({"estimate_low": 99.0}, "no range"),
        ({"deviation_high": -1.0}, "no range"),
        ({"deviation_high": None}, "no range"),
        ({"scale": "unit"}, "no range"),
    ],
    ids=str,
)
def test_a_forged_calibration_is_refused_in_one_sentence(changes: dict[str, Any], complaint: str) -> None:
    text = json.dumps({**dataclasses.asdict(KNOWN), **changes})
    with pytest.raises(FileContentError, match=complaint) as caught:
        parse_calibration(text, CONFIG)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["", "[]", "x" * 10**6, "[" * 10_000, "{}", 7])
def test_what_is_no_calibration_is_refused(text: object) -> None:
    with pytest.raises(FileContentError, match="its calibration"):
        parse_calibration(text, CONFIG)


def test_a_calibration_is_read_back_exactly() -> None:
    assert parse_calibration(calibration_json(KNOWN), CONFIG) == KNOWN
    assert parse_calibration(None, CONFIG) is None


def test_predict_refuses_a_file_with_a_forged_calibration(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module, config = inference_module_of()
    path = export(module, config, dataset.splits["val"], tmp_path / "net.safetensors").path
    forged = calibration_json(dataclasses.replace(KNOWN, edges=(0.0, 1.0, 2.0)))
    save_file(
        load_file(path),
        path,
        metadata={"trial_config": json.dumps(config.to_json()), CALIBRATION_KEY: forged},
    )
    assert main(["predict", str(path), str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "net.safetensors cannot be read as a model (its calibration cannot be used: its bands" in told
    assert told.count("\n") == 1


def test_a_calibration_of_distributions_that_a_model_does_not_give_is_one_sentence() -> None:
    with pytest.raises(RequestError, match="cannot be used with its calibration"):
        intervals_of(Outputs(np.zeros(2, np.float32), None), CONFIG, KNOWN)


@pytest.mark.parametrize("shares", [[[0.5, -0.1]], [[0.0, 0.0]]])
def test_a_distribution_that_is_none_is_no_answer(shares: list[list[float]]) -> None:
    outputs = Outputs(np.zeros(1, np.float32), np.array(shares, np.float32))
    model = Model(TrialConfig(), lambda images: outputs)
    with pytest.raises(RequestError, match="does not give a finite number"):
        run_model(model, np.zeros((1, 32, 32, 3), np.uint8), mirrored=False)


def test_predictions_that_a_run_kept_calibrate_as_the_network_itself_does(run: Path, store: Store) -> None:
    computed = calibration_of(trial(run))
    assert computed is not None
    assert (computed.images, computed.people) == (40, 40)
    evaluate(run, store)
    kept = calibration_of(trial(run))
    assert kept is not None
    assert kept.edges == computed.edges
    assert kept.reaches == pytest.approx(computed.reaches, rel=1e-4)
    assert kept.label_reaches == pytest.approx(computed.label_reaches, rel=1e-4)


def test_the_intervals_that_a_run_keeps_are_those_of_its_exported_file(
    run: Path, store: Store, tmp_path: Path
) -> None:
    evaluate(run, store)
    table = read_predictions(run, "t0000")
    assert table is not None
    test = table[table["split"] == "test"]
    suite.export(run, "t0000", tmp_path / "net.onnx")
    model = open_model(tmp_path / "net.onnx")
    outputs = run_model(model, np.asarray(store.images[test["image"].to_numpy()]), mirrored=True)
    ends = intervals_of(outputs, model.config, model.calibration)
    assert test[["interval_low", "interval_high"]].to_numpy() == pytest.approx(ends, abs=0.05)


def test_predictions_of_an_earlier_version_are_read_and_the_network_predicts_again(
    run: Path, store: Store
) -> None:
    evaluate(run, store)
    kept = calibration_of(trial(run))
    path = run / "predictions" / "t0000.parquet"
    table = read_predictions(run, "t0000")
    assert table is not None
    table.drop(columns=["deviation", "interval_low", "interval_high"]).to_parquet(path)
    again = calibration_of(trial(run))
    assert kept is not None
    assert again is not None
    assert again.reaches == pytest.approx(kept.reaches, rel=1e-4)


def test_a_method_without_a_distribution_is_calibrated_in_label_units(dataset: Dataset) -> None:
    module, config = inference_module_of("coral")
    found = fit_on_images(module.network, config, dataset.splits["val"])
    assert found is not None
    assert (found.scale, found.people) == ("unit", 32)
