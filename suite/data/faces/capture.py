"""Capture conditions of an image: pose, light, expression, occlusion and camera."""

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np

from suite.data.faces.people import Floats


@dataclass(frozen=True)
class CaptureConditions:
    """Nuisance factors of n images, each an array (n,)."""

    yaw: Floats  # radians, to the side
    pitch: Floats  # shift of the features, in half heads, downwards
    roll: Floats  # radians, in the image plane
    zoom: Floats  # half the height of the head as a share of half the image
    shift_x: Floats  # of the head, in half images
    shift_y: Floats
    light_x: Floats  # the direction of the light source
    light_y: Floats
    harshness: Floats  # 0 even .. 1 deep shadows
    exposure: Floats
    warmth: Floats  # of the light
    smile: Floats  # -0.5 .. 1
    mouth_open: Floats  # 0..1
    lids: Floats  # how far the eyes are open, 0..1
    gaze: Floats
    makeup: Floats  # 0..1: covers skin and wrinkles, colours the lips
    glasses: Floats  # 0 none, 1 clear, 2 dark
    beard: Floats  # 0..1, applied to grown men
    occlusion: Floats  # 0 none, 1 a patch over a part of the face
    occlusion_x: Floats
    occlusion_y: Floats
    occlusion_size: Floats
    occlusion_turn: Floats
    blur: Floats  # 0 sharp .. 2
    grain: Floats  # standard deviation of the camera's noise

    @classmethod
    def draw(cls, rng: np.random.Generator, ages: Floats) -> Self:
        """Draw conditions for images of people of these ages, (n,) in years."""
        n = len(ages)

        def even(low: float, high: float) -> Floats:
            return rng.uniform(low, high, n)

        def sometimes(share: float | Floats, values: Floats) -> Floats:
            return np.where(rng.random(n) < share, values, 0.0)

        glasses_share = np.interp(ages, [3, 15, 45, 65], [0.02, 0.10, 0.20, 0.35])
        return cls(
            yaw=np.clip(rng.normal(0, 0.2, n), -0.6, 0.6),
            pitch=rng.normal(0, 0.03, n),
            roll=rng.normal(0, 0.06, n),
            zoom=even(0.92, 1.02),
            shift_x=rng.normal(0, 0.025, n),
            shift_y=rng.normal(0, 0.025, n),
            light_x=rng.normal(0, 0.6, n),
            light_y=rng.normal(-0.35, 0.35, n),
            harshness=rng.beta(1.6, 2.2, n),
            exposure=np.exp(rng.normal(0, 0.15, n)),
            warmth=rng.normal(0, 0.06, n),
            smile=np.clip(rng.normal(0.3, 0.45, n), -0.5, 1),
            mouth_open=sometimes(0.35, even(0.2, 1)),
            lids=even(0.65, 1),
            gaze=rng.normal(0, 0.25, n),
            makeup=sometimes(np.where(ages > 14, 0.35, 0.0), even(0.3, 1)),
            glasses=sometimes(glasses_share, np.where(rng.random(n) < 0.2, 2.0, 1.0)),
            beard=sometimes(0.45, even(0.2, 1)),
            occlusion=sometimes(0.15, np.ones(n)),
            occlusion_x=even(-0.8, 0.8),
            occlusion_y=even(-0.7, 1.0),
            occlusion_size=even(0.18, 0.5),
            occlusion_turn=even(0, np.pi),
            blur=2 * rng.beta(1.0, 3.0, n),
            grain=0.004 + 0.04 * rng.beta(1, 2.5, n),
        )

    def part(self, rows: slice) -> Self:
        """Return the conditions of some of the images."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in dataclasses.fields(self)})

    @property
    def hidden(self) -> Floats:
        """How much of the face is hidden from a viewer, (n,) in 0..1."""
        dark = (self.glasses == 2) * 0.35
        covered = self.occlusion * self.occlusion_size
        hidden: Floats = np.clip(dark + covered + 0.25 * self.blur + 0.3 * np.abs(self.yaw), 0, 1)
        return hidden
