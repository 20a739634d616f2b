"""Drawing hair and beard: colour, greying and a receding hairline."""

import numpy as np

from suite.data.faces.capture import CaptureConditions
from suite.data.faces.drawing import Canvas, Plane, ellipse, inside, paint, per_image, shade, smooth_noise
from suite.data.faces.geometry import Geometry
from suite.data.faces.people import Floats, People, SignsOfAge

DARK_HAIR = np.array([0.10, 0.07, 0.05])
BLOND_HAIR = np.array([0.80, 0.64, 0.38])
RED_HAIR = np.array([0.55, 0.22, 0.08])
GREY_HAIR = np.array([0.80, 0.80, 0.80])


def hair_colour(people: People, signs: SignsOfAge) -> Floats:
    """Return the colour of each person's hair at that age, (n, 3); people with darker skin have darker hair."""
    blond = (people.hair_tone**2 * (1 - people.skin_tone))[:, None]
    red = (people.hair_redness**6 * (1 - people.skin_tone))[:, None]
    young = DARK_HAIR + blond * (BLOND_HAIR - DARK_HAIR)
    young = young + red * (RED_HAIR - young)
    colour: Floats = young + signs.grey[:, None] * (GREY_HAIR - young)
    return colour


def draw_hair_behind(
    canvas: Canvas, geometry: Geometry, people: People, signs: SignsOfAge, hair: Floats
) -> None:
    """Draw the hair behind the head, which reaches the shoulders where it is long."""
    length = per_image(people.hair_length * (1 - 0.75 * people.masculinity) * signs.growth)
    fall = ellipse(
        geometry.x, geometry.y - 0.55 * length + 0.05, geometry.half_width + 0.16, 0.85 + 0.6 * length
    )
    amount = per_image(1 - 0.9 * signs.baby_hair) * (length > 0.25)
    paint(canvas, inside(fall, 2 * geometry.pixel) * amount, hair * 0.7)


def draw_hair(
    canvas: Canvas,
    geometry: Geometry,
    people: People,
    signs: SignsOfAge,
    hair: Floats,
    rng: np.random.Generator,
) -> None:
    """Draw the hair above the hairline in strands, thinner on babies and balding people."""
    n, side = geometry.x.shape[0], geometry.x.shape[1]
    balding, grey = per_image(signs.balding), per_image(signs.grey)
    cap = ellipse(geometry.x, geometry.y + 0.07, geometry.half_width + 0.09, 1.0)
    line = -0.52 + 0.22 * (geometry.u / 0.7) ** 2 - 0.05 * per_image(people.fringe) - 0.35 * balding
    temples = 0.22 * balding * np.exp(-(((geometry.um - 0.38) / 0.16) ** 2))
    below = inside(geometry.v - line + temples, 0.05)
    sides = inside(0.60 * geometry.half_width / 0.73 - geometry.um, 0.05) * inside(geometry.v - 0.05, 0.1)
    strands = smooth_noise(rng, n, side // 2, side)
    thin = np.clip(1 - 0.9 * per_image(signs.baby_hair) - 0.55 * balding * (geometry.v < line + 0.3), 0, 1)
    mask = inside(cap, 2 * geometry.pixel) * np.maximum(below, sides * (1 - 0.6 * per_image(signs.baby_hair)))
    mask = mask * np.clip(thin + 0.35 * strands * (1 - thin), 0, 1)
    streaks = 1 + strands[:, None] * (0.10 + 0.25 * (grey * (1 - grey))[:, None])
    paint(canvas, mask, hair)
    canvas *= 1 + mask[:, None] * (streaks - 1)


def draw_beard(
    canvas: Canvas,
    head: Plane,
    geometry: Geometry,
    people: People,
    signs: SignsOfAge,
    conditions: CaptureConditions,
    hair: Floats,
    rng: np.random.Generator,
) -> None:
    """Draw stubble or a beard on grown men, which hides the folds around mouth and jaw."""
    n, side = head.shape[0], head.shape[1]
    grown = np.clip((signs.growth - 0.86) / 0.1, 0, 1) * (people.masculinity > 0.6)
    amount = per_image(conditions.beard * grown)
    ring = ellipse(
        geometry.u,
        geometry.v - geometry.mouth_y - 0.04,
        geometry.mouth_across + 0.04,
        geometry.lip * 2 + 0.02,
    )
    low = inside(geometry.mouth_y - 0.09 - geometry.v + 0.25 * np.clip(0.45 - geometry.um, 0, 1), 0.12)
    mask = head * low * (1 - inside(ring, 0.05)) * amount
    grain = smooth_noise(rng, n, side // 2, side)
    paint(canvas, np.clip(mask * (0.75 + 0.3 * grain), 0, 0.95), hair * 0.85)
    shade(canvas, 1 - 0.05 * head * low * per_image(grown * 0.5))
