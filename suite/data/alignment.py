"""The five-point similarity crop of the paper's recipe, which moves eyes, nose and mouth to fixed positions."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Point = tuple[float, float]
Affine = tuple[float, float, float, float, float, float]

#: The positions of eyes, nose tip and corners of the mouth in an image of 112 pixels a side. This is the template of
#: ArcFace (Deng et al. 2019), the most used one for five points.
TEMPLATE: Sequence[Point] = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
TEMPLATE_SIDE = 112
#: The side of the largest intermediate image that a crop is reduced from, pixels.
LARGEST_SIDE = 8192
#: A margin around the template, as a share of its side. The template was made to recognise people and cuts off the
#: forehead and the chin, which show a person's age.
MARGIN = 0.2


@dataclass(frozen=True)
class FivePoints:
    """The landmarks of a face, in pixels of the upright image; left and right are those of the image."""

    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point


def five_points(eyes: Sequence[Point], nose: Point, mouth: Sequence[Point]) -> FivePoints | None:
    """Order landmarks so that left and right are those of the image, in whichever order a set lists them.

    Args:
        eyes: The centres of both eyes.
        nose: The tip of the nose.
        mouth: The two corners of the mouth.

    Returns:
        None where the points cannot be those of a face: a coordinate is not finite, the eyes coincide, or the mouth
        is not below the eyes.
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
    # The sine of the angle between the line of the eyes and that to the mouth, times both lengths.
    cross = across[0] * down[1] - across[1] * down[0]
    return points if cross > 0.1 * math.hypot(*across) * math.hypot(*down) else None


def crop_face(image: Image.Image, points: FivePoints, side: int) -> Image.Image:
    """Rotate, scale and shift an image so that its five points come closest to the template.

    Args:
        image: RGB.
        points: Landmarks in pixels of the image; the centre of the first pixel is (0, 0).
        side: Pixels a side of the result. Areas outside the image are black.
    """
    a, b, c, d, e, f = similarity(points)
    # Bicubic sampling reads four pixels a side. Where a pixel of the result covers more, a larger result is made
    # first and then reduced.
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
    """Return the side of the part of an image that the crop shows, in pixels."""
    a, _, _, d, _, _ = similarity(points)
    return math.hypot(a, d)


def scaled(points: FivePoints, times: float) -> FivePoints:
    """Return the points in the same image after it is enlarged by a factor."""
    return FivePoints(*(((x + 0.5) * times - 0.5, (y + 0.5) * times - 0.5) for x, y in astuple(points)))


def similarity(points: FivePoints) -> Affine:
    """Fit rotation, scale and shift from the template to the image by least squares (Umeyama 1991).

    Returns:
        a, b, c, d, e, f: the position (x, y) in a crop of side 1 shows (a x + b y + c, d x + e y + f) of the image, in
        which the first pixel extends from 0 to 1.
    """
    source = _complex(np.array(astuple(points)) + 0.5)
    target = _complex(0.5 + ((np.array(TEMPLATE) + 0.5) / TEMPLATE_SIDE - 0.5) / (1 + 2 * MARGIN))
    # In the complex plane a similarity is a multiplication and an addition: target = turn * source + shift.
    from_middle = source - source.mean()
    turn = np.vdot(from_middle, target - target.mean()) / np.vdot(from_middle, from_middle)
    shift = target.mean() - turn * source.mean()
    back, start = 1 / turn, -shift / turn
    return (
        float(back.real), float(-back.imag), float(start.real),
        float(back.imag), float(back.real), float(start.imag),
    )  # fmt: skip


def _complex(points: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1]
