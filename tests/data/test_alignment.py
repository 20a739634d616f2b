"""The similarity of five points, and the crop that it makes."""

import io
import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from suite.data.alignment import (
    MARGIN,
    TEMPLATE,
    TEMPLATE_SIDE,
    FivePoints,
    Point,
    crop_face,
    extent,
    five_points,
    scaled,
    similarity,
)
from suite.data.decoding import UndecodableError, decode

angles = st.floats(-60, 60)
sides = st.floats(20, 400)
places = st.floats(-100, 300)


def placed(side: float, degrees: float = 0.0, left: float = 0.0, top: float = 0.0) -> FivePoints:
    """The points of a face whose crop has a side, turned about its middle, with its corner at a place."""
    middle = complex(left + side / 2, top + side / 2)
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    points: list[Point] = []
    for x, y in TEMPLATE:
        off = complex((x + 0.5) / TEMPLATE_SIDE - 0.5, (y + 0.5) / TEMPLATE_SIDE - 0.5) / (1 + 2 * MARGIN)
        seen = middle + turn * side * off - (0.5 + 0.5j)
        points.append((seen.real, seen.imag))
    return FivePoints(*points)


@given(sides, angles, places, places)
def test_the_similarity_leads_back_to_where_the_face_is(
    side: float, degrees: float, left: float, top: float
) -> None:
    points = placed(side, degrees, left, top)
    a, b, c, d, e, f = similarity(points)
    assert (a, b) == pytest.approx((e, -d))  # it neither mirrors nor shears
    assert extent(points) == pytest.approx(side)
    assert math.degrees(math.atan2(d, a)) == pytest.approx(degrees, abs=1e-6)
    middle = 0.5 * a + 0.5 * b + c, 0.5 * d + 0.5 * e + f
    assert middle == pytest.approx((left + side / 2, top + side / 2), abs=1e-6)


@given(sides, angles, st.lists(st.floats(-3, 3), min_size=10, max_size=10))
def test_no_other_similarity_comes_closer_to_the_template(
    side: float, degrees: float, off: list[float]
) -> None:
    exact = np.array(astuple(placed(side, degrees)))
    seen = exact + np.array(off).reshape(5, 2)
    points = FivePoints(*(tuple(point) for point in seen.tolist()))

    def error(affine: tuple[float, ...]) -> float:
        a, b, c, d, e, f = affine
        back = np.linalg.inv(np.array([[a, b, c], [d, e, f], [0, 0, 1]]))
        there = (np.c_[seen + 0.5, np.ones(5)] @ back.T)[:, :2]
        wanted = 0.5 + ((np.array(TEMPLATE) + 0.5) / TEMPLATE_SIDE - 0.5) / (1 + 2 * MARGIN)
        return float(((there - wanted) ** 2).sum())

    best = similarity(points)
    a, b, c, d, e, f = best
    for turn in (1.01, 0.99, complex(1, 0.01), complex(1, -0.01)):
        t = complex(turn) * complex(a, d)
        assert error(best) <= error((t.real, -t.imag, c, t.imag, t.real, f)) + 1e-9
    assert error(best) <= error((a, b, c + side / 100, d, e, f)) + 1e-9


@given(st.permutations([0, 1]), st.permutations([0, 1]), angles)
def test_left_and_right_are_as_one_sees_them(eyes: list[int], corners: list[int], degrees: float) -> None:
    face = placed(100, degrees * 0.7)
    found = five_points(
        [(face.left_eye, face.right_eye)[n] for n in eyes],
        face.nose,
        [(face.left_mouth, face.right_mouth)[n] for n in corners],
    )
    assert found == face


@pytest.mark.parametrize(
    ("eyes", "mouth"),
    [
        (((10, 10), (10, 10)), ((10, 30), (20, 30))),  # one eye
        (((10, 30), (20, 30)), ((10, 10), (20, 10))),  # upside down
        (((10, 10), (20, 10)), ((30, 10), (40, 10))),  # a mouth beside the eyes
        (((math.nan, 10), (20, 10)), ((10, 30), (20, 30))),
    ],
)
def test_points_that_are_not_a_face_s_are_not_taken(
    eyes: tuple[Point, Point], mouth: tuple[Point, Point]
) -> None:
    assert five_points(eyes, (15, 20), mouth) is None


def picture(side: int) -> Image.Image:
    """Red tells the place across, green the place down, from 20 to 220."""
    ramp = np.linspace(20, 220, side)
    pixels = np.zeros((side, side, 3))
    pixels[..., 0], pixels[..., 1] = ramp[None, :], ramp[:, None]
    return Image.fromarray(pixels.round().astype(np.uint8))


@pytest.mark.parametrize("degrees", [0.0, 25.0, -40.0])
@pytest.mark.parametrize("size", [200, 40])  # taken from more pixels than the crop has, and from fewer
def test_the_crop_shows_what_the_similarity_says(degrees: float, size: int) -> None:
    image, side = picture(320), 64
    points = placed(size, degrees, 60, 70)
    crop = np.asarray(crop_face(image, points, side), float)
    a, b, c, d, e, f = similarity(points)
    centres = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(centres, centres)
    across, down = a * x + b * y + c - 0.5, d * x + e * y + f - 0.5
    np.testing.assert_allclose(crop[..., 0], 20 + 200 * across / 319, atol=1.5)
    np.testing.assert_allclose(crop[..., 1], 20 + 200 * down / 319, atol=1.5)


def test_what_is_outside_of_the_image_is_black() -> None:
    crop = np.asarray(crop_face(picture(100), placed(100, 0, 50, 0), 32))
    assert crop[:, 18:].max() <= 3  # the filter's ringing
    assert crop[:, :14, 0].min() > 20


def written(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, format="JPEG", quality=95)
    return content.getvalue()


def test_a_large_photograph_is_aligned_as_a_small_one_is() -> None:
    """It is decoded at a fraction of its size, and its points go with it."""
    large, small = picture(1600), picture(200)
    face = placed(120, 20, 40, 40)
    expected = decode(written(small), 32, face).astype(int)
    found = decode(written(large), 32, scaled(face, 8)).astype(int)
    assert np.abs(found - expected).max() <= 4


def test_points_outside_of_the_image_are_a_reason() -> None:
    with pytest.raises(UndecodableError, match="outside of the image"):
        decode(written(picture(100)), 32, placed(400, 0, 50, 50))
