"""The five-point similarity crop of the paper's recipe: eyes, nose and mouth come to fixed places."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Point = tuple[float, float]
Affine = tuple[float, float, float, float, float, float]

#: Where eyes, nose tip and corners of the mouth come to lie in an image of 112 pixels a side (Deng et al.
#: 2019, ArcFace), the most used template of five points.
TEMPLATE: Sequence[Point] = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
TEMPLATE_SIDE = 112
#: The side of the largest image that a crop is reduced from, pixels; only from the largest of images does it
#: leave out some.
LARGEST_SIDE = 8192
#: Of the template's side, added on each side: it was made to recognise people and cuts off the forehead and
#: the chin, which tell an age.
MARGIN = 0.2


@dataclass(frozen=True)
class FivePoints:
    """Where a face is, in pixels of the upright image; left and right as one sees them."""

    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point


def five_points(eyes: Sequence[Point], nose: Point, mouth: Sequence[Point]) -> FivePoints | None:
    """The points with left and right as one sees them, whichever way round a set has them.

    Args:
        eyes: the centres of both.
        nose: its tip.
        mouth: its two corners.

    Returns:
        None where they cannot be those of a face: one is no number, the eyes are one, or the mouth is not
        below the eyes.
    """
    (left, right), (left_corner, right_corner) = sorted(eyes), sorted(mouth)
    points = FivePoints(left, right, nose, left_corner, right_corner)
    if not all(math.isfinite(value) for point in astuple(points) for value in point):
        return None
    across = right[0] - left[0], right[1] - left[1]
    down = (
        left_corner[0] + right_corner[0] - left[0] - right[0],
        sum(p[1] for p in mouth) - left[1] - right[1],
    )
    # The sine of the angle from the line of the eyes to the mouth, times both lengths.
    turned = across[0] * down[1] - across[1] * down[0]
    return points if turned > 0.1 * math.hypot(*across) * math.hypot(*down) else None


def crop_face(image: Image.Image, points: FivePoints, side: int) -> Image.Image:
    """Turn, scale and shift an image so that its five points come closest to the template.

    Args:
        image: RGB.
        points: in its pixels, the centre of the first at (0, 0).
        side: pixels of the result; what is outside of the image is black.
    """
    a, b, c, d, e, f = similarity(points)
    # Bicubic sampling looks at four pixels a side: where one of the result covers more, a larger result is
    # made first and then reduced.
    times = max(1, min(math.ceil(extent(points) / side), LARGEST_SIDE // side))
    step = 1 / (side * times)
    warped = image.transform(
        (side * times, side * times),
        Image.Transform.AFFINE,
        (a * step, b * step, c, d * step, e * step, f),
        Image.Resampling.BICUBIC,
    )
    return warped if times == 1 else warped.resize((side, side), Image.Resampling.LANCZOS)


def extent(points: FivePoints) -> float:
    """The side of the part of an image that the crop shows, pixels."""
    a, _, _, d, _, _ = similarity(points)
    return math.hypot(a, d)


def scaled(points: FivePoints, times: float) -> FivePoints:
    """The points in the same image, enlarged so many times."""
    return FivePoints(*(((x + 0.5) * times - 0.5, (y + 0.5) * times - 0.5) for x, y in astuple(points)))


def similarity(points: FivePoints) -> Affine:
    """The rotation, scale and shift of least squared error (Umeyama 1991), from the template to the image.

    Returns:
        a, b, c, d, e, f: the place (x, y) in a result of side 1 shows (a x + b y + c, d x + e y + f) of the
        image, where its first pixel reaches from 0 to 1.
    """
    seen = _complex(np.array(astuple(points)) + 0.5)
    placed = _complex(0.5 + ((np.array(TEMPLATE) + 0.5) / TEMPLATE_SIDE - 0.5) / (1 + 2 * MARGIN))
    # In the complex plane a similarity is a multiplication and an addition: placed = turn * seen + shift.
    from_middle = seen - seen.mean()
    turn = np.vdot(from_middle, placed - placed.mean()) / np.vdot(from_middle, from_middle)
    shift = placed.mean() - turn * seen.mean()
    back, start = 1 / turn, -shift / turn
    return (
        float(back.real), float(-back.imag), float(start.real),
        float(back.imag), float(back.real), float(start.imag),
    )  # fmt: skip


def _complex(points: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1]
