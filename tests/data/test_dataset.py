from pathlib import Path

import numpy as np
import pytest
import torch

from suite.data.dataset import images_at, load_dataset
from suite.data.store import Store
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


def test_another_resolution_is_made_once_and_shared(store: Store) -> None:
    first = images_at(store, 40)
    files = list((cache_folder() / "resized").iterdir())
    made = files[0].stat().st_mtime_ns
    assert first.shape == (240, 40, 40, 3)
    assert isinstance(images_at(store, 40), np.memmap)
    assert [f.stat().st_mtime_ns for f in (cache_folder() / "resized").iterdir() if "-40" in f.name] == [made]
    assert not [f for f in files if "partial" in f.name]


def test_resizing_keeps_the_mean_brightness(store: Store) -> None:
    assert images_at(store, 48).mean() == pytest.approx(store.images.mean(), abs=1.0)


def test_an_attribute_that_the_data_lacks_is_named_with_what_there_is(store: Store) -> None:
    with pytest.raises(RequestError, match=r"'attractiveness', only for age"):
        load_dataset(store, "attractiveness", 32)


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SUITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "suite"
