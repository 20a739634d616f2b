"""A batch of pictures, painted from back to front."""

import numpy as np
import numpy.typing as npt

from suite.data.faces import covers, features, hair, skin
from suite.data.faces.circumstances import Circumstances
from suite.data.faces.drawing import Canvas, smooth_noise
from suite.data.faces.geometry import place as place_landmarks
from suite.data.faces.people import Floats, People, SignsOfAge


def paint_portraits(
    people: People, signs: SignsOfAge, seen: Circumstances, side: int, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Pictures of people with these signs of age under these circumstances, uint8 (n, side, side, 3)."""
    place = place_landmarks(people, signs, seen, side)
    skin_tint, hair_tint = skin.skin_colour(people, signs), hair.hair_colour(people, signs)
    n = len(skin_tint)
    canvas = _background(n, side, rng)
    hair.draw_hair_behind(canvas, place, people, signs, hair_tint)
    skin.draw_neck_and_ears(canvas, place, skin_tint, _colours(n, rng), signs)
    head = skin.draw_head(canvas, place, skin_tint, seen)
    skin.blush(canvas, head, place, signs, seen)
    features.draw_nose(canvas, place, people, seen)
    features.draw_mouth(canvas, place, people, signs, seen, skin_tint)
    skin.draw_signs_of_age(canvas, head, place, people, signs, seen, rng)
    features.draw_eyes(canvas, place, people, signs, seen)
    features.draw_brows(canvas, place, people, signs, hair_tint)
    hair.draw_beard(canvas, head, place, people, signs, seen, hair_tint, rng)
    hair.draw_hair(canvas, place, people, signs, hair_tint, rng)
    skin.light_up(canvas, head, place, seen)
    covers.draw_glasses(canvas, place, seen, _colours(n, rng) * 0.5)
    covers.draw_cover(canvas, place, seen, _colours(n, rng))
    taken = covers.photograph(canvas, seen, rng)
    pixels = np.clip(taken * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))


def _colours(count: int, rng: np.random.Generator) -> Floats:
    """Any colours, (count, 3), mostly muted."""
    grey = rng.uniform(0.1, 0.9, (count, 1))
    return np.clip(grey + 0.09 * rng.standard_normal((count, 3)), 0, 1)


def _background(count: int, side: int, rng: np.random.Generator) -> Canvas:
    """A wall or a landscape out of focus: two colours that run into each other, with blotches."""
    first, second = _colours(count, rng), _colours(count, rng)
    hills = smooth_noise(rng, count, 5, side) * rng.uniform(0.1, 0.6, (count, 1, 1)).astype(np.float32)
    ramp = np.linspace(0, 1, side, dtype=np.float32)[None, :, None]
    share = np.clip(ramp + hills, 0, 1)[:, None]
    low, high = (np.asarray(c, np.float32)[:, :, None, None] for c in (first, second))
    canvas: Canvas = low + share * (high - low)
    return canvas
