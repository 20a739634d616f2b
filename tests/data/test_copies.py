"""What is said of copies: how many, which are separated by the split, and whose labels contradict."""

import numpy as np
import pandas as pd
import pytest

from suite.data.copies import CopyGroups, contradictions, copy_groups, facts, treatment
from suite.data.duplicates import Copies
from suite.data.store import LabelRange

RANGES = {"age": LabelRange(0, 90, 1), "attractiveness": LabelRange(1, 5, 0.1)}


def groups_of(
    groups: list[int], equal: list[int] | None = None, splits: str = "", **labels: list[float]
) -> CopyGroups:
    count = len(groups)
    table = pd.DataFrame(
        {
            "split": [{"v": "val", "t": "test"}.get(letter, "train") for letter in splits.ljust(count)],
            "source": [f"{n}.jpg" for n in range(count)],
            "age": labels.get("age", [30.0] * count),
            "attractiveness": labels.get("attractiveness", [3.0] * count),
        }
    )
    return copy_groups(Copies(np.array(groups), np.array(equal or range(count))), table, RANGES)


def test_the_table_lists_group_by_group_and_only_copies() -> None:
    found = groups_of([0, 1, 0, 3, 4, 3, 0], [0, 1, 2, 3, 4, 3, 6])
    assert found.count == 2
    assert found.table["group"].tolist() == [1, 1, 1, 2, 2]
    assert found.table["source"].tolist() == ["0.jpg", "2.jpg", "6.jpg", "3.jpg", "5.jpg"]
    assert found.table["kind"].tolist() == ["near", "near", "near", "exact", "exact"]
    assert list(found.table) == ["group", "source", "split", "age", "attractiveness", "kind", "contradicts"]


@pytest.mark.parametrize(
    ("labels", "contradicts"),
    [
        ({"age": [30, 31]}, True),
        ({"age": [30, 30.4]}, False),
        ({"age": [29.5, 30]}, False),
        ({"age": [np.nan, 30]}, False),
        ({"attractiveness": [3.1, 3.15]}, False),
        ({"attractiveness": [3.1, 3.2]}, True),
        ({"age": [30, 30.2], "attractiveness": [1, 5]}, True),
    ],
)
def test_labels_contradict_where_they_differ_by_more_than_rounding(
    labels: dict[str, list[float]], contradicts: bool
) -> None:
    found = groups_of([0, 0], **labels)
    assert found.table["contradicts"].tolist() == [contradicts] * 2
    assert bool(contradictions(found)) == contradicts


def test_contradictory_copies_are_named_with_the_labels_that_are_furthest_apart() -> None:
    found = groups_of([0, 0, 0, 3, 3], age=[31, 29, 40, 7, 7], attractiveness=[3, 3, 3.1, 1, 2])
    assert contradictions(found) == (
        "the labels in 2 groups of copies contradict each other: 1.jpg (age 29) and 2.jpg (age 40), 3.jpg "
        "(attractiveness 1) and 4.jpg (attractiveness 2)"
    )


def test_no_more_than_three_groups_are_shown() -> None:
    found = groups_of([n // 2 * 2 for n in range(10)], age=list(range(10)), splits="tv" * 5)
    assert contradictions(found).endswith("4.jpg (age 4) and 5.jpg (age 5) and 2 more")
    assert facts(found)[1] == (
        "copies in different splits: 5 groups; look at 0.jpg and 1.jpg, 2.jpg and 3.jpg, 4.jpg and 5.jpg and 2 more"
    )


@pytest.mark.parametrize(
    ("groups", "splits", "said"),
    [
        ([0, 1, 2], "  t", "No image has an exact copy or a look-alike."),
        ([0, 0, 2], "  t", "1 group of exact copies and look-alikes (2 images) is in one split."),
        ([0, 0, 2, 2], "tt", "2 groups of exact copies and look-alikes (4 images) are each in one split."),
        (
            [0, 0, 2, 2],
            "tv",
            "2 groups of exact copies and look-alikes (4 images), of which 1 is in two splits or more.",
        ),
    ],
)
def test_a_sentence_says_where_copies_are(groups: list[int], splits: str, said: str) -> None:
    assert treatment(groups_of(groups, splits=splits)) == said


def test_images_that_could_not_be_compared_are_part_of_the_sentence() -> None:
    table = pd.DataFrame({"split": "train", "source": ["a", "b"], "age": 30.0})
    found = copy_groups(Copies(np.arange(2), np.arange(2), plain=2), table, {"age": RANGES["age"]})
    assert treatment(found) == (
        "No image has an exact copy or a look-alike. 2 images are too plain for look-alikes to be found, such as one "
        "colour; only exact copies were looked for."
    )


def test_labels_that_another_program_stored_with_gaps_are_compared() -> None:
    table = pd.DataFrame(
        {"split": "train", "source": ["a", "b", "c"], "age": pd.array([30, None, 40], "Int64")}
    )
    found = copy_groups(Copies(np.zeros(3, int), np.arange(3)), table, {"age": RANGES["age"]})
    assert contradictions(found).endswith(": a (age 30) and c (age 40)")
    found = copy_groups(Copies(np.array([0, 0, 2]), np.arange(3)), table, {"age": RANGES["age"]})
    assert not contradictions(found)
