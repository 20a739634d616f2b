"""The types of option values: numbers within their range, paths, and locations of run folders."""

import argparse
import math
import re
from pathlib import Path

LONGEST_PAUSE = 86_400  # seconds


def positive_int(text: str) -> int:
    """A whole number of at least 1."""
    return _int_from(1, text)


def non_negative_int(text: str) -> int:
    """A whole number of at least 0."""
    return _int_from(0, text)


def _int_from(least: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value


def non_negative_float(text: str) -> float:
    """A finite number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return value


def positive_float(text: str) -> float:
    """A finite number above 0."""
    if (value := non_negative_float(text)) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def pause(text: str) -> float:
    """Seconds to wait: above 0, and at most a day."""
    if (value := positive_float(text)) > LONGEST_PAUSE:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than a day, {LONGEST_PAUSE:,} seconds")
    return value


def gpus(text: str) -> float:
    """A share of one GPU, or a whole number of GPUs: Ray allocates nothing in between."""
    value = non_negative_float(text)
    if value > 1 and not value.is_integer():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a share of one GPU nor a whole number of them")
    return value


def run_location(text: str) -> Path | str:
    """The location of a run folder: a path on this machine, or an ``s3://`` URL, which stays a string."""
    if text.startswith("s3://"):
        return text
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a path nor an s3:// URL")
    return path(text)


def path(text: str) -> Path:
    """A path. The empty string is refused: ``Path("")`` would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    if "\0" in text:
        raise argparse.ArgumentTypeError("the path has a null byte")
    return Path(text)
