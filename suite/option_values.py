"""What is typed behind an option, as a value: numbers in their range, and places of run folders."""

import argparse
import math
from pathlib import Path


def count(text: str) -> int:
    """A whole number from 1 up."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return value


def count_or_none(text: str) -> int:
    """A whole number from 0 up."""
    return 0 if text.strip() == "0" else count(text)


def share(text: str) -> float:
    """A number from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return value


def seconds(text: str) -> float:
    """A number above 0."""
    if (value := share(text)) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


def run_place(text: str) -> Path | str:
    """Where a run folder lies: a path of this machine, or an ``s3://`` URL, which stays text."""
    return text if text.startswith("s3://") else path(text)


def path(text: str) -> Path:
    """A path that is not empty, which would be the folder one is in."""
    if not text:
        raise argparse.ArgumentTypeError("a path is empty")
    return Path(text)
