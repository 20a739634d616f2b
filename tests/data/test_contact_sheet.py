"""The contact sheet: a grid in the order of an attribute."""

import errno
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from suite.data.contact_sheet import CAPTION, MARGIN, spread, write_sheet
from suite.data.store import LabelRange, Store, StoreInfo
from suite.errors import RequestError

PITCH = (64 + 2 * MARGIN, 64 + 2 * MARGIN + CAPTION)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Thirty images, each of one grey that is twice its age, in a shuffled order."""
    folder = tmp_path / "store"
    folder.mkdir()
    ages = np.random.default_rng(0).permutation(30) * 4.0
    images = np.broadcast_to((2 * ages).astype(np.uint8)[:, None, None, None], (30, 32, 32, 3))
    np.save(folder / "images.npy", np.ascontiguousarray(images))
    labels = pd.DataFrame({"split": "train", "subject": "", "source": "", "age": ages, "age_std": 1.0})
    labels.to_parquet(folder / "labels.parquet")
    return Store(folder, StoreInfo("greys", {"age": LabelRange(0, 116, 1)}, 30, 32, "f", "p", "o"))


def test_images_stand_in_the_order_of_the_attribute(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_sheet(store, path, columns=4, rows=2)
    with Image.open(path) as sheet:
        assert (sheet.format, sheet.size) == ("PNG", (4 * PITCH[0], 2 * PITCH[1]))
        pixels = np.asarray(sheet)
    middles = [
        int(pixels[row * PITCH[1] + MARGIN + 32, column * PITCH[0] + MARGIN + 32, 0])
        for row in range(2)
        for column in range(4)
    ]
    assert middles == sorted(middles)
    assert (middles[0], middles[-1]) == (0, 232)
    captions = pixels[MARGIN + 64 : PITCH[1], : PITCH[0]]
    assert captions.min() < 128, "there is dark text beneath the first image"


def test_few_images_give_a_small_grid(store: Store, tmp_path: Path) -> None:
    write_sheet(store, tmp_path / "sheet.png", columns=7, rows=90)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (7 * PITCH[0], 5 * PITCH[1])


@given(
    st.lists(st.one_of(st.floats(0, 116), st.just(float("nan"))), max_size=60),
    st.integers(1, 70),
)
def test_a_spread_is_ascending_reaches_both_ends_and_repeats_no_image(
    labels: list[float], count: int
) -> None:
    values = np.array(labels, dtype=np.float64)
    chosen = spread(values, count)
    known = values[~np.isnan(values)]
    assert len(chosen) == len(set(chosen.tolist())) == min(count, len(known))
    assert not np.isnan(values[chosen]).any()
    assert (np.diff(values[chosen]) >= 0).all()
    if len(chosen) > 1:
        assert (values[chosen[0]], values[chosen[-1]]) == (known.min(), known.max())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attribute": "attractiveness"}, "has no labels for 'attractiveness', only for age"),
        ({"columns": 0}, "cannot be drawn"),
        ({"rows": 10**9}, "cannot be drawn; choose at least 1 of each and at most"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused(
    store: Store, tmp_path: Path, options: dict[str, int], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        write_sheet(store, tmp_path / "sheet.png", **options)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_written_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be written"):
        write_sheet(store, tmp_path / "none" / "sheet.png")


def test_a_full_disk_leaves_no_part_of_a_sheet_and_keeps_the_one_before(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = tmp_path / "sheets" / "sheet.png"
    sheet.parent.mkdir()
    sheet.write_bytes(b"before")

    def no_room(self: Image.Image, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", no_room)
    with pytest.raises(RequestError, match="No space left"):
        write_sheet(store, sheet)
    assert list(sheet.parent.iterdir()) == [sheet]
    assert sheet.read_bytes() == b"before"


def test_a_forged_label_without_end_has_no_place_in_the_order(recwarn: pytest.WarningsRecorder) -> None:
    assert spread(np.array([3.0, np.inf, 1.0, -np.inf, np.nan]), 9).tolist() == [2, 0]
    assert not recwarn
