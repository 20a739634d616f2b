"""Drawing the skin of a head: colour, form, wrinkles, blotches and spots."""

import numpy as np
import numpy.typing as npt

from suite.data.faces.capture import CaptureConditions
from suite.data.faces.drawing import (
    Canvas,
    Plane,
    ellipse,
    inside,
    paint,
    per_image,
    ridge,
    segment,
    shade,
    smooth_noise,
)
from suite.data.faces.geometry import Geometry
from suite.data.faces.people import Floats, People, SignsOfAge

LIGHT_SKIN = np.array([0.95, 0.78, 0.68])
DARK_SKIN = np.array([0.36, 0.22, 0.15])


def skin_colour(people: People, signs: SignsOfAge) -> Floats:
    """Return the colour of each person's skin, (n, 3); it turns paler with age."""
    tone = people.skin_tone[:, None] ** 1.5
    colour = LIGHT_SKIN + tone * (DARK_SKIN - LIGHT_SKIN)
    colour = colour * (1 + 0.03 * people.skin_warmth[:, None] * np.array([1.0, 0.0, -1.5]))
    faded = 1 - 0.35 * signs.roughness[:, None] * np.array([0.25, 0.1, 0.0])
    tint: Floats = np.clip(colour * faded, 0, 1)
    return tint


def draw_neck_and_ears(
    canvas: Canvas, geometry: Geometry, colour: Floats, clothes: Floats, signs: SignsOfAge
) -> None:
    """Draw neck, shoulders and ears, which are behind the head."""
    growth = per_image(signs.growth)
    shoulders = ellipse(geometry.x, geometry.y - 1.75, 1.15 + 0.1 * growth, 0.62)
    neck = np.maximum(np.abs(geometry.x) - (0.30 + 0.12 * growth), 0.3 - geometry.y)
    paint(canvas, inside(neck, 2 * geometry.pixel), colour * 0.78)
    paint(canvas, inside(shoulders, 2 * geometry.pixel), clothes)
    ears = ellipse(
        np.abs(geometry.x) - geometry.half_width,
        geometry.y - geometry.eye_y - 0.14,
        0.11,
        0.19 + 0.05 * per_image(signs.sag),
    )
    paint(canvas, inside(ears, 1.5 * geometry.pixel), colour * 0.88)


def draw_head(canvas: Canvas, geometry: Geometry, colour: Floats, conditions: CaptureConditions) -> Plane:
    """Draw the head without light; return its mask, (n, side, side)."""
    head = inside(geometry.outline, 1.5 * geometry.pixel)
    paint(canvas, head, colour)
    return head


def light_up(canvas: Canvas, head: Plane, geometry: Geometry, conditions: CaptureConditions) -> None:
    """Apply light and shadow from one side to the whole head."""
    facing = (
        geometry.toward
        + per_image(conditions.light_x) * geometry.x * 0.6
        + per_image(conditions.light_y) * geometry.y * 0.6
    )
    depth = 0.25 + 0.55 * per_image(conditions.harshness)
    shade(canvas, 1 + head * depth * (np.clip(facing, 0, 1.3) - 0.9))


def draw_signs_of_age(
    canvas: Canvas,
    head: Plane,
    geometry: Geometry,
    people: People,
    signs: SignsOfAge,
    conditions: CaptureConditions,
    rng: np.random.Generator,
) -> None:
    """Draw texture, spots and wrinkles, which make-up partly covers."""
    bare = 1 - 0.6 * per_image(conditions.makeup)
    # Wrinkles look deeper in hard light, and a smile folds young skin too.
    relief = (0.7 + 0.6 * per_image(conditions.harshness)) * bare
    wrinkles = per_image(signs.wrinkles)
    lines = (
        0.30 * wrinkles * _forehead_lines(geometry, rng)
        + 0.34
        * np.clip(wrinkles + 0.25 * per_image(np.maximum(conditions.smile, 0)), 0, 1.1)
        * _crows_feet(geometry, rng)
        + 0.36
        * np.clip(0.85 * wrinkles + 0.35 * per_image(np.maximum(conditions.smile, 0)), 0, 1.1)
        * _cheek_folds(geometry)
        + 0.30 * per_image(signs.sag) * _mouth_lines(geometry)
        + 0.30
        * np.clip(per_image(signs.sag) + 0.2 * per_image(people.freckles), 0, 1.1)
        * _eye_bags(geometry)
        + 0.26 * wrinkles * _frown_lines(geometry)
    )
    shade(canvas, 1 - head * relief * np.clip(lines, 0, 0.7))
    _draw_texture(canvas, head, geometry, people, signs, bare, rng)


def _draw_texture(
    canvas: Canvas,
    head: Plane,
    geometry: Geometry,
    people: People,
    signs: SignsOfAge,
    bare: Plane,
    rng: np.random.Generator,
) -> None:
    n, side = head.shape[0], head.shape[1]
    fine = smooth_noise(rng, n, side * 5 // 8, side)
    coarse = smooth_noise(rng, n, side // 5, side)
    rough = per_image(signs.roughness)
    shade(canvas, 1 + head * bare * (fine * (0.012 + 0.075 * rough) + coarse * (0.015 + 0.045 * rough)))
    # Freckles of the young fade, and spots come with age. They look alike but differ in size and position.
    young = per_image(people.freckles**3 * np.exp(-signs.wrinkles * 3) * signs.growth)
    freckles = np.clip(fine - 0.55, 0, 1) * inside(np.abs(geometry.v - geometry.eye_y - 0.2) - 0.22, 0.2)
    spots = np.clip(smooth_noise(rng, n, side * 3 // 8, side) - 1.25 + 0.6 * per_image(signs.spots), 0, 1)
    stain = head * bare * (0.45 * young * freckles + 0.75 * per_image(signs.spots) * spots)
    tint = np.array([0.45, 0.27, 0.18])
    paint(canvas, np.clip(stain, 0, 0.6), np.broadcast_to(tint, (n, 3)))


def _forehead_lines(geometry: Geometry, rng: np.random.Generator) -> Plane:
    """Three or four slightly wavy horizontal lines."""
    n = geometry.u.shape[0]
    spacing = per_image(rng.uniform(0.085, 0.13, n))
    phase = per_image(rng.uniform(0, 6.3, n))
    wave = per_image(rng.uniform(0.2, 1.0, n))
    turns = (
        2 * np.pi * (geometry.v - geometry.brow_y) / spacing + wave * np.sin(4 * geometry.u + phase) + phase
    )
    above = inside(np.abs(geometry.v - geometry.brow_y + 0.26) - 0.12, 0.16) * inside(
        geometry.um - 0.38, 0.25
    )
    lines: Plane = np.exp(2.5 * (np.cos(turns) - 1)) * above
    return lines


def _crows_feet(geometry: Geometry, rng: np.random.Generator) -> Plane:
    """Lines that fan out from the outer corners of the eyes."""
    out = geometry.um - geometry.eye_x - geometry.eye_across
    down = geometry.v - geometry.eye_y
    radius = np.hypot(out, down)
    phase = per_image(rng.uniform(0, 6.3, geometry.u.shape[0]))
    fan = np.exp(2.0 * (np.cos(11 * np.arctan2(down, out + 0.04) + phase) - 1))
    lines: Plane = fan * ridge(radius - 0.12, 0.08) * (out > -0.02)
    return lines


def _cheek_folds(geometry: Geometry) -> Plane:
    """Folds from the wings of the nose to the sides of the mouth."""
    start = (geometry.nose_across + 0.03, geometry.nose_y - 0.05)
    end = (geometry.mouth_across + 0.09, geometry.mouth_y + 0.02)
    return ridge(segment(geometry.um, geometry.v, start, end), 0.035)


def _mouth_lines(geometry: Geometry) -> Plane:
    """Lines downwards from the corners of the mouth."""
    start = (geometry.mouth_across + 0.03, geometry.mouth_y + 0.03)
    end = (geometry.mouth_across + 0.07, geometry.mouth_y + 0.20)
    return ridge(segment(geometry.um, geometry.v, start, end), 0.035)


def _eye_bags(geometry: Geometry) -> Plane:
    """The lower rim of a pouch beneath each eye."""
    rim = ellipse(
        geometry.um - geometry.eye_x, geometry.v - geometry.eye_y - 0.04, geometry.eye_across * 1.05, 0.13
    )
    return ridge(rim, 0.03) * (geometry.v > geometry.eye_y + 0.06)


def _frown_lines(geometry: Geometry) -> Plane:
    """Two vertical lines between the brows."""
    start, end = (0.055, geometry.brow_y - 0.10), (0.045, geometry.brow_y + 0.10)
    return ridge(segment(geometry.um, geometry.v, start, end), 0.022)


def blush(
    canvas: Canvas, head: Plane, geometry: Geometry, signs: SignsOfAge, conditions: CaptureConditions
) -> None:
    """Redden the cheeks, most of all those of small children and with make-up."""
    cheeks = ridge(np.hypot(geometry.um - 0.42, geometry.v - geometry.eye_y - 0.3), 0.2)
    amount = 0.16 * np.exp(-3 * signs.growth) + 0.08 * conditions.makeup + 0.06
    red: npt.NDArray[np.float64] = np.broadcast_to(np.array([0.85, 0.32, 0.30]), (head.shape[0], 3))
    paint(canvas, head * cheeks * per_image(amount), red)
