"""``suite compress``: prune a trained network or distil it into a smaller one, and quantise it."""

import argparse
import sys
from typing import TYPE_CHECKING

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.trained_trial import add_trial_options, open_trained_trial, print_stage
from suite.cli.values import non_negative_float, non_negative_int, positive_float, positive_int
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.printable import print_line
from suite.trial import TrialConfig

if TYPE_CHECKING:
    from suite.compression.derived_trial import DistillationSettings
    from suite.compression.distil import Distillation
    from suite.compression.prune_and_finetune import Pruning
    from suite.deployment.trained_trial import TrainedTrial

#: Options that only make sense together with one of the options behind them.
NEEDS_ONE_OF = {
    "of": ("to",),
    "spread": ("to",),
    "importance": ("to", "keep"),
    "rounds": ("to", "keep"),
    "epochs": ("to", "keep", "student"),
    "learning_rate": ("to", "keep", "student"),
    "distill_weight": ("to", "keep", "student"),
    "temperature": ("to", "keep", "student"),
}


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite compress``."""
    summary = "prune a trained network or distil it into a smaller one, and quantise it"
    parser = add_subcommand(subcommands, "compress", summary, compress)
    add_trial_options(parser)
    _add_pruning_options(parser)
    _add_training_options(parser)
    parser.add_argument("--int8", action="store_true", help="also write the result as int8 ONNX")


def _add_pruning_options(parser: argparse.ArgumentParser) -> None:
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument("--to", metavar="N", help="prune to at most N, such as 934869, 900k or 0.9M")
    goal.add_argument(
        "--keep",
        type=_shares,
        metavar="X[,X...]",
        help="prune to this share of the channels: one for all stages, or one for each of the five",
    )
    goal.add_argument(
        "--student",
        metavar="NET",
        help="train a smaller network from scratch, with the trial as its teacher: tiny, micro, ..., or widths "
        "and depths such as 8,16,32,64,64/1,1,2,2,2",
    )
    parser.add_argument(
        "--of",
        choices=("params", "macs", "bytes", "latency"),
        help="the unit of --to: parameters, multiply-adds at the trial's resolution, bytes, or latency as a "
        "share of the trial's own (--to 0.5), measured here; default params",
    )
    parser.add_argument(
        "--spread",
        choices=("uniform", "global"),
        help="what --to removes: the same share of every stage, or the least important channels of any stage; "
        "default uniform",
    )
    parser.add_argument(
        "--importance",
        choices=("magnitude", "taylor", "lamp", "bn-scale"),
        help="measure of a channel's importance; default taylor",
    )
    parser.add_argument(
        "--rounds",
        type=positive_int,
        metavar="N",
        help="number of pruning rounds, with training after each; default 1",
    )


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--epochs",
        type=non_negative_int,
        metavar="N",
        help="epochs of training after pruning, 0 for none, or of the student; default: those of the trial",
    )
    parser.add_argument(
        "--learning-rate",
        type=positive_float,
        metavar="X",
        help="learning rate of that training; default: that of the trial",
    )
    parser.add_argument(
        "--distill-weight",
        type=non_negative_float,
        metavar="X",
        help="weight of the trial's distributions in the loss, next to the labels; default 0, for a student 1",
    )
    parser.add_argument(
        "--temperature",
        type=positive_float,
        metavar="T",
        help=f"temperature that softens both distributions; default {TrialConfig.temperature:g}",
    )


def _shares(text: str) -> tuple[float, ...]:
    """Numbers separated by commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a share such as 0.5 nor a list of shares"
        ) from None


def compress(options: argparse.Namespace) -> int:
    """Carry out the steps; each becomes a row of the run, and a repeated command skips what is there."""
    from suite.deployment.verify import MismatchError
    from suite.runs.folder import explain_write_errors, lock_run_folder
    from suite.training.fit import DivergedError

    _check(options)
    trained = open_trained_trial(options)
    folder = trained.run.folder
    with lock_run_folder(folder), explain_write_errors(folder, "the same command again"):
        try:
            _carry_out(options, trained)
        except MismatchError as mismatch:
            print_line(f"suite: {mismatch}", sys.stderr)
            return ExitCode.FAILED
        except DivergedError as diverged:
            print_line(f"suite: {diverged}; lower --learning-rate", sys.stderr)
            return ExitCode.FAILED
        except KeyboardInterrupt:
            print_line(
                "suite: interrupted; what had ended is kept, and the same command goes on from there",
                sys.stderr,
            )
            return ExitCode.INTERRUPTED
    return ExitCode.DONE


def _carry_out(options: argparse.Namespace, trained: "TrainedTrial") -> None:
    from suite.cli.progress import RepeatedLine
    from suite.compression.steps import distil, make_int8, prune

    with RepeatedLine(print_stage) as lines:
        if _prunes(options):
            trained = prune(trained, _pruning(options, trained), lines.print)
        elif options.student is not None:
            trained = distil(trained, _student(options, trained), lines.print)
        if options.int8:
            make_int8(trained, lines.print)


def _prunes(options: argparse.Namespace) -> bool:
    return options.to is not None or options.keep is not None


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not go together, before the trial and its data are opened.

    Raises:
        RequestError: There is nothing to do, an option lacks the one that it belongs to, a value cannot be
            used, or a package is missing.
    """
    from suite.compression.budget import parse_budget
    from suite.compression.distil import architecture_of
    from suite.optional_dependencies import need

    for name, others in NEEDS_ONE_OF.items():
        if getattr(options, name) is not None and all(getattr(options, other) is None for other in others):
            option = f"--{name.replace('_', '-')}"
            raise RequestError(
                f"{option} has no effect without {' or '.join(f'--{other}' for other in others)}; add one, or "
                f"leave {option} out"
            )
    if not _prunes(options) and options.student is None and not options.int8:
        raise RequestError("there is nothing to do; add --to, --keep, --student or --int8")
    if options.to is not None:
        parse_budget(options.to, options.of or "params")
    if options.student is not None:
        architecture_of(options.student)
    weight = _teaching(options, 0.0 if options.student is None else 1.0).weight
    if options.temperature is not None and weight == 0:
        raise RequestError(
            "--temperature has no effect with a distillation weight of 0; give --distill-weight above 0, or "
            "leave --temperature out"
        )
    if _prunes(options):
        need("torch_pruning", "Pruning")
    if options.int8:
        for package in ("onnx", "onnxruntime"):
            need(package, "int8")


def _pruning(options: argparse.Namespace, trained: "TrainedTrial") -> "Pruning":
    from suite.compression.budget import parse_budget
    from suite.compression.prune_and_finetune import Pruning, check_pruning
    from suite.networks import STAGES

    config, epochs, rate = trained.config, options.epochs, options.learning_rate
    keep = options.keep
    if keep is not None and len(keep) == 1:
        keep *= STAGES
    pruning = Pruning(
        goal=parse_budget(options.to, options.of or "params") if keep is None else keep,
        spread=options.spread or "uniform",
        importance=options.importance or "taylor",
        rounds=options.rounds or 1,
        epochs=config.epochs if epochs is None else epochs,
        learning_rate=config.learning_rate if rate is None else rate,
        teaching=_teaching(options, 0.0),
    )
    check_pruning(pruning, config)
    return pruning


def _student(options: argparse.Namespace, trained: "TrainedTrial") -> "Distillation":
    from suite.compression.distil import Distillation, architecture_of

    config, epochs, rate = trained.config, options.epochs, options.learning_rate
    network = architecture_of(options.student)
    epochs = config.epochs if epochs is None else epochs
    if epochs == 0:  # of the trial itself, where it was pruned and not trained afterwards
        raise RequestError("a student starts from scratch and would have 0 epochs; add --epochs N, 1 or more")
    return Distillation(
        widths=network.widths,
        depths=network.depths,
        epochs=epochs,
        learning_rate=config.learning_rate if rate is None else rate,
        teaching=_teaching(options, 1.0),
    )


def _teaching(options: argparse.Namespace, default_weight: float) -> "DistillationSettings":
    from suite.compression.derived_trial import DistillationSettings

    weight = default_weight if options.distill_weight is None else options.distill_weight
    return (
        DistillationSettings(weight)
        if options.temperature is None
        else DistillationSettings(weight, options.temperature)
    )
