"""Which trainings a search still has to confirm, and what a resumed search may change about that."""

from pathlib import Path
from typing import Any

import pytest

from search_spaces import SearchSpace, load_dict
from suite.errors import RequestError
from suite.runs.info import BEFORE_CONFIRMATION
from suite.runs.ledger import RunLedger
from suite.search.after_search.confirmation import left_to_confirm, with_confirmation
from suite.trial import TrialConfig
from tests.support.runs import metrics, run_info, trial_result


def space(**changes: Any) -> SearchSpace:
    return load_dict(
        {
            "name": "small",
            "data": "faces",
            "objectives": ["val_mae", "params"],
            "trials": 2,
            "confirm_seeds": 2,
            "base": {"epochs": 6},
            "vary": {"learning_rate": {"low": 1e-3, "high": 1e-2}},
            **changes,
        }
    )


def ledger_of(folder: Path) -> RunLedger:
    """A search of a network on the front and of TinyAgeNet, which is far off it."""
    ledger = RunLedger(folder)
    small = TrialConfig(epochs=6, widths=(8,) * 5, depths=(1,) * 5)
    for trial_id, config, mae in (("t0000", small, 6.0), ("t0001", TrialConfig(epochs=6), 9.0)):
        ledger.add_trial(trial_result(trial_id, config=config, validation=metrics(mae), epochs_run=6))
    return ledger


def left(ledger: RunLedger, asked: SearchSpace) -> list[tuple[str, int, int]]:
    trainings = left_to_confirm(asked, ledger, run_info(search=asked.to_dict()))
    return [(one.id, one.config.seed, one.config.epochs) for one in trainings]


def test_the_front_and_tinyagenet_are_trained_four_times_as_long_seed_by_seed(tmp_path: Path) -> None:
    assert left(ledger_of(tmp_path), space()) == [
        ("t0000-s1-e24", 1, 24),
        ("t0001-s1-e24", 1, 24),
        ("t0000-s2-e24", 2, 24),
        ("t0001-s2-e24", 2, 24),
    ]


def test_a_confirmation_as_long_as_the_search_has_the_ids_of_before(tmp_path: Path) -> None:
    asked = space(**{**BEFORE_CONFIRMATION, "confirm_seeds": 2})
    assert left(ledger_of(tmp_path), asked) == [("t0000-s1", 1, 6), ("t0000-s2", 2, 6)]


def test_another_length_is_trained_beside_what_was_trained_before(tmp_path: Path) -> None:
    ledger, asked = ledger_of(tmp_path), space(confirm_epochs="1x", confirm_neighbours=0)
    for training in left_to_confirm(asked, ledger, run_info(search=asked.to_dict())):
        ledger.add_trial(
            trial_result(training.id, stage="confirm", config=training.config, parent=training.parent)
        )
    assert left(ledger, asked) == []
    longer = with_confirmation(asked, {"confirm_epochs": 12})
    assert left(ledger, longer) == [("t0000-s1-e12", 1, 12), ("t0000-s2-e12", 2, 12)]


def test_the_warm_up_keeps_its_epochs_in_a_longer_training(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    config = TrialConfig(epochs=6, warmup_method="dldl", warmup_epochs=2)
    ledger.add_trial(trial_result("t0000", config=config, validation=metrics(6.0), epochs_run=6))
    asked = space()
    training = left_to_confirm(asked, ledger, run_info(search=asked.to_dict()))[0]
    assert (training.config.epochs, training.config.warmup_epochs) == (24, 2)


def test_a_resumed_search_may_be_confirmed_longer_with_more_seeds_and_neighbours() -> None:
    before = space(**{**BEFORE_CONFIRMATION, "confirm_seeds": 2})
    changes = {"confirm_seeds": 3, "confirm_epochs": "4x", "confirm_neighbours": 4}
    after = with_confirmation(before, changes)
    assert {field: getattr(after, field) for field in changes} == changes
    assert equal_but(before, after, set(changes))


def equal_but(one: SearchSpace, other: SearchSpace, fields: set[str]) -> bool:
    """Whether two spaces differ in these fields alone."""
    return one.model_dump(exclude=fields) == other.model_dump(exclude=fields)


@pytest.mark.parametrize(
    ("before", "changes", "sentence"),
    [
        (3, {"confirm_seeds": 2}, "give --confirm-seeds 3 or more"),
        (1, {"confirm_epochs": 24}, "its confirm_seeds is 1; give --confirm-seeds 3 as well"),
        (3, {"confirm_epochs": 5}, "--confirm-epochs: confirm_epochs is 5 and epochs is 6"),
        (3, {"confirm_epochs": "twice"}, "it must be a number of epochs such as 24, or a factor such as 4x"),
    ],
)
def test_what_no_search_can_confirm_is_refused_in_a_sentence(
    before: int, changes: dict[str, int | str], sentence: str
) -> None:
    with pytest.raises(RequestError, match=sentence):
        with_confirmation(space(confirm_seeds=before), changes)
