"""The fields of a space are those of a trial, with limits on their values."""

import dataclasses
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from search_spaces import FIELDS, PRESETS, Base, FloatRange, IntRange
from search_spaces.trial_fields import (
    LENGTHS,
    LIMITS,
    OUTPUT_LAYERS,
    STAGED,
    choice_adapter,
    field_adapter,
    range_kind,
    stage_adapter,
)
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
    assert set(FIELDS) == set(TRIAL_FIELDS) - NOT_OF_A_SPACE


@pytest.mark.parametrize("name", sorted(set(TRIAL_FIELDS) - NOT_OF_A_SPACE))
def test_a_field_allows_the_same_words_as_a_trial(name: str) -> None:
    words = literals(get_type_hints(TrialConfig)[name])
    for word in words:
        assert field_adapter(name).validate_python(word) == word
    if words:
        with pytest.raises(ValidationError):
            field_adapter(name).validate_python("no such word")


@pytest.mark.parametrize("name", sorted(set(TRIAL_FIELDS) - NOT_OF_A_SPACE))
def test_a_field_allows_its_default_and_no_mapping(name: str) -> None:
    assert field_adapter(name).validate_python(getattr(Base(), name)) == getattr(Base(), name)
    with pytest.raises(ValidationError):
        field_adapter(name).validate_python({})


def test_limits_are_those_of_fields() -> None:
    assert set(LIMITS) | set(LENGTHS) | set(STAGED) <= set(FIELDS)
    assert {name for name in FIELDS if isinstance(getattr(Base(), name), tuple)} <= set(LENGTHS)


def test_a_preset_is_a_choice_of_network_and_no_network() -> None:
    assert choice_adapter("network").validate_python("tiny") == "tiny"
    with pytest.raises(ValidationError):
        field_adapter("network").validate_python("tiny")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("epochs", "int"),
        ("train_images", "int"),
        ("widths", "int"),
        ("keep", "float"),
        ("learning_rate", "float"),
        ("label_low", "float"),
        ("flip", "none"),
        ("method", "none"),
        ("backbone", "none"),
    ],
)
def test_a_field_of_numbers_may_vary_in_a_range(name: str, kind: str) -> None:
    assert range_kind(name) == kind


def test_one_stage_has_the_limits_of_its_field() -> None:
    assert stage_adapter("widths").validate_python(4096) == 4096
    for wrong in (0, 4097, 1.5, True):
        with pytest.raises(ValidationError):
            stage_adapter("widths").validate_python(wrong)


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
