"""What the commands of this room may be asked for; ``suite.cli.compression_commands`` has what is then done."""

import argparse
from collections.abc import Callable

from suite.cli.values import count, count_or_none, path, seconds, share
from suite.trial import TrialConfig

#: Adds a command: its name, the function that carries it out, a summary, and the module of the function.
AddCommand = Callable[[str, str, str, str], argparse.ArgumentParser]

ROOM = "suite.cli.compression_commands"


def compression_commands(command: AddCommand) -> None:
    """The commands of this room, and their options."""
    exported = "write a trained network as ONNX, torch.export or safetensors"
    _export_options(command("export", "export", exported, ROOM))
    compressed = "prune a trained network or teach a smaller one, make it int8"
    _compress_options(command("compress", "compress", compressed, ROOM))
    _predict_options(command("predict", "predict", "estimate the images of files or folders", ROOM))


def _export_options(export: argparse.ArgumentParser) -> None:
    _trial_options(export)
    export.add_argument(
        "-o", "--output", type=path, required=True, metavar="FILE", help="a .onnx, .pt2 or .safetensors file"
    )
    bits = export.add_mutually_exclusive_group()
    bits.add_argument(
        "--int8",
        action="store_true",
        help="8-bit weights and activations, calibrated on training images; ONNX",
    )
    bits.add_argument("--bf16", action="store_true", help="weights rounded to bf16; safetensors")
    export.add_argument("--card", type=path, metavar="FILE", help="write a model card there, a .md file")


def _trial_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=path, metavar="RUN", help="run folder")
    parser.add_argument("--trial", required=True, metavar="ID", help="a finished trial of the run, as t0007")


def _compress_options(compress: argparse.ArgumentParser) -> None:
    _trial_options(compress)
    goal = compress.add_mutually_exclusive_group()
    goal.add_argument("--to", metavar="N", help="prune to at most so much, as 934869, 900k or 0.9M")
    goal.add_argument(
        "--keep",
        type=_shares,
        metavar="X[,X...]",
        help="prune to this share of the channels, of all stages or of each of the five",
    )
    goal.add_argument(
        "--student",
        metavar="NET",
        help="train a smaller network from scratch, which learns from the trial: tiny, micro, ..., or widths "
        "and depths as 8,16,32,64,64/1,1,2,2,2",
    )
    compress.add_argument(
        "--of",
        choices=("params", "macs", "bytes", "latency"),
        help="what --to is of: parameters, multiply-adds at the trial's resolution, bytes, or the time of an "
        "image as a share of the trial's (--to 0.5), measured here; default params",
    )
    compress.add_argument(
        "--spread",
        choices=("uniform", "global"),
        help="--to takes the same share of every stage, or what matters least anywhere; default uniform",
    )
    compress.add_argument(
        "--importance",
        choices=("magnitude", "taylor", "lamp", "bn-scale"),
        help="which channels matter; default taylor",
    )
    compress.add_argument(
        "--rounds",
        type=count,
        metavar="N",
        help="cut in so many steps, training after each; default 1",
    )
    compress.add_argument(
        "--epochs",
        type=count_or_none,
        metavar="N",
        help="of training after the cuts; default: as the trial; 0: none",
    )
    compress.add_argument(
        "--learning-rate", type=seconds, metavar="X", help="of that training; default: the trial's own"
    )
    compress.add_argument(
        "--distill-weight",
        type=share,
        metavar="X",
        help="how much the trial's distributions count beside the labels; default 0, of a student 1",
    )
    compress.add_argument(
        "--temperature",
        type=seconds,
        metavar="T",
        help=f"what softens both distributions; default {TrialConfig.temperature:g}",
    )
    compress.add_argument("--int8", action="store_true", help="write the result as int8 ONNX, too")


def _shares(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no share as 0.5 and no list of them") from None


def _predict_options(predict: argparse.ArgumentParser) -> None:
    predict.add_argument("model", type=path, metavar="MODEL", help="a .onnx, .pt2 or .safetensors file")
    predict.add_argument(
        "images", type=path, nargs="+", metavar="IMAGE", help="image files, or folders with images in them"
    )
    predict.add_argument("--json", action="store_true", help="a JSON object a line")
    predict.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="average with the mirror image, as the metrics of a run do; default: yes",
    )
    predict.add_argument(
        "--batch-size", type=count, default=64, metavar="N", help="images at a time; default 64"
    )
