"""Drawing soft-edged shapes on all images of a batch at once.

A plane is float32 (n, side, side). A number for each image is float32 (n, 1, 1), so that it broadcasts over the
plane.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.floating[Any]]
Canvas = npt.NDArray[np.floating[Any]]  # (n, 3, side, side), red, green and blue in 0..1


def per_image(values: npt.ArrayLike) -> Plane:
    """Reshape a number for each image, (n,), so that it broadcasts over planes, (n, 1, 1)."""
    return np.asarray(values, np.float32)[:, None, None]


def inside(distance: Plane, softness: Plane | float) -> Plane:
    """Make a mask: 1 inside a shape, 0 outside, with an edge ``softness`` wide where the distance is 0."""
    mask: Plane = np.clip(0.5 - distance / softness, 0, 1)
    return mask


def ellipse(x: Plane, y: Plane, across: Plane | float, down: Plane | float) -> Plane:
    """Approximate the signed distance to an ellipse around the origin with these half-axes."""
    radius = np.sqrt((x / across) ** 2 + (y / down) ** 2)
    distance: Plane = (radius - 1) * np.minimum(across, down)
    return distance


def segment(x: Plane, y: Plane, start: Sequence[Plane | float], end: Sequence[Plane | float]) -> Plane:
    """Return the distance to the line segment from ``start`` to ``end``, each an (x, y)."""
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / length, 0, 1)
    distance: Plane = np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
    return distance


def ridge(distance: Plane, width: Plane | float) -> Plane:
    """Make a soft line: 1 at distance 0, falling off over ``width``."""
    profile: Plane = np.exp(-((distance / width) ** 2))
    return profile


def paint(canvas: Canvas, mask: Plane, colour: npt.NDArray[np.floating]) -> None:
    """Blend a colour, (n, 3), over the canvas by a mask; changes the canvas."""
    painted = np.asarray(colour, np.float32)[:, :, None, None]
    canvas += mask[:, None] * (painted - canvas)


def shade(canvas: Canvas, amount: Plane) -> None:
    """Multiply all colours by ``amount``; changes the canvas."""
    canvas *= amount[:, None]


def smooth_noise(rng: np.random.Generator, count: int, cells: int, side: int) -> Plane:
    """Draw random heights on a grid of ``cells`` x ``cells``, interpolated bilinearly, of about unit variance."""
    heights = rng.standard_normal((count, cells, cells), np.float32)
    across = _bilinear(cells, side)
    noise: Plane = across @ heights @ across.T
    return noise


def _bilinear(cells: int, side: int) -> Plane:
    """The weights of linear interpolation from cells to pixels, (side, cells)."""
    centres = np.linspace(0, cells - 1, side)
    weights: Plane = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(cells)[None])).astype(np.float32)
    return weights


def blurred(canvas: Canvas) -> Canvas:
    """Return the canvas after a 5-tap binomial blur along each axis, with repeated borders."""
    for axis in (2, 3):
        width = [(0, 0)] * 4
        width[axis] = (2, 2)
        wide = np.pad(canvas, width, mode="edge")
        size = canvas.shape[axis]
        parts = [np.take(wide, range(start, start + size), axis) for start in range(5)]
        canvas = (parts[0] + parts[4] + 4 * (parts[1] + parts[3]) + 6 * parts[2]) / 16
    return canvas
