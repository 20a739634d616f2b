"""A configuration is trained once, however often the sampler suggests it; no Ray."""

from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from search_spaces import SearchSpace, load_dict
from suite.search.study.repeats import is_repeat, tell_repeat, trained_before
from suite.search.study.results import count_repeats, results_known, tell
from suite.search.study.study import ask

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")

FINISHED = {"status": "finished", "attribute": "age", "val_mae_years": 5.0, "params": 1000}


def space(**changes: Any) -> SearchSpace:
    fields: dict[str, Any] = {
        "name": "few",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": 12,
        "sampler": "random",
        "vary": {"lambda_l1": {"choices": [0.0, 0.1, 1.0]}, "learning_rate": {"choices": [0.001, 0.003]}},
    }
    return load_dict({**fields, **changes})


@pytest.fixture
def study() -> optuna.Study:
    made = optuna.create_study(
        directions=["minimize"] * 2, sampler=optuna.samplers.RandomSampler(seed=0), storage=None
    )
    made.set_metric_names(["val_mae", "params"])
    return made


def suggested(study: optuna.Study, lambda_l1: float) -> optuna.Trial:
    study.enqueue_trial({"lambda_l1": lambda_l1, "learning_rate": 0.003})
    return ask(study, space())


def before(study: optuna.Study, suggestion: optuna.Trial) -> optuna.trial.FrozenTrial | None:
    return trained_before(study, suggestion.params, suggestion.number)


def test_a_new_configuration_repeats_nothing(study: optuna.Study) -> None:
    tell(study, suggested(study, 0.1), FINISHED)
    assert before(study, suggested(study, 1.0)) is None


def test_a_repeat_is_told_what_the_first_came_to(study: optuna.Study) -> None:
    first = suggested(study, 0.1)
    tell(study, first, FINISHED)
    for _ in range(2):  # and a repeat is not a first one for the next
        again = suggested(study, 0.1)
        known = before(study, again)
        assert known is not None
        assert known.number == first.number
        tell_repeat(study, again, known, "t0000")
        repeat = study.trials[again.number]
        assert (repeat.state, repeat.values) == (TrialState.COMPLETE, [5.0, 1000.0])
        assert repeat.user_attrs["cause"] == "the configuration of t0000, which is not trained again"
    assert (count_repeats(study), results_known(study)) == (2, 1)


@pytest.mark.parametrize(("status", "state"), [("stopped", TrialState.PRUNED), ("diverged", TrialState.FAIL)])
def test_one_that_was_stopped_or_diverged_would_be_again(
    study: optuna.Study, status: str, state: TrialState
) -> None:
    first = suggested(study, 0.1)
    first.set_user_attr("status", status)
    tell(study, first, {**FINISHED, "status": status})
    again = suggested(study, 0.1)
    known = before(study, again)
    assert known is not None
    tell_repeat(study, again, known, "t0000")
    assert study.trials[again.number].state == state
    assert is_repeat(study.trials[again.number])


def test_one_that_is_under_way_is_not_begun_twice(study: optuna.Study) -> None:
    suggested(study, 0.1)
    again = suggested(study, 0.1)
    known = before(study, again)
    assert known is not None
    tell_repeat(study, again, known, "t0000")
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING, TrialState.FAIL]


def test_one_whose_process_was_lost_is_trained_after_all(study: optuna.Study) -> None:
    first = suggested(study, 0.1)
    first.set_user_attr("status", "failed")
    tell(study, first, None)
    assert before(study, suggested(study, 0.1)) is None


def test_drawn_at_random_every_configuration_comes_and_the_sampler_stays(study: optuna.Study) -> None:
    sampler = study.sampler
    drawn = {tuple(ask(study, space(), at_random=True).params.values()) for _ in range(60)}
    assert len(drawn) == 6
    assert study.sampler is sampler
