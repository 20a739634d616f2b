"""``suite run``: a search, from its search space to its report."""

import argparse
import json
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.cli.confirmation_options import add_confirmation_options
from suite.cli.overrides import overrides
from suite.cli.search_session import add_resource_options, requested_resources, run_session
from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import positive_float, positive_int, run_location
from suite.commands import command
from suite.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search_spaces import SearchSpace
    from suite.data.store import Store
    from suite.runs.info import RunInfo
    from suite.runs.storage.working_folder import WorkingFolder


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite run``."""
    parser = add_subcommand(subcommands, "run", "carry out a search and write its report", run)
    parser.add_argument(
        "--search",
        required=True,
        metavar="NAME|FILE",
        help="search space: the name of one that ships, such as tiny, or a YAML file",
    )
    _add_overrides(parser)
    parser.add_argument(
        "--parent",
        metavar="RUN:ID",
        help="trained network, as run folder and trial, that the trials are pruned from and distilled from; "
        "for the search space compress. It also gives data, network and training settings that the search "
        "space leaves open",
    )
    parser.add_argument(
        "--out",
        type=run_location,
        metavar="DIR",
        help="run folder, or s3://BUCKET/KEY; default: runs/NAME-DATE-TIME",
    )
    parser.add_argument(
        "--or-resume",
        action="store_true",
        help="resume the run in --out if there is one of the same search; for batch systems, which may start "
        "a job again",
    )
    add_resource_options(parser)


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add the options that replace a value of the search space."""
    group = parser.add_argument_group(
        "changes to the search space, each of which replaces the space's own value"
    )
    group.add_argument(
        "--data", metavar="NAME|DIR", help="data set: faces (embedded), or the folder of a packed one"
    )
    group.add_argument("--trials", type=positive_int, metavar="N", help="number of trials")
    group.add_argument("--epochs", type=positive_int, metavar="N", help="epochs of each trial")
    group.add_argument("--seed", type=int, metavar="N", help="seed of the sampler and of every training")
    group.add_argument(
        "--stopping",
        choices=("front", "forecast", "error", "none"),
        help="early stopping: by rank on the front, by forecast, by validation error alone, or none",
    )
    group.add_argument(
        "--sharing",
        action=argparse.BooleanOptionalAction,
        help="start every trial from its slice of one elastic training; default: as the search space says",
    )
    for quantity, noun in (("params", "parameters"), ("macs", "multiply-adds"), ("bytes", "bytes on disk")):
        group.add_argument(
            f"--max-{quantity}",
            metavar="N",
            help=f"train no network with more {noun}; a number such as 900000, 900k or 1M",
        )
    group.add_argument(
        "--max-worst-group-mae",
        type=positive_float,
        metavar="E",
        help="keep networks off the front whose validation MAE for the worst group of people is larger, in the unit "
        "of the label; for data that names groups",
    )
    add_confirmation_options(group)
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set any value of the search space, such as base.batch_size=32; repeatable",
    )


def run(options: argparse.Namespace) -> int:
    """Carry out a search, or resume the one that ``--out`` holds where ``--or-resume`` allows it."""
    path, space = _load_space(options)

    from suite.cli.open_data import open_data

    store = open_data(space.data)

    from suite.files.paths import resolved
    from suite.runs.info import Resources
    from suite.search.engine import Search, resume_search, run_search

    def work(at: "WorkingFolder") -> "RunInfo":
        folder, resources = resolved(at.folder), requested_resources(options)
        if options.or_resume and at.holds_run:
            check_same_search(at, space, store)
            return resume_search(folder, resources, at.watcher)
        search = Search(space, store, folder, Resources(**resources), at.watcher)
        return run_search(search, str(path), ["suite", *options.arguments])

    with nullcontext(options.out) if options.out else new_location(space.name) as location:
        return run_session(location, "either" if options.or_resume else "nothing", work)


@contextmanager
def new_location(name: str) -> "Iterator[Path]":
    """Claim a run folder ``runs/NAME-DATE-TIME``, with a number where another run began in the same second.

    The folder is made at once, so that no other process claims it. If nothing is written into it, it is removed.

    Raises:
        RequestError: The folder cannot be made.
    """
    named = Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    try:
        named.parent.mkdir(exist_ok=True)
        folder = _claimed(named)
    except OSError as error:
        raise RequestError(
            f"{named} cannot be a run folder ({error.strerror}); choose another with --out"
        ) from None
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()


def _claimed(named: Path) -> Path:
    """Make a folder of a name, or of the name with the first number that is free."""
    for number in count(1):
        folder = named if number == 1 else named.with_name(f"{named.name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("numbers do not end")


def _load_space(options: argparse.Namespace) -> "tuple[Path, SearchSpace]":
    """The file of the search space, and the space with the command line's overrides applied."""
    from search_spaces import SearchSpaceError, find, load

    settings, inherited_fields = overrides(options), dict[str, Any]()
    if options.parent is not None:
        from suite.compression.parent import parent_settings

        data, inherited_fields = parent_settings(options.parent)
        settings = [f"data={json.dumps(data)}", *settings]
    try:
        path = find(options.search)
        space = load(path, overrides=settings, inherited=inherited_fields)
        if options.sharing and space.sharing is None:  # a space that has the block keeps its own
            space = load(path, overrides=["sharing={}", *settings], inherited=inherited_fields)
        return path, space
    except SearchSpaceError as error:
        raise RequestError(str(error)) from None


def check_same_search(at: "WorkingFolder", space: "SearchSpace", store: "Store") -> None:
    """Refuse to resume a run of another search.

    Raises:
        RequestError: The search space of the run differs from ``space``.
    """
    from search_spaces import SearchSpaceError, load_dict
    from suite.runs.tables import read_run
    from suite.search.bounds import within_bounds
    from suite.search.trial_factory import TrialFactory

    info = read_run(at.folder).info
    try:
        held = load_dict(dict(info.search))
        same = held == space
        if not same and info.attribute in store.info.attributes:  # run.json keeps a grid within its bounds
            trials = TrialFactory(space, store.info.attributes[info.attribute])
            same = held == within_bounds(trials)[0]
    except SearchSpaceError:
        same = False
    if not same:
        raise RequestError(
            f"{at.location} holds a run of another search; choose another --out, or resume that run with "
            f"'{command('resume', at.location)}'"
        )
