"""``suite export``: write a trained network as a file, compared with PyTorch before it is kept."""

import argparse
import sys
from typing import TYPE_CHECKING

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.trained_trial import add_trial_options, open_trained_trial, print_stage
from suite.cli.values import path, positive_float
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.printable import print_line

if TYPE_CHECKING:
    from pathlib import Path

    from suite.compression.quantise import QuantisedModel
    from suite.deployment.export import ExportedModel, ModelFile
    from suite.deployment.trained_trial import TrainedTrial
    from suite.statistics.age_threshold import AgeThreshold
    from suite.trial import TrialConfig


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite export``."""
    summary = "write a trained network as ONNX, torch.export or safetensors"
    parser = add_subcommand(subcommands, "export", summary, export)
    add_trial_options(parser)
    parser.add_argument(
        "-o", "--output", type=path, required=True, metavar="FILE", help="a .onnx, .pt2 or .safetensors file"
    )
    bits = parser.add_mutually_exclusive_group()
    bits.add_argument(
        "--int8",
        action="store_true",
        help="8-bit weights and activations, calibrated on training images; ONNX only",
    )
    bits.add_argument("--bf16", action="store_true", help="weights rounded to bf16; safetensors only")
    parser.add_argument("--card", type=path, metavar="FILE", help="also write a model card, a .md file")
    parser.add_argument(
        "--threshold-age",
        type=positive_float,
        metavar="YEARS",
        help='age that the card\'s decisions ask for ("is this person 18 or older"); default: 18',
    )
    parser.add_argument(
        "--challenge-age",
        type=positive_float,
        metavar="YEARS",
        help="estimate from which on these decisions accept somebody without proof; default: 25, or the age that is "
        "asked for if that is higher",
    )


def export(options: argparse.Namespace) -> int:
    """Write the file, and the card where one is asked for; a file that differs from PyTorch is not kept."""
    from suite.deployment.model_card import write_card
    from suite.deployment.verify import MismatchError

    _check_files(options)  # before the data is opened, which may take a minute
    threshold = _threshold(options)
    trained = open_trained_trial(options, int8=True)
    if trained.config.attribute != "age" and _names_threshold(options):
        raise RequestError(
            f"{trained.id} estimates {trained.config.attribute}; leave out --threshold-age and --challenge-age, which "
            "are of ages"
        )
    _check_threshold_age(options.threshold_age, trained.config)
    try:
        trained, written = _write(options, trained)
    except MismatchError as mismatch:
        print_line(f"suite: {options.output} was not written: {mismatch}", sys.stderr)
        return ExitCode.FAILED
    if options.card:
        write_card(trained, written, options.card, threshold)
        print_line(options.card)
    return ExitCode.DONE


def _names_threshold(options: argparse.Namespace) -> bool:
    return options.threshold_age is not None or options.challenge_age is not None


def _threshold(options: argparse.Namespace) -> "AgeThreshold":
    """Return the rule of the card's decisions.

    Raises:
        RequestError: There is no card, or somebody below the age would be meant to be accepted.
    """
    from suite.statistics.age_threshold import USUAL, AgeThreshold

    if _names_threshold(options) and options.card is None:
        raise RequestError(
            "--threshold-age and --challenge-age change the model card; name its file with --card"
        )
    age = USUAL.age if options.threshold_age is None else options.threshold_age
    challenge = max(USUAL.challenge, age) if options.challenge_age is None else options.challenge_age
    if challenge < age:
        raise RequestError(
            f"--challenge-age is {challenge:g}, below the age of {age:g} that is asked for; give {age:g} or more, or "
            "lower --threshold-age"
        )
    return AgeThreshold(age, challenge)


def _check_threshold_age(age: float | None, config: "TrialConfig") -> None:
    """Refuse an age that was asked for and that the network cannot estimate.

    Raises:
        RequestError: It is not within the label range.
    """
    if age is not None and not config.label_low <= age <= config.label_high:
        raise RequestError(
            f"--threshold-age is {age:g}, and the network estimates {config.label_low:g} to {config.label_high:g} "
            "years; give an age within these"
        )


def _check_files(options: argparse.Namespace) -> None:
    """Refuse files that could not be written.

    Raises:
        RequestError: A name ends otherwise than its kind of file, a folder cannot be written to, or both
            files are one.
    """
    from suite.deployment.export import check_ending, writer_for
    from suite.files.outputs import check_writable
    from suite.files.paths import resolved

    writer_for(options.output)
    for requested, ending, kind in ((options.int8, ".onnx", "int8"), (options.bf16, ".safetensors", "bf16")):
        if requested:
            check_ending(options.output, ending, kind)
    for file in filter(None, (options.output, options.card)):
        check_writable(file)
    if options.card and resolved(options.card) == resolved(options.output):
        raise RequestError(f"{options.card} cannot be both the card and the network; name two files")


def _write(options: argparse.Namespace, trained: "TrainedTrial") -> "tuple[TrainedTrial, ModelFile]":
    """Write the file and print what it is. Returns the trial that it holds, and the file."""
    from suite.compression.int8_row import copy_int8, int8_row_of

    if trained.is_int8 and options.bf16:
        raise RequestError(f"{trained.id} is int8; name {trained.row['parent']}, which it was made from")
    if (trained.is_int8 or options.int8) and (row := int8_row_of(trained)) is not None:
        copied = copy_int8(row, options.output)
        mae = f"{copied.mae:.2f} {trained.run.info.unit}"
        print_line(f"{copied.path}: {copied.bytes:,} bytes, a copy of {copied.source}, the file of {row.id}")
        print_line(f"{copied.arithmetic}: validation MAE {mae}")
        return row, copied
    return trained, _write_anew(options, trained)


def _write_anew(options: argparse.Namespace, trained: "TrainedTrial") -> "ExportedModel":
    from suite.cli.progress import RepeatedLine
    from suite.compression.bf16 import export_bf16
    from suite.compression.quantise import export_int8
    from suite.deployment.calibration_fit import calibration_of
    from suite.deployment.export import export as write
    from suite.deployment.inference_module import InferenceModule

    module = InferenceModule(trained.network, trained.config, trained.label_set, calibration_of(trained))
    train, val = trained.dataset.splits["train"], trained.dataset.splits["val"]
    quantised: QuantisedModel | None = None
    if options.int8:
        with RepeatedLine(print_stage) as lines:
            quantised = export_int8(module, trained.config, train, val, options.output, lines.print)
    elif options.bf16:
        quantised = export_bf16(module, trained.config, val, options.output)
    exported = quantised.exported if quantised else write(module, trained.config, val, options.output)
    verification, unit = exported.verification, trained.run.info.unit
    print_line(
        f"{exported.path}: {exported.bytes:,} bytes; as PyTorch on {verification.images} validation images in "
        f"{verification.batches} batches (largest difference {verification.value_difference:.2g} {unit})"
        + (" before it became int8" if options.int8 else "")
    )
    if exported.path.suffix == ".pt2":
        _tell_whether_remembered(exported.path)
    if quantised:
        before = f"{quantised.mae_float:.2f} before"
        print_line(f"{exported.arithmetic}: validation MAE {quantised.validation.mae:.2f} {unit}, {before}")
    return exported


def _tell_whether_remembered(path: "Path") -> None:
    from suite.deployment.own_programs import is_remembered, records_folder

    if not is_remembered(path.read_bytes()):
        print_line(
            f"suite: {records_folder()} cannot keep the record that you exported {path}, so that 'suite predict' will "
            "open it with --trust-code only; set SUITE_STATE to a folder that you alone may write to",
            sys.stderr,
        )
