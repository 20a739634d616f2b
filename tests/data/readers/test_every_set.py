"""Every set: folder, zip and tar are read alike, and anything else is refused with a message that says so."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from suite.data.dataset import load_dataset
from suite.data.dataset_reader import ReadResult
from suite.data.packing import pack
from suite.data.sets import READERS
from suite.data.source_files import open_source
from suite.data.store import fingerprint
from suite.errors import RequestError

Files = Mapping[str, bytes]
Miniature = Callable[[str], dict[str, bytes]]
LayOut = Callable[[Files], Path]

#: Label range, deviation, subjects and official splits of each miniature.
FACTS = {
    "utkface": ((0, 116), False, False, False),
    "lap2015": ((0, 100), True, False, True),
    "lap2016": ((0, 100), True, False, True),
    "appa-real": ((0, 100), True, False, True),
    "appa-real-real": ((0, 100), False, False, True),
    "morph": ((16, 77), False, True, False),
    "afad": ((15, 72), False, False, False),
    "agedb": ((1, 101), False, True, False),
    "cacd2000": ((14, 62), False, True, True),
    "fgnet": ((0, 69), False, True, False),
    "scut-fbp": ((1, 5), True, False, False),
    "scut-fbp5500": ((1, 5), True, False, True),
    "manifest": ((0, 120), True, True, False),
}
every_set = pytest.mark.parametrize("name", FACTS)


def read(name: str, path: Path) -> ReadResult:
    with open_source(path) as files:
        return READERS[name].read(files, path)


def zip_of(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in reversed(files.items()):
            archive.writestr(name, content)
    return path


def tar_of(path: Path, files: Files) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_every_reader_has_a_miniature() -> None:
    assert set(FACTS) == set(READERS)


@every_set
def test_a_folder_a_zip_and_a_tar_are_read_alike(
    name: str, miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    files = miniature(name)
    readings = [
        read(name, lay_out(files)),
        read(name, zip_of(tmp_path / "set.zip", files)),
        read(name, tar_of(tmp_path / "set.tar.gz", files)),
    ]
    assert readings[0] == readings[1] == readings[2]
    assert len(readings[0].records) >= 24
    assert not readings[0].skipped


@every_set
def test_a_set_becomes_a_store_that_can_be_trained_on(
    name: str, miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    (low, high), deviation, subjects, official = FACTS[name]
    store = pack(READERS[name], lay_out(miniature(name)), tmp_path / "out", size=32, workers=1)
    (attribute,) = store.info.attributes
    labels = store.labels
    groups = ["gender"] if name == "manifest" else list(READERS[name].groups)
    assert list(labels) == ["split", "subject", "source", attribute, f"{attribute}_std", *groups]
    assert (store.info.attributes[attribute].low, store.info.attributes[attribute].high) == (low, high)
    assert labels[attribute].between(low, high).all()
    assert labels[f"{attribute}_std"].notna().all() == deviation
    assert (labels["subject"] != "").all() == subjects
    assert ("fficial" in store.info.protocol) == official
    assert store.info.skipped == 0
    assert store.info.fingerprint == fingerprint(store.images, labels)
    assert (labels[groups] != "").all(axis=None)
    data = load_dataset(store, attribute, 32)  # type: ignore[arg-type]
    assert sum(len(split) for split in data.splits.values()) == store.info.images
    if subjects:
        parts = labels.groupby("subject")["split"].nunique()
        assert parts.max() == 1


@every_set
@pytest.mark.parametrize("content", [{}, {"readme.txt": b"hello", "notes/todo.md": b"faces"}])
def test_what_is_not_such_a_set_is_reported_in_one_sentence(
    name: str, content: Files, lay_out: LayOut, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(RequestError) as caught:
        read(name, lay_out(content))
    said = str(caught.value)
    assert str(tmp_path / "source") in said
    assert "\n" not in said
    assert "name the f" in said  # the fix
    assert ("https://" in said or "http://" in said) != (name == "manifest")


#: Sets with the same images, or with tables of the same form.
ALIKE = ({"lap2015", "lap2016"}, {"appa-real", "appa-real-real"})


@every_set
@pytest.mark.parametrize("other", FACTS)
def test_one_set_is_not_taken_for_another(
    name: str, other: str, miniature: Miniature, lay_out: LayOut
) -> None:
    if name == other or {name, other} in ALIKE:
        return
    with pytest.raises(RequestError):
        read(name, lay_out(miniature(other)))


@every_set
def test_tables_without_their_images_are_a_part_of_a_set(
    name: str, miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    without = {n: c for n, c in miniature(name).items() if not n.lower().endswith(".jpg")}
    (tmp_path / "source").mkdir()
    with pytest.raises(RequestError) as caught:
        pack(READERS[name], lay_out(without), tmp_path / "out", size=32, workers=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["lap2015", "lap2016", "appa-real", "cacd2000"])
def test_tables_that_are_missing_are_named(name: str, miniature: Miniature, lay_out: LayOut) -> None:
    files = {n: c for n, c in miniature(name).items() if n.lower().endswith(".jpg")}
    with pytest.raises(RequestError, match=r"looked for .*, but there is no .*\(found \d+ images and"):
        read(name, lay_out(files))


@pytest.mark.parametrize(
    ("name", "table", "split"),
    [
        ("lap2015", "Test.csv", "test"),
        ("lap2016", "valid_gt.csv", "val"),
        ("appa-real", "appa-real-release/gt_avg_test.csv", "test"),
    ],
)
def test_a_split_without_its_table_is_named_and_the_others_are_packed(
    name: str, table: str, split: str, miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    files = miniature(name)
    del files[table]
    source = lay_out(files)
    reading = read(name, source)
    assert len(reading.records) == 18
    assert f"no table of its {split} images" in reading.found
    assert {(s.reason, s.lost) for s in reading.skipped} == {
        (f"the source has no table of the {split} images", False)
    }
    store = pack(READERS[name], source, tmp_path / "out", size=32, workers=1)
    assert set(store.labels["split"]) == {"train", "val", "test"}
    assert ("whose test images are missing" in store.info.protocol) == (split == "test")


@pytest.mark.parametrize(
    "name", ["lap2015", "lap2016", "appa-real", "morph", "cacd2000", "scut-fbp", "scut-fbp5500"]
)
def test_a_label_without_its_image_is_skipped_and_counts_as_lost(
    name: str, miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature(name)
    gone = sorted(n for n in files if n.lower().endswith(".jpg"))[0]
    for image in (gone, f"{gone}_face.jpg"):
        files.pop(image, None)
    reading = read(name, lay_out(files))
    (skipped,) = reading.skipped
    assert skipped.lost
    assert "lists it, but there is no such image" in skipped.reason
    assert len(reading.records) >= 23


@pytest.mark.parametrize("name", ["lap2016", "appa-real", "morph", "scut-fbp", "scut-fbp5500", "manifest"])
@pytest.mark.parametrize("damage", [b"", b"\x00\xff\xfe" * 50, b"PK\x03\x04 and then nothing"])
def test_damaged_tables_end_in_one_sentence(
    name: str, damage: bytes, miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature(name)
    for table in files:
        if table.endswith((".csv", ".txt", ".xlsx")):
            files[table] = damage
    with pytest.raises(RequestError) as caught:
        read(name, lay_out(files))
    assert "\n" not in str(caught.value)


def test_labels_stay_with_their_images_whatever_the_set(
    miniature: Miniature, lay_out: LayOut, tmp_path: Path, photo: Callable[..., bytes]
) -> None:
    files = miniature("agedb")
    for n, name in enumerate(files):
        files[name] = photo(left=(9 * n, 20, 20))
    store = pack(READERS["agedb"], lay_out(files), tmp_path / "out", size=32, workers=1)
    for pixels, age in zip(store.images, store.labels["age"], strict=True):
        assert abs(np.asarray(pixels)[:, :12, 0].mean() - 9 * (age - 30)) < 12
