"""A search from the space to the measured front: prepare, train, judge, time."""

import dataclasses
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from ray import tune

import suite.search.cluster_session as cluster
from search_spaces import SearchSpace, SearchSpaceError, load_dict
from suite.data.store import Store
from suite.errors import RequestError
from suite.run_data import data_of_run
from suite.runs import Resources, RunInfo, RunLedger, read_run, write_info
from suite.search.actor import TrialActor
from suite.search.bounds import fits_of, nothing_fits, within_bounds
from suite.search.confirmation import ConfirmingSearcher, left_to_confirm
from suite.search.description import check_backbones, describe
from suite.search.driver_files import DriverFiles, keeper
from suite.search.judgement import judge_on_test, named_networks, time_beside_vgg16, to_judge
from suite.search.parents import add_parent, check_parent
from suite.search.run_folder import check_free, locked, new_folder
from suite.search.rungs import Rungs, StoppingRule
from suite.search.scheduler import RungScheduler
from suite.search.searcher import StudySearcher, TellsBegins, TrialSearcher, TrialsOf
from suite.search.sitting import Sitting
from suite.search.standing import Standing, Watcher, best_error, front_rows
from suite.search.study import count_out_of_bounds, open_study, reconcile
from suite.trial import Stage, TrialResult

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
        RequestError: space and data do not agree, the folder is in use, or a trial finds no room.
    """
    check_free(search.folder)
    search.watcher.stage("checking the data and counting the reference networks")
    info = describe(search.space, search.store, search.resources, search_file, command)
    search, info = _grid_within_bounds(search, info)
    with new_folder(search.folder):
        write_info(search.folder, info)
        return _carry_out(search, info)


def _grid_within_bounds(search: Search, info: RunInfo) -> tuple[Search, RunInfo]:
    space, outside = within_bounds(search.space, search.store.info.attributes[info.attribute])
    if outside:
        search.watcher.stage(f"{outside} trainings of the grid are out of bounds and left out")
    info = dataclasses.replace(info, search=space.to_dict(), trials_asked=space.trials, out_of_bounds=outside)
    return dataclasses.replace(search, space=space), info


def resume_search(folder: Path, changes: Mapping[str, Any], watcher: Watcher) -> RunInfo:
    """Go on with an interrupted search: finished trials stay, unfinished ones are trained again.

    Args:
        folder: the run.
        changes: the fields of ``Resources`` that are to be others than before.
        watcher: told how it goes.

    Raises:
        RequestError: the folder is no run, a search works in it, or its data has changed or gone.
    """
    read_run(folder)  # a folder that is no run stays as it is
    with locked(folder):
        info = read_run(folder).info
        space = _space_of(folder, info)
        check_backbones(space)
        store = data_of_run(folder, info, watcher.stage, watcher.advance)
        check_parent(space, store.info.attributes[info.attribute])
        info = dataclasses.replace(
            info,
            status="running",
            ended="",
            data=dataclasses.replace(info.data, folder=str(store.folder)),
            resources=dataclasses.replace(info.resources, **changes),
        )
        return _carry_out(Search(space, store, folder, info.resources, watcher), info)


def _space_of(folder: Path, info: RunInfo) -> SearchSpace:
    try:
        # A run of before the confirmation ends as it began: its front is not trained again.
        return load_dict({"confirm_seeds": 1, **info.search}, where=f"search in {folder / 'run.json'}")
    except SearchSpaceError as error:
        raise RequestError(
            f"{error}; resume it with the version of suite that its 'versions' names, or start a new run"
        ) from None


def _carry_out(search: Search, info: RunInfo) -> RunInfo:
    ledger = RunLedger(search.folder)
    # A killed sitting did not come to write how long it was; its trials tell.
    last_end = max((row["started"] + row["seconds"] for row in ledger.rows), default=0.0)
    sitting = Sitting(search.folder, dataclasses.replace(info, seconds=max(info.seconds, last_end)))
    with _stop_signals_as_interrupt():
        try:
            add_parent(ledger, search.space, search.store)
            _train(search, sitting, ledger)
            sitting.info = _judge(search, sitting.info, ledger)
        except KeyboardInterrupt:
            return sitting.end("interrupted")
        except RequestError:
            if sitting.has_noted:  # else it was refused before anything was done, and the run is as it was
                sitting.end("failed")
            raise
        except BaseException:
            sitting.end("failed")
            raise
    return sitting.end("finished")


def _train(search: Search, sitting: Sitting, ledger: RunLedger) -> None:
    """Train until the ledger has as many trials as were asked for, and then the front's members again."""
    left = search.space.trials - len(ledger.rows_of("search"))
    if left <= 0 and not left_to_confirm(search.space, ledger, sitting.info):
        return
    search.watcher.stage("starting Ray")
    with cluster.ray_session(search.resources), _files_of(search) as files:
        share = cluster.share_of_a_trial(search.resources)
        at_once = cluster.trials_at_once(search.resources, share)
        sitting.note(max_concurrent=at_once)
        label_range = search.store.info.attributes[sitting.info.attribute]
        trials_of = TrialsOf(
            space=search.space,
            label_range=label_range,
            files=files,
            threads=max(1, int(share["CPU"])),
            device=None if share["GPU"] else "cpu",
        )
        if left > 0:
            _search(search, sitting, ledger, trials_of, share, at_once)
        _confirm(search, sitting, ledger, trials_of, share, at_once)


def _search(
    search: Search,
    sitting: Sitting,
    ledger: RunLedger,
    trials_of: TrialsOf,
    share: dict[str, float],
    at_once: int,
) -> None:
    """Train what the sampler suggests, until as many trials have ended as were asked for."""
    sitting.note(ended_early="")
    fits = fits_of(search.space, trials_of.label_range)
    study = open_study(search.space, search.folder, concurrent=at_once, fits=fits)
    reconcile(study, ledger.rows_of("search"))
    watch = _Watch(search, sitting.info, ledger, "search", search.space.trials)
    searcher = StudySearcher(study, ledger, trials_of, on_change=watch, seconds_before=sitting.seconds)
    search.watcher.stage(f"training, {at_once} trials at once")
    try:
        left = search.space.trials - len(ledger.rows_of("search"))
        _tune(search, searcher, share, at_once, left, _scheduler(search.space, searcher))
    finally:
        if search.space.sampler != "grid":
            sitting.note(out_of_bounds=count_out_of_bounds(study))
    if searcher.gave_up:
        _give_up(search, sitting, ledger)


def _scheduler(space: SearchSpace, searcher: StudySearcher) -> RungScheduler | None:
    """What stops trials early; None where the space stops none."""
    if (rule := StoppingRule.of(space)) is None:
        return None
    rungs = Rungs(rule)
    rungs.recall(searcher.ledger)
    return RungScheduler(rungs, on_stop=searcher.stop)


def _give_up(search: Search, sitting: Sitting, ledger: RunLedger) -> None:
    """Say that nothing more was found within bounds; what was trained is judged all the same."""
    rows = ledger.rows_of("search")
    why = nothing_fits(search.space, len(rows))
    sitting.note(ended_early=why)
    if not rows:
        raise RequestError(why)
    search.watcher.stage(why)


def _confirm(
    search: Search,
    sitting: Sitting,
    ledger: RunLedger,
    trials_of: TrialsOf,
    share: dict[str, float],
    at_once: int,
) -> None:
    """Train the front's members again, each with the confirming seeds that it has not had yet."""
    todo = left_to_confirm(search.space, ledger, sitting.info)
    if not todo:
        return
    watch = _Watch(search, sitting.info, ledger, "confirm", len(todo) + len(ledger.rows_of("confirm")))
    searcher = ConfirmingSearcher(todo, ledger, trials_of, on_change=watch, seconds_before=sitting.seconds)
    members = len(front_rows(ledger.rows, sitting.info.objectives, sitting.info.error_column))
    search.watcher.stage(
        f"confirming the front ({members} trained again with {search.space.confirm_seeds} seeds each), "
        f"{at_once} trials at once"
    )
    _tune(search, searcher, share, at_once, len(todo))


@contextmanager
def _files_of(search: Search) -> Iterator[DriverFiles]:
    """What trials read and write; on other machines, which may not see it, through a keeper."""
    store, folder = search.store, search.folder
    files = DriverFiles(str(store.folder), store.info.fingerprint, str(folder))
    if search.resources.of_this_machine:
        yield files
        return
    with keeper(store, folder) as name:
        yield dataclasses.replace(files, keeper=name)


def _tune(
    search: Search,
    searcher: TrialSearcher,
    share: dict[str, float],
    at_once: int,
    left: int,
    scheduler: RungScheduler | None = None,
) -> None:
    tuner = tune.Tuner(
        tune.with_resources(TrialActor, share),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=scheduler,
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
            callbacks=[TellsBegins(searcher)],
        ),
    )
    tuner.fit()


def _judge(search: Search, info: RunInfo, ledger: RunLedger) -> RunInfo:
    members = front_rows(ledger.rows, info.objectives, info.error_column)
    space = search.space
    judged = to_judge(ledger.rows, members, seeds=space.seeds, confirm_seeds=space.confirm_seeds)
    if judged:
        search.watcher.stage(f"judging {len(judged)} trained networks on the test split")
        judge_on_test(ledger, judged, search.store, on_trial=search.watcher.advance)
    if not members or info.latency:  # nothing to time, or timed already
        return info
    timed = [*members, *named_networks(ledger.rows_of("search"), members)]
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
    """Turns what the searcher knows into a ``Standing`` of one stage for the watcher."""

    def __init__(self, search: Search, info: RunInfo, ledger: RunLedger, stage: Stage, asked: int) -> None:
        self._search, self._info, self._ledger, self._stage, self._asked = search, info, ledger, stage, asked
        self._began = time.monotonic()
        self._before = len(ledger.rows_of(stage))

    def __call__(self, searcher: TrialSearcher, ended: TrialResult | None) -> None:
        rows, info, asked = self._ledger.rows_of(self._stage), self._info, self._asked
        under_way = sum(t.epoch.epoch / t.config.epochs for t in searcher.running.values() if t.epoch)
        done_now = len(rows) - self._before + under_way
        left = asked - len(rows) - under_way
        spent = time.monotonic() - self._began
        finished = sum(row["status"] == "finished" for row in rows)
        stopped = sum(row["status"] == "stopped" for row in rows)
        standing = Standing(
            asked=asked,
            finished=finished,
            running=sum(trial.begun is not None for trial in searcher.running.values()),
            stopped=stopped,
            lost=len(rows) - finished - stopped,
            share_done=min(1.0, (len(rows) + under_way) / asked),
            best_mae=best_error(rows, info.error_column),
            unit=info.unit,
            front=len(front_rows(self._ledger.rows, info.objectives, info.error_column)),
            seconds=searcher.seconds,
            seconds_left=spent / done_now * left if done_now else float("nan"),
            stage=self._stage,
        )
        self._search.watcher.change(standing, ended)


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
