"""The stages of a search in which networks are trained, on a Ray cluster: the search, its confirmation."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ray import tune

import suite.search.tune.cluster_session as cluster
from suite.errors import RequestError
from suite.runs.front import front_rows
from suite.runs.layout import CHECKPOINTS
from suite.runs.ledger import RunLedger
from suite.search.bounds import fits_of, nothing_left
from suite.search.final.confirmation import ConfirmingSearcher, left_to_confirm
from suite.search.session import Search, Session
from suite.search.stopping.early_stopping import recall, stopping_of
from suite.search.study.study import count_out_of_bounds, count_repeats, open_study, reconcile
from suite.search.tune.actor import TrialActor
from suite.search.tune.file_server import DriverFiles, file_server
from suite.search.tune.lost_workers import RETRIES
from suite.search.tune.progress import StageWatch
from suite.search.tune.scheduler import StoppingScheduler
from suite.search.tune.searcher import (
    SearchOverError,
    StudySearcher,
    TrialSearcher,
    TrialsOf,
    TrialStartCallback,
)

#: Ray Tune saves none: a trial's own are in the run folder, where the next session finds them too.
NO_CHECKPOINTS = tune.CheckpointConfig(checkpoint_at_end=False)


def train(search: Search, session: Session, ledger: RunLedger) -> None:
    """Train until the ledger has as many trials as were asked for, and then the front's members again."""
    left = search.space.trials - len(ledger.rows_of("search"))
    if left > 0 or left_to_confirm(search.space, ledger, session.info):
        search.watcher.stage("starting Ray")
        with _training(search, session, ledger) as training:
            if left > 0:
                training.search_space()
            training.confirm_front()
    _clear_checkpoints(search, ledger)


@contextmanager
def _training(search: Search, session: Session, ledger: RunLedger) -> Iterator["_Training"]:
    """A cluster is up inside, on which trials train."""
    with cluster.ray_session(search.resources), _files_of(search) as files:
        share = cluster.share_of_a_trial(search.resources)
        at_once = cluster.trials_at_once(search.resources, share)
        session.note(max_concurrent=at_once)
        _clear_checkpoints(search, ledger)
        trials_of = TrialsOf(
            space=search.space,
            label_range=search.store.info.attributes[session.info.attribute],
            files=files,
            threads=max(1, int(share["CPU"])),
            device=None if share["GPU"] else "cpu",
        )
        yield _Training(search, session, ledger, trials_of, share, at_once)


@dataclass(frozen=True)
class _Training:
    """A cluster that trains for a search, and what its stages have in common."""

    search: Search
    session: Session
    ledger: RunLedger
    trials_of: TrialsOf
    share: dict[str, float]  # of the cluster, that a trial has
    at_once: int

    def search_space(self) -> None:
        """Train what the sampler suggests, until as many trials have ended as were asked for."""
        space = self.search.space
        self.session.note(ended_early="")
        fits = fits_of(space, self.trials_of.label_range)
        study = open_study(space, self.search.folder, concurrent=self.at_once, fits=fits)
        reconcile(study, self.ledger.rows_of("search"))
        searcher = StudySearcher(
            study,
            self.ledger,
            self.trials_of,
            on_change=StageWatch(self.search, self.session.info, self.ledger, "search", space.trials),
            seconds_before=self.session.seconds,
        )
        self.search.watcher.stage(f"training, {self.at_once} trials at once")
        try:
            self._tune(searcher, space.trials - len(self.ledger.rows_of("search")), self._scheduler(searcher))
        finally:
            if space.sampler != "grid":
                self.session.note(out_of_bounds=count_out_of_bounds(study), repeats=count_repeats(study))
        if searcher.gave_up:
            self._give_up(searcher.repeats_in_a_row)

    def confirm_front(self) -> None:
        """Train the front's members again, each with the confirming seeds that it has not had yet."""
        info, space = self.session.info, self.search.space
        todo = left_to_confirm(space, self.ledger, info)
        if not todo:
            return
        asked = len(todo) + len(self.ledger.rows_of("confirm"))
        searcher = ConfirmingSearcher(
            todo,
            self.ledger,
            self.trials_of,
            on_change=StageWatch(self.search, info, self.ledger, "confirm", asked),
            seconds_before=self.session.seconds,
        )
        members = len(front_rows(self.ledger.rows, info.objectives, info.error_column))
        self.search.watcher.stage(
            f"confirming the front ({members} trained again with {space.confirm_seeds} seeds each), "
            f"{self.at_once} trials at once"
        )
        self._tune(searcher, len(todo))

    def _scheduler(self, searcher: StudySearcher) -> StoppingScheduler | None:
        """What stops trials early; None where the space stops none."""
        if (stopping := stopping_of(self.search.space)) is None:
            return None
        recall(stopping, self.ledger)
        return StoppingScheduler(stopping, on_stop=searcher.stop)

    def _give_up(self, repeats: int) -> None:
        """Say that nothing more was found to train; what was trained is judged all the same."""
        rows = self.ledger.rows_of("search")
        why = nothing_left(self.search.space, len(rows), repeats)
        self.session.note(ended_early=why)
        if not rows:
            raise RequestError(why)
        self.search.watcher.stage(why)

    def _tune(self, searcher: TrialSearcher, trials: int, scheduler: StoppingScheduler | None = None) -> None:
        tune_trials(self.search, searcher, self.share, self.at_once, trials, scheduler)


def tune_trials(
    search: Search,
    searcher: TrialSearcher,
    share: dict[str, float],
    at_once: int,
    trials: int,
    scheduler: StoppingScheduler | None,
) -> None:
    """Have Ray Tune train so many trials, whose ends the searcher is told."""
    try:
        tune.run(
            TrialActor,
            resources_per_trial=share,
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=trials,
            # Without a told limit Tune keeps one pending trial, and a cluster idles (ray#63770).
            max_concurrent_trials=at_once,
            reuse_actors=True,
            name="tune",
            trial_dirname_creator=lambda trial: trial.config["request"].id,
            storage_path=str(search.folder),
            verbose=0,
            log_to_file=False,
            checkpoint_config=NO_CHECKPOINTS,
            # Another process begins a lost trial once more, and finds its last checkpoint.
            max_failures=RETRIES,
            raise_on_failed_trial=False,
            callbacks=[TrialStartCallback(searcher)],
            # Ray has the loop run on the cluster where the driver came by ray://; study and tables are here.
            _remote=False,
        )
    except SearchOverError as over:
        raise over.error from None


@contextmanager
def _files_of(search: Search) -> Iterator[DriverFiles]:
    """What trials read and write; on other machines, which may not see it, through a file_server."""
    store, folder = search.store, search.folder
    files = DriverFiles(str(store.folder), store.info.fingerprint, str(folder))
    if search.resources.of_this_machine:
        yield files
        return
    with file_server(store, folder) as name:
        yield dataclasses.replace(files, file_server=name)


def _clear_checkpoints(search: Search, ledger: RunLedger) -> None:
    """Remove those of trials that ended, and what killed processes left half written."""
    room = search.folder / CHECKPOINTS
    for file in room.glob("*"):
        if file.suffix != ".pt" or ledger.has(file.stem):
            file.unlink(missing_ok=True)
