"""The camera's part in an image: exposure, white balance, focus and noise."""

import numpy as np

from suite.data.faces.capture import CaptureConditions
from suite.data.faces.drawing import Canvas, Plane, blurred


def photograph(canvas: Canvas, conditions: CaptureConditions, rng: np.random.Generator) -> Canvas:
    """Return the canvas after exposure, colour of the light, blur and grain; ``canvas`` stays as it is."""
    light = conditions.exposure[:, None] * (1 + conditions.warmth[:, None] * np.array([1.0, 0.0, -1.0]))
    taken = canvas * np.asarray(light, np.float32)[:, :, None, None]
    once = blurred(taken)
    twice = blurred(once)
    first = np.clip(conditions.blur, 0, 1).astype(np.float32)[:, None, None, None]
    second = np.clip(conditions.blur - 1, 0, 1).astype(np.float32)[:, None, None, None]
    taken = taken + first * (once - taken)
    taken = taken + second * (twice - taken)
    grain: Plane = rng.standard_normal(taken.shape, np.float32)
    exposed: Canvas = taken + grain * np.asarray(conditions.grain, np.float32)[:, None, None, None]
    return exposed
