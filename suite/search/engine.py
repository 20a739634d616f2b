"""A search from the space to the measured front: prepare, train, judge, time."""

import dataclasses
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from ray import tune

import suite.search.cluster_session as cluster
from search_spaces import Choices, SearchSpace, load_dict
from suite import provenance
from suite.backbones import pinned
from suite.data.dataset import Dataset, load_dataset
from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.labels import LabelSet
from suite.networks import PRESETS
from suite.profiling import profile_trial
from suite.runs import (
    DataUsed,
    ReferenceNetwork,
    RunInfo,
    RunLedger,
    RunStatus,
    read_run,
    write_info,
)
from suite.search.actor import TrialActor
from suite.search.cluster_session import Resources
from suite.search.judgement import judge_on_test, named_networks, time_beside_vgg16
from suite.search.searcher import StudySearcher, TrialsOf
from suite.search.standing import Standing, Watcher, best_error, front_rows
from suite.search.study import open_study, reconcile
from suite.trial import TrialConfig, TrialResult

#: Finished networks go to weights/; an unfinished trial is trained again.
NO_CHECKPOINTS = tune.CheckpointConfig(checkpoint_at_end=False)


@dataclass(frozen=True)
class Search:
    """One sitting of a search: everything that its stages share."""

    space: SearchSpace
    store: Store
    folder: Path
    resources: Resources
    watcher: Watcher


def run_search(search: Search, search_file: str, command: Sequence[str]) -> RunInfo:
    """Carry out a new search in an empty folder and return what ``run.json`` came to say.

    Its status is "interrupted" after Ctrl-C; everything that had finished is kept.

    Raises:
        RequestError: space and data do not agree, or the folder is in use.
    """
    _check_free(search.folder)
    search.watcher.stage("checking the data and counting the reference networks")
    info = _describe(search, search_file, command)
    _make_rooms(search.folder)
    write_info(search.folder, info)
    return _carry_out(search, info)


def resume_search(folder: Path, resources: Resources, watcher: Watcher) -> RunInfo:
    """Go on with an interrupted search: finished trials stay, unfinished ones are trained again.

    Raises:
        RequestError: the folder is no run, or its data has changed or gone.
    """
    info = read_run(folder).info
    store = open_store(Path(info.data.folder))
    if store.info.fingerprint != info.data.fingerprint:
        raise RequestError(
            f"the data in {store.folder} is not what {folder} began with (fingerprint "
            f"{store.info.fingerprint[:12]}, then {info.data.fingerprint[:12]}); put the old data back or "
            "start a new run"
        )
    search = Search(load_dict(dict(info.search)), store, folder, resources, watcher)
    _check_backbones(search.space)
    return _carry_out(search, dataclasses.replace(info, status="running", ended=""))


def _check_free(folder: Path) -> None:
    try:
        taken = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise _unusable(folder, error) from None
    if taken:
        raise RequestError(
            f"{folder} is not empty; choose another --out, or continue the run in it with "
            f"'suite resume {folder}'"
        )


def _make_rooms(folder: Path) -> None:
    try:
        for room in ("weights", "tune"):
            (folder / room).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from None


def _unusable(folder: Path, error: OSError) -> RequestError:
    return RequestError(
        f"{folder} cannot be a run folder ({error.strerror}); choose another --out, in a folder that you may "
        "write to"
    )


def _carry_out(search: Search, info: RunInfo) -> RunInfo:
    ledger = RunLedger(search.folder)
    # A killed sitting did not come to write how long it was; its trials tell.
    last_end = max((row["started"] + row["seconds"] for row in ledger.rows), default=0.0)
    info = dataclasses.replace(info, seconds=max(info.seconds, last_end))
    began = time.monotonic()

    def standing_now(info: RunInfo, status: RunStatus) -> RunInfo:
        spent = info.seconds + time.monotonic() - began
        ended = "" if status == "running" else datetime.now().astimezone().isoformat(timespec="seconds")
        described = dataclasses.replace(info, status=status, ended=ended, seconds=spent)
        write_info(search.folder, described)
        return described

    with _stop_signals_as_interrupt():
        try:
            info = _train(search, info, ledger)
            info = _judge(search, info, ledger)
        except KeyboardInterrupt:
            return standing_now(info, "interrupted")
        except BaseException:
            standing_now(info, "failed")
            raise
    return standing_now(info, "finished")


def _train(search: Search, info: RunInfo, ledger: RunLedger) -> RunInfo:
    """Train until the ledger has as many trials as were asked for."""
    if len(ledger.rows) >= search.space.trials:
        return info
    search.watcher.stage("starting Ray")
    with cluster.ray_session(search.resources):
        share = cluster.share_of_a_trial(search.resources)
        at_once = cluster.trials_at_once(search.resources, share)
        info = dataclasses.replace(info, max_concurrent=at_once)
        write_info(search.folder, info)
        study = open_study(search.space, search.folder, concurrent=at_once)
        reconcile(study, ledger.rows)
        trials_of = TrialsOf(
            space=search.space,
            label_range=search.store.info.attributes[info.attribute],
            store=str(search.store.folder),
            run_folder=str(search.folder),
            threads=max(1, int(share["CPU"])),
        )
        watch = _Watch(search, info, ledger)
        searcher = StudySearcher(study, ledger, trials_of, on_change=watch, seconds_before=info.seconds)
        search.watcher.stage(f"training, {at_once} trials at once")
        _tune(search, searcher, share, at_once, search.space.trials - len(ledger.rows))
    return info


def _tune(search: Search, searcher: StudySearcher, share: dict[str, float], at_once: int, left: int) -> None:
    tuner = tune.Tuner(
        tune.with_resources(TrialActor, share),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            num_samples=left,
            # Without a told limit Tune keeps one pending trial, and a cluster idles (ray#63770).
            max_concurrent_trials=at_once,
            reuse_actors=True,
            trial_dirname_creator=lambda trial: trial.config["request"].id,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(search.folder),
            verbose=0,
            log_to_file=False,
            checkpoint_config=NO_CHECKPOINTS,
        ),
    )
    tuner.fit()


def _judge(search: Search, info: RunInfo, ledger: RunLedger) -> RunInfo:
    members = front_rows(ledger.rows, info.objectives, info.error_column)
    if not members or info.latency:  # nothing to judge, or judged already: the test split is read once
        return info
    search.watcher.stage(f"judging the {len(members)} members of the front on the test split")
    judge_on_test(ledger, members, search.store)
    timed = [*members, *named_networks(ledger.rows, members)]
    search.watcher.stage(
        f"timing {len(timed)} networks beside VGG-16, alone ({search.space.latency.rounds} paired rounds)"
    )
    time_beside_vgg16(ledger, timed, search.space, on_round=search.watcher.advance)
    how = {
        "batch_size": search.space.latency.batch_size,
        "rounds": search.space.latency.rounds,
        "threads": torch.get_num_threads(),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "precision": "float32",
        "method": "eager PyTorch, channels-last; VGG-16, the front and the paper's compact networks "
        "timed in turn in one process after the search; speed-up is the median over rounds, its spread the "
        "10th to 90th percentile",
    }
    return dataclasses.replace(info, latency=how)


class _Watch:
    """Turns what the searcher knows into a ``Standing`` for the watcher."""

    def __init__(self, search: Search, info: RunInfo, ledger: RunLedger) -> None:
        self._search, self._info, self._ledger = search, info, ledger
        self._began = time.monotonic()
        self._before = len(ledger.rows)

    def __call__(self, searcher: StudySearcher, ended: TrialResult | None) -> None:
        rows, info = self._ledger.rows, self._info
        asked = self._search.space.trials
        under_way = sum(t.epoch.epoch / t.config.epochs for t in searcher.running.values() if t.epoch)
        done_now = len(rows) - self._before + under_way
        left = asked - len(rows) - under_way
        spent = time.monotonic() - self._began
        finished = sum(row["status"] == "finished" for row in rows)
        standing = Standing(
            asked=asked,
            finished=finished,
            running=len(searcher.running),
            stopped=len(rows) - finished,
            share_done=min(1.0, (len(rows) + under_way) / asked),
            best_mae=best_error(rows, info.error_column),
            unit=info.unit,
            front=len(front_rows(rows, info.objectives, info.error_column)),
            seconds=searcher.seconds,
            seconds_left=spent / done_now * left if done_now else float("nan"),
        )
        self._search.watcher.change(standing, ended)


def _describe(search: Search, search_file: str, command: Sequence[str]) -> RunInfo:
    space, store = search.space, search.store
    shared = space.base
    _check_backbones(space)
    if "attribute" in space.vary:
        raise RequestError(
            f"{search_file} varies attribute, and errors in years and in points make no common front; "
            "fix attribute under base"
        )
    label_range = store.info.attributes.get(shared.attribute)
    dataset = load_dataset(store, shared.attribute, shared.resolution)  # says what is wrong, if it is
    assert label_range is not None
    tiny = TrialConfig(
        attribute=shared.attribute,
        resolution=shared.resolution,
        label_low=label_range.low if shared.label_low is None else shared.label_low,
        label_high=label_range.high if shared.label_high is None else shared.label_high,
        label_step=label_range.step if shared.label_step is None else shared.label_step,
    )
    return RunInfo(
        name=space.name,
        status="running",
        command=list(command),
        search=space.to_dict(),
        search_file=search_file,
        attribute=shared.attribute,
        resolution=shared.resolution,
        objectives=list(space.objectives),
        trials_asked=space.trials,
        seed=space.seed,
        max_concurrent=0,
        data=_data_used(store, dataset, shared.train_images),
        references=_references(tiny),
        versions=provenance.versions(),
        git_revision=provenance.git_revision(),
        hardware=provenance.hardware(),
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def _check_backbones(space: SearchSpace) -> None:
    """Refuse a backbone that is not there before anything starts."""
    varied = space.vary.get("backbone")
    for file in varied.values if isinstance(varied, Choices) else (space.base.backbone,):
        pinned(TrialConfig(backbone=None if file is None else str(file)))


def _data_used(store: Store, dataset: Dataset, train_images: int | None) -> DataUsed:
    train, val = dataset.splits["train"], dataset.splits["val"]
    constant = train.first(train_images).labels.median()
    return DataUsed(
        name=store.info.name,
        folder=str(store.folder),
        fingerprint=store.info.fingerprint,
        side=store.info.side,
        train_images=len(train.first(train_images)),
        train_images_stored=len(train),
        val_images=len(val),
        test_images=len(dataset.splits["test"]),
        origin=store.info.origin,
        protocol=store.info.protocol,
        skipped=store.info.skipped,
        constant_val_mae=float((val.labels - constant).abs().mean()),
    )


def _references(tiny: TrialConfig) -> list[ReferenceNetwork]:
    """VGG-16, ThinAgeNet and TinyAgeNet counted with the run's bins at the run's resolution."""
    bins = LabelSet(tiny.label_low, tiny.label_high, tiny.label_step).bins
    thin = dataclasses.replace(tiny, widths=PRESETS["thin"].widths, depths=PRESETS["thin"].depths)
    configs = {"VGG-16": dataclasses.replace(tiny, network="vgg16"), "ThinAgeNet": thin, "TinyAgeNet": tiny}
    profiles = {name: profile_trial(config, bins) for name, config in configs.items()}
    return [ReferenceNetwork(name, **dataclasses.asdict(profile)) for name, profile in profiles.items()]


@contextmanager
def _stop_signals_as_interrupt() -> Iterator[None]:
    """SIGTERM, as a batch system sends it, ends the search as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: Any = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
