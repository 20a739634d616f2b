"""Checking packed data: what would make its figures worthless is found, and nothing else is."""

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from suite.cli.main import main
from suite.data import duplicates
from suite.data.checking import Check, check_store
from suite.data.dataset import images_at, resized_file
from suite.data.duplicates import alike_across, difference_hashes, same_pixels
from suite.data.store import LabelRange, Store, StoreInfo, fingerprint, open_store, write_info

Change = Callable[[np.ndarray, pd.DataFrame], None]


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


def a_store(folder: Path, change: Change = lambda images, labels: None) -> Store:
    """A store of 30 images, 20 + 5 + 5, after a change that its fingerprint knows of."""
    images = faces(30)
    labels = pd.DataFrame(
        {
            "split": ["train"] * 20 + ["val"] * 5 + ["test"] * 5,
            "subject": [f"p{n}" for n in range(30)],
            "source": [f"{n}.jpg" for n in range(30)],
            "age": np.arange(30) * 3.0,
            "age_std": np.nan,
        }
    )
    change(images, labels)
    folder.mkdir()
    np.save(folder / "images.npy", images)
    labels.to_parquet(folder / "labels.parquet", index=False)
    info = StoreInfo(
        "small", {"age": LabelRange(0, 90, 1)}, 30, 48, fingerprint(images, labels), "By hand.", "Nowhere."
    )
    write_info(folder, info)
    return open_store(folder)


def test_data_without_fault_passes_and_is_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = a_store(tmp_path / "store")
    assert not check_store(store).problems
    assert main(["data", "check", str(store.folder)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "images: 20 train, 5 val, 5 test; 30 people"
    assert "protocol: By hand." in said
    assert "look-alikes in different splits: 0 pairs" in said
    assert said[-1] == "no problems found"
    rows = [line.split() for line in said if " to " in line]
    assert len(rows) == 10
    assert sum(int(row[3]) for row in rows) == 20
    assert rows[0] == ["0", "to", "9", "3", "0", "0"]
    assert rows[9] == ["81", "to", "90", "0", "0", "3"]


def share_a_subject(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[28, "subject"] = "p3"


def copy_across(images: np.ndarray, labels: pd.DataFrame) -> None:
    images[22] = images[4]


def lose_a_label(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[[3, 4], "age"] = [np.nan, 91]


def negative(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[3, "age_std"] = -1.0


def no_test(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[labels["split"] == "test", "split"] = "val"


def other_split(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[3, "split"] = "dev"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (share_a_subject, "1 people are in two splits or more: p3."),
        (copy_across, "1 image has an exact copy in another split: 4.jpg and 22.jpg."),
        (lose_a_label, "2 labels of age are missing or outside of 0 to 90."),
        (negative, "1 deviations of age are below 0."),
        (no_test, "There is no test image."),
        (other_split, "There are splits of other names than train, val and test: ['dev']."),
    ],
)
def test_a_fault_is_found_and_named(
    change: Change, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = a_store(tmp_path / "store", change)
    assert list(check_store(store).problems) == [problem]
    assert main(["data", "check", str(store.folder)]) == 1
    assert capsys.readouterr().err == f"suite: {problem}\n"


@pytest.mark.parametrize("column", ["split", "subject", "source", "age", "age_std"])
def test_labels_without_a_column_are_reported_in_one_sentence(
    column: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def drop(images: np.ndarray, labels: pd.DataFrame) -> None:
        del labels[column]

    store = a_store(tmp_path / "store", drop)
    assert main(["data", "check", str(store.folder)]) == 1
    said = capsys.readouterr().err
    assert said == (
        f"suite: labels.parquet of {store.folder} cannot be read (it has no column {column}); pack the data again, or "
        "take it from a backup.\n"
    )


def test_a_copy_within_a_split_is_reported_but_not_wrong(tmp_path: Path) -> None:
    def copy(images: np.ndarray, labels: pd.DataFrame) -> None:
        images[5] = images[4]

    found = check_store(a_store(tmp_path / "store", copy))
    assert not found.problems
    assert "exact copies: 1 in all" in found.facts


def test_a_look_alike_in_another_split_is_shown(tmp_path: Path) -> None:
    def compress(images: np.ndarray, labels: pd.DataFrame) -> None:
        images[27] = compressed(images[2], 75)

    found = check_store(a_store(tmp_path / "store", compress))
    assert not found.problems
    assert "look-alikes in different splits: 1 pairs; look at 2.jpg and 27.jpg" in found.facts


def broken(folder: Path) -> Check:
    return check_store(open_store(folder))


def test_a_bit_that_flipped_on_the_disk_is_found(tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    content = bytearray((folder / "images.npy").read_bytes())
    content[-1000] ^= 1
    (folder / "images.npy").write_bytes(content)
    assert list(broken(folder).problems) == [
        "The fingerprint of images and labels is another than that in store.json."
    ]


@pytest.mark.parametrize("name", ["images.npy", "labels.parquet"])
@pytest.mark.parametrize("damage", ["empty", "short", "noise", "gone"])
def test_a_damaged_file_is_reported_in_one_sentence(name: str, damage: str, tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    file = folder / name
    if damage == "gone":
        file.unlink()
    else:
        whole = file.read_bytes()
        file.write_bytes({"empty": b"", "short": whole[: len(whole) // 2], "noise": b"\x07" * 999}[damage])
    (problem,) = broken(folder).problems
    assert " cannot be read (" in problem
    assert "\n" not in problem


def test_files_of_different_stores_are_reported(tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    np.save(folder / "images.npy", faces(29))
    (problem,) = broken(folder).problems
    assert "it holds uint8 29 x 48 x 48 x 3 instead of uint8 30 x 48 x 48 x 3" in problem


def test_same_pixels_are_found_by_all_of_them() -> None:
    images = faces(6)
    images[3] = images[1]
    images[5] = images[1]
    images[5, -1, -1, -1] ^= 1
    numbers = same_pixels(images)
    assert numbers[3] == numbers[1]
    assert len(set(numbers.tolist())) == 5


def test_a_perceptual_hash_outlives_compression_and_brightness_but_no_other_face() -> None:
    images = faces(40)
    darker = np.stack([compressed((image * 0.95).astype(np.uint8), 90) for image in images])
    hashes, others = difference_hashes(images), difference_hashes(darker)
    distances = np.bitwise_count(hashes[:, None] ^ others[None]).sum(2)
    assert np.diag(distances).max() <= duplicates.MOST_BITS
    assert (distances + 999 * np.eye(40)).min() > 25


def test_pairs_are_those_that_comparing_all_would_find(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_BATCH", 7)
    originals = faces(30, seed=3)
    copies = np.stack([compressed(image, 90) for image in originals])
    images = np.concatenate([originals, copies, faces(30, seed=4)])
    parts = np.repeat([0, 1, 2], 30)
    assert alike_across(images, parts) == [(n, n + 30) for n in range(30)]
    assert alike_across(images, np.zeros(90, dtype=np.int64)) == []


def test_a_store_of_older_days_without_its_info_is_refused(tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    info = dataclasses.asdict(open_store(folder).info)
    (folder / "store.json").write_text(json.dumps({**info, "schema_version": 0}))
    assert main(["data", "check", str(folder)]) == 2


def test_resized_images_in_the_cache_are_compared_with_what_they_were_made_of(tmp_path: Path) -> None:
    store = a_store(tmp_path / "store")
    images_at(store, 40)
    assert not check_store(store).problems
    kept = np.lib.format.open_memmap(resized_file(store, 40), mode="r+")
    kept[7] = 0
    kept.flush()
    (problem,) = check_store(store).problems
    assert problem.startswith("The images at 40 pixels in the cache are not made of these; delete ")
