"""Compositing: a batch of images, drawn from back to front."""

import numpy as np
import numpy.typing as npt

from suite.data.faces import camera, features, hair, occlusions, skin
from suite.data.faces.capture import CaptureConditions
from suite.data.faces.drawing import Canvas, smooth_noise
from suite.data.faces.geometry import face_geometry
from suite.data.faces.people import Floats, People, SignsOfAge


def composite_faces(
    people: People, signs: SignsOfAge, conditions: CaptureConditions, side: int, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Draw people with signs of age under capture conditions, uint8 (n, side, side, 3)."""
    geometry = face_geometry(people, signs, conditions, side)
    skin_tint, hair_tint = skin.skin_colour(people, signs), hair.hair_colour(people, signs)
    n = len(skin_tint)
    canvas = _background(n, side, rng)
    hair.draw_hair_behind(canvas, geometry, people, signs, hair_tint)
    skin.draw_neck_and_ears(canvas, geometry, skin_tint, _colours(n, rng), signs)
    head = skin.draw_head(canvas, geometry, skin_tint, conditions)
    skin.blush(canvas, head, geometry, signs, conditions)
    features.draw_nose(canvas, geometry, people, conditions)
    features.draw_mouth(canvas, geometry, people, signs, conditions, skin_tint)
    skin.draw_signs_of_age(canvas, head, geometry, people, signs, conditions, rng)
    features.draw_eyes(canvas, geometry, people, signs, conditions)
    features.draw_brows(canvas, geometry, people, signs, hair_tint)
    hair.draw_beard(canvas, head, geometry, people, signs, conditions, hair_tint, rng)
    hair.draw_hair(canvas, geometry, people, signs, hair_tint, rng)
    skin.light_up(canvas, head, geometry, conditions)
    occlusions.draw_glasses(canvas, geometry, conditions, _colours(n, rng) * 0.5)
    occlusions.draw_occlusion(canvas, geometry, conditions, _colours(n, rng))
    taken = camera.photograph(canvas, conditions, rng)
    pixels = np.clip(taken * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))


def _colours(count: int, rng: np.random.Generator) -> Floats:
    """Random colours, mostly muted, (count, 3)."""
    grey = rng.uniform(0.1, 0.9, (count, 1))
    return np.clip(grey + 0.09 * rng.standard_normal((count, 3)), 0, 1)


def _background(count: int, side: int, rng: np.random.Generator) -> Canvas:
    """A wall or a landscape out of focus: a gradient between two colours, with blotches."""
    first, second = _colours(count, rng), _colours(count, rng)
    hills = smooth_noise(rng, count, 5, side) * rng.uniform(0.1, 0.6, (count, 1, 1)).astype(np.float32)
    ramp = np.linspace(0, 1, side, dtype=np.float32)[None, :, None]
    share = np.clip(ramp + hills, 0, 1)[:, None]
    low, high = (np.asarray(c, np.float32)[:, :, None, None] for c in (first, second))
    canvas: Canvas = low + share * (high - low)
    return canvas
