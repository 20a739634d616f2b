"""``suite pretrain``: train a backbone to recognise the people of a data set."""

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import non_negative_float, positive_int
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.files.paths import is_there
from suite.printable import print_line
from suite.trial import NETWORKS, config_of_network

if TYPE_CHECKING:
    from suite.trial import IdentityEpoch


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite pretrain``."""
    summary = "train a backbone on identities, for trials to start from"
    parser = add_subcommand(subcommands, "pretrain", summary, pretrain)
    parser.add_argument(
        "--data",
        required=True,
        metavar="NAME|DIR",
        help="data set that names the person on each image: faces (embedded), or the folder of a packed one",
    )
    parser.add_argument(
        "--network", choices=NETWORKS, default="tiny", metavar="NET", help="%(choices)s; default tiny"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="backbone, a .safetensors file"
    )
    parser.add_argument("--epochs", type=positive_int, default=12, metavar="N", help="epochs; default 12")
    parser.add_argument(
        "--resolution", type=positive_int, default=64, metavar="R", help="pixels a side; default 64"
    )
    parser.add_argument(
        "--batch-size", type=positive_int, default=64, metavar="N", help="images of a batch; default 64"
    )
    parser.add_argument(
        "--learning-rate",
        type=non_negative_float,
        default=3e-3,
        metavar="X",
        help="peak learning rate; default 0.003",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="random seed; default 0")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def pretrain(options: argparse.Namespace) -> int:
    """Train the backbone; after an interruption or a divergence the file holds the last whole epoch."""
    path: Path = options.output
    if path.suffix != ".safetensors":
        raise RequestError(f"{path} does not end in .safetensors; give the output a name that does")
    if is_there(path) and not options.overwrite:
        raise RequestError(f"{path} exists already; name another file, or add --overwrite")
    config = dataclasses.replace(
        config_of_network(options.network),
        epochs=options.epochs,
        resolution=options.resolution,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )

    _check_output(path)

    from suite.cli.open_data import open_data

    store = open_data(options.data)

    from suite.cli.progress import RepeatedLine, describe_pretraining
    from suite.files.outputs import unwritable
    from suite.files.write_errors import why_not_written
    from suite.training.fit import DivergedError
    from suite.training.pretraining import pretrain as train

    epochs: list[IdentityEpoch] = []

    def print_epoch(epoch: "IdentityEpoch") -> None:
        epochs.append(epoch)
        lines.print(describe_pretraining(epochs, config.epochs))

    def kept() -> str:
        return f"has epoch {epochs[-1].epoch} of {config.epochs}" if epochs else "is not written yet"

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with RepeatedLine(lambda line: print_line(line, sys.stderr)) as lines:
            lines.note(f"in epoch 1 of {config.epochs}")
            train(config, store, path, print_epoch)
    except KeyboardInterrupt:
        print_line(f"Interrupted; {path} {kept()}.")
        return ExitCode.INTERRUPTED
    except DivergedError as diverged:
        print_line(f"suite: {diverged}; lower --learning-rate; {path} {kept()}", sys.stderr)
        return ExitCode.FAILED
    except OSError as error:
        if error.errno is None:
            raise
        raise unwritable(path, f"{why_not_written(error)}; it {kept()}") from None
    print_line(f"{path}: start from it with --set {shlex.quote(f'base.backbone={path}')}")
    return ExitCode.DONE


def _check_output(path: Path) -> None:
    """Refuse files that could not be written, before the training; their folder may be one that is still to be made.

    Raises:
        RequestError: The backbone or the JSON file beside it cannot be written.
    """
    from suite.files.outputs import check_writable

    folder = path.parent
    while not (is_there(folder) or folder == folder.parent):
        folder = folder.parent
    for name in (path.name, path.with_suffix(".json").name):
        check_writable(folder / name)
