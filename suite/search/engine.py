"""A search from the space to the measured front: prepare, train, judge, time."""

import dataclasses
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from search_spaces import SearchSpace, SearchSpaceError, load_dict
from suite.data.run_data import data_of_run
from suite.errors import RequestError
from suite.runs.folder import check_unused, explain_write_errors, lock_run_folder, new_run_folder
from suite.runs.info import RunInfo, write_info
from suite.runs.ledger import RunLedger
from suite.runs.tables import read_run
from suite.runs.watcher import Watcher
from suite.search.bounds import within_bounds
from suite.search.description import check_backbones, describe
from suite.search.final.confirmation import with_confirm_seeds
from suite.search.final.test_and_latency import judge
from suite.search.parents import add_parent, check_parent, check_same_parent
from suite.search.session import Search, Session
from suite.search.tune.stages import train

__all__ = ["Search", "resume_search", "run_search"]


def run_search(search: Search, search_file: str, command: Sequence[str]) -> RunInfo:
    """Carry out a new search in an empty folder and return what ``run.json`` came to say.

    Its status is "interrupted" after Ctrl-C; everything that had finished is kept.

    Raises:
        RequestError: space and data do not agree, the folder is in use or cannot be written to, or a trial
            finds no room.
    """
    check_unused(search.folder)
    search.watcher.stage("checking the data and counting the reference networks")
    info = describe(search.space, search.store, search.resources, search_file, command)
    search, info = _grid_within_bounds(search, info)
    with new_run_folder(search.folder), explain_write_errors(search.folder):
        write_info(search.folder, info)
        return _carry_out(search, info)


def resume_search(
    folder: Path, changes: Mapping[str, Any], watcher: Watcher, confirm_seeds: int | None = None
) -> RunInfo:
    """Go on with an interrupted search: what had ended stays, what was under way goes on from its checkpoint.

    Args:
        folder: the run.
        changes: the fields of ``Resources`` that are to be others than before.
        watcher: told how it goes.
        confirm_seeds: seeds that the front is trained again with; None: as before.

    Raises:
        RequestError: the folder is no run, a search works in it, it cannot be written to, its data has
            changed or gone, or it cannot have so many confirming seeds.
    """
    read_run(folder)  # a folder that is no run stays as it is
    with lock_run_folder(folder), explain_write_errors(folder):
        info = read_run(folder).info
        space = _space_of(folder, info)
        if confirm_seeds is not None:
            space = with_confirm_seeds(space, confirm_seeds)
        check_backbones(space)
        store = data_of_run(folder, info, watcher.stage, watcher.advance)
        check_parent(space, store.info.attributes[info.attribute])
        check_same_parent(space, RunLedger(folder).rows)
        info = dataclasses.replace(
            info,
            status="running",
            ended="",
            search={**info.search, "confirm_seeds": space.confirm_seeds},
            data=dataclasses.replace(info.data, folder=str(store.folder)),
            resources=dataclasses.replace(info.resources, **changes),
        )
        return _carry_out(Search(space, store, folder, info.resources, watcher), info)


def _grid_within_bounds(search: Search, info: RunInfo) -> tuple[Search, RunInfo]:
    space, outside = within_bounds(search.space, search.store.info.attributes[info.attribute])
    if outside:
        search.watcher.stage(f"{outside} trainings of the grid are out of bounds and left out")
    info = dataclasses.replace(info, search=space.to_dict(), trials_asked=space.trials, out_of_bounds=outside)
    return dataclasses.replace(search, space=space), info


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
    # A killed session did not come to write how long it was; its trials tell.
    session = Session(search.folder, dataclasses.replace(info, seconds=max(info.seconds, ledger.seconds)))
    with _stop_signals_as_interrupt():
        try:
            with _tables_at_the_end(ledger):
                add_parent(ledger, search.space, search.store)
                train(search, session, ledger)
                session.info = judge(search, session.info, ledger)
        except KeyboardInterrupt:
            return session.end("interrupted")
        except RequestError:
            if session.has_noted:  # else it was refused before anything was done, and the run is as it was
                _end_as_failed(session)
            raise
        except BaseException:
            _end_as_failed(session)
            raise
    return session.end("finished")


@contextmanager
def _tables_at_the_end(ledger: RunLedger) -> Iterator[None]:
    """However the work inside ends, the tables have all rows then; without room for them the journal has."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            ledger.fold()
        raise
    ledger.fold()


def _end_as_failed(session: Session) -> None:
    with suppress(OSError):  # the run says "running" then, and what is wrong is raised already
        session.end("failed")


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
