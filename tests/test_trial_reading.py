"""A configuration from outside: what no training can have had is one sentence that names the field."""

import dataclasses
import json
import math
from typing import Any

import pytest

from search_spaces.trial_fields import LIMITS
from suite.files.reading import FileContentError
from suite.trial import MOST_BINS, TrialConfig, count_bins
from suite.trial_reading import LARGEST_NUMBER, RANGES, parse_config, read_config


def test_a_configuration_survives_json() -> None:
    config = TrialConfig(widths=(1, 2, 3, 4, 5), label_deviation=2.5, train_images=10, flip=False)
    assert read_config(config.to_json()) == config
    assert parse_config(json.dumps(config.to_json())) == config


def test_a_field_that_is_missing_has_its_default() -> None:
    assert read_config({"epochs": 3}) == TrialConfig(epochs=3)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ([], "not a JSON object"),
        ({"colour": 1}, "unknown fields of a trial: colour"),
        ({"pooling": "<b>"}, "'pooling'"),
        ({"attribute": "height"}, "'attribute'"),
        ({"network": "none"}, "'network'"),
        ({"resolution": "wide"}, "'resolution'"),
        ({"resolution": 10**9}, "'resolution' is 1000000000; it must be from 1 to 4096"),
        ({"widths": 3}, "'widths'"),
        ({"widths": [10**9] * 5}, "'widths' is 1000000000"),
        ({"widths": [8, 8, 8, 8, 0]}, "'widths' is 0"),
        ({"depths": [10**6] * 5}, "'depths' is 1000000"),
        ({"widths": [1] * 10**6}, "'widths' has 1,000,000 entries"),
        ({"epochs": True}, "'epochs'"),
        ({"flip": 1}, "'flip'"),
        ({"temperature": 0.0}, "'temperature' is 0.0"),
        ({"learning_rate": math.nan}, "'learning_rate' is nan; it must be"),
        ({"label_high": math.inf}, "'label_high'"),
        ({"label_high": math.nan}, "'label_high'"),
        ({"label_step": 0}, "no whole number of bins"),
        ({"label_step": 1e-9}, "no whole number of bins"),
        ({"label_low": 100.0}, "no whole number of bins"),
        ({"seed": 10**400}, "'seed'"),
        ({"backbone": b"\xff"}, "it holds what JSON cannot"),
    ],
)
def test_what_no_training_can_have_had_is_named(fields: Any, complaint: str) -> None:
    with pytest.raises(FileContentError) as caught:
        read_config(fields)
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 90_000, "[" * 200_000, '{"epochs": Infinity}', '{"epochs": 1e400}']
)
def test_what_is_no_json_is_named(text: str) -> None:
    with pytest.raises(FileContentError):
        parse_config(text)


def test_every_configuration_of_a_search_space_can_be_read() -> None:
    for name, field in LIMITS.items():
        low, high = RANGES.get(name, (-LARGEST_NUMBER, LARGEST_NUMBER))
        for limit in field.metadata:
            assert getattr(limit, "ge", low) >= low, name
            assert getattr(limit, "gt", low) >= min(low, 0), name
            assert getattr(limit, "le", high) <= high, name


@pytest.mark.parametrize("field", ["weight_decay", "learning_rate", "lambda_l1", "temperature"])
def test_a_setting_that_no_optimiser_or_loss_takes_is_refused(field: str) -> None:
    with pytest.raises(FileContentError, match=f"field '{field}' is -0.5"):
        read_config({**TrialConfig().to_json(), field: -0.5})


@pytest.mark.parametrize("seed", [10**18, -(2**41), 2**41])
def test_a_seed_that_torch_cannot_have_is_refused(seed: int) -> None:
    with pytest.raises(FileContentError, match="field 'seed'"):
        read_config({**TrialConfig().to_json(), "seed": seed})


def test_the_ranges_name_fields_of_a_trial() -> None:
    assert set(RANGES) <= {field.name for field in dataclasses.fields(TrialConfig)}


@pytest.mark.parametrize(
    ("low", "high", "step", "bins"),
    [
        (0, 100, 1, 101),
        (1, 5, 0.1, 41),
        (0, MOST_BINS - 1, 1, MOST_BINS),
        (0, MOST_BINS, 1, None),
        (0, 100, 3, None),
        (0, 1, math.nan, None),
        (-math.inf, 1, 1, None),
    ],
)
def test_bins_are_counted_or_refused(low: float, high: float, step: float, bins: int | None) -> None:
    assert count_bins(low, high, step) == bins
