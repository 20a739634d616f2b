"""Intervals over seeds and people, and over seeds alone where a run keeps no predictions."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.model.confirmation import Confirmed, Training
from reports.model.difference_text import difference_sentence
from reports.model.interval_text import basis
from reports.model.over_people import SeedErrors, difference_of, interval_of
from suite.runs.image_errors import read_by_seed
from suite.runs.tables import write_prediction_rows
from suite.statistics.paired import Interval, mean_interval, paired_difference

IMAGES = 60
#: Images differ much, trainings little: what another seed changes is a small part of what other people do.
HARDNESS = np.random.default_rng(0).exponential(6.0, IMAGES)


def errors(name: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng([ord(name), seed])
    return np.abs(HARDNESS + rng.normal(1.0 if name == "b" else 0.0, 0.3, IMAGES))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three trainings of two networks, each image of a person of its own."""
    for name in "ab":
        for seed in range(3):
            table = pd.DataFrame(
                {
                    "split": "val",
                    "image": range(IMAGES),
                    "label": 0.0,
                    "estimate": errors(name, seed),
                    "person": [f"p{image}" for image in range(IMAGES)],
                }
            )
            write_prediction_rows(tmp_path, f"{name}-s{seed}", table)
    return tmp_path


def seed_errors(name: str, folder: Path, seeds: int = 3) -> SeedErrors:
    means = {seed: float(errors(name, seed).mean()) for seed in range(seeds)}
    return SeedErrors(name, means, read_by_seed(folder, {s: f"{name}-s{s}" for s in means}, "val"))


def test_an_interval_over_people_is_as_wide_as_the_people_differ(folder: Path) -> None:
    one = seed_errors("a", folder)
    found, over_seeds = interval_of(one), mean_interval(list(one.errors.values()))
    assert (found.mean, found.values, found.people) == (over_seeds.mean, 3, IMAGES)
    assert found.high - found.low > 3 * (over_seeds.high - over_seeds.low)
    assert found.low < found.mean < found.high


def test_a_difference_is_taken_image_by_image_so_that_hard_images_cancel(folder: Path) -> None:
    first, second = seed_errors("a", folder), seed_errors("b", folder)
    found = difference_of(first, second, comparisons=3)
    assert found.interval.people == IMAGES
    assert found.interval.mean == pytest.approx(1.0, abs=0.1)
    assert found.interval.high - found.interval.low < 0.5
    assert found.interval.confidence == pytest.approx(1 - 0.05 / 3)
    assert f"3 paired seeds and {IMAGES} people" in difference_sentence(found, "MAE", "years")


def test_without_predictions_the_intervals_are_over_seeds(folder: Path) -> None:
    first, second = (SeedErrors(name, seed_errors(name, folder).errors, None) for name in "ab")
    assert interval_of(first) == mean_interval(list(first.errors.values()))
    expected = paired_difference(("a", first.errors), ("b", second.errors), comparisons=2)
    assert difference_of(first, second, comparisons=2) == expected
    assert difference_of(first, seed_errors("b", folder)).interval.people == 0


def test_one_seed_has_no_interval_even_if_its_people_have(folder: Path) -> None:
    assert math.isinf(interval_of(seed_errors("a", folder, seeds=1)).high)
    alone = difference_of(seed_errors("a", folder, seeds=1), seed_errors("b", folder))
    assert math.isinf(alone.interval.high)
    assert alone.unpaired == 2


def test_the_pairs_of_a_difference_are_the_seeds_that_both_have(folder: Path) -> None:
    found = difference_of(seed_errors("a", folder, seeds=2), seed_errors("b", folder))
    whole = difference_of(seed_errors("a", folder, seeds=2), seed_errors("b", folder, seeds=2))
    assert (found.interval, found.unpaired) == (whole.interval, 1)


def test_a_confirmed_member_has_intervals_of_its_own_predictions(folder: Path) -> None:
    trainings = tuple(
        Training(f"a-s{seed}", seed, "finished", "", 6, float(errors("a", seed).mean()), math.nan)
        for seed in range(3)
    )
    member = Confirmed("a", trainings, folder)
    assert member.interval == interval_of(seed_errors("a", folder))
    assert member.test_interval is None
    elsewhere = Confirmed("a", trainings)
    assert elsewhere.interval == mean_interval(list(member.errors.values()))


def test_a_sentence_says_what_intervals_are_over() -> None:
    seeds = Interval(1, 0, 2, 3, 0.95)
    people = Interval(1, 0, 2, 3, 0.95, people=9)
    none = mean_interval([1.0])
    assert basis([seeds, none, None]) == "other seeds on the same images, not other images"
    assert basis([people, none]) == "other seeds and other people like those of the split"
    assert basis([people, seeds]).startswith("other seeds, and, where")
