"""The packed store, opened."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from suite.cli.main import main
from suite.data.store import (
    SCHEMA_VERSION,
    LabelRange,
    StoreInfo,
    fingerprint,
    open_store,
    sampled_fingerprint,
    write_info,
)
from suite.errors import RequestError


def store_folder(folder: Path, count: int = 6) -> Path:
    """A whole store of random images."""
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    labels = pd.DataFrame(
        {
            "split": ["train", "val", "test"] * (count // 3),
            "subject": "",
            "source": [f"{number}.png" for number in range(count)],
            "age": np.arange(count) * 1.0,
            "age_std": np.nan,
        }
    )
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


@pytest.mark.parametrize("content", ["", "{", "\x00", '{"schema_ver'])
def test_a_store_json_that_was_cut_off_is_damaged(tmp_path: Path, content: str) -> None:
    folder = store_folder(tmp_path / "store")
    (folder / "store.json").write_text(content)
    with pytest.raises(RequestError, match=r"incomplete or damaged .* restore it from a backup"):
        open_store(folder)


@pytest.mark.parametrize("content", [None, "[]", "5", '{"a": 1}'])
def test_a_folder_without_a_store_is_refused(tmp_path: Path, content: str | None) -> None:
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


@pytest.mark.parametrize("version", ["1", None, True])
def test_a_schema_version_that_is_no_whole_number_is_told_as_that(tmp_path: Path, version: object) -> None:
    folder = store_folder(tmp_path / "store")
    fields = json.loads((folder / "store.json").read_text()) | {"schema_version": version}
    (folder / "store.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match=r"its schema_version is .*, which is no whole number"):
        open_store(folder)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("name: x\nimages: 5\n", "YAML"), ("<!DOCTYPE html><p>", "a web page"), ("\n", "empty")],
)
def test_a_store_json_that_is_no_json_says_what_it_looks_like(tmp_path: Path, text: str, kind: str) -> None:
    folder = store_folder(tmp_path / "store")
    (folder / "store.json").write_text(text)
    with pytest.raises(RequestError, match=f"it is not JSON but {kind}"):
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
    assert main(["data", "show", str(tmp_path), "-o", str(tmp_path.with_suffix(".png"))]) == 2
    assert f"{file} of {tmp_path} cannot be read" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path)]) == 1
    assert f"{file} of {tmp_path} cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", '{"schema_version": 1}', "{"])
def test_a_store_json_of_something_else_is_reported(text: str, tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(RequestError, match=r"store\.json"):
        open_store(tmp_path)


def test_a_store_json_far_larger_than_any_is_refused_unparsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store_folder(tmp_path / "store")
    monkeypatch.setattr("suite.data.store.LARGEST_DESCRIPTION", 100)
    monkeypatch.setattr("suite.data.store.parse_json", lambda text: pytest.fail("it was parsed"))
    with pytest.raises(RequestError, match="over the limit of 100"):
        open_store(folder)


def change_info(folder: Path, **changes: object) -> Path:
    fields = json.loads((folder / "store.json").read_text()) | changes
    (folder / "store.json").write_text(json.dumps(fields))
    return folder


def test_a_store_of_the_first_version_opens_without_a_sampled_fingerprint(tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "store")
    fields = json.loads((folder / "store.json").read_text())
    del fields["sampled_fingerprint"], fields["skipped"]
    (folder / "store.json").write_text(json.dumps(fields))
    store = open_store(folder)
    assert store.sampled_fingerprint == sampled_fingerprint(store.images, store.labels)


def test_a_store_that_is_not_what_was_packed_is_refused(tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "store")
    store = open_store(folder)
    change_info(folder, sampled_fingerprint=store.sampled_fingerprint)
    assert open_store(folder).sampled_fingerprint == store.sampled_fingerprint
    images = np.load(folder / "images.npy")
    images[5, 0, 0, 0] ^= 1
    np.save(folder / "images.npy", images)
    with pytest.raises(RequestError, match="not those that were packed"):
        _ = open_store(folder).sampled_fingerprint


def test_a_sample_meets_both_ends_and_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.data.store.SAMPLE_BYTES", 4 * 48)
    images = np.zeros((100, 4, 4, 3), np.uint8)
    labels = pd.DataFrame({"age": np.arange(100.0)})
    prints = {sampled_fingerprint(images, labels), sampled_fingerprint(images[:99], labels)}
    for changed in (0, 99, 50):
        other = images.copy()
        other[changed] = 1
        prints.add(sampled_fingerprint(other, labels))
    prints.add(sampled_fingerprint(images, labels + 1))
    assert len(prints) == 5, "the image in the middle is in no sample of four"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"images": "6"}, "'images'"),
        ({"images": True}, "'images'"),
        ({"images": 0}, "0 images"),
        ({"images": 10**400}, "out of range"),
        ({"side": -32}, "-32 pixels"),
        ({"skipped": None}, "'skipped'"),
        ({"name": ["x"]}, "'name'"),
        ({"protocol": {}}, "'protocol'"),
        ({"fingerprint": 7}, "'fingerprint'"),
        ({"attributes": {}}, "no attribute"),
        ({"attributes": []}, "'attributes'"),
        ({"attributes": {"age": [0, 100, 1]}}, "'attributes.age'"),
        ({"attributes": {"height": {"low": 0, "high": 1, "step": 1}}}, "'height' is no attribute"),
        ({"attributes": {"age": {"low": 0, "high": 100}}}, "'attributes.age.step'"),
        ({"attributes": {"age": {"low": 100, "high": 0, "step": 1}}}, "from 100 to 0"),
        ({"attributes": {"age": {"low": 0, "high": float("nan"), "step": 1}}}, "to nan"),
        ({"attributes": {"age": {"low": 0, "high": float("inf"), "step": 1}}}, "infinite"),
        ({"attributes": {"age": {"low": 0, "high": 1e9, "step": 1e-9}}}, "by 1e-09"),
        ({"attributes": {"age": {"low": 0, "high": 100, "step": 0}}}, "by 0"),
    ],
)
def test_a_value_of_another_type_or_range_is_named(
    changes: dict[str, object], reason: str, tmp_path: Path
) -> None:
    folder = change_info(store_folder(tmp_path / "store"), **changes)
    with pytest.raises(RequestError, match=r"store\.json") as refused:
        open_store(folder)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["store.json", "images.npy", "labels.parquet"])
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(name: str, tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "store")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(RequestError, match="not a regular file"):
        _ = (open_store(folder).images, open_store(folder).labels)


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("age", ["old"] * 6, "'age'"),
        ("age_std", [[1.0]] * 6, "'age_std'"),
        ("split", [1.0] * 6, "'split'"),
        ("subject", [b"x"] * 6, "'subject'"),
        ("source", [{"a": 1}] * 6, "'source'"),
    ],
)
def test_labels_of_another_type_are_refused(
    column: str, values: list[object], reason: str, tmp_path: Path
) -> None:
    folder = store_folder(tmp_path / "store")
    labels = pd.read_parquet(folder / "labels.parquet").assign(**{column: values})
    labels.to_parquet(folder / "labels.parquet")
    with pytest.raises(RequestError, match=r"labels\.parquet of .* cannot be read") as refused:
        _ = open_store(folder).labels
    assert reason in str(refused.value)


def test_labels_of_other_images_are_refused(tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "store")
    pd.read_parquet(folder / "labels.parquet").iloc[:4].to_parquet(folder / "labels.parquet")
    with pytest.raises(RequestError, match="4 rows for 6 images"):
        _ = open_store(folder).labels


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "store")
    table = pq.read_table(folder / "labels.parquet")
    pq.write_table(table.append_column("age", table["age"]), folder / "labels.parquet")
    with pytest.raises(RequestError, match="'age' twice"):
        _ = open_store(folder).labels
