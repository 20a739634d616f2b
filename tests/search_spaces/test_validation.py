"""Pydantic's errors come out in our words, whatever is wrong."""

from collections.abc import Mapping
from typing import Any

import pytest

from search_spaces.checking import check
from search_spaces.trial_fields import FIELDS
from search_spaces.validation import REQUIREMENTS

SETTINGS: Mapping[str, Any] = {
    "name": "small",
    "data": "faces",
    "objectives": ("val_mae",),
    "trials": 4,
    "base": {"epochs": 12},
    "vary": {"learning_rate": {"choices": (1e-3, 1e-2)}},
    "stopping": {},
    "bounds": {},
    "latency": {},
}
#: One of each type that YAML has, and some at the ends of ranges.
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**13,
    -0.5,
    2.5,
    1e12,
    float("nan"),
    "",
    "x",
    "x" * 99,
    (),
    (0,),
    {},
)
PATHS = [
    *((key,) for key in SETTINGS),
    *((key,) for key in ("description", "sampler", "seed", "seeds", "first", "unknown")),
    *((key,) for key in ("confirm_seeds", "confirm_epochs", "confirm_neighbours")),
    *(("base", field) for field in (*FIELDS, "unknown")),
    *(
        ("stopping", key)
        for key in ("rule", "grace_epochs", "reduction_factor", "chance", "rungs", "unknown")
    ),
    *(("bounds", key) for key in ("params", "macs", "bytes", "unknown")),
    *(("latency", key) for key in ("resolution", "batch_size", "rounds", "unknown")),
]


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_no_fault_is_told_in_pydantics_words(path: tuple[str, ...]) -> None:
    for value in WRONG:
        document: dict[str, Any] = dict(SETTINGS)
        document[path[0]] = value if len(path) == 1 else {**SETTINGS[path[0]], path[1]: value}
        checked = check(document)
        for problem in checked if isinstance(checked, list) else []:
            assert "it is not allowed (" not in problem.sentence
            assert not any(word in problem.sentence for word in ("Input", "should", "valid"))


def test_every_requirement_says_what_a_value_must_be() -> None:
    assert all(sentence.startswith("it must ") for sentence in REQUIREMENTS.values())


def test_a_limit_is_written_without_a_needless_fraction() -> None:
    checked = check({**SETTINGS, "base": {"temperature": 0.0}})
    assert isinstance(checked, list)
    assert [problem.sentence for problem in checked] == ["base.temperature is 0.0; it must be above 0"]
