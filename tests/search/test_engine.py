"""A real Ray cluster in this process: what a search leaves behind."""

import dataclasses
import json
import math
import shutil
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState
from ray import cloudpickle

from search_spaces import SearchSpace, load_dict
from suite.data import run_data
from suite.data.store import Store
from suite.errors import RequestError
from suite.networks.weights import load_network
from suite.runs.front import front_rows
from suite.runs.info import Resources, RunInfo, write_info
from suite.runs.tables import Run, read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, resume_search, run_search
from suite.search.tune import cluster_session, trainer
from suite.search.tune.actor import TrialActor
from suite.trial import TrialResult


class Recorder:
    """A watcher that remembers, and can no more be pickled than a live view of a terminal can."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.progress_seen: list[SearchProgress] = []
        self.ended: list[TrialResult] = []
        self.lock = threading.RLock()

    def stage(self, sentence: str) -> None:
        self.stages.append(sentence)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        self.progress_seen.append(progress)
        if ended:
            self.ended.append(ended)

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


def space(store: Store, **changes: object) -> SearchSpace:
    fields: dict[str, object] = {
        "name": "small",
        "data": str(store.folder),
        "objectives": ["val_mae", "params", "macs"],
        "trials": 6,
        "confirm_seeds": 1,
        "base": {"epochs": 2, "resolution": 32, "batch_size": 32, "depths": [1, 1, 1, 1, 1]},
        "vary": {
            "widths": [{"low": 2, "high": 8, "step": 2}] * 5,
            "learning_rate": {"choices": [0.003, 1e30]},
            "label_step": {"choices": [1.0, 0.3]},
            "schedule": {"choices": ["one-cycle", "step"]},
        },
        "first": [
            {"widths": [8] * 5, "learning_rate": 0.003, "label_step": 1.0},
            {"widths": [2] * 5, "learning_rate": 0.003, "label_step": 1.0},
            {"widths": [4] * 5, "learning_rate": 1e30, "label_step": 1.0, "schedule": "step"},
            {"widths": [4] * 5, "learning_rate": 0.003, "label_step": 0.3},
        ],
        "latency": {"resolution": 64, "batch_size": 1, "rounds": 2},
    }
    return load_dict({**fields, **changes})


class Meeting(TrialActor):
    """The first two trials wait for each other to begin, for machines that start the second process late."""

    def step(self) -> dict[str, Any]:
        folder, ours = Path(self._request.files.run_folder), self._request.id
        if ours in ("t0000", "t0001"):
            (folder / f"{ours}.here").touch()
            patience_ends = time.monotonic() + 60
            while len(list(folder.glob("*.here"))) < 2 and time.monotonic() < patience_ends:
                time.sleep(0.05)
        return super().step()


@pytest.fixture(scope="module")
def searched(store: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Recorder]:
    """A search of six trials, one that diverges and one that fails, two at once."""
    folder, recorder = tmp_path_factory.mktemp("runs") / "small", Recorder()
    search = Search(space(store), store, folder, Resources(cpus_per_trial=0.5, max_concurrent=2), recorder)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a worker cannot import this file
    with patch.object(trainer, "TrialActor", Meeting):
        run_search(search, "small.yaml", ["suite", "run", "--search", "small.yaml"])
    return read_run(folder), recorder


def row(run: Run, trial_id: str) -> pd.Series:
    return run.trials.set_index("id").loc[trial_id]


def test_every_trial_asked_for_has_one_row(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    assert run.info.status == "finished"
    assert sorted(run.trials["id"]) == [f"t000{i}" for i in range(6)]


def test_trials_overlap(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    first, second = row(run, "t0000"), row(run, "t0001")
    ends = [trial["started"] + trial["seconds"] for trial in (first, second)]
    assert max(first["started"], second["started"]) < min(ends)
    assert run.info.max_concurrent == 2


def test_a_trial_starts_when_its_actor_does_within_the_time_of_the_search(
    searched: tuple[Run, Recorder],
) -> None:
    run, _ = searched
    third = row(run, "t0002")  # it had to wait for one of the first two to end
    assert third["started"] >= min((run.trials["started"] + run.trials["seconds"]).head(2))
    assert (run.trials["started"] > 0).all()
    assert (run.trials["started"] + run.trials["seconds"]).max() <= run.info.seconds


def test_a_diverged_trial_has_its_step_and_configuration_and_the_search_goes_on(
    searched: tuple[Run, Recorder],
) -> None:
    run, _ = searched
    diverged = row(run, "t0002")
    assert diverged["status"] == "diverged"
    assert "step" in diverged["cause"]
    assert "learning_rate 1e+30" in diverged["cause"]
    assert diverged["learning_rate"] == 1e30
    assert row(run, "t0001")["status"] == "finished"


def test_a_failed_trial_has_its_cause_and_keeps_its_traceback(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    assert row(run, "t0003")["status"] == "failed"
    assert "label_step" in row(run, "t0003")["cause"]
    assert "Traceback" in (run.folder / "failures" / "t0003.txt").read_text()


def test_the_study_and_the_table_agree(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    backend = optuna.storages.journal.JournalFileBackend(str(run.folder / "study.journal"))
    study = optuna.load_study(study_name="small", storage=optuna.storages.JournalStorage(backend))
    finished = run.trials[run.trials["status"] == "finished"]
    in_study = {
        f"t{trial.number:04d}": trial.values
        for trial in study.get_trials()
        if trial.state == TrialState.COMPLETE
    }
    assert in_study == {r["id"]: [r["val_mae_years"], r["params"], r["macs"]] for _, r in finished.iterrows()}
    assert len(study.get_trials()) == len(run.trials)


def test_params_macs_and_bytes_are_those_of_the_saved_network(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    first = row(run, "t0000")
    weights = run.folder / "weights" / "t0000.safetensors"
    network, config, label_set = load_network(weights)
    assert sum(p.numel() for p in network.parameters()) == first["params"]
    assert weights.stat().st_size == first["bytes"]
    assert config.widths == (8,) * 5
    assert label_set.bins == 101


def test_only_the_front_is_judged_on_test_and_timed(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    members = front_rows(run.trials.to_dict("records"), run.info.objectives, "val_mae_years")
    on_front = run.trials["id"].isin({member["id"] for member in members})
    assert on_front.sum() >= 2
    for column in ("test_mae_years", "latency_ms_per_image", "speedup_vs_vgg16"):
        assert run.trials.loc[on_front, column].notna().all()
        assert run.trials.loc[~on_front, column].isna().all()
    timed = run.trials[on_front]
    assert (timed["speedup_vs_vgg16_low"] <= timed["speedup_vs_vgg16"]).all()
    assert (timed["speedup_vs_vgg16"] > 1).all()
    assert run.info.latency["rounds"] == 2


def test_latency_at_another_resolution_has_its_own_columns(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    assert run.trials["speedup_vs_vgg16_at_64"].notna().sum() >= 2


def test_epochs_are_kept_for_every_trial_that_trained(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    counted = run.epochs.groupby("id")["epoch"].max().to_dict()
    finished = run.trials[run.trials["status"] == "finished"]["id"]
    assert {trial_id: counted[trial_id] for trial_id in finished} == dict.fromkeys(finished, 2)
    last = run.epochs.sort_values("epoch").groupby("id")["val_mae_years"].last()
    assert last["t0000"] == row(run, "t0000")["val_mae_years"]


def test_provenance_says_what_is_needed_to_repeat_it(searched: tuple[Run, Recorder], store: Store) -> None:
    run, _ = searched
    assert run.info.data.fingerprint == store.info.fingerprint
    assert load_dict(dict(run.info.search)) == space(store)
    assert {"torch", "ray", "optuna", "python"} <= set(run.info.versions)
    assert [r.name for r in run.info.references] == ["VGG-16", "ThinAgeNet", "TinyAgeNet"]
    assert [r.params for r in run.info.references] == [134_674_341, 3_708_229, 934_869]
    assert json.loads((run.folder / "run.json").read_text())["schema_version"] == 1


def test_a_watcher_sees_counts_best_error_front_and_time_left(searched: tuple[Run, Recorder]) -> None:
    run, recorder = searched
    last = recorder.progress_seen[-1]
    assert (last.finished + last.lost, last.running, last.requested) == (6, 0, 6)
    assert last.stopped == 0
    assert last.lost == (run.trials["status"] != "finished").sum()
    assert last.best_mae == run.trials["val_mae_years"].min()
    assert last.front >= 2
    assert any(not math.isnan(s.seconds_left) for s in recorder.progress_seen)
    assert max(s.running for s in recorder.progress_seen) == 2
    trainings = [training for seen in recorder.progress_seen for training in seen.trainings]
    assert {training.id for training in trainings} == set(run.trials["id"])
    assert all(math.isnan(training.mae) == (training.epoch == 0) for training in trainings)
    assert max(training.epoch for training in trainings) >= 1
    assert len(recorder.ended) == 6


def test_suggestions_know_the_results_before_them(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    known = run.trials.sort_values("id")["trials_known"].tolist()
    assert known[0] == 0
    assert known == sorted(known)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trials_and_the_same_front(store: Store, tmp_path: Path) -> None:
    def front(name: str) -> tuple[list[object], list[object]]:
        small = space(store, trials=4, first=[], vary={"widths": [{"low": 2, "high": 8}] * 5})
        search = Search(small, store, tmp_path / name, Resources(max_concurrent=1), Recorder())
        run_search(search, "small.yaml", [])
        run = read_run(tmp_path / name)
        members = front_rows(run.trials.to_dict("records"), run.info.objectives, "val_mae_years")
        columns = ["id", "params", "val_mae_years", "learning_rate"]
        return run.trials[columns].to_numpy().tolist(), [m["id"] for m in members]

    assert front("a") == front("b")


def test_a_finished_run_resumes_to_itself(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    info = resume_search(run.folder, {}, Recorder())
    assert info.status == "finished"
    assert len(read_run(run.folder).trials) == 6


def test_a_run_that_ended_before_its_evaluation_is_evaluated_when_it_is_resumed(
    searched: tuple[Run, Recorder], tmp_path: Path
) -> None:
    run, _ = searched
    folder = tmp_path / "not_evaluated"
    shutil.copytree(run.folder, folder)
    not_evaluated = run.trials.copy()
    evaluated = [c for c in not_evaluated if c.startswith(("test_", "latency_", "speedup_"))]
    not_evaluated[evaluated] = math.nan
    not_evaluated.to_parquet(folder / "trials.parquet", index=False)
    write_info(folder, dataclasses.replace(run.info, status="interrupted", latency={}))
    assert resume_search(folder, {}, Recorder()).status == "finished"
    again = read_run(folder).trials
    assert (again["test_mae_years"].notna() == run.trials["test_mae_years"].notna()).all()
    on_front = again["test_mae_years"].notna()
    assert (
        again.loc[on_front, "test_mae_years"].tolist() == run.trials.loc[on_front, "test_mae_years"].tolist()
    )
    assert again.loc[on_front, "speedup_vs_vgg16"].notna().all()


def test_what_was_judged_is_kept_image_by_image(searched: tuple[Run, Recorder]) -> None:
    run, _ = searched
    evaluated = run.trials[run.trials["test_mae_years"].notna()]
    assert {path.stem for path in (run.folder / "predictions").iterdir()} == set(evaluated["id"])
    for row in evaluated.to_dict("records"):
        predictions = pd.read_parquet(run.folder / "predictions" / f"{row['id']}.parquet")
        errors = (predictions["estimate"] - predictions["label"]).abs().groupby(predictions["split"]).mean()
        assert errors["test"] == pytest.approx(row["test_mae_years"], abs=1e-3)
        assert errors["val"] == pytest.approx(row["val_mae_years"], abs=1e-3)


def test_the_time_of_a_killed_sitting_counts(searched: tuple[Run, Recorder], tmp_path: Path) -> None:
    run, _ = searched
    folder = tmp_path / "killed"
    shutil.copytree(run.folder, folder)
    write_info(folder, dataclasses.replace(run.info, status="running", ended="", seconds=0.0))
    info = resume_search(folder, {}, Recorder())
    assert info.seconds >= (run.trials["started"] + run.trials["seconds"]).max()


def test_a_folder_in_use_is_refused_before_anything_starts(
    searched: tuple[Run, Recorder], store: Store
) -> None:
    run, _ = searched
    with pytest.raises(RequestError, match="suite resume"):
        run_search(Search(space(store), store, run.folder, Resources(), Recorder()), "", [])


def test_data_that_changed_since_is_refused(searched: tuple[Run, Recorder], tmp_path: Path) -> None:
    run, _ = searched
    fields = json.loads((run.folder / "run.json").read_text())
    fields["data"]["fingerprint"] = "0" * 64
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match="is not what"):
        resume_search(tmp_path, {}, Recorder())


def test_a_space_that_varies_the_attribute_is_refused(store: Store, tmp_path: Path) -> None:
    mixed = space(store, vary={"attribute": {"choices": ["age", "attractiveness"]}}, first=[])
    with pytest.raises(RequestError, match="varies attribute"):
        run_search(Search(mixed, store, tmp_path / "mixed", Resources(), Recorder()), "mixed.yaml", [])


def test_no_cluster_at_an_address_is_one_sentence_and_leaves_no_folder(store: Store, tmp_path: Path) -> None:
    resources = Resources(address="127.0.0.1:1")
    with pytest.raises(RequestError, match="no Ray cluster answers"):
        run_search(Search(space(store), store, tmp_path / "far", resources, Recorder()), "", [])
    assert not (tmp_path / "far").exists()


def stand_in_for_ray(patches: pytest.MonkeyPatch) -> None:
    """A cluster of two CPUs that is not there; training on it is interrupted at once."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    patches.setattr(cluster_session, "ray_session", lambda resources: nullcontext())
    patches.setattr(cluster_session, "_cluster_resources", lambda: {"CPU": 2.0})
    patches.setattr(trainer, "tune_trials", interrupted)


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_for_ray(monkeypatch)


@pytest.fixture(scope="module")
def once_interrupted(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    resources = Resources(cpus_per_trial=0.5, max_concurrent=3)
    with pytest.MonkeyPatch.context() as patches:
        stand_in_for_ray(patches)
        run_search(Search(space(store), store, folder, resources, Recorder()), "small.yaml", [])
    return folder


@pytest.fixture
def interrupted(once_interrupted: Path, tmp_path: Path, without_ray: None) -> Path:
    """The folder of a run that was interrupted when its first trials were to train."""
    return Path(shutil.copytree(once_interrupted, tmp_path / "run"))


def test_an_interruption_keeps_how_many_trials_ran_at_once(interrupted: Path) -> None:
    info = read_run(interrupted).info
    assert (info.status, info.max_concurrent) == ("interrupted", 3)


def test_a_failure_keeps_how_many_trials_ran_at_once(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(trainer, "tune_trials", broken)
    with pytest.raises(RuntimeError, match="broken"):
        resume_search(interrupted, {"max_concurrent": 2}, Recorder())
    info = read_run(interrupted).info
    assert (info.status, info.max_concurrent) == ("failed", 2)


def test_a_resumed_run_has_the_resources_that_it_began_with_unless_others_are_asked_for(
    interrupted: Path,
) -> None:
    assert resume_search(interrupted, {}, Recorder()).resources == Resources(0.5, None, 3)
    resume_search(interrupted, {"cpus_per_trial": 1.0}, Recorder())
    kept = read_run(interrupted).info
    assert (kept.resources, kept.max_concurrent) == (Resources(1.0, None, 3), 2)


def test_a_run_of_before_resources_were_kept_resumes_with_the_defaults(interrupted: Path) -> None:
    fields = json.loads((interrupted / "run.json").read_text())
    del fields["resources"]
    (interrupted / "run.json").write_text(json.dumps(fields))
    assert resume_search(interrupted, {}, Recorder()).resources == Resources()


def test_a_run_in_which_a_search_is_at_work_is_not_resumed(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[str] = []

    def resume_again(*_: object) -> None:
        with pytest.raises(RequestError) as refused:
            resume_search(interrupted, {}, Recorder())
        refusals.append(str(refused.value))

    monkeypatch.setattr(trainer, "tune_trials", resume_again)
    resume_search(interrupted, {}, Recorder())
    assert [refusal.split(";")[0] for refusal in refusals] == [f"a search is at work in {interrupted}"]


@pytest.mark.usefixtures("without_ray")
def test_a_trial_larger_than_the_machine_is_refused_and_leaves_no_folder(
    store: Store, tmp_path: Path
) -> None:
    search = Search(space(store), store, tmp_path / "big", Resources(cpus_per_trial=4096), Recorder())
    with pytest.raises(RequestError, match="--cpus-per-trial"):
        run_search(search, "", [])
    assert list(tmp_path.iterdir()) == []


def test_a_refused_resumption_leaves_the_run_as_it_was(interrupted: Path) -> None:
    before = (interrupted / "run.json").read_text()
    with pytest.raises(RequestError, match="--cpus-per-trial"):
        resume_search(interrupted, {"cpus_per_trial": 4096}, Recorder())
    assert (interrupted / "run.json").read_text() == before


def test_a_search_space_that_this_version_does_not_know_is_one_sentence(interrupted: Path) -> None:
    fields = json.loads((interrupted / "run.json").read_text())
    fields["search"]["sampler"] = "oracle"
    (interrupted / "run.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match=r"run\.json: sampler is .oracle.*; resume it with the version"):
        resume_search(interrupted, {}, Recorder())


def with_faces(folder: Path, gone: Path) -> RunInfo:
    """The run, as if it had been one on the embedded faces in a folder that is gone."""
    info = read_run(folder).info
    info = dataclasses.replace(info, data=dataclasses.replace(info.data, name="faces", folder=str(gone)))
    write_info(folder, info)
    return info


def test_faces_that_are_gone_from_the_cache_are_rendered_again(
    interrupted: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_faces(interrupted, tmp_path / "gone")
    monkeypatch.setattr(run_data, "faces_store", lambda on_progress: store)
    recorder = Recorder()
    assert resume_search(interrupted, {}, recorder).data.folder == str(store.folder)
    assert recorder.stages[0].startswith("rendering the faces again")


def test_the_cluster_that_only_the_file_names_is_not_connected_to(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = read_run(interrupted).info
    write_info(interrupted, dataclasses.replace(info, resources=Resources(address="evil.example:6379")))
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("it was dialled"))
    with pytest.raises(RequestError, match=r"add --address evil\.example:6379, else --address local"):
        resume_search(interrupted, {}, Recorder())
    assert read_run(interrupted).info.status == info.status


def test_other_faces_than_those_that_are_gone_are_refused(
    interrupted: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_faces(interrupted, tmp_path / "gone")
    other = dataclasses.replace(store, info=dataclasses.replace(store.info, fingerprint="0" * 64))
    monkeypatch.setattr(run_data, "faces_store", lambda on_progress: other)
    with pytest.raises(RequestError, match="is not what"):
        resume_search(interrupted, {}, Recorder())


@pytest.mark.usefixtures("without_ray")
@pytest.mark.parametrize(("gpus", "device"), [(0.0, "cpu"), (0.5, None)])
def test_without_a_share_of_a_gpu_a_trial_is_sent_to_the_cpu(
    gpus: float, device: str | None, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str | None] = []

    def note(search: object, searcher: Any, *_: object) -> None:
        sent.append(searcher.suggest("any")["request"].device)
        raise KeyboardInterrupt

    monkeypatch.setattr(cluster_session, "_cluster_resources", lambda: {"CPU": 2.0, "GPU": 1.0})
    monkeypatch.setattr(trainer, "tune_trials", note)
    resources = Resources(gpus_per_trial=gpus)
    run_search(Search(space(store), store, tmp_path / "run", resources, Recorder()), "", [])
    assert sent == [device]
