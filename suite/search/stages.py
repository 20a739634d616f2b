"""The stages of a search, in their order; how trials train is the matter of ``suite.search.tune``.

1. The parent's row, where the search starts from a trained network.
2. Where the space shares weights: the elastic training, and the errors of its slices.
3. The search: trials that the sampler proposes.
4. The confirmation: the front, and what is near it, trained again, longer and with new seeds.
5. The evaluation on the test split.
6. The latency, with nothing else running.

Each stage does what earlier sessions have left of it.
"""

from collections.abc import Mapping, Sequence

from search_spaces import Value
from suite.errors import RequestError
from suite.runs.front import rows_to_confirm
from suite.runs.layout import CHECKPOINTS
from suite.runs.ledger import RunLedger
from suite.search.after_search.confirmation import elastic_seeds_of, left_to_confirm
from suite.search.after_search.evaluation import evaluate_on_test
from suite.search.after_search.latency import measure_latency
from suite.search.bounds import describe_exhausted
from suite.search.parents import add_parent
from suite.search.proposals import ListedProposals
from suite.search.session import Search, Session
from suite.search.sharing.stage import check_workers, first_points, score_slices, train_elastic
from suite.search.stopping.early_stopping import EarlyStopping, replay, stopping_of
from suite.search.study.proposals import StudyProposals
from suite.search.study.results import count_out_of_bounds, count_repeats, tell_missing
from suite.search.study.study import open_study
from suite.search.trial_factory import TrialFactory
from suite.search.tune.progress import StageProgress
from suite.search.tune.trainer import Trainer, ray_trainer

#: Values for every dimension of the space, tried before the sampler proposes any.
FirstPoints = Sequence[Mapping[str, Value]]


def run_stages(search: Search, session: Session, ledger: RunLedger) -> None:
    """Carry out what is left of a search.

    Raises:
        RequestError: The cluster is missing or too small, the run folder cannot be written to, or no trial
            of the space can be trained.
    """
    add_parent(ledger, search.space, search.store)
    train(search, session, ledger)
    evaluate_on_test(search, session.info, ledger)
    session.info = measure_latency(search, session.info, ledger)


def train(search: Search, session: Session, ledger: RunLedger) -> None:
    """Train until the ledger has the requested number of trials, and then what is confirmed again."""
    left = search.space.trials - len(ledger.rows_of("search"))
    if left > 0 or left_to_confirm(search.space, ledger, session.info):
        search.watcher.stage("starting Ray")
        with ray_trainer(search) as trainer:
            check_workers(search, ledger, trainer)
            session.note(max_concurrent=trainer.at_once)
            _clear_checkpoints(search, ledger)
            if left > 0:
                points = _share_weights(search, session, ledger, trainer)
                _search_space(search, session, ledger, trainer, points)
            _confirm_front(search, session, ledger, trainer)
    _clear_checkpoints(search, ledger)


def _share_weights(search: Search, session: Session, ledger: RunLedger, trainer: Trainer) -> FirstPoints:
    """Train the elastic network and score its slices; return the points that the trials begin with."""
    if search.space.sharing is None:
        return ()
    train_elastic(search, session, ledger, trainer, [search.space.seed])
    return tuple(first_points(search, score_slices(search, session, trainer)))


def _search_space(
    search: Search, session: Session, ledger: RunLedger, trainer: Trainer, points: FirstPoints
) -> None:
    """Train what the sampler proposes, until the requested number of trials have ended."""
    space = search.space
    session.note(ended_early="")
    trials = TrialFactory(space, search.store.info.attributes[session.info.attribute])
    study = open_study(space, search.folder, concurrent=trainer.at_once, fits=trials.fits, points=points)
    tell_missing(study, ledger.rows_of("search"))
    proposals = StudyProposals(study, trials)
    search.watcher.stage(f"training, {trainer.at_once} trials at once")
    try:
        trainer.train(
            proposals,
            ledger,
            space.trials - len(ledger.rows_of("search")),
            on_change=StageProgress(search, session.info, ledger, "search", space.trials),
            stopping=_stopping(search, ledger),
            seconds_before=session.seconds,
        )
    finally:
        if space.sampler != "grid":
            session.note(out_of_bounds=count_out_of_bounds(study), repeats=count_repeats(study))
    if proposals.exhausted:
        _end_early(search, session, ledger, proposals.repeats_in_a_row)


def _stopping(search: Search, ledger: RunLedger) -> EarlyStopping | None:
    """Return the early stopping of the space, with the trials of earlier sessions; None where it has none."""
    stopping = stopping_of(search.space)
    if stopping is not None:
        replay(stopping, ledger)
    return stopping


def _end_early(search: Search, session: Session, ledger: RunLedger, repeats: int) -> None:
    """Say that nothing more was found to train; the later stages use the trials that there are.

    Raises:
        RequestError: There are none.
    """
    rows = ledger.rows_of("search")
    why = describe_exhausted(search.space, len(rows), repeats)
    session.note(ended_early=why)
    if not rows:
        raise RequestError(why)
    search.watcher.stage(why)


def _confirm_front(search: Search, session: Session, ledger: RunLedger, trainer: Trainer) -> None:
    """Train the front, and what is near it, again: each trial with the confirming seeds that it lacks."""
    info, space = session.info, search.space
    trainings = left_to_confirm(space, ledger, info)
    if not trainings:
        return
    if seeds := elastic_seeds_of(trainings):
        train_elastic(search, session, ledger, trainer, seeds)
    members = len(rows_to_confirm(ledger.rows, info))
    epochs = sorted({training.config.epochs for training in trainings})
    length = f"{epochs[0]}" if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]}"
    search.watcher.stage(
        f"confirming the front ({members} trials trained again, {length} epochs with {space.confirm_seeds} seeds "
        f"each), {trainer.at_once} trials at once"
    )
    requested = len(trainings) + len(ledger.rows_of("confirm"))
    trainer.train(
        ListedProposals(trainings),
        ledger,
        len(trainings),
        on_change=StageProgress(search, info, ledger, "confirm", requested),
        seconds_before=session.seconds,
    )


def _clear_checkpoints(search: Search, ledger: RunLedger) -> None:
    """Remove the checkpoints of trials that have ended, and what killed processes left half written."""
    for file in (search.folder / CHECKPOINTS).glob("*"):
        if file.suffix != ".pt" or ledger.has(file.stem):
            file.unlink(missing_ok=True)
