"""How long, and of which trials, a search space says that the front is confirmed."""

import json
from typing import Any

import pytest

from search_spaces import SearchSpaceError, load_dict

SPACE: dict[str, Any] = {
    "name": "small",
    "data": "faces",
    "objectives": ["val_mae", "params"],
    "trials": 4,
    "base": {"epochs": 6},
    "vary": {"learning_rate": {"low": 1e-3, "high": 1e-2}},
}


def test_four_times_the_epochs_of_the_search_and_four_neighbours_are_the_default() -> None:
    space = load_dict(SPACE)
    assert (space.confirm_epochs, space.confirm_neighbours) == ("4x", 4)


@pytest.mark.parametrize("length", [6, 24, "1x", "999x"])
def test_the_length_is_epochs_or_a_factor_and_survives_json(length: int | str) -> None:
    space = load_dict({**SPACE, "confirm_epochs": length})
    assert space.confirm_epochs == length
    assert load_dict(json.loads(json.dumps(space.to_dict()))) == space


@pytest.mark.parametrize("length", ["0x", "4", "x", "4.5x", "4X", "1000x", "٤x", 0, True, 4.0, None, 100_001])
def test_anything_else_is_refused_in_our_words(length: Any) -> None:
    with pytest.raises(
        SearchSpaceError, match="it must be a number of epochs such as 24, or a factor such as 4x"
    ):
        load_dict({**SPACE, "confirm_epochs": length})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"confirm_epochs": 5}, "confirm_epochs is 5 and epochs is 6; what confirms a trial trains at least"),
        (
            {"base": {}, "vary": {"epochs": {"low": 4, "high": 9}}, "confirm_epochs": 8},
            "confirm_epochs is 8 and epochs is 9",
        ),
        (
            {"base": {}, "vary": {"epochs": {"choices": [4, 12]}}, "confirm_epochs": 8},
            "confirm_epochs is 8 and epochs is 12",
        ),
        ({"base": {"epochs": 50_000}}, "confirm_epochs is 4x and epochs is 50,000, which makes 200,000"),
    ],
)
def test_what_confirms_is_no_shorter_than_the_search_and_no_longer_than_a_training_may_be(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SearchSpaceError, match=sentence):
        load_dict({**SPACE, **changes})
    without = load_dict({**SPACE, **changes, "confirm_seeds": 1})
    assert list(without.confirming_seeds) == []
