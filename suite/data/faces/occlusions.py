"""Occlusions: glasses, and a patch over a part of the face."""

import numpy as np

from suite.data.faces.capture import CaptureConditions
from suite.data.faces.drawing import Canvas, ellipse, inside, paint, per_image, ridge, shade
from suite.data.faces.geometry import Geometry
from suite.data.faces.people import Floats


def draw_glasses(canvas: Canvas, geometry: Geometry, conditions: CaptureConditions, frames: Floats) -> None:
    """Draw two rims and a bridge; one pair in five has dark lenses."""
    worn = per_image((conditions.glasses > 0).astype(np.float32))
    dark = per_image((conditions.glasses == 2).astype(np.float32))
    rim = ellipse(geometry.um - geometry.eye_x, geometry.v - geometry.eye_y - 0.02, 0.235, 0.185)
    paint(canvas, inside(rim, geometry.pixel) * dark * 0.93, frames * 0.3)
    shade(canvas, 1 + 0.06 * inside(rim, geometry.pixel) * (worn - dark))
    bridge = inside(np.abs(geometry.v - geometry.eye_y) - 0.02, geometry.pixel) * inside(
        geometry.um - 0.09, geometry.pixel
    )
    temple = inside(np.abs(geometry.v - geometry.eye_y + 0.02) - 0.02, geometry.pixel) * (
        geometry.um > geometry.eye_x + 0.22
    )
    on_head = inside(geometry.outline, geometry.pixel)
    paint(canvas, worn * np.clip(ridge(rim, 0.032) + bridge + temple * on_head, 0, 1), frames)


def draw_occlusion(canvas: Canvas, geometry: Geometry, conditions: CaptureConditions, colour: Floats) -> None:
    """Lay a patch of one colour over a part of the face, as a hand, a scarf or a cup would."""
    turn = per_image(conditions.occlusion_turn)
    x, y = geometry.x - per_image(conditions.occlusion_x), geometry.y - per_image(conditions.occlusion_y)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    size = per_image(conditions.occlusion_size)
    patch = inside(ellipse(along, across, 1.9 * size, 0.9 * size), 2 * geometry.pixel)
    paint(canvas, patch * per_image(conditions.occlusion), colour)
    shade(canvas, 1 - 0.25 * per_image(conditions.occlusion) * patch * np.clip(across / size, 0, 1))
