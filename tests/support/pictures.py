"""Small pictures that a perceptual hash tells apart, and compressed copies of them."""

import io

import numpy as np
from PIL import Image


def faces(count: int, seed: int = 0, side: int = 48) -> np.ndarray:
    """Smooth random pictures, none like another."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 7, 7, 3), dtype=np.uint8)
    return np.stack(
        [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in coarse]
    )


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    written = io.BytesIO()
    Image.fromarray(image).save(written, format="JPEG", quality=quality)
    return np.asarray(Image.open(written))
