"""The packed store, opened."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suite.cli.main import main
from suite.data.store import SCHEMA_VERSION, LabelRange, StoreInfo, fingerprint, open_store, write_info
from suite.errors import RequestError


def store_folder(folder: Path, count: int = 6) -> Path:
    """A whole store of random images."""
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    labels = pd.DataFrame({"split": ["train", "val", "test"] * (count // 3), "age": np.arange(count) * 1.0})
    np.save(folder / "images.npy", images)
    labels.to_parquet(folder / "labels.parquet", index=False)
    info = StoreInfo("made", {"age": LabelRange(0, 100, 1)}, count, 32, fingerprint(images, labels), "p", "o")
    write_info(folder, info)
    return folder


def test_a_store_opens_as_it_was_written(tmp_path: Path) -> None:
    store = open_store(store_folder(tmp_path / "store"))
    assert store.info.attributes == {"age": LabelRange(0, 100, 1)}
    assert store.images.shape == (6, 32, 32, 3)
    assert store.info.fingerprint == fingerprint(store.images, store.labels)
    assert store.rows("val").tolist() == [1, 4]
    assert store.rows("val").dtype == np.int64


def test_images_are_mapped_and_not_to_be_written(tmp_path: Path) -> None:
    store = open_store(store_folder(tmp_path / "store"))
    assert isinstance(store.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        store.images[0, 0, 0, 0] = 1


def test_a_fingerprint_knows_pixels_labels_and_order() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2000, 4, 4, 3), dtype=np.uint8)
    labels = pd.DataFrame({"age": np.arange(2000.0)})
    prints = {fingerprint(images, labels), fingerprint(images[::-1], labels)}
    last = images.copy()
    last[1999, 3, 3, 2] ^= 1
    prints.add(fingerprint(last, labels))
    prints.add(fingerprint(images, labels.assign(age=labels["age"].where(labels.index != 7, 8.5))))
    assert len(prints) == 4
    assert fingerprint(images.copy(), labels.copy()) in prints


@pytest.mark.parametrize("content", [None, "", "{", "\x00"])
def test_a_folder_without_a_whole_store_is_refused(tmp_path: Path, content: str | None) -> None:
    folder = store_folder(tmp_path / "store")
    (folder / "store.json").unlink()
    if content is not None:
        (folder / "store.json").write_text(content)
    with pytest.raises(RequestError, match=r"holds no packed data .* 'suite data pack SET PATH -o"):
        open_store(folder)


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "store")
    fields = json.loads((folder / "store.json").read_text()) | {"schema_version": SCHEMA_VERSION + 1}
    (folder / "store.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match="pack the data again"):
        open_store(folder)


def test_an_array_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "store")
    np.save(folder / "images.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(RequestError, match=r"allow_pickle|object"):
        _ = open_store(folder).images


@pytest.mark.parametrize(
    ("file", "content"),
    [("images.npy", b"cut"), ("images.npy", None), ("labels.parquet", b"no table"), ("labels.parquet", None)],
)
def test_a_damaged_store_is_reported_by_all_who_open_it(
    file: str, content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = np.zeros((9, 32, 32, 3), np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    labels = pd.DataFrame({"split": ["train", "val", "test"] * 3, "subject": "", "source": "", "age": 1.0})
    labels["age_std"] = 1.0
    labels.to_parquet(tmp_path / "labels.parquet")
    ages = {"age": LabelRange(0, 100, 1)}
    write_info(tmp_path, StoreInfo("x", ages, 9, 32, fingerprint(pixels, labels), "", ""))
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    assert main(["data", "show", str(tmp_path), "-o", str(tmp_path / "x.png")]) == 2
    assert f"{file} of {tmp_path} cannot be read" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path)]) == 1
    assert f"{file} of {tmp_path} cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", '{"schema_version": 1}', "{"])
def test_a_store_json_of_something_else_is_reported(text: str, tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(RequestError, match=r"store\.json"):
        open_store(tmp_path)
