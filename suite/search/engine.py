"""A search as one call: prepared or resumed, carried through its stages, and ended properly."""

import dataclasses
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from search_spaces import SearchSpace, SearchSpaceError, load_dict
from suite.data.run_data import data_of_run
from suite.data.store import LabelRange, Store
from suite.errors import RequestError
from suite.runs.folder import check_unused, explain_write_errors, lock_run_folder, new_run_folder
from suite.runs.info import BEFORE_CONFIRMATION, RunInfo, write_info
from suite.runs.ledger import RunLedger
from suite.runs.tables import Run, read_run
from suite.runs.watcher import Watcher
from suite.search.after_search.confirmation import with_confirmation
from suite.search.bounds import within_bounds
from suite.search.parents import check_backbones, check_parent, check_same_parent
from suite.search.run_info import cost_ranges, new_run_info
from suite.search.session import Search, Session
from suite.search.stages import run_stages
from suite.search.study.recovery import disagreement, rebuild_study
from suite.search.trial_factory import TrialFactory
from suite.search.tune.known_addresses import check_address

__all__ = ["Search", "resume_search", "run_search"]


def run_search(search: Search, search_file: str, command: Sequence[str]) -> RunInfo:
    """Carry out a new search in an empty folder.

    Args:
        search: What to search, with what and where.
        search_file: The search space's file, as the user named it.
        command: The command line.

    Returns:
        The final content of ``run.json``. Its status is "interrupted" after Ctrl-C; every trial that had
        ended is kept.

    Raises:
        RequestError: Space and data do not agree, the folder is in use or cannot be written to, or the
            cluster is smaller than a trial.
    """
    check_unused(search.folder)
    search.watcher.stage("checking the data and counting the reference networks")
    info = new_run_info(search, search_file, command)
    search, info = _grid_within_bounds(search, info)
    with new_run_folder(search.folder), explain_write_errors(search.folder):
        write_info(search.folder, info)
        return _carry_out(search, info)


def resume_search(
    folder: Path,
    changes: Mapping[str, Any],
    watcher: Watcher,
    confirmation: Mapping[str, int | str] | None = None,
    *,
    data: str | None = None,
    rebuild_study: bool = False,
) -> RunInfo:
    """Resume an interrupted search: ended trials stay, running ones continue from their checkpoints.

    Args:
        folder: The run.
        changes: Fields of ``Resources`` that differ from before. An ``address`` to which no search of this user has
            connected must be among them: the one in ``run.json`` may be somebody else's.
        watcher: Is notified of the progress of the search.
        confirmation: Fields of the search space that say how the front is confirmed, and differ from before.
        data: Where the data is now; None: where it was.
        rebuild_study: Where the study is missing, damaged or older than the table, make it anew from the table.

    Returns:
        The final content of ``run.json``.

    Raises:
        RequestError: The folder is not a run, another search works in it, it cannot be written to, its data has
            changed or is missing, only its ``run.json`` names its Ray cluster, a file is missing that the search
            cannot go on without, or the confirmation is not possible.
    """
    read_run(folder)  # refuses a folder that is not a run before a lock is written into it
    with lock_run_folder(folder), explain_write_errors(folder):
        run = read_run(folder)
        info = run.info
        if "address" not in changes:
            check_address(info.resources.address, folder)
        space = _space_of(folder, info)
        if confirmation:
            space = with_confirmation(space, confirmation)
        check_backbones(space)
        store = data_of_run(folder, info, watcher.stage, watcher.advance, data)
        trials = TrialFactory(space, _label_range(store, info))
        check_parent(trials)
        check_same_parent(space, RunLedger(folder).rows)
        _check_study(run, trials, watcher, rebuild=rebuild_study)
        info = dataclasses.replace(
            info,
            status="running",
            ended="",
            search={**info.search, **{field: getattr(space, field) for field in BEFORE_CONFIRMATION}},
            data=dataclasses.replace(info.data, folder=str(store.folder)),
            resources=dataclasses.replace(info.resources, **changes),
            cost_ranges=info.cost_ranges or cost_ranges(trials),
        )
        return _carry_out(Search(space, store, folder, info.resources, watcher), info)


def _check_study(run: Run, trials: TrialFactory, watcher: Watcher, *, rebuild: bool) -> None:
    """Refuse to go on with a study that does not belong to the table, or make it anew.

    Raises:
        RequestError: Something is missing, and is not to be, or cannot be, made anew.
    """
    searched = 0 if run.trials.empty else int((run.trials["stage"] == "search").sum())
    if searched >= trials.space.trials:
        return  # the search has ended, and nothing asks its study any more
    found = disagreement(run, trials.space)
    if found is None:
        if rebuild:
            watcher.stage("the study agrees with the table, and stays as it is")
    elif rebuild:
        watcher.stage(rebuild_study(run, trials, found))
    else:
        raise found.refusal


def _grid_within_bounds(search: Search, info: RunInfo) -> tuple[Search, RunInfo]:
    trials = TrialFactory(search.space, search.store.info.attributes[info.attribute])
    space, outside = within_bounds(trials)
    if outside:
        search.watcher.stage(f"{outside} trainings of the grid are out of bounds and left out")
    info = dataclasses.replace(info, search=space.to_dict(), trials_asked=space.trials, out_of_bounds=outside)
    return dataclasses.replace(search, space=space), info


def _label_range(store: Store, info: RunInfo) -> LabelRange:
    if (found := store.info.attributes.get(info.attribute)) is None:
        raise RequestError(f"{store.folder} has no labels for {info.attribute}; name the data of the run")
    return found


def _space_of(folder: Path, info: RunInfo) -> SearchSpace:
    try:
        # A run of an earlier version ends as it began: with no confirmation, or with shorter trainings.
        return load_dict({**BEFORE_CONFIRMATION, **info.search}, where=f"search in {folder / 'run.json'}")
    except SearchSpaceError as error:
        raise RequestError(
            f"{error}; resume it with the version of suite that its 'versions' names, or start a new run"
        ) from None


def _carry_out(search: Search, info: RunInfo) -> RunInfo:
    ledger = RunLedger(search.folder)
    # A killed session did not write how long it lasted; its trials give a lower limit.
    session = Session(search.folder, dataclasses.replace(info, seconds=max(info.seconds, ledger.seconds)))
    with _stop_signals_as_interrupt():
        try:
            with _tables_at_the_end(ledger):
                run_stages(search, session, ledger)
        except KeyboardInterrupt:
            return session.end("interrupted")
        except RequestError:
            if session.has_noted:  # otherwise nothing was done yet, and the run stays as it was
                _end_as_failed(session)
            raise
        except BaseException:
            _end_as_failed(session)
            raise
    return session.end("finished")


@contextmanager
def _tables_at_the_end(ledger: RunLedger) -> Iterator[None]:
    """Write all rows into the tables, however the context ends; on a full disk they stay in the journal."""
    try:
        yield
    except BaseException:
        with suppress(OSError, RequestError):
            ledger.fold()
        raise
    ledger.fold()


def _end_as_failed(session: Session) -> None:
    with suppress(
        OSError, RequestError
    ):  # the fault itself is being raised; the run then still says "running"
        session.end("failed")


@contextmanager
def _stop_signals_as_interrupt() -> Iterator[None]:
    """End the search on SIGTERM, as a batch system sends it, in the same way as on Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: Any = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
