import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Photo = Callable[..., bytes]


@pytest.fixture(scope="session")
def photo() -> Photo:
    """Makes the bytes of a small picture: left half one colour, right half another."""

    def make(
        left: tuple[int, int, int] = (200, 40, 40),
        right: tuple[int, int, int] = (40, 40, 200),
        size: tuple[int, int] = (48, 48),
        mode: str = "RGB",
        form: str = "JPEG",
        **options: object,
    ) -> bytes:
        pixels = np.empty((size[1], size[0], 3), np.uint8)
        pixels[:, : size[0] // 2], pixels[:, size[0] // 2 :] = left, right
        written = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(written, format=form, **options)
        return written.getvalue()

    return make


@pytest.fixture
def utkface(tmp_path: Path, photo: Photo) -> Path:
    """A folder in UTKFace's layout: forty pictures, one for each of the ages 1 to 40."""
    folder = tmp_path / "UTKFace"
    folder.mkdir()
    for age in range(1, 41):
        name = f"{age}_{age % 2}_{age % 5}_201701161745{age:05d}.jpg.chip.jpg"
        (folder / name).write_bytes(photo(left=(6 * age, 20, 20)))
    return folder
