"""Which errors a model card breaks down by group."""

import numpy as np
import pandas as pd

from suite.deployment.card_accuracy import _errors_by_group

LABELS = pd.DataFrame(
    {
        "split": "val",
        "subject": ["a", "a", "b", None, ""],
        "source": [f"{number}.jpg" for number in range(5)],
        "age": [12.0, 14.0, 35.0, 71.0, 72.0],
        "age_std": 2.0,
        "attractiveness": 3.0,
        "attractiveness_std": 0.5,
        "gender": ["female", "female", "male", "male", None],
    }
)


def test_groups_are_bands_of_the_label_and_what_the_set_names() -> None:
    found = _errors_by_group(np.arange(5.0), LABELS, "age")
    assert list(found) == ["age", "gender"]
    assert [(group.group, group.images, group.mae) for group in found["gender"]] == [
        ("female", 2, 0.5),
        ("male", 2, 2.5),
    ]


def test_an_image_without_a_subject_is_a_person_of_its_own() -> None:
    found = _errors_by_group(np.arange(5.0), LABELS, "age")
    assert {group.group: group.people for group in found["gender"]} == {"female": 1, "male": 2}
