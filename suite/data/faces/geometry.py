"""The geometry of a face: the position of each pixel on the head, and the head's landmarks.

Coordinates are in half heads. The middle of the head is (0, 0), the crown about (0, -1), the chin (0, 1); x grows
to the right of the image, y downwards.
"""

from dataclasses import dataclass

import numpy as np

from suite.data.faces.capture import CaptureConditions
from suite.data.faces.drawing import Plane, per_image
from suite.data.faces.people import People, SignsOfAge


@dataclass(frozen=True)
class Geometry:
    """Coordinate planes (n, side, side) and landmarks (n, 1, 1), in half heads."""

    x: Plane  # in the image plane, rotated and shifted with the head
    y: Plane
    u: Plane  # on the face, seen from the front
    v: Plane
    pixel: Plane  # the width of a pixel
    outline: Plane  # signed distance to the outline of the head
    toward: Plane  # how far the surface faces the viewer, 0..1
    half_width: Plane
    eye_x: Plane
    eye_y: Plane
    eye_across: Plane
    eye_down: Plane
    brow_y: Plane
    nose_y: Plane
    nose_across: Plane
    mouth_y: Plane
    mouth_across: Plane
    lip: Plane  # thickness

    @property
    def um(self) -> Plane:
        """The distance from the middle line of the face, which mirrors one half onto the other."""
        return np.abs(self.u)

    @property
    def side(self) -> Plane:
        """-1 on the left half of the face in the image, 1 on the right."""
        return np.sign(self.u)


def face_geometry(people: People, signs: SignsOfAge, conditions: CaptureConditions, side: int) -> Geometry:
    """Compute the geometry of the faces in a batch."""
    x, y, pixel = _on_the_head(conditions, side)
    growth, sag = per_image(signs.growth), per_image(signs.sag)
    width = 0.80 - 0.07 * growth + 0.03 * per_image(people.face_width)
    u, v = _on_the_face(x, y, width, people, conditions)
    outline = _outline(x, y, width, growth, sag, people)
    depth = np.clip(1 - (x / width) ** 2 - (0.8 * y) ** 2, 0.02, 1)
    eye_y = 0.24 - 0.21 * growth
    nose_y = eye_y + 0.22 + 0.15 * growth + 0.025 * per_image(people.nose_length) + 0.03 * sag
    return Geometry(
        x=x,
        y=y,
        u=u,
        v=v,
        pixel=pixel,
        outline=outline,
        toward=np.sqrt(depth),
        half_width=width,
        eye_x=0.315 + 0.018 * per_image(people.eye_distance) - 0.01 * growth,
        eye_y=eye_y,
        eye_across=(0.165 - 0.035 * growth) * (1 + 0.07 * per_image(people.eye_size)),
        eye_down=(0.115 - 0.045 * growth)
        * (1 + 0.10 * per_image(people.eye_size))
        * per_image(conditions.lids)
        * (1 - 0.35 * sag),
        brow_y=eye_y - 0.20 + 0.05 * sag - 0.015 * per_image(people.brow_height),
        nose_y=nose_y,
        nose_across=0.095
        + 0.035 * growth
        + 0.014 * per_image(people.nose_width)
        + 0.02 * per_image(signs.thinning),
        mouth_y=nose_y + 0.15 + 0.07 * growth,
        mouth_across=0.17
        + 0.07 * growth
        + 0.018 * per_image(people.mouth_width)
        + 0.04 * per_image(conditions.smile),
        lip=(0.055 + 0.012 * per_image(people.lip_fullness)) * (1 - 0.55 * per_image(signs.thinning)),
    )


def _on_the_head(conditions: CaptureConditions, side: int) -> tuple[Plane, Plane, Plane]:
    middle = ((np.arange(side, dtype=np.float32) + 0.5) * 2 / side - 1)[None]
    right = middle[:, None, :] - per_image(conditions.shift_x)
    down = middle[:, :, None] - per_image(conditions.shift_y)
    scale, roll = per_image(conditions.zoom), per_image(conditions.roll)
    cos, sin = np.cos(roll) / scale, np.sin(roll) / scale
    pixel: Plane = 2 / (side * scale)
    return right * cos + down * sin, down * cos - right * sin, pixel


def _on_the_face(
    x: Plane, y: Plane, width: Plane, people: People, conditions: CaptureConditions
) -> tuple[Plane, Plane]:
    """Rotate the head to the front, as if it were a cylinder, and remove its asymmetry."""
    yaw = per_image(conditions.yaw)
    around = np.sqrt(np.maximum(width**2 - x**2, 0))
    u = x * np.cos(yaw) - around * np.sin(yaw)
    return u, y - per_image(conditions.pitch) + 0.03 * per_image(people.asymmetry) * u


def _outline(x: Plane, y: Plane, width: Plane, growth: Plane, sag: Plane, people: People) -> Plane:
    """Signed distance to a round cranium above and a jaw below, which grows longer, squarer and heavier."""
    square = per_image(people.masculinity) - 0.5 + 0.25 * per_image(people.jaw_squareness)
    chin = 0.86 + 0.12 * growth
    power = 2.35 - 0.25 * growth + 0.55 * growth * square + 0.9 * sag
    below = np.clip(np.maximum(y, 0) / chin, 0, 1.2)
    above = np.clip(np.maximum(-y, 0) / 0.97, 0, 1.2)
    extent = 1 - below**power - above**2.3
    jowls = 0.05 * sag * np.exp(-(((y - 0.66) / 0.16) ** 2))
    reach = width * np.sqrt(np.maximum(extent, 0)) + jowls * (extent > 0)
    # Where the outline is flat, at crown and chin, the horizontal distance is too large.
    flat: Plane = np.maximum(np.abs(x) - reach, np.maximum(y - chin, -y - 0.97))
    return flat
