"""Numbers as the report prints them."""

import math

import pytest

from reports import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00312, "0.00312"),
        (5.128, "5.13"),
        (144.05, "144"),
        (15470, "15,500"),
        (0, "0"),
        (math.nan, "\u2013"),
    ],
)
def test_three_digits_without_an_exponent(value: float, text: str) -> None:
    assert formatting.digits(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (934_869, "", "935\u00a0k"),
        (134_674_341, "", "135\u00a0M"),
        (3_739_476, "B", "3.74\u00a0MB"),
        (999_900, "", "1.00\u00a0M"),
        (512, "B", "512\u00a0B"),
        (7, "", "7"),
        (math.nan, "B", "\u2013"),
    ],
)
def test_quantities_have_a_prefix(value: float, unit: str, text: str) -> None:
    assert formatting.quantity(value, unit) == text


def test_an_error_has_the_decimals_of_its_unit() -> None:
    assert formatting.error(5.1289, "years") == "5.13"
    assert formatting.error(0.18349, "points") == "0.183"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.852, "0.85\u00a0s"),
        (9.97, "10\u00a0s"),
        (41.3, "41\u00a0s"),
        (59.7, "1\u00a0min 00\u00a0s"),
        (3599.8, "1\u00a0h 00\u00a0min"),
        (425, "7\u00a0min 05\u00a0s"),
        (7800, "2\u00a0h 10\u00a0min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0387, "+3.9\u00a0%"), (-0.011, "-1.1\u00a0%"), (-0.0001, "0.0\u00a0%")]
)
def test_differences_have_a_sign_unless_they_are_none(share: float, text: str) -> None:
    assert formatting.percentage(share) == text


@pytest.mark.parametrize(
    ("numbers", "text"), [((48,), "48"), ((500, 2000), "500 to 2,000"), ((1, 2, 3), "1 to 3")]
)
def test_a_span_is_one_number_where_all_agree(numbers: tuple[int, ...], text: str) -> None:
    assert formatting.span(numbers) == text
