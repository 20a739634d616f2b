"""Drawing eyes, brows, nose and mouth."""

import numpy as np

from suite.data.faces.capture import CaptureConditions
from suite.data.faces.drawing import Canvas, Plane, ellipse, inside, paint, per_image, ridge, segment, shade
from suite.data.faces.geometry import Geometry
from suite.data.faces.people import Floats, People, SignsOfAge

IRIS_COLOURS = np.array([[0.36, 0.52, 0.66], [0.40, 0.46, 0.28], [0.26, 0.15, 0.08]])  # blue, green, brown


def draw_eyes(
    canvas: Canvas, geometry: Geometry, people: People, signs: SignsOfAge, conditions: CaptureConditions
) -> None:
    """Draw sockets, whites, irises and lids; with age the whites turn yellow and the upper lids droop."""
    ex, ey = geometry.um - geometry.eye_x, geometry.v - geometry.eye_y
    sag = per_image(signs.sag)
    socket = ridge(np.hypot(ex * 0.8, ey + 0.03), 0.17)
    shade(canvas, 1 - socket * (0.10 + 0.12 * sag))
    almond = ellipse(ex, ey + 0.15 * ex * sag, geometry.eye_across, geometry.eye_down)
    hanging = (
        geometry.v - geometry.eye_y + geometry.eye_down * (1 - 0.7 * sag) + 0.2 * sag * np.maximum(ex, 0)
    )
    opened = inside(almond, geometry.pixel * 1.2) * inside(-hanging, geometry.pixel * 1.5)
    yellow = (0.3 * signs.roughness)[:, None] * np.array([0.1, 0.15, 0.35])
    paint(canvas, opened, np.array([0.93, 0.92, 0.90]) - yellow)
    _draw_iris(canvas, opened, ex, ey, geometry, people, conditions)
    upper = ridge(almond, 0.028) * (ey < 0.25 * geometry.eye_down)
    shade(canvas, 1 - 0.75 * upper)
    crease = ridge(ellipse(ex, ey + 0.02, geometry.eye_across * 1.15, geometry.eye_down + 0.055), 0.025) * (
        ey < -0.02
    )
    shade(canvas, 1 - crease * (0.18 + 0.3 * sag))


def _draw_iris(
    canvas: Canvas,
    opened: Plane,
    ex: Plane,
    ey: Plane,
    geometry: Geometry,
    people: People,
    conditions: CaptureConditions,
) -> None:
    radius = np.maximum(geometry.eye_down * 0.92, geometry.eye_across * 0.45)
    away = np.hypot(ex - geometry.side * per_image(conditions.gaze) * geometry.eye_across * 0.5, ey)
    stops = np.array([0.0, 0.35, 0.7])
    colour = np.stack([np.interp(people.iris_tone, stops, IRIS_COLOURS[:, c]) for c in range(3)], 1)
    paint(canvas, opened * inside(away - radius, geometry.pixel), colour)
    paint(canvas, opened * inside(away - 0.45 * radius, geometry.pixel), np.full((len(colour), 3), 0.05))


def draw_brows(canvas: Canvas, geometry: Geometry, people: People, signs: SignsOfAge, hair: Floats) -> None:
    """Draw two arched brows in the colour of the hair: faint in babies, thin and drooping in old people."""
    arch = 0.30 + 0.1 * per_image(people.brow_height)
    along = geometry.um - geometry.eye_x
    level = geometry.brow_y + arch * (along - 0.03) ** 2 + 0.12 * per_image(signs.sag) * np.maximum(along, 0)
    thick = 0.026 + 0.014 * per_image(people.masculinity) + 0.006 * per_image(people.brow_weight)
    mask = inside(np.abs(geometry.v - level) - thick, 1.5 * geometry.pixel) * inside(
        np.abs(along) - 0.19, 0.08
    )
    dense = per_image(0.25 + 0.6 * signs.growth - 0.3 * signs.thinning)
    paint(canvas, mask * dense, hair * 0.8)


def draw_nose(canvas: Canvas, geometry: Geometry, people: People, conditions: CaptureConditions) -> None:
    """Draw a ridge that is lit from one side, the wings and the nostrils."""
    top = geometry.eye_y - 0.02
    length = geometry.nose_y - top
    down = np.clip((geometry.v - top) / length, 0, 1)
    between = inside(np.abs(geometry.v - (top + geometry.nose_y) / 2) - length / 2, 0.08)
    flank = ridge(geometry.um - (0.045 + 0.6 * geometry.nose_across * down**2), 0.05) * between
    lit = geometry.side * np.sign(per_image(conditions.light_x))
    shade(canvas, 1 - flank * (0.13 - 0.07 * lit))
    shade(canvas, 1 + 0.10 * ridge(geometry.um, 0.04) * between)
    wings = ellipse(geometry.um - geometry.nose_across, geometry.v - geometry.nose_y + 0.035, 0.05, 0.055)
    shade(canvas, 1 - 0.22 * ridge(wings, 0.03) * (geometry.um > geometry.nose_across - 0.01))
    nostrils = ellipse(geometry.um - 0.6 * geometry.nose_across, geometry.v - geometry.nose_y, 0.035, 0.02)
    shade(canvas, 1 - 0.6 * inside(nostrils, 2 * geometry.pixel))
    under = ridge(geometry.v - geometry.nose_y - 0.03, 0.03) * inside(
        geometry.um - geometry.nose_across, 0.08
    )
    shade(canvas, 1 - 0.2 * under)


def draw_mouth(
    canvas: Canvas,
    geometry: Geometry,
    people: People,
    signs: SignsOfAge,
    conditions: CaptureConditions,
    skin: Floats,
) -> None:
    """Draw two lips with a line or teeth between them; the corners rise with a smile and fall with age."""
    along = geometry.u / geometry.mouth_across
    lift = 0.10 * per_image(conditions.smile) - 0.05 * per_image(signs.sag)
    line = geometry.mouth_y + lift * (0.5 - along**2) * np.abs(along).clip(0.3, 1)
    within = np.clip(1 - along**2, 0, 1)
    gap = 0.085 * per_image(conditions.mouth_open * np.maximum(conditions.smile + 0.4, 0.2)) * np.sqrt(within)
    bow = 1 - 0.25 * ridge(along, 0.18)
    upper = geometry.lip * within**0.7 * bow
    lower = geometry.lip * 1.25 * np.sqrt(within)
    reach = np.where(
        geometry.v < line, line - gap / 2 - upper - geometry.v, geometry.v - line - gap / 2 - lower
    )
    lips = inside(reach, 1.5 * geometry.pixel) * (within > 0)
    red = np.array([0.72, 0.30, 0.30]) * (1 - 0.45 * people.skin_tone[:, None])
    pale = 0.35 + 0.3 * conditions.makeup - 0.2 * signs.thinning
    paint(canvas, lips, skin + np.clip(pale, 0.1, 1)[:, None] * (red - skin))
    opening = inside(np.abs(geometry.v - line) - gap / 2, geometry.pixel) * (gap > 0.01)
    teeth = per_image(np.where(conditions.smile > 0.2, 1.0, 0.0)) * inside(
        np.abs(geometry.v - line + 0.01) - gap / 3, geometry.pixel
    )
    paint(canvas, opening, np.broadcast_to(np.array([0.25, 0.08, 0.08]), (len(skin), 3)))
    worn = (1 - 0.3 * signs.roughness)[:, None] * np.array([0.92, 0.90, 0.84])
    paint(canvas, opening * teeth * (geometry.um < geometry.mouth_across * 0.8), worn)
    closed = ridge(geometry.v - line, 0.018) * (within > 0) * (1 - opening)
    shade(canvas, 1 - 0.55 * closed)
    chin = segment(geometry.u, geometry.v, (-0.08, geometry.mouth_y + 0.17), (0.08, geometry.mouth_y + 0.17))
    shade(canvas, 1 - 0.12 * ridge(chin, 0.05))
