"""A finished trial of an earlier version whose statistics overflowed: the others are evaluated and timed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from search_spaces import load_dict
from suite.data.store import Store
from suite.measure.latency import PairedTimes
from suite.runs.ledger import RunLedger
from suite.search.after_search import latency
from suite.search.after_search.evaluation import evaluate_trials
from suite.search.after_search.latency import VGG16_NAME, time_beside_vgg16


class Notes:
    """A watcher that keeps the sentences."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, sentence: str) -> None:
        self.stages.append(sentence)

    def change(self, *_: object) -> None:
        """Nothing."""

    def advance(self, *_: object) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def overflow(run: Path, trial_id: str) -> None:
    path = run / "weights" / f"{trial_id}.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith("running_var"))
    save_file({**tensors, name: torch.full_like(tensors[name], torch.inf)}, path)


@pytest.fixture
def ledger(run: Path) -> RunLedger:
    """The run of two finished trials, the first of which overflowed."""
    overflow(run, "t0000")
    return RunLedger(run)


def finished(ledger: RunLedger) -> list[dict[str, Any]]:
    return [row for row in ledger.rows if row["status"] == "finished"]


def test_the_other_trials_are_evaluated_on_test(ledger: RunLedger, store: Store) -> None:
    watcher, before = Notes(), finished(ledger)[0]["test_mae_years"]
    evaluate_trials(ledger, finished(ledger), store, watcher)
    overflowed, other = finished(ledger)
    assert overflowed["test_mae_years"] == before
    assert other["test_mae_years"] > 0
    assert [sentence.split(":")[0] for sentence in watcher.stages] == ["t0000 is left out"]


@pytest.mark.parametrize("overflowed", [["t0000"], ["t0000", "t0001"]])
def test_the_other_trials_are_timed(
    overflowed: list[str], ledger: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial_id in overflowed:
        overflow(ledger.folder, trial_id)
    vary = {"learning_rate": {"low": 0.001, "high": 0.01}}
    space = load_dict(
        {"name": "a", "data": "faces", "objectives": ["val_mae", "params"], "trials": 1, "vary": vary}
    )
    monkeypatch.setattr(latency, "VGG16", lambda bins: torch.nn.Identity())
    monkeypatch.setattr(
        latency,
        "time_in_rounds",
        lambda networks, **_: PairedTimes(dict.fromkeys(networks, (0.1, 0.2)), 1, 32, 0.0),
    )
    time_beside_vgg16(ledger, finished(ledger), space, Notes())
    timed = {row["id"] for row in ledger.rows if row.get("speedup_vs_vgg16") == 1.0}
    assert timed == {"t0000", "t0001"} - set(overflowed)
    assert VGG16_NAME not in timed
