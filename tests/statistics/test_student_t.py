"""Student's t against printed tables, closed forms and its own density."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.statistics.student_t import student_t_probability, student_t_quantile


@pytest.mark.parametrize(
    ("probability", "degrees", "printed"),
    [
        # NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 3, 3.182),
        (0.975, 4, 2.776),
        (0.975, 9, 2.262),
        (0.975, 30, 2.042),
        (0.975, 100, 1.984),
        (0.95, 5, 2.015),
        (0.995, 2, 9.925),
        (0.999, 7, 4.785),
    ],
)
def test_quantiles_are_those_of_the_printed_table(probability: float, degrees: int, printed: float) -> None:
    assert student_t_quantile(probability, degrees) == pytest.approx(printed, abs=6e-4)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 10, 41])
@pytest.mark.parametrize("t", [-2.5, 0.0, 0.3, 1.0, 4.0])
def test_the_probability_is_the_integral_of_the_density(t: float, degrees: int) -> None:
    x = np.linspace(0.0, t, 20_001)
    constant = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    density = constant / math.sqrt(degrees * math.pi) * (1 + x**2 / degrees) ** (-(degrees + 1) / 2)
    assert student_t_probability(t, degrees) == pytest.approx(0.5 + np.trapezoid(density, x), abs=1e-8)


@settings(deadline=None)
@given(probability=st.floats(0.001, 0.999), degrees=st.integers(1, 60))
def test_the_quantile_inverts_the_probability(probability: float, degrees: int) -> None:
    quantile = student_t_quantile(probability, degrees)
    assert student_t_probability(quantile, degrees) == pytest.approx(probability, abs=1e-12)


@settings(deadline=None)
@given(probability=st.floats(0.001, 0.999))
def test_one_degree_is_cauchys_distribution(probability: float) -> None:
    expected = math.tan(math.pi * (probability - 0.5))
    assert student_t_quantile(probability, 1) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 3), (1.0, 3), (1.5, 3), (0.9, 0)])
def test_what_has_no_quantile_is_refused(probability: float, degrees: int) -> None:
    with pytest.raises(ValueError, match=r"needs"):
        student_t_quantile(probability, degrees)
