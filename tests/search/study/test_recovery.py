"""A run folder that lost its study or its table: what is refused, and the study made anew from the table."""

import dataclasses
import os
import re
import shutil
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
import torch
from optuna.trial import TrialState

from search_spaces import SearchSpace, load_dict
from suite.api import load_data
from suite.data.store import Store
from suite.errors import RequestError
from suite.runs.info import RunInfo, write_info
from suite.runs.layout import STUDY_JOURNAL
from suite.runs.ledger import RunLedger
from suite.runs.tables import read_run
from suite.search.engine import resume_search
from suite.search.study.parameters import config_at
from suite.search.study.proposals import StudyProposals
from suite.search.study.recovery import disagreement, rebuild_study
from suite.search.study.results import trial_id
from suite.search.study.study import ask, open_study, running_trials
from suite.search.trial_factory import TrialFactory
from suite.training.checkpoints import save_checkpoint
from suite.training.fit import fit
from suite.trial import Status
from tests.search.test_engine import Recorder
from tests.support.runs import data_used, metrics, run_info, trial_result
from tests.support.sample_rows import epoch


def space_of(store: Store, **changes: object) -> SearchSpace:
    fields: dict[str, object] = {
        "name": "small",
        "data": str(store.folder),
        "objectives": ["val_mae", "params"],
        "trials": 12,
        "confirm_seeds": 1,
        "base": {"epochs": 2, "resolution": 32, "depths": [1, 1, 1, 1, 1]},
        "vary": {
            "widths": [{"low": 4, "high": 16, "step": 4}] * 5,
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "label_deviation": {"choices": [None, 2.0]},
        },
        "first": [{"widths": [16] * 5}, {"widths": [4] * 5}],
        "bounds": {"params": 90_000},
    }
    return load_dict({**fields, **changes})


STATUSES: tuple[Status, ...] = ("finished", "stopped", "diverged", "finished", "failed", "finished")


def write_cut_run(folder: Path, store: Store, space: SearchSpace, statuses: tuple[Status, ...]) -> RunInfo:
    """A search that was killed while its last trial trained."""
    folder.mkdir()
    fingerprint = store.info.fingerprint
    info = run_info(
        status="interrupted",
        search=space.to_dict(),
        trials_asked=space.trials,
        data=data_used(folder=str(store.folder), fingerprint=fingerprint),
    )
    write_info(folder, info)
    trials = TrialFactory(space, store.info.attributes["age"])
    proposals = StudyProposals(open_study(space, folder, concurrent=1, fits=trials.fits), trials)
    ledger = RunLedger(folder)
    for status in (*statuses, None):
        proposal = None
        while proposal is None:
            proposal = proposals.propose()
        if status is not None:
            ended = dataclasses.replace(
                trial_result(proposal.id, status, config=proposal.config),
                validation=metrics(float(len(ledger.rows) + 3)),
            )
            ledger.begin_trial(proposal.id, [epoch(1)], "age")
            proposals.before_row(ended)
            ledger.add_trial(ended)
            proposals.after_row(ended)
            if status == "finished":
                (folder / "weights").mkdir(exist_ok=True)
                (folder / "weights" / f"{proposal.id}.safetensors").write_bytes(proposal.id.encode())
    ledger.fold()
    return info


@pytest.fixture(scope="module")
def cut_once(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    write_cut_run(folder, store, space_of(store), STATUSES)
    return folder


@pytest.fixture
def cut(tmp_path: Path, cut_once: Path) -> Path:
    return Path(shutil.copytree(cut_once, tmp_path / "run"))


def resumed(folder: Path, *, rebuild: bool = False) -> list[str]:
    """The stages of a resumption that ends before it trains."""
    recorder = Recorder()
    with patch("suite.search.engine.run_stages"):
        resume_search(folder, {}, recorder, rebuild_study=rebuild)
    return recorder.stages


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != ".lock")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_a_whole_run_goes_on(cut: Path) -> None:
    assert resumed(cut) == []
    assert resumed(cut, rebuild=True) == ["the study agrees with the table, and stays as it is"]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("missing", "study.journal of .* is missing"),
        ("empty", "is missing"),
        ("of another search", "is missing"),
        ("no journal", "cannot be read .it is not JSON"),
        ("operations that Optuna cannot replay", "cannot be read .* in Optuna"),
        ("of an earlier moment", "lacks t0"),
        ("a pipe", "cannot be read .it is not a regular file"),
        ("a folder", "cannot be read .it is not a regular file"),
    ],
)
def test_a_search_does_not_go_on_with_another_study(cut: Path, damage: str, sentence: str) -> None:
    journal = cut / STUDY_JOURNAL
    lines = journal.read_text().splitlines(keepends=True)
    texts = {
        "empty": "",
        "of another search": lines[0].replace('"small"', '"other"'),
        "no journal": "hello\n",
        "operations that Optuna cannot replay": '{"op_code":5,"trial_id":7}\n',
        "of an earlier moment": "".join(lines[: len(lines) // 3]),
    }
    journal.unlink()
    if damage == "a pipe":
        os.mkfifo(journal)
    elif damage == "a folder":
        journal.mkdir()
    elif damage in texts:
        journal.write_text(texts[damage])
    before = contents(cut)
    with pytest.raises(RequestError, match=sentence) as refused:
        resumed(cut)
    assert "continue from the 6 rows of trials.parquet alone with --rebuild-study" in str(refused.value)
    assert contents(cut) == before
    assert "from 6 rows" in resumed(cut, rebuild=True)[0]
    assert resumed(cut) == []
    kept = [file for file in cut.iterdir() if "before-rebuild" in file.name]
    assert bool(kept) == (damage != "missing")


def test_a_lost_table_is_said_to_be_lost_and_nothing_is_overwritten(cut: Path) -> None:
    (cut / "trials.parquet").unlink()
    before = contents(cut)
    for rebuild in (False, True):
        with pytest.raises(RequestError, match=r"trials\.parquet of .* has no row of t0\d+.* and 3 others"):
            resumed(cut, rebuild=rebuild)
    (cut / STUDY_JOURNAL).unlink()
    with pytest.raises(RequestError, match=r"has no row of .*; put the file back .* or start a new run"):
        resumed(cut, rebuild=True)
    assert contents(cut) == {name: text for name, text in before.items() if name != STUDY_JOURNAL}


def test_a_table_of_an_earlier_moment_is_continued_without_touching_what_it_lacks(
    cut: Path, store: Store
) -> None:
    run = read_run(cut)
    later = str(run.trials["id"].iloc[-1])
    run.trials.iloc[:-1].to_parquet(cut / "trials.parquet", index=False)
    with pytest.raises(RequestError, match=f"has no row of {later}, which trained.*from the 5 rows"):
        resumed(cut)
    resumed(cut, rebuild=True)
    assert later in set(read_epochs(cut / "epochs.before-rebuild-1.parquet"))
    assert (cut / "weights" / f"{later}.safetensors").read_bytes() == later.encode()
    assert resumed(cut) == []  # that was accepted once
    space = space_of(store)
    study = open_study(space, cut, concurrent=1)
    assert ask(study, space).number == int(later[1:]) + 1


def read_epochs(path: Path) -> list[str]:
    return pd.read_parquet(path)["id"].tolist()


def test_a_lost_table_of_epochs_is_said_to_be_lost(cut: Path) -> None:
    (cut / "epochs.parquet").unlink()
    journal = (cut / STUDY_JOURNAL).read_bytes()
    with pytest.raises(RequestError, match=r"epochs\.parquet of .* is missing"):
        resumed(cut)
    assert "continues without it" in resumed(cut, rebuild=True)[0]
    assert (cut / STUDY_JOURNAL).read_bytes() == journal


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_a_study_made_anew_knows_what_the_old_one_knew(sampler: str, tmp_path: Path, store: Store) -> None:
    space, folder = space_of(store, sampler=sampler), tmp_path / "run"
    write_cut_run(folder, store, space, STATUSES)
    old = {t.number: t for t in open_study(space, folder, concurrent=1).get_trials()}
    (folder / STUDY_JOURNAL).unlink()
    resumed(folder, rebuild=True)
    ids = set(read_run(folder).trials["id"])
    study = open_study(space, folder, concurrent=1)
    assert study.metric_names == ["val_mae", "params"]
    for trial in study.get_trials():
        before = old[trial.number]
        if trial_id(trial.number) in ids:
            assert (trial.state, trial.params, trial.values) == (before.state, before.params, before.values)
            assert trial.constraints == before.constraints
            assert trial.user_attrs["status"] == before.user_attrs["status"]
        else:
            assert trial.state == TrialState.FAIL
    config = config_at(TrialFactory(space, store.info.attributes["age"]), ask(study, space).params)
    assert config.epochs == 2


def test_a_training_that_was_cut_short_keeps_its_number_and_its_checkpoint(cut: Path, store: Store) -> None:
    space = space_of(store)
    (left,) = running_trials(open_study(space, cut, concurrent=1))
    trials = TrialFactory(space, store.info.attributes["age"])
    config = config_at(trials, left.params)
    training = fit(config, load_data(store.folder, resolution=32), threads=torch.get_num_threads())
    (cut / "checkpoints").mkdir()
    save_checkpoint(training, [], 1.0, cut / "checkpoints" / f"{trial_id(left.number)}.pt")
    (cut / STUDY_JOURNAL).unlink()
    resumed(cut, rebuild=True)
    study = open_study(space, cut, concurrent=1)
    (again,) = running_trials(study)
    assert (again.number, again.params) == (left.number, left.params)
    proposal = StudyProposals(study, trials).propose()
    assert proposal is not None
    assert (proposal.id, proposal.config) == (trial_id(left.number), config)


def test_a_grid_made_anew_trains_what_is_left_of_it(tmp_path: Path, store: Store) -> None:
    grid = space_of(
        store,
        sampler="grid",
        trials=6,
        seeds=2,
        vary={"learning_rate": {"choices": [1e-3, 2e-3, 3e-3]}},
        first=[],
        bounds={},
    )
    folder = tmp_path / "run"
    write_cut_run(folder, store, grid, ("finished", "finished", "finished", "failed"))
    (folder / STUDY_JOURNAL).unlink()
    resumed(folder, rebuild=True)
    trials = TrialFactory(grid, store.info.attributes["age"])
    proposals = StudyProposals(open_study(grid, folder, concurrent=1), trials)
    left = [proposals.propose() for _ in range(2)]
    assert [(p.id, p.config.learning_rate, p.config.seed) for p in left if p] == [
        ("t0004", 2e-3, 1),
        ("t0005", 3e-3, 1),
    ]


def test_points_that_come_first_are_not_trained_twice(cut: Path, store: Store) -> None:
    (cut / STUDY_JOURNAL).unlink()
    resumed(cut, rebuild=True)
    space = space_of(store)
    study = open_study(space, cut, concurrent=1)
    widths = [
        tuple(t.params[f"widths[{stage}]"] for stage in range(5)) for t in study.get_trials() if t.params
    ]
    assert widths.count((16,) * 5) == widths.count((4,) * 5) == 1


def test_a_run_whose_search_has_ended_needs_no_study(tmp_path: Path, store: Store) -> None:
    write_cut_run(tmp_path / "run", store, space_of(store, trials=6), STATUSES)
    (tmp_path / "run" / STUDY_JOURNAL).unlink()
    assert resumed(tmp_path / "run") == []


def test_a_run_that_was_killed_before_its_first_trial_ended_goes_on(tmp_path: Path, store: Store) -> None:
    space = space_of(store)
    write_cut_run(tmp_path / "run", store, space, ())
    assert resumed(tmp_path / "run") == []
    (tmp_path / "run" / STUDY_JOURNAL).unlink()
    assert resumed(tmp_path / "run") == []


def test_rows_that_are_no_points_of_the_space_keep_their_numbers(cut: Path, store: Store) -> None:
    run = read_run(cut)
    run.trials["learning_rate"] = 5.0
    run.trials.to_parquet(cut / "trials.parquet", index=False)
    run = read_run(cut)
    (cut / STUDY_JOURNAL).unlink()
    space = space_of(store)
    found = disagreement(run, space)
    assert found is not None
    said = rebuild_study(run, TrialFactory(space, store.info.attributes["age"]), found)
    assert re.search("6 of them are no points of the search space", said)
    assert disagreement(run, space) is None
