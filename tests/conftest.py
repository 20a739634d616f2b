"""Small data that trains in seconds, for the tests of every package."""

import os
from collections.abc import Iterator

# Two test processes share two cores with what they start. With a thread for each core in every one of them, the
# threads of small networks mostly wait for each other, and the tests take twice as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import settings

from suite.data.dataset import Dataset, LabelledImages
from suite.data.store import LabelRange, Store, StoreInfo, fingerprint, open_store, write_info

# Fixtures are found by the tests of every package, once they are named here.
from tests.support.drivers import drive as drive
from tests.support.drivers import search_file as search_file
from tests.support.object_storage import _own_environment as _own_environment
from tests.support.object_storage import bucket as bucket
from tests.support.object_storage import s3_endpoint as s3_endpoint
from tests.support.trained_runs import run as run

SIDE = 32

# How long an example takes tells of the machine, not of the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the cache of the person who runs it."""
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes what the suite remembers for the person who runs it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SUITE_STATE", str(tmp_path_factory.getbasetemp() / "state"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk() -> Iterator[None]:
    """No test outlives a power cut: what it wrote need not have reached the disk, for which a minute would be lost."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: None)
        yield


def gradient_images(ages: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Noisy images whose brightness and stripes follow the age, so that there is something to learn."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 25, (len(ages), side, side, 3))
    stripes = np.sin(np.arange(side) / 3)[None, :, None, None] * (ages / 2)[:, None, None, None]
    return np.clip(100 + ages[:, None, None, None] / 2 + stripes + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of 240 images of 32 pixels: 160 to train, 40 to validate, 40 to test."""
    folder = tmp_path_factory.mktemp("store")
    ages = np.random.default_rng(1).uniform(0, 100, 240)
    images = gradient_images(ages)
    np.save(folder / "images.npy", images)
    labels = pd.DataFrame(
        {
            "split": ["train"] * 160 + ["val"] * 40 + ["test"] * 40,
            "subject": [f"subject-{i}" for i in range(240)],
            "source": [f"made/{i}" for i in range(240)],
            "age": ages,
            "age_std": 3.0,
        }
    )
    labels.to_parquet(folder / "labels.parquet")
    info = StoreInfo(
        name="stripes",
        attributes={"age": LabelRange(0, 100, 1)},
        images=240,
        side=SIDE,
        fingerprint=fingerprint(images, labels),
        protocol="in order",
        origin="made by the tests",
    )
    write_info(folder, info)
    return open_store(folder)


@pytest.fixture
def dataset() -> Dataset:
    """The same kind of data in memory: 96 to train, 32 to validate, 32 to test."""
    ages = np.random.default_rng(2).uniform(0, 100, 160)
    images = torch.from_numpy(gradient_images(ages))
    labels = torch.tensor(ages, dtype=torch.float32)

    def part(first: int, last: int) -> LabelledImages:
        rows = torch.arange(first, last)
        return LabelledImages(images, rows, labels[rows], torch.full((last - first,), 3.0))

    splits = {"train": part(0, 96), "val": part(96, 128), "test": part(128, 160)}
    return Dataset("age", SIDE, LabelRange(0, 100, 1), splits)
