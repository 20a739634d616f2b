import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from suite.data import dataset
from suite.data.dataset import images_at, load_dataset, resized_file
from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.files.cache import cache_folder


def test_splits_hold_their_own_rows_and_labels(store: Store) -> None:
    dataset = load_dataset(store, "age", 32)
    assert {name: len(part) for name, part in dataset.splits.items()} == {"train": 160, "val": 40, "test": 40}
    val = dataset.splits["val"]
    assert val.rows.tolist() == list(range(160, 200))
    assert val.labels.tolist() == pytest.approx(store.labels["age"].iloc[160:200].tolist(), rel=1e-6)
    assert torch.equal(val.images[val.rows[0]], torch.from_numpy(np.array(store.images[160])))


def test_images_of_the_stores_own_size_are_not_copied(store: Store) -> None:
    assert isinstance(images_at(store, 32), np.memmap)
    assert load_dataset(store, "age", 32).splits["train"].images.data_ptr() == store.images.ctypes.data


def test_another_resolution_is_made_once_and_shared(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    first = images_at(store, 40)
    (file,) = (cache_folder() / "resized").iterdir()
    made = file.stat().st_mtime_ns
    assert first.shape == (240, 40, 40, 3)
    assert isinstance(images_at(store, 40), np.memmap)
    assert [f.stat().st_mtime_ns for f in (cache_folder() / "resized").iterdir()] == [made]


def test_resizing_keeps_the_mean_brightness(store: Store) -> None:
    assert images_at(store, 48).mean() == pytest.approx(store.images.mean(), abs=1.0)


def test_an_attribute_that_the_data_lacks_is_named_with_what_there_is(store: Store) -> None:
    with pytest.raises(RequestError, match=r"'attractiveness', only for age"):
        load_dataset(store, "attractiveness", 32)


def copy_of(store: Store, folder: Path, change: Callable[[Path], object] = lambda folder: None) -> Store:
    """A copy that claims the fingerprint of the original, after a change of its files."""
    shutil.copytree(store.folder, folder)
    change(folder)
    return open_store(folder)


def black(folder: Path) -> None:
    pixels = np.load(folder / "images.npy")
    pixels[:] = 0
    np.save(folder / "images.npy", pixels)


def test_a_damaged_copy_does_not_spoil_the_resized_images_of_the_genuine_store(
    store: Store, tmp_path: Path
) -> None:
    damaged = copy_of(store, tmp_path / "copy", black)
    assert damaged.info.fingerprint == store.info.fingerprint
    assert images_at(damaged, 44).max() == 0
    assert images_at(store, 44).mean() == pytest.approx(store.images.mean(), abs=1.0)


def test_images_that_changed_after_they_were_resized_are_resized_again(store: Store, tmp_path: Path) -> None:
    copied = copy_of(store, tmp_path / "copy")
    images_at(copied, 36)
    black(copied.folder)
    assert images_at(open_store(copied.folder), 36).max() == 0


def test_a_change_that_no_sample_meets_is_recognised_by_its_time(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.data.store.SAMPLE_BYTES", 2 * store.images[0].nbytes)
    copied = copy_of(store, tmp_path / "copy")
    images_at(copied, 36)

    def one_white(folder: Path) -> None:
        pixels = np.load(folder / "images.npy")
        pixels[100] = 255
        np.save(folder / "images.npy", pixels)

    one_white(copied.folder)
    assert images_at(open_store(copied.folder), 36)[100].min() == 255


def test_a_fingerprint_that_is_a_path_leads_nowhere(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "deep" / "er" / "cache"))

    def forge(folder: Path) -> None:
        fields = json.loads((folder / "store.json").read_text())
        (folder / "store.json").write_text(json.dumps(fields | {"fingerprint": "../../../ESC"}))

    images_at(copy_of(store, tmp_path / "copy", forge), 40)
    made = {path for path in tmp_path.rglob("*") if path.is_file() and "copy" not in path.parts}
    assert len(made) == 1
    assert made.pop().parent == tmp_path / "deep" / "er" / "cache" / "resized"


@pytest.mark.parametrize("content", [b"", b"cut", None])
def test_resized_images_that_cannot_be_read_are_made_again(content: bytes | None, store: Store) -> None:
    kept = resized_file(store, 46)
    images_at(store, 46)
    kept.write_bytes(kept.read_bytes()[:-99] if content is None else content)
    assert images_at(store, 46).shape == (240, 46, 46, 3)


def test_a_full_cache_is_told_before_the_images_are_resized(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**4))  # type: ignore[attr-defined]
    with pytest.raises(RequestError, match=r" free, .* needed.*SUITE_CACHE"):
        load_dataset(store, "age", 40)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_disk_that_fills_while_resizing_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(RequestError, match=r"No space left on device.*SUITE_CACHE"):
        images_at(store, 40)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_large_images_are_resized_a_few_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sizes: list[int] = []
    resize = dataset.resized

    def noted(images: np.ndarray, resolution: int) -> np.ndarray:
        sizes.append(len(images))
        return resize(images, resolution)

    whole = images_at(store, 40)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path))
    monkeypatch.setattr(dataset, "resized", noted)
    monkeypatch.setattr(dataset, "RESIZED_BYTES", 12 * 40 * 40 * 100)
    assert np.array_equal(images_at(store, 40), whole)
    assert sizes == [100, 100, 40]


def test_groups_are_those_of_validation_and_test_that_have_enough_people(
    store: Store, tmp_path: Path
) -> None:
    """Of 40 images of 40 people; where somebody is pictured twice, one of the groups of 20 is too small."""
    folder = Path(shutil.copytree(store.folder, tmp_path / "grouped"))
    labels = store.labels.assign(gender=np.where(np.arange(240) % 2, "female", "male"), origin="somewhere")
    labels.loc[[201, 203], "subject"] = "the same person"
    labels.to_parquet(folder / "labels.parquet")
    splits = load_dataset(open_store(folder), "age", 32).splits
    named = {name: [(group.name, group.people) for group in part.groups] for name, part in splits.items()}
    assert named == {
        "train": [],
        "val": [("gender female", 20), ("gender male", 20)],
        "test": [("gender male", 20)],
    }
    assert splits["val"].groups[0].images.tolist() == list(range(1, 40, 2))
    assert splits["val"].first(10).groups == ()
