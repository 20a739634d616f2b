"""What is typed behind an option, as a value: numbers in their range, and places of run folders."""

import argparse
import math
import re
from pathlib import Path


def count(text: str) -> int:
    """A whole number from 1 up."""
    return _whole(text, 1)


def count_or_none(text: str) -> int:
    """A whole number from 0 up."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} up")
    return value


def share(text: str) -> float:
    """A number from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return value


def gpus(text: str) -> float:
    """A share of one GPU, or whole GPUs: Ray gives nothing between."""
    value = share(text)
    if value > 1 and not value.is_integer():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a share of one GPU nor a whole number of them")
    return value


def seconds(text: str) -> float:
    """A number above 0."""
    if (value := share(text)) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


def run_place(text: str) -> Path | str:
    """Where a run folder lies: a path of this machine, or an ``s3://`` URL, which stays text."""
    if text.startswith("s3://"):
        return text
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a path nor an s3:// URL")
    return path(text)


def path(text: str) -> Path:
    """A path that is not empty, which would be the folder one is in."""
    if not text:
        raise argparse.ArgumentTypeError("a path is empty")
    return Path(text)
