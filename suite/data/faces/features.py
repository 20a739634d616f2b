"""Eyes, brows, nose and mouth."""

import numpy as np

from suite.data.faces.circumstances import Circumstances
from suite.data.faces.drawing import Canvas, Plane, ellipse, inside, paint, per_image, ridge, segment, shade
from suite.data.faces.geometry import Geometry
from suite.data.faces.people import Floats, People, SignsOfAge

IRIS_COLOURS = np.array([[0.36, 0.52, 0.66], [0.40, 0.46, 0.28], [0.26, 0.15, 0.08]])  # blue, green, brown


def draw_eyes(
    canvas: Canvas, place: Geometry, people: People, signs: SignsOfAge, seen: Circumstances
) -> None:
    """Sockets, whites, irises and lids; with age the whites yellow and the upper lid hangs lower."""
    ex, ey = place.um - place.eye_x, place.v - place.eye_y
    sag = per_image(signs.sag)
    socket = ridge(np.hypot(ex * 0.8, ey + 0.03), 0.17)
    shade(canvas, 1 - socket * (0.10 + 0.12 * sag))
    almond = ellipse(ex, ey + 0.15 * ex * sag, place.eye_across, place.eye_down)
    hanging = place.v - place.eye_y + place.eye_down * (1 - 0.7 * sag) + 0.2 * sag * np.maximum(ex, 0)
    opened = inside(almond, place.pixel * 1.2) * inside(-hanging, place.pixel * 1.5)
    yellow = (0.3 * signs.roughness)[:, None] * np.array([0.1, 0.15, 0.35])
    paint(canvas, opened, np.array([0.93, 0.92, 0.90]) - yellow)
    _draw_iris(canvas, opened, ex, ey, place, people, seen)
    upper = ridge(almond, 0.028) * (ey < 0.25 * place.eye_down)
    shade(canvas, 1 - 0.75 * upper)
    crease = ridge(ellipse(ex, ey + 0.02, place.eye_across * 1.15, place.eye_down + 0.055), 0.025) * (
        ey < -0.02
    )
    shade(canvas, 1 - crease * (0.18 + 0.3 * sag))


def _draw_iris(
    canvas: Canvas, opened: Plane, ex: Plane, ey: Plane, place: Geometry, people: People, seen: Circumstances
) -> None:
    radius = np.maximum(place.eye_down * 0.92, place.eye_across * 0.45)
    away = np.hypot(ex - place.side * per_image(seen.gaze) * place.eye_across * 0.5, ey)
    places = np.array([0.0, 0.35, 0.7])
    colour = np.stack([np.interp(people.iris_tone, places, IRIS_COLOURS[:, c]) for c in range(3)], 1)
    paint(canvas, opened * inside(away - radius, place.pixel), colour)
    paint(canvas, opened * inside(away - 0.45 * radius, place.pixel), np.full((len(colour), 3), 0.05))


def draw_brows(canvas: Canvas, place: Geometry, people: People, signs: SignsOfAge, hair: Floats) -> None:
    """Two arched strokes in the hair's colour; hardly there in babies, thin and drooping in the old."""
    arch = 0.30 + 0.1 * per_image(people.brow_height)
    along = place.um - place.eye_x
    level = place.brow_y + arch * (along - 0.03) ** 2 + 0.12 * per_image(signs.sag) * np.maximum(along, 0)
    thick = 0.026 + 0.014 * per_image(people.masculinity) + 0.006 * per_image(people.brow_weight)
    mask = inside(np.abs(place.v - level) - thick, 1.5 * place.pixel) * inside(np.abs(along) - 0.19, 0.08)
    dense = per_image(0.25 + 0.6 * signs.growth - 0.3 * signs.thinning)
    paint(canvas, mask * dense, hair * 0.8)


def draw_nose(canvas: Canvas, place: Geometry, people: People, seen: Circumstances) -> None:
    """A ridge lit from one side, the wings, and the nostrils."""
    top = place.eye_y - 0.02
    length = place.nose_y - top
    down = np.clip((place.v - top) / length, 0, 1)
    between = inside(np.abs(place.v - (top + place.nose_y) / 2) - length / 2, 0.08)
    flank = ridge(place.um - (0.045 + 0.6 * place.nose_across * down**2), 0.05) * between
    lit = place.side * np.sign(per_image(seen.light_x))
    shade(canvas, 1 - flank * (0.13 - 0.07 * lit))
    shade(canvas, 1 + 0.10 * ridge(place.um, 0.04) * between)
    wings = ellipse(place.um - place.nose_across, place.v - place.nose_y + 0.035, 0.05, 0.055)
    shade(canvas, 1 - 0.22 * ridge(wings, 0.03) * (place.um > place.nose_across - 0.01))
    nostrils = ellipse(place.um - 0.6 * place.nose_across, place.v - place.nose_y, 0.035, 0.02)
    shade(canvas, 1 - 0.6 * inside(nostrils, 2 * place.pixel))
    under = ridge(place.v - place.nose_y - 0.03, 0.03) * inside(place.um - place.nose_across, 0.08)
    shade(canvas, 1 - 0.2 * under)


def draw_mouth(
    canvas: Canvas, place: Geometry, people: People, signs: SignsOfAge, seen: Circumstances, skin: Floats
) -> None:
    """Two lips, the line between them or the teeth; corners rise with a smile and fall with age."""
    along = place.u / place.mouth_across
    lift = 0.10 * per_image(seen.smile) - 0.05 * per_image(signs.sag)
    line = place.mouth_y + lift * (0.5 - along**2) * np.abs(along).clip(0.3, 1)
    within = np.clip(1 - along**2, 0, 1)
    gap = 0.085 * per_image(seen.mouth_open * np.maximum(seen.smile + 0.4, 0.2)) * np.sqrt(within)
    bow = 1 - 0.25 * ridge(along, 0.18)
    upper = place.lip * within**0.7 * bow
    lower = place.lip * 1.25 * np.sqrt(within)
    reach = np.where(place.v < line, line - gap / 2 - upper - place.v, place.v - line - gap / 2 - lower)
    lips = inside(reach, 1.5 * place.pixel) * (within > 0)
    red = np.array([0.72, 0.30, 0.30]) * (1 - 0.45 * people.skin_tone[:, None])
    pale = 0.35 + 0.3 * seen.makeup - 0.2 * signs.thinning
    paint(canvas, lips, skin + np.clip(pale, 0.1, 1)[:, None] * (red - skin))
    opening = inside(np.abs(place.v - line) - gap / 2, place.pixel) * (gap > 0.01)
    teeth = per_image(np.where(seen.smile > 0.2, 1.0, 0.0)) * inside(
        np.abs(place.v - line + 0.01) - gap / 3, place.pixel
    )
    paint(canvas, opening, np.broadcast_to(np.array([0.25, 0.08, 0.08]), (len(skin), 3)))
    worn = (1 - 0.3 * signs.roughness)[:, None] * np.array([0.92, 0.90, 0.84])
    paint(canvas, opening * teeth * (place.um < place.mouth_across * 0.8), worn)
    closed = ridge(place.v - line, 0.018) * (within > 0) * (1 - opening)
    shade(canvas, 1 - 0.55 * closed)
    chin = segment(place.u, place.v, (-0.08, place.mouth_y + 0.17), (0.08, place.mouth_y + 0.17))
    shade(canvas, 1 - 0.12 * ridge(chin, 0.05))
