"""The soft-edged shapes that the faces are painted with."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suite.data.faces.drawing import blurred, ellipse, inside, paint, ridge, segment, smooth_noise

coordinates = st.floats(-2, 2)


def plane(value: float) -> np.ndarray:
    return np.full((1, 1, 1), value, np.float32)


@given(distance=st.floats(-5, 5), softness=st.floats(0.01, 1))
def test_a_mask_is_one_deep_inside_zero_outside_and_a_half_on_the_edge(
    distance: float, softness: float
) -> None:
    mask = float(inside(plane(distance), softness)[0, 0, 0])
    assert 0 <= mask <= 1
    if abs(distance) > softness:
        assert mask == (distance < 0)
    assert float(inside(plane(0), softness)[0, 0, 0]) == 0.5


@given(x=coordinates, y=coordinates, across=st.floats(0.1, 1), down=st.floats(0.1, 1))
def test_an_ellipse_is_negative_within_and_positive_without(
    x: float, y: float, across: float, down: float
) -> None:
    inner = (x / across) ** 2 + (y / down) ** 2
    if abs(inner - 1) > 1e-3:
        assert (float(ellipse(plane(x), plane(y), across, down)[0, 0, 0]) < 0) == (inner < 1)


@given(x=coordinates, y=coordinates)
def test_the_distance_to_a_segment_is_the_least_to_its_points(x: float, y: float) -> None:
    shares = np.linspace(0, 1, 2001)
    along = np.hypot(x - (-1 + 2 * shares), y - (0.5 - shares))
    found = float(segment(plane(x), plane(y), (-1.0, 0.5), (1.0, -0.5))[0, 0, 0])
    assert abs(found - along.min()) < 2e-3


def test_a_ridge_is_highest_on_its_line() -> None:
    profile = ridge(np.linspace(-1, 1, 21, dtype=np.float32)[None, None], 0.2)[0, 0]
    assert profile.argmax() == 10
    assert profile[10] == 1


def test_paint_covers_in_proportion_to_the_mask() -> None:
    canvas = np.zeros((1, 3, 1, 2), np.float32)
    paint(canvas, np.array([[[1.0, 0.25]]], np.float32), np.array([[0.8, 0.4, 0.0]]))
    assert np.allclose(canvas[0, :, 0, 0], [0.8, 0.4, 0.0])
    assert np.allclose(canvas[0, :, 0, 1], [0.2, 0.1, 0.0])


def test_a_blur_keeps_the_mean_of_a_flat_picture_and_spreads_a_point() -> None:
    flat = np.full((1, 3, 8, 8), 0.3, np.float32)
    assert np.allclose(blurred(flat), flat)
    point = np.zeros((1, 3, 9, 9), np.float32)
    point[..., 4, 4] = 1
    spread = blurred(point)
    assert np.isclose(spread[0, 0].sum(), 1)
    assert np.isclose(spread[0, 0, 4, 4], (6 / 16) ** 2)


def test_noise_passes_through_its_own_heights() -> None:
    heights = np.random.default_rng(3).standard_normal((2, 4, 4), np.float32)
    noise = smooth_noise(np.random.default_rng(3), 2, 4, 7)
    assert np.allclose(noise[:, ::2, ::2], heights, atol=1e-6)
