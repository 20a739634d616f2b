import numpy as np
import pandas as pd
import pytest

from suite.statistics.clustered import errors_by_group, mean_with_interval, people_of


def table(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": "val",
            "subject": [f"p{place // 4}" for place in range(count)],
            "source": "",
            "age": np.arange(count) % 30,
            "age_std": 1.0,
            "attractiveness": 3.0,
            "attractiveness_std": np.nan,
            "gender": ["female", "male", ""] * (count // 3),
        }
    )


def test_groups_are_bands_of_the_label_and_what_the_set_names() -> None:
    labels = table(60)
    errors = np.where(labels["gender"] == "male", 2.0, 1.0)
    found = errors_by_group(errors, labels, "age")
    assert list(found) == ["age", "gender"]
    assert [(row.group, row.images) for row in found["age"]] == [
        ("0 to 10", 20),
        ("10 to 20", 20),
        ("20 to 30", 20),
    ]
    assert [(row.group, row.images, row.mae) for row in found["gender"]] == [
        ("female", 20, 1.0),
        ("male", 20, 2.0),
    ]


def test_the_interval_over_people_is_wider_than_over_images_where_a_persons_errors_are_alike() -> None:
    errors = np.repeat(np.random.default_rng(0).exponential(5, 50), 4)
    people = np.repeat(np.arange(50), 4)
    by_person = mean_with_interval("all", errors, people)
    by_image = mean_with_interval("all", errors, np.arange(200))
    assert by_person.mae == by_image.mae == pytest.approx(errors.mean())
    assert by_person.high - by_person.low > 1.5 * (by_image.high - by_image.low)
    # The interval of a mean of independent people, by its standard error.
    error = errors.std() / np.sqrt(50)
    assert by_person.high - by_person.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_an_image_without_a_name_is_of_a_person_of_its_own() -> None:
    labels = pd.DataFrame({"subject": ["a", "", "a", None]})
    assert people_of(labels).nunique() == 3
