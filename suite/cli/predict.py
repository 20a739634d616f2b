"""``suite predict``: estimates with intervals for image files and folders."""

import argparse
import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import path, positive_int
from suite.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suite.deployment.inference import Model
    from suite.deployment.predict import Prediction


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
    """Print an estimate for each image; the exit code is 1 where a file could not be read."""
    from suite.deployment.inference import open_model
    from suite.deployment.predict import image_files

    model = open_model(options.model, trust_code=options.trust_code)
    files = image_files(options.images)
    try:
        return _print_estimates(options, model, files)
    except BrokenPipeError:  # the reader has closed the pipe, such as '| head'
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _print_estimates(options: argparse.Namespace, model: "Model", files: "Sequence[Path]") -> ExitCode:
    from suite.deployment.predict import UnreadableFile, predict_files
    from suite.trial import UNIT

    unit, code = UNIT[model.config.attribute], ExitCode.DONE
    digits = 1 if model.config.label_step >= 1 else 2
    for outcome in predict_files(model, files, batch=options.batch_size, mirrored=options.mirror):
        if isinstance(outcome, UnreadableFile):
            print(f"suite: {outcome.file} is left out: {outcome.reason}", file=sys.stderr)
            code = ExitCode.FAILED
        elif options.json:
            print(json.dumps({**dataclasses.asdict(outcome), "unit": unit}))
        else:
            print(_line(outcome, unit, digits))
    sys.stdout.flush()
    return code


def _line(prediction: "Prediction", unit: str, digits: int) -> str:
    line = f"{prediction.file}  {prediction.value:.{digits}f} {unit}"
    if prediction.low is None:
        return line
    return f"{line}  80 %: {prediction.low:.{digits}f} to {prediction.high:.{digits}f}"
