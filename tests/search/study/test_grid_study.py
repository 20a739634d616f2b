"""A grid in the study's journal: its order, its seeds, and that no interruption repeats or loses a trial."""

from pathlib import Path

import optuna
from optuna.trial import TrialState

from search_spaces import SearchSpace, load_dict
from suite.data.store import LabelRange
from suite.search.study.parameters import config_at
from suite.search.study.results import tell_missing
from suite.search.study.study import ask, open_study
from suite.search.trial_factory import TrialFactory

AGES = LabelRange(0, 100, 1)


def space(**changes: object) -> SearchSpace:
    fields: dict[str, object] = {
        "name": "small",
        "data": "faces",
        "objectives": ["val_mae"],
        "sampler": "grid",
        "seed": 4,
        "seeds": 3,
        "base": {"epochs": 1, "resolution": 32},
        "vary": {
            "network": {"choices": ["vgg16-bn", "tiny"]},
            "label_deviation": {"choices": [None, 2.0]},
        },
    }
    return load_dict({**fields, **changes})


def drawn(study: optuna.Study, of: SearchSpace, count: int) -> list[tuple[str, float | None, int]]:
    """The next trials, each ended before the one after it."""
    found = []
    for _ in range(count):
        trial = ask(study, of)
        config = config_at(TrialFactory(of, AGES), trial.params)
        study.tell(trial, [5.0])
        found.append((config.network, config.label_deviation, config.seed))
    return found


#: The trials of ``space()`` in their order.
ALL = [
    (network, deviation, seed)
    for seed in (4, 5, 6)
    for network in ("vgg16-bn", "compact")
    for deviation in (None, 2.0)
]


def test_trials_come_in_the_grids_order_with_their_seeds(tmp_path: Path) -> None:
    assert drawn(open_study(space(), tmp_path, concurrent=1), space(), 12) == ALL


def test_without_seeds_every_trial_has_the_searchs_seed(tmp_path: Path) -> None:
    single = space(seeds=1)
    assert drawn(open_study(single, tmp_path, concurrent=1), single, 4) == ALL[:4]


def test_resumed_in_the_middle_nothing_is_repeated_and_nothing_left_out(tmp_path: Path) -> None:
    before = drawn(open_study(space(), tmp_path, concurrent=1), space(), 5)
    study = open_study(space(), tmp_path, concurrent=1)
    tell_missing(study, [])
    assert before + drawn(study, space(), 7) == ALL
    assert not study.get_trials(states=(TrialState.WAITING,))


def test_a_trial_under_way_is_trained_again_with_its_seed(tmp_path: Path) -> None:
    study = open_study(space(), tmp_path, concurrent=2)
    drawn(study, space(), 6)
    ask(study, space())  # the driver is killed while this one trains
    again = open_study(space(), tmp_path, concurrent=2)
    tell_missing(again, [])
    assert drawn(again, space(), 6) == [*ALL[7:], ALL[6]]


def test_a_grid_that_was_not_enqueued_to_its_end_is_completed(tmp_path: Path) -> None:
    open_study(space(trials=5), tmp_path, concurrent=1)  # as a driver leaves it that is killed meanwhile
    assert drawn(open_study(space(), tmp_path, concurrent=1), space(), 12) == ALL
