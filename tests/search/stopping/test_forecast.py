"""Final errors forecast from those of trainings that ended."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.search.stopping.forecast import Forecast, forecast

LOSSES = st.lists(st.floats(1.0, 50.0), min_size=8, max_size=20)
NO_COSTS = np.empty(0)


def drawn(count: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors now, costs and final errors of trainings whose final error is e^0.5 * now^0.8 * cost^-0.1."""
    rng = np.random.default_rng(seed)
    errors, costs = rng.uniform(8, 20, count), np.exp(rng.uniform(8, 13, (count, 1)))
    return errors, costs, final(errors, costs[:, 0]) * np.exp(noise * rng.standard_normal(count))


def final(error: np.ndarray, cost: np.ndarray) -> np.ndarray:
    return np.exp(0.5) * error**0.8 * cost**-0.1


def test_a_law_without_noise_is_found() -> None:
    errors, costs, finals = drawn(400, 0.0, seed=0)
    ahead = forecast(errors, costs, finals, 12.0, np.array([50_000.0]))
    assert ahead is not None
    assert ahead.median == pytest.approx(final(np.array(12.0), np.array(50_000.0)), rel=1e-3)


@pytest.mark.parametrize("count", [7, 12, 40])
def test_chances_are_met_as_often_as_they_say(count: int) -> None:
    hits = []
    for seed in range(400):
        errors, costs, finals = drawn(count + 1, 0.05, seed)
        ahead = forecast(errors[1:], costs[1:], finals[1:], errors[0], costs[0])
        assert ahead is not None
        hits.append(finals[0] < ahead.interval(0.8)[1])
    assert np.mean(hits) == pytest.approx(0.9, abs=0.04)


def test_an_epoch_that_tells_nothing_leaves_the_spread_of_the_errors() -> None:
    rng = np.random.default_rng(0)
    finals = np.exp(rng.normal(2.3, 0.1, 200))
    ahead = forecast(rng.uniform(10, 20, 200), np.empty((200, 0)), finals, 20.0, NO_COSTS)
    assert ahead is not None
    assert ahead.spread == pytest.approx(np.log(finals).std(), rel=0.05)


@pytest.mark.parametrize(("costs", "fewest"), [(0, 5), (1, 6), (2, 7)])
def test_too_few_trainings_forecast_nothing(costs: int, fewest: int) -> None:
    def of(count: int) -> Forecast | None:
        some = np.linspace(5.0, 9.0, count)
        return forecast(some, np.ones((count, costs)), some, 6.0, np.ones(costs))

    assert of(fewest - 1) is None
    assert of(fewest) is not None


@given(LOSSES, st.floats(1.0, 50.0), st.floats(0.1, 10.0))
def test_the_unit_of_errors_does_not_matter(errors: list[float], error: float, unit: float) -> None:
    now = np.array(errors)
    finals = now[::-1].copy()
    nothing = np.empty((len(now), 0))
    plain = forecast(now, nothing, finals, error, NO_COSTS)
    other = forecast(unit * now, nothing, unit * finals, unit * error, NO_COSTS)
    assert plain is not None
    assert other is not None
    assert other.median == pytest.approx(unit * plain.median, rel=1e-6)
    assert other.chance_below(unit * error) == pytest.approx(plain.chance_below(error), abs=1e-6)


@given(LOSSES, st.floats(1.0, 50.0), st.floats(1.0, 50.0), st.floats(1.0, 50.0))
def test_the_chance_rises_with_the_error_to_beat(
    errors: list[float], error: float, one: float, another: float
) -> None:
    ahead = forecast(np.array(errors), np.empty((len(errors), 0)), np.array(errors), error, NO_COSTS)
    assert ahead is not None
    low, high = sorted((one, another))
    assert 0 <= ahead.chance_below(low) <= ahead.chance_below(high) + 1e-12  # the last bits of a series
    assert ahead.chance_below(high) <= 1
    assert ahead.chance_below(ahead.median) == pytest.approx(0.5)


def test_no_error_beats_zero_and_every_error_beats_none() -> None:
    ahead = Forecast(centre=2.0, spread=0.1, degrees=5)
    assert (ahead.chance_below(0.0), ahead.chance_below(math.inf)) == (0.0, 1.0)
