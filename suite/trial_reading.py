"""A ``TrialConfig`` from outside: a header, a JSON file, a checkpoint or the row of a table that anybody may have made.

Every reader of such a file goes through ``read_config``, so that a word, a number or a type that no training can have
had is one sentence, before anything is built from it.
"""

import dataclasses
import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from suite.errors import RequestError
from suite.files.reading import LARGEST_INTEGER, FileContentError, parse_json, typed
from suite.trial import MOST_BINS, TrialConfig, count_bins

#: The largest of any other number: a search may try a learning rate of 1e30.
LARGEST_NUMBER = sys.float_info.max
#: The lowest and highest value of a number, or of each entry of a tuple, in every file and table
#: (``suite.runs.columns``). They are wider than those of any search space (``search_spaces.trial_fields``), and keep
#: what is built from a forged file small.
RANGES: Mapping[str, tuple[float, float]] = {
    "widths": (1, 65_536),
    "depths": (1, 100),
    "pruned_widths": (1, 65_536),
    "keep": (0, 1),
    "label_deviation": (0, LARGEST_NUMBER),
    "lambda_l1": (0, LARGEST_NUMBER),
    "lambda_mean": (0, LARGEST_NUMBER),
    "lambda_variance": (0, LARGEST_NUMBER),
    "warmup_epochs": (0, 10**9),
    "temperature": (math.ulp(0.0), LARGEST_NUMBER),
    "learning_rate": (0, LARGEST_NUMBER),
    "weight_decay": (0, LARGEST_NUMBER),
    "epochs": (0, 10**9),
    "batch_size": (1, 10**9),
    "resolution": (1, 4096),
    "train_images": (1, LARGEST_INTEGER),
    "shift_pixels": (0, 4096),
    "seed": (-(2**40), 2**40),  # times 100,003 it is still a seed of PyTorch
}
#: Entries of a tuple. No network has more.
MOST_ENTRIES = 100
#: Ten times the longest that the suite writes.
LARGEST_CONFIG = 100_000  # characters
FIELDS = frozenset(field.name for field in dataclasses.fields(TrialConfig))


def parse_config(text: str) -> TrialConfig:
    """Parse the JSON text of ``TrialConfig.to_json``; see ``read_config``.

    Raises:
        FileContentError: It is not JSON, or describes no trial.
    """
    if len(text) > LARGEST_CONFIG:
        raise FileContentError(
            f"its description has {len(text):,} characters, over the limit of {LARGEST_CONFIG:,}"
        )
    return read_config(parse_json(text))


def read_config(fields: Any, *, trained: bool = True) -> TrialConfig:
    """Make a configuration from what should be the output of ``TrialConfig.to_json``.

    A field that is missing has its default: it was added after the file was written.

    Args:
        fields: The output, after JSON.
        trained: A network was trained by it. A trial that failed may have labels that make no bins.

    Raises:
        FileContentError: It is not a mapping, a field is unknown, or a value has another type or is out of range. The
            message names the field.
    """
    if not isinstance(fields, Mapping):
        raise FileContentError("it is not a JSON object")
    if unknown := sorted(str(name) for name in fields if name not in FIELDS):
        raise FileContentError(f"unknown fields of a trial: {', '.join(unknown)[:100]}")
    for name, value in fields.items():
        if isinstance(value, list | tuple) and len(value) > MOST_ENTRIES:
            raise FileContentError(
                f"field {name!r} has {len(value):,} entries, over the limit of {MOST_ENTRIES}"
            )
    config = typed(dict(fields), TrialConfig)
    for name in FIELDS:
        _check_range(name, getattr(config, name))
    if trained and count_bins(config.label_low, config.label_high, config.label_step) is None:
        raise FileContentError(
            f"the labels from {config.label_low:g} to {config.label_high:g} in steps of {config.label_step:g} "
            f"are no whole number of bins from 2 to {MOST_BINS:,}"
        )
    return config


def check_requested(config: TrialConfig) -> None:
    """Check the ranges of a configuration that was put together from options, or in Python.

    Raises:
        RequestError: A value is out of range. The message names the field.
    """
    try:
        for name in FIELDS:
            _check_range(name, getattr(config, name))
    except FileContentError as error:
        raise RequestError(f"no network can be trained so: {error}") from None


def _check_range(name: str, value: object) -> None:
    low, high = RANGES.get(name, (-LARGEST_NUMBER, LARGEST_NUMBER))
    entries: Iterable[object] = value if isinstance(value, tuple) else (value,)
    for entry in entries:
        if isinstance(entry, int | float) and not low <= entry <= high:  # nor is NaN
            raise FileContentError(f"field {name!r} is {str(entry)[:20]}; it must be {_in_words(low, high)}")


def _in_words(low: float, high: float) -> str:
    if high < LARGEST_NUMBER:
        return f"from {low:g} to {high:g}"
    if low == -LARGEST_NUMBER:
        return "a finite number"
    return "above 0" if low == math.ulp(0.0) else f"at least {low:g}"
