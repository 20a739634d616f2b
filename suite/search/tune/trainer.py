"""How Ray Tune trains the trials of a search: a cluster for the session, and a searcher for each stage."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ray import tune

import suite.search.tune.cluster_session as cluster
from suite.runs.ledger import RunLedger
from suite.search.proposals import ProposalSource
from suite.search.session import Search
from suite.search.stopping.early_stopping import EarlyStopping
from suite.search.tune.actor import TrialActor
from suite.search.tune.file_server import DriverFiles, file_server
from suite.search.tune.messages import WorkerGroup
from suite.search.tune.ray_private import ON_HEAD_NODE, run_in_this_process
from suite.search.tune.scheduler import StoppingScheduler
from suite.search.tune.searcher import (
    OnChange,
    SearchAbortedError,
    TrialEnvironment,
    TrialSearcher,
    TrialStartCallback,
)
from suite.search.tune.worker_group import GroupActor
from suite.search.tune.worker_loss import RETRIES

#: Ray Tune saves none. Those of a trial are in the run folder, where the next session finds them too.
NO_CHECKPOINTS = tune.CheckpointConfig(checkpoint_at_end=False)


@dataclass(frozen=True)
class Trainer:
    """A cluster on which the trials of a search train.

    Attributes:
        search: What is searched, with what and where.
        environment: What every trial's process is given.
        share: Ray resources of one trial.
        at_once: Trials that train at the same time.
    """

    search: Search
    environment: TrialEnvironment
    share: dict[str, float]
    at_once: int

    def with_whole_nodes(self) -> "Trainer":
        """Return a trainer that gives a trial all cores of a node, and one of its GPUs where it has any."""
        share = cluster.share_of_a_node()
        environment = dataclasses.replace(
            self.environment, threads=max(1, int(share["CPU"])), device=None if share["GPU"] else "cpu"
        )
        return dataclasses.replace(self, share=share, environment=environment, at_once=1)

    def with_workers(self, count: int) -> "Trainer":
        """Return a trainer that trains one trial at a time with several workers of Ray Train, or for 1 as above.

        Raises:
            RequestError: The cluster has too few places for them.
        """
        if count == 1:
            return self.with_whole_nodes()
        share = cluster.share_of_a_worker(count)
        environment = dataclasses.replace(
            self.environment,
            threads=max(1, int(share["CPU"])),
            device=None if share["GPU"] else "cpu",
            group=WorkerGroup(count, share),
        )
        return dataclasses.replace(self, share=share, environment=environment, at_once=1)

    @property
    def share_in_words(self) -> str:
        """The resources of a trial, such as "2 cores" or "3 workers of 2 cores each"."""
        cores = f"{self.share['CPU']:g} core{'s' * (self.share['CPU'] != 1)}"
        share = f"{cores} and a GPU" if self.share["GPU"] else cores
        group = self.environment.group
        return share if group is None else f"{group.size} workers of {share} each"

    def train(
        self,
        source: ProposalSource,
        ledger: RunLedger,
        trials: int,
        *,
        on_change: OnChange,
        stopping: EarlyStopping | None = None,
        seconds_before: float = 0.0,
    ) -> None:
        """Train the trials of one stage.

        Args:
            source: Proposes the trials, and receives their results.
            ledger: Gets a row for every trial that ended.
            trials: How many to train; fewer where the source is exhausted before.
            on_change: Called when a trial was proposed, began, went on or ended.
            stopping: Stops trials early; None: none is stopped.
            seconds_before: Wall time of the search so far.
        """
        searcher = TrialSearcher(
            source, ledger, self.environment, on_change=on_change, seconds_before=seconds_before
        )
        scheduler = None if stopping is None else StoppingScheduler(stopping, on_stop=searcher.stop)
        tune_trials(self.search, searcher, self.share, self.at_once, trials, scheduler)


@contextmanager
def ray_trainer(search: Search) -> Iterator[Trainer]:
    """Provide a cluster for a search, of this machine or at the address that its resources name.

    Raises:
        RequestError: There is no cluster, or it is smaller than one trial.
    """
    with cluster.ray_session(search.resources), _files_of(search) as files:
        share = cluster.share_of_a_trial(search.resources)
        at_once = cluster.trials_at_once(search.resources, share)
        device = None if share["GPU"] else "cpu"
        environment = TrialEnvironment(files, threads=max(1, int(share["CPU"])), device=device)
        yield Trainer(search, environment, share, at_once)


def tune_trials(
    search: Search,
    searcher: TrialSearcher,
    share: dict[str, float],
    at_once: int,
    trials: int,
    scheduler: StoppingScheduler | None,
) -> None:
    """Have Ray Tune train a number of trials that the searcher hands out."""
    is_group = searcher.environment.group is not None
    try:
        run_in_this_process(
            GroupActor if is_group else TrialActor,
            # The workers of a group take their shares themselves.
            resources_per_trial=ON_HEAD_NODE if is_group else share,
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=trials,
            # Without a limit Tune keeps one pending trial, and a cluster idles (ray#63770).
            max_concurrent_trials=at_once,
            reuse_actors=not is_group,
            name="tune",
            trial_dirname_creator=lambda trial: trial.config["request"].id,
            storage_path=str(search.folder),
            verbose=0,
            log_to_file=False,
            checkpoint_config=NO_CHECKPOINTS,
            # Another process takes over a lost trial, and finds its last checkpoint.
            max_failures=RETRIES,
            raise_on_failed_trial=False,
            callbacks=[TrialStartCallback(searcher)],
        )
    except SearchAbortedError as aborted:
        raise aborted.error from None


@contextmanager
def _files_of(search: Search) -> Iterator[DriverFiles]:
    """Provide the files that trials read and write; nodes that may not see them get a file server."""
    store, folder = search.store, search.folder
    files = DriverFiles(str(store.folder), store.sampled_fingerprint, str(folder))
    if search.resources.of_this_machine:
        yield files
        return
    with file_server(store, folder) as name:
        yield dataclasses.replace(files, file_server=name)
