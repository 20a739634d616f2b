"""Of two thousand small files two hundred are damaged at random: they are named, and the rest is packed."""

import io
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from suite.data.checking import check_store
from suite.data.packing import pack
from suite.data.sets import READERS
from suite.errors import UnfinishedError

pytestmark = pytest.mark.slow

IMAGES, DAMAGED = 2_000, 200


def picture(number: int) -> bytes:
    """A small JPEG, none like another."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(coarse).resize((40, 40), Image.Resampling.BICUBIC).save(
        written, format="JPEG", quality=90
    )
    return written.getvalue()


def damage(content: bytes, kind: int, rng: random.Random) -> bytes:
    if kind == 0:  # bits that flipped: some pictures survive it
        flipped = bytearray(content)
        for _ in range(rng.randint(1, 20)):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        return bytes(flipped)
    if kind == 1:
        return content[: rng.randrange(1, len(content) - 2)]
    if kind == 2:  # another ending than the content: a letter that is called a picture
        return b"%PDF-1.7\n" + rng.randbytes(400)
    return b""


@pytest.fixture
def damaged_set(tmp_path: Path) -> tuple[Path, dict[str, int]]:
    """A folder in UTKFace's layout, and the kind of damage by file."""
    rng = random.Random(0)
    folder = tmp_path / "UTKFace"
    folder.mkdir()
    chosen = dict(zip(rng.sample(range(IMAGES), DAMAGED), [0, 1, 2, 3] * (DAMAGED // 4), strict=True))
    kinds: dict[str, int] = {}
    for number in range(IMAGES):
        name = f"{number % 117}_{number % 2}_{number % 5}_2017011617{number:07d}.jpg.chip.jpg"
        content = picture(number)
        if number in chosen:
            kinds[name] = chosen[number]
            content = damage(content, chosen[number], rng)
        (folder / name).write_bytes(content)
    return folder, kinds


def test_the_damage_is_named_and_nothing_else_is_lost(
    damaged_set: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    folder, kinds = damaged_set
    with pytest.raises(UnfinishedError, match=r"of 2,000 images of .* are missing, damaged or"):
        pack(READERS["utkface"], folder, tmp_path / "out", size=32, workers=2)
    store = pack(READERS["utkface"], folder, tmp_path / "out", size=32, workers=2, max_skipped=0.1)
    skipped = pd.read_csv(store.folder / "skipped.csv")
    assert set(skipped["source"]) <= set(kinds)  # nothing whole was skipped
    assert skipped["reason"].str.strip().ne("").all()
    assert store.info.images + len(skipped) == IMAGES
    unreadable = {name for name, kind in kinds.items() if kind >= 1}
    assert unreadable <= set(skipped["source"])  # what is cut off, no picture or empty
    for source, age in zip(store.labels["source"], store.labels["age"], strict=True):
        assert age == int(source.split("_")[0])
    found = check_store(store)
    assert not found.problems


def test_a_whole_image_of_a_damaged_set_has_the_pixels_it_has_in_a_whole_set(
    damaged_set: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    folder, kinds = damaged_set
    store = pack(READERS["utkface"], folder, tmp_path / "out", size=40, workers=1, max_skipped=1)
    for index in range(0, store.info.images, 97):
        source = store.labels["source"][index]
        if source not in kinds:
            whole = Image.open(io.BytesIO(picture(int(source.split("_")[3][10:17]))))
            assert np.array_equal(store.images[index], np.asarray(whole))
