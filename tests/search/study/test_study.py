import errno
from pathlib import Path

import optuna
import pytest
from optuna.samplers import NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from search_spaces import SearchSpace, load_dict
from suite.data.store import LabelRange
from suite.runs.layout import STUDY_JOURNAL
from suite.runs.tables import trial_row
from suite.search.study.parameters import config_at
from suite.search.study.results import objectives_of_row, results_known, tell_missing, trial_id
from suite.search.study.samplers import make_sampler
from suite.search.study.study import (
    ask,
    open_study,
    resume_suggestion,
    running_trials,
)
from suite.search.trial_factory import TrialFactory
from suite.trial import Status, TrialConfig
from tests.support.runs import metrics, trial_result

AGES = LabelRange(0, 116, 1)


def space(**changes: object) -> SearchSpace:
    fields: dict[str, object] = {
        "name": "small",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": 10,
        "base": {"epochs": 1, "resolution": 32},
        "vary": {
            "widths": [{"low": 4, "high": 16, "step": 4}] * 5,
            "depths": {"choices": [[1, 1, 1, 1, 1], [2, 2, 3, 3, 3]]},
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "label_deviation": {"choices": [None, 2.0]},
        },
        "first": [{"widths": [16, 16, 16, 16, 16], "depths": [2, 2, 3, 3, 3], "label_deviation": None}],
    }
    return load_dict({**fields, **changes})


def row(number: int, config: TrialConfig, status: Status = "finished") -> dict[str, object]:
    validation = metrics(6.0) if status == "finished" else None
    return trial_row(trial_result(trial_id(number), status, config=config, validation=validation))


def test_the_first_points_come_first(tmp_path: Path) -> None:
    study = open_study(space(), tmp_path, concurrent=1)
    config = config_at(TrialFactory(space(seed=3), AGES), ask(study, space()).params)
    assert (config.widths, config.depths) == ((16,) * 5, (2, 2, 3, 3, 3))
    assert (config.label_deviation, config.seed) == (None, 3)


def test_suggestions_stay_within_the_space(tmp_path: Path) -> None:
    study = open_study(space(), tmp_path, concurrent=1)
    for _ in range(12):
        config = config_at(TrialFactory(space(), AGES), ask(study, space()).params)
        assert all(width in (4, 8, 12, 16) for width in config.widths)
        assert config.depths in ((1, 1, 1, 1, 1), (2, 2, 3, 3, 3))
        assert 1e-4 <= config.learning_rate <= 1e-2
        assert config.label_deviation in (None, 2.0)
        assert (config.epochs, config.resolution) == (1, 32)


def test_the_label_range_is_the_datas_own_unless_the_space_says_so(tmp_path: Path) -> None:
    study = open_study(space(), tmp_path, concurrent=1)
    parameters = ask(study, space()).params
    assert config_at(TrialFactory(space(), AGES), parameters).label_high == 116
    fixed = space(base={"label_high": 100.0, "resolution": 32})
    assert config_at(TrialFactory(fixed, AGES), parameters).label_high == 100


def test_one_word_chooses_the_sampler() -> None:
    kinds = {"tpe": TPESampler, "nsga2": NSGAIISampler, "random": RandomSampler}
    for word, kind in kinds.items():
        assert isinstance(make_sampler(space(sampler=word), seed=0, concurrent=2), kind)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_the_same_seed_suggests_the_same_trials(sampler: str, tmp_path: Path) -> None:
    def suggestions(name: str) -> list[dict[str, object]]:
        (tmp_path / name).mkdir()
        study = open_study(space(sampler=sampler), tmp_path / name, concurrent=1)
        found = []
        for number in range(14):
            trial = ask(study, space(sampler=sampler))
            study.tell(trial, [10 / (1 + trial.params["learning_rate"]), float(number % 5)])
            found.append(trial.params)
        return found

    assert suggestions("a") == suggestions("b")


def test_the_journal_is_read_by_optuna_itself(tmp_path: Path) -> None:
    study = open_study(space(), tmp_path, concurrent=1)
    study.tell(ask(study, space()), [5.0, 1000.0])
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.journal"))
    again = optuna.load_study(study_name="small", storage=optuna.storages.JournalStorage(backend))
    assert again.best_trials[0].values == [5.0, 1000.0]
    assert again.metric_names == ["val_mae", "params"]


def test_after_an_interruption_study_and_table_agree(tmp_path: Path) -> None:
    small = space()
    study = open_study(small, tmp_path, concurrent=3)
    trials = [ask(study, small) for _ in range(3)]
    configs = [config_at(TrialFactory(small, AGES), trial.params) for trial in trials]
    # t0000's row was written but the study not told; t0001 diverged so; t0002 was still training.
    rows = [row(0, configs[0]), row(1, configs[1], "diverged")]
    again = open_study(small, tmp_path, concurrent=3)
    tell_missing(again, rows)
    states = [trial.state for trial in again.get_trials()]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING]
    assert again.get_trials()[0].values == objectives_of_row(rows[0], ["val_mae", "params"])
    (left,) = running_trials(again)
    suggestion = resume_suggestion(again, small, left)
    assert (suggestion.number, suggestion.params) == (2, trials[2].params)
    again.tell(suggestion, [5.0, 6.0])
    states = [trial.state for trial in open_study(small, tmp_path, concurrent=3).get_trials()]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]


def test_a_suggestion_that_a_kill_cut_in_its_making_gets_what_it_lacks(tmp_path: Path) -> None:
    small = space(first=[])
    whole = ask(open_study(small, tmp_path, concurrent=1), small).params
    journal = (tmp_path / STUDY_JOURNAL).read_bytes().splitlines(keepends=True)
    (tmp_path / STUDY_JOURNAL).write_bytes(b"".join(journal[:-2]) + journal[-2][:10])  # torn
    again = open_study(small, tmp_path, concurrent=1)
    (left,) = running_trials(again)
    assert 0 < len(left.params) < len(whole)
    suggestion = resume_suggestion(again, small, left)
    assert suggestion.params.keys() == whole.keys()
    assert suggestion.params.items() >= left.params.items()
    assert ask(again, small).number == 1


def test_optuna_itself_reads_the_journal(tmp_path: Path) -> None:
    small = space()
    study = open_study(small, tmp_path, concurrent=1)
    for error in (3.0, 2.0):
        study.tell(ask(study, small), [error, 1.0])
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / STUDY_JOURNAL))
    read = optuna.load_study(study_name="small", storage=optuna.storages.JournalStorage(backend))
    assert read.get_trials() == study.get_trials()
    assert [trial.values for trial in read.get_trials()] == [[3.0, 1.0], [2.0, 1.0]]


def test_a_journal_without_room_for_a_line_has_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = space()
    study = open_study(small, tmp_path, concurrent=1)
    before = (tmp_path / STUDY_JOURNAL).read_bytes()

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("suite.search.study.journal.os.write", no_room)
        with pytest.raises(OSError, match="No space left"):
            ask(study, small)
    assert (tmp_path / STUDY_JOURNAL).read_bytes() == before
    assert ask(open_study(small, tmp_path, concurrent=1), small).number == 0


def test_what_the_sampler_knew_when_it_suggested_a_trial_can_be_told_later(tmp_path: Path) -> None:
    small = space()
    study = open_study(small, tmp_path, concurrent=3)
    study.tell(ask(study, small), [3.0, 1.0])
    left, other = ask(study, small), ask(study, small)
    study.tell(other, [2.0, 1.0])
    assert results_known(study) == 2
    begun = study.get_trials()[left.number].datetime_start
    assert results_known(study, begun) == 1


def test_a_resumed_random_search_does_not_repeat_itself(tmp_path: Path) -> None:
    small = space(sampler="random", first=[])
    before = ask(open_study(small, tmp_path, concurrent=1), small).params
    after = ask(open_study(small, tmp_path, concurrent=1), small).params
    assert before != after


def test_the_lock_of_a_killed_driver_holds_nobody_up(tmp_path: Path) -> None:
    open_study(space(), tmp_path, concurrent=1)
    # As it is found where the run folder was moved afterwards: Optuna itself would wait for ever.
    (tmp_path / "study.journal.lock").symlink_to("/where/the/folder/was/study.journal")
    study = open_study(space(), tmp_path, concurrent=1)
    assert ask(study, space()).number == 0
