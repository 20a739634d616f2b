"""``suite resume``: continue an interrupted search."""

import argparse
from typing import TYPE_CHECKING

from suite.cli.confirmation_options import add_confirmation_options, requested_confirmation
from suite.cli.search_session import add_resource_options, requested_resources, run_session
from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import run_location

if TYPE_CHECKING:
    from suite.runs.info import RunInfo
    from suite.runs.storage.working_folder import WorkingFolder


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite resume``."""
    parser = add_subcommand(subcommands, "resume", "continue an interrupted search", resume)
    parser.add_argument("run", type=run_location, metavar="RUN", help="run folder, or its s3:// URL")
    add_confirmation_options(parser, resumed=True)
    parser.add_argument(
        "--data", metavar="NAME|DIR", help="where the data of the run is now, if its folder was moved"
    )
    parser.add_argument(
        "--rebuild-study",
        action="store_true",
        help="where study.journal is missing, damaged or older than trials.parquet, make it anew from the rows of "
        "that table; what is replaced is kept beside",
    )
    add_resource_options(parser, resumed=True)


def resume(options: argparse.Namespace) -> int:
    """Continue the search and write its report again."""
    from suite.files.paths import resolved
    from suite.search.engine import resume_search

    def work(at: "WorkingFolder") -> "RunInfo":
        changes = requested_resources(options)
        return resume_search(
            resolved(at.folder),
            changes,
            at.watcher,
            requested_confirmation(options),
            data=options.data,
            rebuild_study=options.rebuild_study,
        )

    return run_session(options.run, "run", work)
