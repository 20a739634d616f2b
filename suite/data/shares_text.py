"""The shares that a random split has, in words: which they are, and why they are not the ones that were asked for."""

import numpy as np

from suite.data.splits import HELD_OUT, Indices, Splits, count_units, number_units

#: A share that is further from what was asked for is explained.
_NEAR = 0.02


def shares_text(splits: Splits, persons: Indices, copies: Indices | None) -> str:
    """Name the share of the images in each split.

    Args:
        splits: The split of each image, (images,).
        persons: The number of the person in each image, or of the image where the split is by image, (images,).
        copies: The number of the group of copies of each image, (images,); None: none are known.
    """
    shares = {split: float((splits == split).mean()) for split in ("train", "val", "test")}
    text = f"{_percent(shares['train'])} train, {_percent(shares['val'])} validation, {_percent(shares['test'])} test"
    if all(abs(shares[held_out] - HELD_OUT) <= _NEAR for held_out in ("val", "test")):
        return text
    return f"{text} instead of 80, 10 and 10 %, because {_reason(persons, copies, 3)}"


def validation_text(share: float, persons: Indices, copies: Indices | None) -> str:
    """Name the share of the training images that became validation; see ``shares_text``."""
    if abs(share - HELD_OUT) <= _NEAR:
        return f"{_percent(share)} of training"
    reason = _reason(persons, copies, 2)
    return f"{_percent(share)} of training instead of {_percent(HELD_OUT)}, because {reason}"


def fold_text(splits: Splits, persons: Indices, copies: Indices | None, folds: int) -> str:
    """Name the share of the images in the fold that is for test, as a clause; empty where folds are about equal."""
    share = float((splits == "test").mean())
    if abs(share - 1 / folds) <= _NEAR:
        return ""
    return f", with {_percent(share)} of the images, because {_reason(persons, copies, folds)}"


def copies_given_up(persons: Indices, copies: Indices | None, parts: int, whose: str = "") -> str:
    """Say, as a sentence after others, that copies are not kept together and why; empty where they are.

    Args:
        persons: As for ``shares_text``.
        copies: As for ``shares_text``.
        parts: How many splits or folds are made.
        whose: Which images are split, where those are not all.
    """
    units = parts if copies is None else count_units(persons, copies)
    if units >= parts:
        return ""
    groups = "1 group" if units == 1 else f"{units:,} groups"
    return (
        f" Copies of an image{f' {whose}' if whose else ''} are not kept together, because that would leave {groups} "
        f"of images to make {parts} parts of."
    )


def _reason(persons: Indices, copies: Indices | None, parts: int) -> str:
    """Why shares are uneven, as a clause."""
    units, _ = number_units(persons, copies, parts)
    linked = len(np.unique(units)) < len(np.unique(persons))
    recur = len(np.unique(persons)) < len(persons)
    if not linked and not recur:
        return "there are few images"
    kept = ["copies of an image"] * linked + ["the images of a person"] * recur
    return f"{' and '.join(kept)} stay together"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
