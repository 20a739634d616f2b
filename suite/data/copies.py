"""What is said of the copies in a set: how many, whether a split separates them, and whose labels contradict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from suite.data.duplicates import Copies
from suite.data.store import LabelRange
from suite.printable import shortened

EXAMPLES = 3  # shown of each finding
LONGEST_NAME = 200  # characters


@dataclass(frozen=True)
class CopyGroups:
    """The groups of copies in a set.

    Attributes:
        table: A row for each image that has a copy, group by group: ``group`` (from 1), ``source``, ``split``, each
            attribute, ``kind`` ("exact" where another image has the same pixels, else "near"), ``contradicts``
            (whether labels in the group differ by more than rounding, which is half a step of the label range).
        attributes: The label range of each attribute.
        plain: The number of different images that are too plain to look alike.
    """

    table: pd.DataFrame
    attributes: Mapping[str, LabelRange]
    plain: int = 0

    @property
    def count(self) -> int:
        """The number of groups."""
        return int(self.table["group"].nunique())

    @property
    def across_splits(self) -> "CopyGroups":
        """The groups that are in two splits or more."""
        return self._those(self.table.groupby("group")["split"].transform("nunique") > 1)

    @property
    def contradictory(self) -> "CopyGroups":
        """The groups whose labels contradict each other."""
        return self._those(self.table["contradicts"])

    def _those(self, rows: "pd.Series[bool]") -> "CopyGroups":
        return CopyGroups(self.table[rows], self.attributes)


def copy_groups(copies: Copies, labels: pd.DataFrame, attributes: Mapping[str, LabelRange]) -> CopyGroups:
    """Put the copies in a set into a table.

    Args:
        copies: Of the images of a store.
        labels: Those of the store, with the row numbers as index, (images,).
        attributes: The label range of each attribute.
    """
    rows = np.flatnonzero(copies.copied)
    rows = rows[np.argsort(copies.groups[rows], kind="stable")]
    table = labels.loc[rows, ["source", "split", *attributes]].reset_index(drop=True)
    table = table.astype({"source": str, "split": str} | dict.fromkeys(attributes, np.float64))
    table.insert(0, "group", np.unique(copies.groups[rows], return_inverse=True)[1] + 1)
    table["kind"] = np.where(copies.exact[rows], "exact", "near")
    table["contradicts"] = False
    for attribute, label_range in attributes.items():
        found = table.groupby("group")[attribute]
        spread = found.transform("max") - found.transform("min")
        table["contradicts"] |= spread > label_range.step / 2 + 1e-9  # more than the subtraction rounds
    return CopyGroups(table, attributes, copies.plain)


def treatment(groups: CopyGroups) -> str:
    """Say where copies are, as sentences that follow the protocol of the splits."""
    return " ".join(filter(None, [_where(groups), _compared_less(groups.plain)]))


def _where(groups: CopyGroups) -> str:
    if not groups.count:
        return "No image has an exact copy or a look-alike."
    across = groups.across_splits.count
    counted = f"{_groups(groups.count)} of exact copies and look-alikes ({len(groups.table):,} images)"
    if across:
        return f"{counted}, of which {across:,} {'is' if across == 1 else 'are'} in two splits or more."
    return f"{counted} {'is' if groups.count == 1 else 'are each'} in one split."


def _compared_less(plain: int) -> str:
    if not plain:
        return ""
    images = "1 image is" if plain == 1 else f"{plain:,} images are"
    return f"{images} too plain for look-alikes to be found, such as one colour; only exact copies were looked for."


def facts(groups: CopyGroups) -> Sequence[str]:
    """Count the copies, those in different splits and those whose labels contradict, with examples; lines."""
    exact = int((groups.table["kind"] == "exact").sum())
    across, against = groups.across_splits, groups.contradictory
    return [
        f"copies: {_groups(groups.count)} of {len(groups.table):,} images; {exact:,} have the pixels of another, "
        f"{len(groups.table) - exact:,} only look like another",
        *([f"plain images: {_compared_less(groups.plain)}"] if groups.plain else []),
        f"copies in different splits: {_groups(across.count)}"
        + (f"; look at {examples(_apart(across), across.count)}" if across.count else ""),
        f"copies whose labels contradict: {_groups(against.count)}"
        + (f"; look at {examples(_furthest(against), against.count)}" if against.count else ""),
    ]


def contradictions(groups: CopyGroups) -> str:
    """Name copies whose labels contradict each other, as a clause; empty if there are none."""
    against = groups.contradictory
    if not against.count:
        return ""
    return (
        f"the labels in {_groups(against.count)} of copies contradict each other: "
        f"{examples(_furthest(against), against.count)}"
    )


def shown_name(source: str) -> str:
    """Name an image in a sentence, of which its name must leave the rest readable."""
    return shortened(source, LONGEST_NAME) or "(an image without a name)"


def examples(names: Sequence[str], count: int) -> str:
    """Join the first names, and say how many more of ``count`` there are."""
    more = f" and {count - EXAMPLES:,} more" if count > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more


def _groups(count: int) -> str:
    return "1 group" if count == 1 else f"{count:,} groups"


def _first(groups: CopyGroups) -> list[pd.DataFrame]:
    """The rows of each of the groups that are shown."""
    numbers = groups.table["group"].unique()[:EXAMPLES]
    return [groups.table[groups.table["group"] == number] for number in numbers]


def _apart(groups: CopyGroups) -> list[str]:
    """Two images of each group that are in different splits."""
    named = []
    for group in _first(groups):
        one = group.iloc[0]
        other = group[group["split"] != one["split"]].iloc[0]
        named.append(f"{shown_name(one['source'])} and {shown_name(other['source'])}")
    return named


def _furthest(groups: CopyGroups) -> list[str]:
    """The two images of each group whose labels are furthest apart, with these labels."""
    named = []
    for group in _first(groups):
        steps = {
            name: (group[name].max() - group[name].min()) / labels.step
            for name, labels in groups.attributes.items()
        }
        attribute = max(steps, key=lambda name: float(np.nan_to_num(steps[name])))
        ordered = group.dropna(subset=[attribute]).sort_values(attribute, kind="stable")
        pair = [ordered.iloc[0], ordered.iloc[-1]]
        named.append(
            " and ".join(f"{shown_name(one['source'])} ({attribute} {one[attribute]:g})" for one in pair)
        )
    return named
