"""What hides a face: glasses, a patch over a part of it, and the camera's own faults."""

import numpy as np

from suite.data.faces.circumstances import Circumstances
from suite.data.faces.drawing import Canvas, Plane, blurred, ellipse, inside, paint, per_image, ridge, shade
from suite.data.faces.geometry import Geometry
from suite.data.faces.people import Floats


def draw_glasses(canvas: Canvas, place: Geometry, seen: Circumstances, frames: Floats) -> None:
    """Two rims and a bridge; one pair in five is dark."""
    worn = per_image((seen.glasses > 0).astype(np.float32))
    dark = per_image((seen.glasses == 2).astype(np.float32))
    rim = ellipse(place.um - place.eye_x, place.v - place.eye_y - 0.02, 0.235, 0.185)
    paint(canvas, inside(rim, place.pixel) * dark * 0.93, frames * 0.3)
    shade(canvas, 1 + 0.06 * inside(rim, place.pixel) * (worn - dark))
    bridge = inside(np.abs(place.v - place.eye_y) - 0.02, place.pixel) * inside(place.um - 0.09, place.pixel)
    temple = inside(np.abs(place.v - place.eye_y + 0.02) - 0.02, place.pixel) * (
        place.um > place.eye_x + 0.22
    )
    on_head = inside(place.outline, place.pixel)
    paint(canvas, worn * np.clip(ridge(rim, 0.032) + bridge + temple * on_head, 0, 1), frames)


def draw_cover(canvas: Canvas, place: Geometry, seen: Circumstances, colour: Floats) -> None:
    """A hand, a scarf, a cup: a patch of one colour somewhere over the face."""
    turn = per_image(seen.cover_turn)
    x, y = place.x - per_image(seen.cover_x), place.y - per_image(seen.cover_y)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    size = per_image(seen.cover_size)
    patch = inside(ellipse(along, across, 1.9 * size, 0.9 * size), 2 * place.pixel)
    paint(canvas, patch * per_image(seen.cover), colour)
    shade(canvas, 1 - 0.25 * per_image(seen.cover) * patch * np.clip(across / size, 0, 1))


def photograph(canvas: Canvas, seen: Circumstances, rng: np.random.Generator) -> Canvas:
    """Exposure, colour of the light, blur and grain."""
    light = seen.exposure[:, None] * (1 + seen.warmth[:, None] * np.array([1.0, 0.0, -1.0]))
    taken = canvas * np.asarray(light, np.float32)[:, :, None, None]
    once = blurred(taken)
    twice = blurred(once)
    first = np.clip(seen.blur, 0, 1).astype(np.float32)[:, None, None, None]
    second = np.clip(seen.blur - 1, 0, 1).astype(np.float32)[:, None, None, None]
    taken = taken + first * (once - taken)
    taken = taken + second * (twice - taken)
    grain: Plane = rng.standard_normal(taken.shape, np.float32)
    exposed: Canvas = taken + grain * np.asarray(seen.grain, np.float32)[:, None, None, None]
    return exposed
