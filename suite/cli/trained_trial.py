"""What ``suite export`` and ``suite compress`` share: the trained trial of a run that they start from."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.values import path
from suite.printable import print_line

if TYPE_CHECKING:
    from suite.deployment.trained_trial import TrainedTrial


def add_trial_options(parser: argparse.ArgumentParser) -> None:
    """Add the run folder and ``--trial``."""
    parser.add_argument("run", type=path, metavar="RUN", help="run folder")
    parser.add_argument(
        "--trial", required=True, metavar="ID", help="finished trial of the run, such as t0007"
    )
    parser.add_argument(
        "--data", metavar="NAME|DIR", help="where the data of the run is now, if its folder was moved"
    )


def open_trained_trial(options: argparse.Namespace, *, int8: bool = False) -> "TrainedTrial":
    """Open the trial; ``int8`` accepts the row of an int8 file, too.

    Raises:
        RequestError: There is no such trial, it did not finish, or its weights or its data are gone.
    """
    from suite.cli.progress import CountedProgress
    from suite.deployment.trained_trial import open_trial
    from suite.files.paths import resolved

    run: Path = options.run
    progress = CountedProgress("rendering faces")
    return open_trial(resolved(run), options.trial, print_stage, progress, int8=int8, data=options.data)


def print_stage(sentence: str) -> None:
    """Print what is being done now, where it does not mix with results."""
    print_line(sentence, sys.stderr)
