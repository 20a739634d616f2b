"""``suite predict``: estimates with intervals for image files and folders."""

import argparse
import dataclasses
import sys
from itertools import chain
from typing import TYPE_CHECKING

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import path, positive_int
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.printable import print_json, print_line

if TYPE_CHECKING:
    from suite.deployment.image_files import FoundImages
    from suite.deployment.inference import Model
    from suite.deployment.predict import Prediction

#: Said once of a file of an earlier version, of the weights of a run, and where validation has too few people.
NO_CALIBRATION = (
    "carries no calibration, so that its 80 % intervals are the network's own opinion; export it again with this "
    "version of 'suite export', from a run whose validation has at least 15 people"
)


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite predict``."""
    summary = "estimate the age or attractiveness of the faces in images"
    parser = add_subcommand(subcommands, "predict", summary, predict)
    parser.add_argument("model", type=path, metavar="MODEL", help="a .onnx, .pt2 or .safetensors file")
    parser.add_argument(
        "images", type=path, nargs="+", metavar="IMAGE", help="image file, or folder of image files"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per image")
    parser.add_argument(
        "--distribution",
        action="store_true",
        help="with --json: also the share of each label, where the method gives a distribution",
    )
    parser.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="average with the mirror image, as the metrics of a run do; default: yes",
    )
    parser.add_argument(
        "--batch-size", type=positive_int, default=64, metavar="N", help="images of a batch; default 64"
    )
    parser.add_argument(
        "--trust-code",
        action="store_true",
        help="open a .pt2 file that you did not export on this machine; it can run any code of its author",
    )


def predict(options: argparse.Namespace) -> int:
    """Print an estimate for each image; the exit code is 1 where a file or folder could not be read."""
    from suite.deployment.image_files import find_images
    from suite.deployment.inference import open_model

    if options.distribution and not options.json:
        raise RequestError("--distribution is printed as JSON only; add --json")
    model = open_model(options.model, trust_code=options.trust_code)
    found = find_images(options.images)
    if passed_over := found.describe_passed_over():
        print_line(f"suite: passed over in the folders: {passed_over}", sys.stderr)
    return _print_estimates(options, model, found)


def _print_estimates(options: argparse.Namespace, model: "Model", found: "FoundImages") -> ExitCode:
    from suite.deployment.image_files import UnreadableFile
    from suite.deployment.predict import predict_files
    from suite.trial import UNIT

    unit, code = UNIT[model.config.attribute], ExitCode.DONE
    digits = 1 if model.config.label_step >= 1 else 2
    estimates = predict_files(
        model,
        found.files,
        batch=options.batch_size,
        mirrored=options.mirror,
        distributions=options.distribution,
    )
    wanted, told = True, False
    for outcome in chain(found.unreadable, estimates):
        if isinstance(outcome, UnreadableFile):
            print_line(f"suite: {outcome.file} is left out: {outcome.reason}", sys.stderr)
            code = ExitCode.FAILED
            continue
        if outcome.low is not None and not outcome.calibrated and not told:
            print_line(f"suite: {options.model} {NO_CALIBRATION}", sys.stderr)
            told = True
        if options.json:
            wanted = print_json(_object(outcome, model, distribution=options.distribution))
        else:
            wanted = print_line(_line(outcome, unit, digits))
        if not wanted:  # such as behind '| head'
            break
    return code


def _object(prediction: "Prediction", model: "Model", *, distribution: bool) -> dict[str, object]:
    """Return a prediction for JSON; a distribution is an object of labels and their shares, in the same order."""
    from suite.trial import UNIT

    config, shares = model.config, prediction.distribution
    fields = {**dataclasses.asdict(prediction), "unit": UNIT[config.attribute]}
    del fields["distribution"]
    if not distribution:
        return fields
    if shares is None:
        return {**fields, "distribution": None}
    step = (config.label_high - config.label_low) / (len(shares) - 1)
    labels = [round(config.label_low + place * step, 9) for place in range(len(shares))]
    return {**fields, "distribution": {"labels": labels, "shares": shares}}


def _line(prediction: "Prediction", unit: str, digits: int) -> str:
    line = f"{prediction.file}  {prediction.value:.{digits}f} {unit}"
    if prediction.low is not None:
        line += f"  80 %: {prediction.low:.{digits}f} to {prediction.high:.{digits}f}"
    return (
        line if prediction.unlike is None else f"{line}  unlike the images of validation: {prediction.unlike}"
    )
