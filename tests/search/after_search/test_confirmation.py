"""The front's members trained again, on a real Ray cluster: what it adds, what it leaves alone, resumed."""

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from search_spaces import SearchSpace, load_dict
from suite.data.store import Store, fingerprint, open_store, write_info
from suite.runs.front import front_rows
from suite.runs.info import Resources
from suite.runs.ledger import RunLedger
from suite.runs.tables import Run, config_of, read_run, write_rows
from suite.runs.watcher import SearchProgress
from suite.search.after_search import latency
from suite.search.after_search.confirmation import left_to_confirm
from suite.search.engine import Search, resume_search, run_search
from suite.search.tune import cluster_session
from suite.trial import TrialResult

SEEDS = (1, 2)  # of the confirmation; the search has seed 0
EPOCHS = 3  # of the confirmation; the search has 2
#: Columns that say how long something took.
TIMED = ("seconds", "started", "latency_", "speedup_", "images_per_second")


class StopsAfter:
    """A watcher that presses Ctrl-C when so many trainings have ended."""

    def __init__(self, trainings: int = 1000) -> None:
        self.left = trainings
        self.stages: list[str] = []
        self.progress_seen: list[SearchProgress] = []

    def stage(self, sentence: str) -> None:
        self.stages.append(sentence)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        self.progress_seen.append(progress)
        self.left -= ended is not None
        if ended is not None and self.left == 0:
            raise KeyboardInterrupt

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


def space(store: Store) -> SearchSpace:
    """Three networks: the largest learns fastest and the smallest hardly, so that both are on the front."""
    return load_dict(
        {
            "name": "small",
            "data": str(store.folder),
            "objectives": ["val_mae", "params"],
            "trials": 3,
            "confirm_seeds": len(SEEDS),
            "confirm_epochs": EPOCHS,
            "confirm_neighbours": 0,
            "base": {"epochs": 2, "resolution": 32, "batch_size": 16, "depths": [1] * 5},
            "vary": {
                "widths": [{"low": 2, "high": 16, "step": 2}] * 5,
                "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            },
            "first": [
                {"widths": [16] * 5, "learning_rate": 0.01},
                {"widths": [2] * 5, "learning_rate": 0.001},
            ],
            "latency": {"resolution": 32, "batch_size": 1, "rounds": 2},
        }
    )


def carry_out(store: Store, folder: Path, watcher: StopsAfter) -> Run:
    resources = Resources(max_concurrent=1)
    run_search(Search(space(store), store, folder, resources, watcher), "small.yaml", ["suite", "run"])
    return read_run(folder)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One cluster for both sessions, as its start takes longer than their trainings."""
    with cluster_session.ray_session(Resources()), pytest.MonkeyPatch.context() as patches:
        patches.setattr(cluster_session, "ray_session", lambda resources: nullcontext())
        yield


@pytest.fixture(scope="module")
def interrupted(cluster: None, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Stopped after the second training of the confirmation."""
    return carry_out(store, tmp_path_factory.mktemp("confirmed") / "run", StopsAfter(3 + 2))


@pytest.fixture(scope="module")
def resumed(interrupted: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, StopsAfter]:
    """A copy of it that went on to its end."""
    folder, watcher = tmp_path_factory.mktemp("resumed") / "run", StopsAfter()
    shutil.copytree(interrupted.folder, folder)
    assert resume_search(folder, {}, watcher).status == "finished"
    return read_run(folder), watcher


def members(run: Run) -> list[str]:
    rows = run.trials.to_dict("records")
    return [
        str(row["id"]) for row in front_rows(rows, run.info.objectives, run.info.error_column, run.info.most)
    ]


def confirming(run: Run) -> pd.DataFrame:
    return run.trials[run.trials["stage"] == "confirm"]


def test_every_member_of_the_front_is_trained_again_with_the_same_new_seeds(
    resumed: tuple[Run, StopsAfter],
) -> None:
    run, _ = resumed
    assert len(members(run)) >= 2
    trained = sorted(zip(confirming(run)["parent"], confirming(run)["seed"], strict=True))
    assert trained == sorted((member, seed) for member in members(run) for seed in SEEDS)
    assert set(run.trials.loc[run.trials["stage"] == "search", "seed"]) == {0}


def test_a_confirming_training_differs_from_its_member_in_its_seed_and_length_alone(
    resumed: tuple[Run, StopsAfter],
) -> None:
    run, _ = resumed
    rows = {row["id"]: row for row in RunLedger(run.folder).rows}
    for row in rows.values():
        if row["stage"] == "confirm":
            member = config_of(rows[row["parent"]])
            assert config_of(row) == dataclasses.replace(member, seed=row["seed"], epochs=EPOCHS)
            assert row["epochs_run"] == EPOCHS
            assert row["params"] == rows[row["parent"]]["params"]
            assert row["id"] == f"{row['parent']}-s{row['seed']}-e{EPOCHS}"
            assert (run.folder / "weights" / f"{row['id']}.safetensors").exists()
    errors = [row["val_mae_years"] for row in rows.values()]
    assert len(set(errors)) == len(errors)  # another seed is another training


def test_the_test_split_is_read_for_the_confirming_trainings_alone_and_not_before_all_have_ended(
    interrupted: Run, resumed: tuple[Run, StopsAfter]
) -> None:
    assert len(confirming(interrupted)) == 2
    assert interrupted.trials["test_mae_years"].isna().all()
    run, watcher = resumed
    evaluated = run.trials.set_index("id")["test_mae_years"].notna()
    assert evaluated.to_dict() == {
        i: stage == "confirm" for i, stage in run.trials[["id", "stage"]].to_numpy()
    }
    order = [
        next(i for i, s in enumerate(watcher.stages) if word in s) for word in ("confirming", "evaluating")
    ]
    assert order == sorted(order)


def test_a_resumed_confirmation_trains_nothing_twice(
    interrupted: Run, resumed: tuple[Run, StopsAfter]
) -> None:
    run, watcher = resumed
    kept = interrupted.trials.merge(run.trials, on="id", suffixes=("_then", "_now"))
    assert len(kept) == len(interrupted.trials) == 5
    assert list(kept["started_then"]) == list(kept["started_now"])
    assert run.epochs.groupby(["id", "epoch"]).size().max() == 1
    assert not any(stage.startswith("training") for stage in watcher.stages)
    assert len(run.trials) == 3 + len(SEEDS) * len(members(run))


def test_whoever_watches_sees_the_stage_and_its_own_counts(resumed: tuple[Run, StopsAfter]) -> None:
    run, watcher = resumed
    last = watcher.progress_seen[-1]
    asked = len(SEEDS) * len(members(run))
    assert (last.stage, last.finished, last.requested, last.share_done) == ("confirm", asked, asked, 1.0)
    assert last.best_mae == confirming(run)["val_mae_years"].min()
    assert last.front == len(members(run))
    confirmed = {t.id for seen in watcher.progress_seen if seen.stage == "confirm" for t in seen.trainings}
    assert confirmed <= set(confirming(run)["id"])
    assert confirmed


def test_the_study_does_not_hear_of_the_confirmation(resumed: tuple[Run, StopsAfter]) -> None:
    run, _ = resumed
    backend = optuna.storages.journal.JournalFileBackend(str(run.folder / "study.journal"))
    study = optuna.load_study(study_name="small", storage=optuna.storages.JournalStorage(backend))
    searched = run.trials[run.trials["stage"] == "search"]
    in_study = {f"t{trial.number:04d}": trial.values for trial in study.get_trials()}
    assert in_study == {row["id"]: [row["val_mae_years"], row["params"]] for _, row in searched.iterrows()}


def test_speed_is_measured_for_the_front_itself_after_everything_else(
    resumed: tuple[Run, StopsAfter],
) -> None:
    run, watcher = resumed
    assert watcher.stages[-1].startswith("timing")
    assert set(run.trials.loc[run.trials["speedup_vs_vgg16"].notna(), "id"]) >= set(members(run))
    assert confirming(run)["speedup_vs_vgg16"].isna().all()


def test_a_finished_run_has_nothing_left_to_confirm(resumed: tuple[Run, StopsAfter], store: Store) -> None:
    run, _ = resumed
    assert left_to_confirm(space(store), RunLedger(run.folder), run.info) == []
    watcher = StopsAfter()
    assert resume_search(run.folder, {}, watcher).status == "finished"
    assert watcher.stages == []


@pytest.fixture
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the latency, which takes longer than these trainings do."""
    monkeypatch.setattr(latency, "time_beside_vgg16", lambda *_, **__: None)


@pytest.mark.usefixtures("untimed")
def test_a_run_of_before_the_confirmation_is_resumed_without_one(interrupted: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(interrupted.folder, folder)
    (folder / "run.json").write_text((folder / "run.json").read_text().replace('"confirm_seeds": 2,', ""))
    (folder / "trials.parquet").unlink()
    searched = interrupted.trials[interrupted.trials["stage"] == "search"]
    write_rows(folder, "trials", searched.to_dict("records"))  # type: ignore[arg-type]
    assert resume_search(folder, {}, StopsAfter()).status == "finished"
    run = read_run(folder)
    assert len(run.trials) == 3
    assert set(run.trials.loc[run.trials["test_mae_years"].notna(), "id"]) == set(members(run))


def with_garbage_for_a_test_split(store: Store, folder: Path) -> Store:
    """The same store, but its test images are noise and their labels random."""
    folder.mkdir()
    images, labels = np.array(store.images), store.labels.copy()
    rng = np.random.default_rng(3)
    test = store.rows("test")
    images[test] = rng.integers(0, 256, images[test].shape, dtype=np.uint8)
    labels.loc[labels.index[test], "age"] = rng.uniform(0, 100, len(test))
    labels.loc[labels.index[test], "age_std"] = 20.0
    np.save(folder / "images.npy", images)
    labels.to_parquet(folder / "labels.parquet")
    write_info(folder, dataclasses.replace(store.info, fingerprint=fingerprint(images, labels)))
    return open_store(folder)


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    return table[[column for column in table if not column.startswith((*TIMED, "test_"))]]


@pytest.mark.slow
@pytest.mark.usefixtures("untimed")
def test_selection_never_sees_the_test_split(
    interrupted: Run, resumed: tuple[Run, StopsAfter], store: Store, tmp_path: Path
) -> None:
    """With garbage for a test split trials, front and confirmed means are the same; only test_* differ."""
    run, _ = resumed
    garbage = with_garbage_for_a_test_split(store, tmp_path / "store")
    other = carry_out(garbage, tmp_path / "run", StopsAfter())
    assert other.info.status == "finished"
    pd.testing.assert_frame_equal(comparable(run.trials), comparable(other.trials))
    pd.testing.assert_frame_equal(comparable(run.epochs), comparable(other.epochs))
    assert members(run) == members(other)
    evaluated = confirming(run)["id"]
    of_both = [r.trials.set_index("id").loc[evaluated, "test_mae_years"].to_numpy() for r in (run, other)]
    assert np.isfinite(of_both).all()
    assert (of_both[0] != of_both[1]).all()
