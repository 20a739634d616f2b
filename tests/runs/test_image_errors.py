"""The errors of trainings on the same images, read from a run's predictions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suite.runs.image_errors import read_by_seed, read_image_errors
from suite.runs.tables import write_prediction_rows
from suite.statistics.crossed import mean_difference, mean_error

PEOPLE = np.array([f"p{image // 3}" for image in range(30)])
RNG = np.random.default_rng(0)
OFF = {name: RNG.normal(1.0, 2.0, 30) for name in ("a-s1", "a-s2", "b-s1", "b-s2")}


def write(folder: Path, name: str, off: np.ndarray, split: str = "val", images: int = 30) -> None:
    """Predictions of images in no order: each label is ten times the image's number."""
    order = np.random.default_rng(1).permutation(images)
    table = pd.DataFrame(
        {
            "split": split,
            "image": order,
            "label": 10.0 * order,
            "estimate": 10.0 * order + off[order],
            "person": PEOPLE[order],
        }
    )
    write_prediction_rows(folder, name, table)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, off in OFF.items():
        write(tmp_path, name, off)
    return tmp_path


def test_errors_are_in_the_order_of_the_images_and_the_trainings(folder: Path) -> None:
    found = read_image_errors(folder, ["a-s2", "a-s1"], "val")
    assert found is not None
    assert found.trainings == ("a-s2", "a-s1")
    np.testing.assert_allclose(found.errors, np.abs(np.stack([OFF["a-s2"], OFF["a-s1"]])), atol=1e-4)
    assert found.people.tolist() == PEOPLE.tolist()
    assert found.mean().low == pytest.approx(mean_error(found.errors, PEOPLE).low)


def test_by_seed_they_are_in_the_order_of_the_seeds(folder: Path) -> None:
    found = read_by_seed(folder, {7: "a-s2", 3: "a-s1"}, "val")
    assert found is not None
    assert found.trainings == ("a-s1", "a-s2")


def test_a_difference_is_image_by_image_and_seed_by_seed(folder: Path) -> None:
    first, second = (read_image_errors(folder, [f"{name}-s1", f"{name}-s2"], "val") for name in "ab")
    assert first is not None
    assert second is not None
    found = second.difference_to(first, confidence=0.9)
    expected = mean_difference(second.errors - first.errors, PEOPLE, confidence=0.9)
    assert found is not None
    assert (found.mean, found.low, found.high) == (expected.mean, expected.low, expected.high)
    assert second.rows([1]).difference_to(first) is None, "as many trainings on both sides"


def test_without_predictions_of_every_training_there_are_none(folder: Path) -> None:
    assert read_image_errors(folder, ["a-s1", "c-s1"], "val") is None
    assert read_image_errors(folder, ["a-s1"], "test") is None
    assert read_image_errors(folder, [], "val") is None


def test_trainings_on_other_images_are_not_compared(folder: Path) -> None:
    write(folder, "c-s1", OFF["a-s1"], images=29)
    assert read_image_errors(folder, ["a-s1", "c-s1"], "val") is None
    first, other = (read_image_errors(folder, [name], "val") for name in ("a-s1", "c-s1"))
    assert first is not None
    assert other is not None
    assert first.difference_to(other) is None
