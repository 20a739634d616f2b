"""Checks of packed data: complete, labelled within range, and no face in two splits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from suite.data.copies import EXAMPLES, copy_groups, examples, facts, shown_name
from suite.data.dataset import resized, resized_files
from suite.data.duplicates import Copies, OnCopyProgress, find_copies, tell_nobody
from suite.data.store import LabelRange, Store, fingerprint
from suite.errors import RequestError
from suite.files.arrays import read_array
from suite.files.reading import FileContentError

SPLITS = ("train", "val", "test")
BINS = 10  # of a histogram of labels
#: Grey levels between two resizings of an image: builds of torch round differently.
MOST_DIFFERENCE = 2


@dataclass(frozen=True)
class Check:
    """The findings of a check."""

    facts: Sequence[str]  # lines
    problems: Sequence[str]  # sentences; empty if the data can be trusted
    copies: pd.DataFrame | None = None  # the table of ``CopyGroups``; None if the store could not be read


def check_store(store: Store, told: OnCopyProgress = tell_nobody) -> Check:
    """Read a whole store and look for problems that would invalidate results measured on it.

    Args:
        store: The store.
        told: Called while copies are looked for.
    """
    try:
        images, labels = store.images, store.labels
    except RequestError as error:
        return Check([], [f"{error}."])
    problems = []
    if fingerprint(images, labels) != store.info.fingerprint:
        problems.append("The fingerprint of images and labels is another than that in store.json.")
    if unknown := sorted(set(labels["split"].astype(str)) - set(SPLITS)):
        first = examples([repr(name[:40]) for name in unknown[:EXAMPLES]], len(unknown))
        return Check([], [*problems, f"There are splits of other names than train, val and test: {first}."])
    found = [_sizes(labels), f"protocol: {store.info.protocol}"]
    for attribute, label_range in store.info.attributes.items():
        problems += _label_problems(labels, attribute, label_range)
        found += _histogram(labels, attribute, label_range)
    problems += [f"There is no {split} image." for split in SPLITS if not (labels["split"] == split).any()]
    problems += _shared_subjects(labels)
    problems += _damaged_resized(store)
    copies = find_copies(images, told)
    problems += _exact_copies_across(copies, labels)
    groups = copy_groups(copies, labels, store.info.attributes)
    return Check([*found, *facts(groups)], problems, groups.table)


def _sizes(labels: pd.DataFrame) -> str:
    counts = ", ".join(f"{int((labels['split'] == split).sum()):,} {split}" for split in SPLITS)
    people = labels["subject"].astype(str)
    known = people[people != ""].nunique()
    return f"images: {counts}; " + (f"{known:,} people" if known else "people are not named")


def _label_problems(labels: pd.DataFrame, attribute: str, label_range: LabelRange) -> Iterator[str]:
    values = labels[attribute].to_numpy(np.float64)
    outside = int((~((values >= label_range.low) & (values <= label_range.high))).sum())
    if outside:
        yield (
            f"{outside:,} labels of {attribute} are missing or outside of {label_range.low:g} to "
            f"{label_range.high:g}."
        )
    negative = int((labels[f"{attribute}_std"].to_numpy(np.float64) < 0).sum())
    if negative:
        yield f"{negative:,} deviations of {attribute} are below 0."


def _histogram(labels: pd.DataFrame, attribute: str, label_range: LabelRange) -> Iterator[str]:
    edges = np.linspace(label_range.low, label_range.high, BINS + 1)
    counts = [
        np.histogram(labels.loc[labels["split"] == split, attribute].dropna().to_numpy(np.float64), edges)[0]
        for split in SPLITS
    ]
    yield f"{attribute:>16s} " + "".join(f"{split:>9s}" for split in SPLITS)
    for n in range(BINS):
        between = f"{edges[n]:.4g} to {edges[n + 1]:.4g}"
        yield f"{between:>16s} " + "".join(f"{int(count[n]):9,}" for count in counts)


def _damaged_resized(store: Store) -> Iterator[str]:
    """Compare the images that the cache keeps at other resolutions with those that they were made of."""
    for resolution, file in resized_files(store).items():
        try:
            kept = read_array(file, (store.info.images, resolution, resolution, 3))
        except (FileNotFoundError, FileContentError):
            continue  # it will be made anew
        for start in range(0, len(kept), 256):
            made = resized(store.images[start : start + 256], resolution).astype(np.int16)
            if np.abs(made - kept[start : start + 256]).max() > MOST_DIFFERENCE:
                yield f"The images at {resolution} pixels in the cache are not made of these; delete {file}."
                break


def _shared_subjects(labels: pd.DataFrame) -> Iterator[str]:
    named = labels[labels["subject"].astype(str) != ""]
    parts = named.groupby("subject")["split"].nunique()
    shared = sorted(parts[parts > 1].index)
    if shared:
        names = examples([shown_name(one) for one in shared[:EXAMPLES]], len(shared))
        yield f"{len(shared):,} people are in two splits or more: {names}."


def _exact_copies_across(copies: Copies, labels: pd.DataFrame) -> Iterator[str]:
    splits = labels["split"].astype(str).to_numpy()
    across = np.flatnonzero(splits != splits[copies.equal])
    if len(across):
        first = across[:EXAMPLES]
        sources = labels["source"].astype(str).to_numpy()
        pairs = zip(sources[copies.equal[first]], sources[first], strict=True)
        have = "1 image has" if len(across) == 1 else f"{len(across):,} images have"
        named = examples([f"{shown_name(one)} and {shown_name(other)}" for one, other in pairs], len(across))
        yield f"{have} an exact copy in another split: {named}."
