"""Protocols: train, val and test are apart, cover everything, and share nobody where people are known."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.data.dataset_reader import ImageRecord
from suite.data.protocols import ProtocolName, SplitRequest, assign
from suite.data.store import Split
from suite.errors import RequestError
from tests.support.subjects import SPLITS, in_two_splits, people, seeds


def records(
    subjects: Sequence[str],
    splits: Sequence[Split | None] | None = None,
    folds: Sequence[int | None] | None = None,
) -> list[ImageRecord]:
    return [
        ImageRecord(
            f"{n}.jpg",
            {"age": 30},
            subject=subject,
            split=splits[n] if splits else None,
            fold=folds[n] if folds else None,
        )
        for n, subject in enumerate(subjects)
    ]


@given(people(), seeds, st.sampled_from(["random", "subjects", "folds", None]))
def test_every_protocol_keeps_train_val_and_test_apart(
    subjects: list[str], seed: int, protocol: ProtocolName | None
) -> None:
    folds = 3 if protocol == "folds" else None
    request = SplitRequest(protocol, 2 if folds else None, folds, seed)
    assigned = assign(records(subjects), request, "set")
    assert len(assigned.splits) == len(subjects)
    assert set(assigned.splits.tolist()) == set(SPLITS)
    assert (assigned.splits == assign(records(subjects), request, "set").splits).all()
    assert assigned.protocol.endswith(".")
    assert "\n" not in assigned.protocol
    assert f"seed {seed}" in assigned.protocol
    if protocol != "random":
        assert not in_two_splits(subjects, assigned.splits)


@given(people(), seeds)
def test_validation_is_carved_out_of_official_training(subjects: list[str], seed: int) -> None:
    official: list[Split] = ["test" if subject in ("p0", "") else "train" for subject in subjects]
    given_splits = np.array(official, dtype=object)
    assigned = assign(records(subjects, official), SplitRequest("official", seed=seed), "set")
    assert ((assigned.splits == "test") == (given_splits == "test")).all()
    assert set(assigned.splits.tolist()) == set(SPLITS)
    assert not in_two_splits(subjects, assigned.splits)
    assert re.search(r"validation is a random [0-9]+ % of training", assigned.protocol)


def test_official_splits_are_taken_as_they_are_and_by_default() -> None:
    official: list[Split] = ["train", "train", "val", "test", "test"]
    for protocol in ("official", None):
        assigned = assign(records([""] * 5, official), SplitRequest(protocol), "set")  # type: ignore[arg-type]
        assert assigned.splits.tolist() == official
        assert assigned.protocol == "Official splits of the set."


def test_official_folds_are_taken_as_they_are() -> None:
    folds = [n % 5 + 1 for n in range(50)]
    tested = np.zeros(50, dtype=int)
    for fold in range(1, 6):
        assigned = assign(records([""] * 50, folds=folds), SplitRequest("folds", fold), "set")
        tested += assigned.splits == "test"
        assert ((assigned.splits == "test") == (np.array(folds) == fold)).all()
        assert Counter(assigned.splits.tolist()) == {"train": 36, "val": 4, "test": 10}
        assert f"Fold {fold} of 5 official folds is the test split" in assigned.protocol
    assert (tested == 1).all()


def test_the_default_is_by_person_where_people_recur_and_random_where_they_do_not() -> None:
    recur, alone, unknown = [f"p{n // 2}" for n in range(20)], [f"p{n}" for n in range(20)], [""] * 20
    said = [assign(records(subjects), SplitRequest(), "set").protocol for subjects in (recur, alone, unknown)]
    assert said[0].startswith("Random split of the people (seed 0)")
    assert said[1].endswith("each person has one image.")
    assert said[2].endswith("the set names no subjects, so one person may be in several splits.")


def test_a_random_split_of_recurring_people_says_so() -> None:
    said = assign(records([f"p{n // 2}" for n in range(20)]), SplitRequest("random"), "set").protocol
    assert "by image although the set names its subjects" in said


@pytest.mark.parametrize(
    ("request_made", "complaint"),
    [
        (SplitRequest("official"), r"set has no official split \(none\); choose --protocol random"),
        (SplitRequest("folds"), "folds of set need the one to test on; add --fold 1"),
        (SplitRequest("folds", 1), "set has no official folds for all of its images; add --folds 5"),
        (SplitRequest("folds", 6, 5), "set has 5 folds; choose --fold from 1 to 5"),
        (
            SplitRequest("folds", 1, 1),
            "1 folds of set cannot be made; choose 2 to 10, as many as it has people",
        ),
        (SplitRequest(None, 1, 11), "11 folds of set cannot be made"),
        (SplitRequest("random", 1), "--fold and --folds go with --protocol folds, not random"),
        (SplitRequest(seed=-1), "a seed of -1 cannot be used; choose 0 or more"),
    ],
)
def test_a_protocol_that_cannot_be_is_reported_in_one_sentence(
    request_made: SplitRequest, complaint: str
) -> None:
    subjects = [f"p{n // 2}" for n in range(20)]
    with pytest.raises(RequestError, match=complaint):
        assign(records(subjects), request_made, "set")


def test_a_split_by_person_needs_three_people() -> None:
    with pytest.raises(
        RequestError, match="set names 2 different subjects, and a split in three by person needs at least 3"
    ):
        assign(records(["a", "a", "b", "b"]), SplitRequest("subjects"), "set")
    with pytest.raises(RequestError, match="set does not say who is pictured; choose --protocol random"):
        assign(records([""] * 9), SplitRequest("subjects"), "set")


def test_a_part_without_a_split_is_reported() -> None:
    official: list[Split | None] = ["train", "val", "test", None]
    for protocol in ("official", None):
        with pytest.raises(RequestError, match=r"\(1 of 4 images without one\)"):
            assign(records([""] * 4, official), SplitRequest(protocol), "set")  # type: ignore[arg-type]
    none: list[Split] = ["val", "test", "val"]
    with pytest.raises(RequestError, match="official splits of set leave no train images among 3"):
        assign(records([""] * 3, none), SplitRequest("official"), "set")


@given(people(), st.integers(1, 12), seeds, st.sampled_from(["random", "subjects"]))
def test_the_protocol_names_the_shares_that_the_splits_have(
    subjects: list[str], groups: int, seed: int, protocol: ProtocolName
) -> None:
    copies = np.random.default_rng(seed).integers(0, groups, len(subjects))
    assigned = assign(records(subjects), SplitRequest(protocol, seed=seed), "set", copies)
    said = re.search(r"([0-9]+) % train, ([0-9]+) % validation, ([0-9]+) % test", assigned.protocol)
    assert said
    counts = Counter(assigned.splits.tolist())
    for share, split in zip(said.groups(), ("train", "val", "test"), strict=True):
        assert abs(100 * counts[split] / len(subjects) - int(share)) <= 0.5001
    far = any(abs(counts[split] / len(subjects) - 0.1) > 0.02 for split in ("val", "test"))
    assert ("instead of 80, 10 and 10 %, because" in assigned.protocol) == far
    kept = not in_two_splits(copies.astype(str).tolist(), assigned.splits)
    assert kept or "are not kept together, because" in assigned.protocol


def test_a_set_of_three_pictures_says_which_shares_its_copies_leave() -> None:
    said = assign(records([""] * 300), SplitRequest(), "set", np.arange(300) % 3).protocol
    assert (
        "33 % train, 33 % validation, 33 % test instead of 80, 10 and 10 %, because copies of an image stay together;"
        in said
    )
    fold = assign(records([""] * 300), SplitRequest(None, 1, 2), "set", np.arange(300) % 3).protocol
    assert "is the test split, with 67 % of the images, because copies of an image stay together;" in fold
    assert fold.endswith(
        " Copies of an image of training are not kept together, because that would leave 1 group of images to make "
        "2 parts of."
    )


def test_a_set_of_one_picture_says_that_its_copies_are_in_several_splits() -> None:
    said = assign(records([""] * 20), SplitRequest(), "set", np.zeros(20, dtype=int)).protocol
    assert "80 % train, 10 % validation, 10 % test;" in said
    assert said.endswith(
        " Copies of an image are not kept together, because that would leave 1 group of images to make 3 parts of."
    )


def test_a_person_with_most_images_is_why_shares_are_uneven() -> None:
    subjects = ["p0"] * 60 + ["p1"] * 20 + ["p2"] * 20
    said = assign(records(subjects), SplitRequest("subjects"), "set").protocol
    assert "of the images 60 % train, 20 % validation, 20 % test instead of" in said
    assert "because the images of a person stay together; nobody is in two splits." in said
    few = assign(records([""] * 4), SplitRequest("random"), "set").protocol
    assert (
        "50 % train, 25 % validation, 25 % test instead of 80, 10 and 10 %, because there are few images;"
        in few
    )
