import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from suite.deployment.intervals import central_interval


def test_a_flat_distribution_leaves_a_tenth_of_its_mass_on_either_side() -> None:
    # Eleven bins of 0..10 cover -0.5 to 10.5; a tenth of that is 1.1.
    low, high = central_interval(np.full((1, 11), 1 / 11), 0, 10)[0]
    assert (low, high) == pytest.approx((0.6, 9.4))


def test_a_certain_answer_has_an_interval_within_its_bin() -> None:
    certain = np.zeros((1, 101))
    certain[0, 40] = 1
    assert central_interval(certain, 0, 100)[0] == pytest.approx([39.6, 40.4])


def test_a_gaussian_has_the_interval_of_its_deviation() -> None:
    labels = np.arange(101)
    gaussian = np.exp(-((labels - 50) ** 2) / (2 * 8.0**2))[None]
    assert central_interval(gaussian, 0, 100)[0] == pytest.approx(
        [50 - 1.2816 * 8, 50 + 1.2816 * 8], abs=0.05
    )


@given(
    arrays.arrays(np.float64, (3, 6), elements=st.floats(1e-3, 1)),
    st.floats(0.05, 0.95),
)
def test_the_interval_lies_in_the_range_and_grows_with_the_share(mass: np.ndarray, share: float) -> None:
    ends = central_interval(mass, 1, 5, share)
    wider = central_interval(mass, 1, 5, min(0.99, share + 0.02))
    assert ((ends >= 1) & (ends <= 5)).all()
    assert (ends[:, 0] <= ends[:, 1]).all()
    assert (wider[:, 0] <= ends[:, 0] + 1e-9).all()
    assert (wider[:, 1] >= ends[:, 1] - 1e-9).all()
