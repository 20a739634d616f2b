"""The stage of weight sharing: an elastic network is trained, and its slices are scored."""

import math
from collections.abc import Iterator, Mapping, Sequence

from search_spaces import Value
from suite.errors import RequestError
from suite.methods.labels import label_set_of
from suite.presets import Architecture
from suite.runs.ledger import RunLedger
from suite.runs.scored_slices import (
    ScoredSlice,
    read_scored,
    scored_front,
    spread,
    write_scored,
)
from suite.search.costs import cost
from suite.search.proposals import ListedProposals
from suite.search.session import Search, Session
from suite.search.sharing.elastic_training import (
    architecture_of,
    elastic_id,
    elastic_proposal,
    elastic_space,
    shared_values,
    slice_for,
)
from suite.search.study.slices import Losses, walk
from suite.search.trial_factory import TrialFactory
from suite.search.tune.progress import StageProgress
from suite.search.tune.slice_errors import SliceErrors
from suite.search.tune.trainer import Trainer
from suite.trial import TrialConfig


def train_elastic(
    search: Search, session: Session, ledger: RunLedger, trainer: Trainer, seeds: Sequence[int]
) -> None:
    """Train the elastic networks of seeds that have none yet, each with all of a node or with the space's workers.

    Raises:
        RequestError: A training did not finish, now or in an earlier session; or the cluster has too few places
            for the workers.
    """
    space = search.space
    trials = TrialFactory(space, search.store.info.attributes[session.info.attribute])
    left = [elastic_proposal(trials, seed) for seed in seeds if not ledger.has(elastic_id(space, seed))]
    if left:
        assert space.sharing is not None
        alone = trainer.with_workers(space.sharing.workers)
        search.watcher.stage(f"training the elastic network with {alone.share_in_words}")
        requested = len(left) + len(ledger.rows_of("elastic"))
        alone.train(
            ListedProposals(left),
            ledger,
            len(left),
            on_change=StageProgress(search, session.info, ledger, "elastic", requested),
            seconds_before=session.seconds,
        )
    wanted = {elastic_id(space, seed) for seed in seeds}
    for row in ledger.rows_of("elastic"):
        if row["id"] in wanted and row["status"] != "finished":
            raise RequestError(
                f"the elastic training {row['id']} {row['status']} ({row['cause']}); start a new run with "
                "another sharing.learning_rate, or without sharing (--no-sharing)"
            )


def check_workers(search: Search, ledger: RunLedger, trainer: Trainer) -> None:
    """Refuse a cluster that is too small for the workers of the search's elastic training.

    Raises:
        RequestError: It has too few places.
    """
    space = search.space
    if space.sharing is not None and not ledger.has(elastic_id(space, space.seed)):
        trainer.with_workers(space.sharing.workers)


def score_slices(search: Search, session: Session, trainer: Trainer) -> list[ScoredSlice]:
    """Measure slices of the elastic network until the space's number of candidates is known.

    Every generation is on disk before the next is proposed; a resumed search continues behind it.

    Raises:
        RequestError: A file of the run folder is missing or damaged.
    """
    space = search.space
    assert space.sharing is not None
    scores = _Scores(search, session, trainer)
    for _ in walk(space, scores):
        if len(scores.known) >= space.sharing.candidates:
            break
    return list(scores.known.values())


def first_points(search: Search, scored: Sequence[ScoredSlice]) -> Iterator[Mapping[str, Value]]:
    """Yield the first points of the trials: members of the scored front, spread over its sizes."""
    space = search.space
    assert space.sharing is not None
    suggestions = space.sharing.suggestions
    front = scored_front(scored, space.objectives)
    for one in spread(front, space.trials // 2 if suggestions is None else suggestions):
        sizes = {
            f"{field}[{stage}]": size
            for field in ("widths", "depths")
            for stage, size in enumerate(getattr(one.architecture, field))
        }
        dimensions = space.dimensions()
        yield {**shared_values(space), **{name: size for name, size in sizes.items() if name in dimensions}}


class _Scores:
    """The scored slices of a run, in the order in which they were proposed; called with those of a generation."""

    def __init__(self, search: Search, session: Session, trainer: Trainer) -> None:
        self._search, self._unit, self._trainer = search, session.info.unit, trainer
        self._trials = TrialFactory(search.space, search.store.info.attributes[session.info.attribute])
        shared = elastic_space(search.space)
        self.known = {one.architecture: one for one in read_scored(search.folder, self._unit, shared)}

    def __call__(self, points: Sequence[Mapping[str, Value]]) -> list[Losses]:
        values = shared_values(self._search.space)
        configs = [self._trials.config({**values, **point}) for point in points]
        fits = [self._trials.fits({**values, **point}) for point in points]
        new = {
            architecture_of(config): config
            for config, fit in zip(configs, fits, strict=True)
            if fit and architecture_of(config) not in self.known
        }
        if new:
            self._measure(new)
        return [
            self._losses(architecture_of(config)) if fit else None
            for config, fit in zip(configs, fits, strict=True)
        ]

    def _measure(self, configs: Mapping[Architecture, TrialConfig]) -> None:
        search, done = self._search, len(self.known)
        sharing = search.space.sharing
        assert sharing is not None
        total = max(sharing.candidates, done + len(configs))
        search.watcher.stage(f"scoring slices of the elastic network, {done} of {total} known")
        errors = self._slice_errors().measure(
            list(configs), lambda measured: search.watcher.advance(done + measured, total)
        )
        for (architecture, config), error in zip(configs.items(), errors, strict=True):
            bins = label_set_of(config).bins
            params, macs, size = (cost(config, bins, quantity) for quantity in ("params", "macs", "bytes"))
            self.known[architecture] = ScoredSlice(architecture, error, params, macs, size)
        write_scored(search.folder, self.known.values(), self._unit)

    def _slice_errors(self) -> SliceErrors:
        space, trainer = self._search.space, self._trainer
        source = slice_for(space, space.seed)
        assert source is not None
        return SliceErrors(
            trainer.environment,
            trainer.share,
            trainer.at_once,
            source,
            space.base.attribute,
            space.base.resolution,
        )

    def _losses(self, architecture: Architecture) -> Losses:
        losses = self.known[architecture].losses(self._search.space.objectives)
        return losses if all(map(math.isfinite, losses)) else None
