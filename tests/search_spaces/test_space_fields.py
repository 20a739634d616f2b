"""The fields of a space are those of a trial, though neither room imports the other."""

import dataclasses
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from search_spaces import PRESETS, Base, FloatRange, IntRange
from search_spaces.space import OUTPUT_LAYERS
from suite import networks
from suite.methods import METHODS
from suite.trial import TrialConfig

LABEL_RANGE = {"label_low", "label_high", "label_step"}
TRIAL_FIELDS = {field.name: field for field in dataclasses.fields(TrialConfig)}
#: The seed is of the whole search, and fingerprints are found out rather than asked for.
NOT_OF_A_SPACE = {"seed", "backbone_sha256", "pruned_from_sha256", "teacher_sha256"}


def literals(annotation: Any) -> set[str]:
    """The words that an annotation allows, alone or as a part of a union."""
    inner = [literals(part) for part in get_args(annotation) if not isinstance(part, str)]
    return {value for value in get_args(annotation) if isinstance(value, str)}.union(*inner)


def test_base_has_the_fields_of_a_trial_that_are_for_a_space_to_set() -> None:
    assert set(Base.model_fields) == set(TRIAL_FIELDS) - NOT_OF_A_SPACE


@pytest.mark.parametrize("name", sorted(set(TRIAL_FIELDS) - NOT_OF_A_SPACE))
def test_a_field_allows_the_same_words_as_a_trial(name: str) -> None:
    assert literals(Base.model_fields[name].annotation) == literals(get_type_hints(TrialConfig)[name])


@pytest.mark.parametrize("name", sorted(set(TRIAL_FIELDS) - NOT_OF_A_SPACE - LABEL_RANGE))
def test_a_field_has_the_default_of_a_trial(name: str) -> None:
    assert getattr(Base(), name) == TRIAL_FIELDS[name].default


def test_a_label_range_is_the_datas_own_unless_it_is_given() -> None:
    assert all(getattr(Base(), name) is None for name in LABEL_RANGE)


def test_presets_are_those_of_the_networks() -> None:
    assert {
        name: networks.Architecture(preset["widths"], preset["depths"]) for name, preset in PRESETS.items()
    } == dict(networks.PRESETS)


def test_methods_that_may_follow_each_other_are_those_with_one_output_layer() -> None:
    assert set(OUTPUT_LAYERS) == set(METHODS)
    for one in METHODS:
        for other in METHODS:
            same = METHODS[one].head is METHODS[other].head
            assert (OUTPUT_LAYERS[one] == OUTPUT_LAYERS[other]) == same


@given(st.integers(-50, 50), st.integers(0, 20), st.integers(1, 9), st.integers(-200, 300))
def test_a_range_of_whole_numbers_holds_what_python_counts(
    low: int, steps: int, step: int, value: int
) -> None:
    dimension = IntRange(low=low, high=low + steps * step, step=step)
    assert (value in dimension) == (value in range(low, low + steps * step + 1, step))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_range_of_numbers_holds_its_ends_or_is_refused(low: float, high: float) -> None:
    if low > high:
        with pytest.raises(ValidationError):
            FloatRange(low=low, high=high)
    else:
        dimension = FloatRange(low=low, high=high)
        assert low in dimension
        assert high in dimension
        assert high + 1 + abs(high) not in dimension
