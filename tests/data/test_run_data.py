"""The data of a run, opened again: it is recognised by what it holds, not only by what it states."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from suite.data.run_data import data_of_run
from suite.data.store import Store
from suite.errors import RequestError
from suite.runs.info import RunInfo
from tests.support.runs import data_used, run_info


def nothing(*arguments: object) -> None:
    """No progress."""


def info_of(store: Store, folder: Path, sampled: str) -> RunInfo:
    return run_info(
        data=data_used(
            name="stripes",
            folder=str(folder),
            fingerprint=store.info.fingerprint,
            sampled_fingerprint=sampled,
        )
    )


@pytest.fixture
def copied(store: Store, tmp_path: Path) -> Path:
    shutil.copytree(store.folder, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize("version", ["now", "before it was recorded"])
def test_the_data_that_a_run_began_with_is_opened(store: Store, copied: Path, version: str) -> None:
    sampled = store.sampled_fingerprint if version == "now" else ""
    opened = data_of_run(Path("run"), info_of(store, copied, sampled), nothing, nothing)
    assert opened.folder == copied


@pytest.mark.parametrize("changed", ["images", "labels"])
def test_data_that_changed_and_states_its_old_fingerprint_is_refused(
    changed: str, store: Store, copied: Path
) -> None:
    if changed == "images":
        np.save(copied / "images.npy", np.zeros_like(store.images))
    else:
        store.labels.assign(age=1.0).to_parquet(copied / "labels.parquet")
    assert json.loads((copied / "store.json").read_text())["fingerprint"] == store.info.fingerprint
    with pytest.raises(RequestError, match="is not what run began with"):
        data_of_run(Path("run"), info_of(store, copied, store.sampled_fingerprint), nothing, nothing)


def test_a_folder_of_the_name_of_the_embedded_faces_is_refused(
    store: Store, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = info_of(store, tmp_path / "gone", store.sampled_fingerprint)
    copied.rename(tmp_path / "faces")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match=r"write \./faces for the folder"):
        data_of_run(Path("run"), info, nothing, nothing, "faces")
    assert data_of_run(Path("run"), info, nothing, nothing, "./faces").folder == tmp_path / "faces"


@pytest.mark.parametrize("folder", ["x" * 300, "a\0b", "/proc/self/mem/below"])
def test_a_folder_of_the_file_that_cannot_be_is_no_longer_there(store: Store, folder: str) -> None:
    info = info_of(store, Path(folder), store.sampled_fingerprint)
    with pytest.raises(RequestError, match="name its folder with --data"):
        data_of_run(Path("run"), info, nothing, nothing)
