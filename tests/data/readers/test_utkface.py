"""Reading UTKFace as its authors, and those who pass it on, lay it out."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.data.archive_safety import UnreadableFileError
from suite.data.dataset_reader import ReadResult
from suite.data.readers.utkface import GENDERS, RACES
from suite.data.sets import READERS
from suite.data.source_files import open_source
from suite.errors import RequestError

TIME = "20170109142408075"


def read(path: Path) -> ReadResult:
    reader = READERS["utkface"]
    with open_source(path) as files:
        return reader.read(files, path)


def files(folder: Path, *names: str) -> Path:
    """A folder with empty files of these names; a reader looks at names only."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for name in names:
            written.writestr(name, b"")
    return path


def test_a_name_gives_age_gender_and_race(tmp_path: Path) -> None:
    (record,) = read(files(tmp_path, f"26_1_3_{TIME}.jpg.chip.jpg")).records
    assert record.labels == {"age": 26}
    assert record.groups == {"gender": "female", "race": "Indian"}


@pytest.mark.parametrize(
    ("name", "age", "gender", "race"),
    [
        ("61_1_20170109142408075.jpg.chip.jpg", 61, "", ""),
        ("61_3_20170109150557335.jpg.chip.jpg", 61, "", ""),
        ("39_1_20170116174525125.jpg.chip.jpg", 39, "", ""),
        ("53__0_20170116184028385.jpg.chip.jpg", 53, "", "White"),
        ("55_0_0_20170116232725357jpg.chip.jpg", 55, "male", "White"),
        ("24_0_1_20170116220224657 .jpg.chip.jpg", 24, "male", "Black"),
        ("24_7_9_20170116220224657.JPG", 24, "", ""),
    ],
)
def test_a_name_that_breaks_the_rule_keeps_its_age(
    tmp_path: Path, name: str, age: int, gender: str, race: str
) -> None:
    (record,) = read(files(tmp_path, name)).records
    assert record.labels["age"] == age
    assert record.groups == {"gender": gender, "race": race}


@given(st.integers(0, 116), st.sampled_from(sorted(GENDERS)), st.sampled_from(sorted(RACES)))
def test_what_a_name_says_is_what_is_read(age: int, gender: str, race: str) -> None:
    class One:
        def names(self) -> list[str]:
            return [f"part2/{age}_{gender}_{race}_{TIME}.jpg"]

        def read(self, name: str) -> bytes:
            raise AssertionError("a reader looks at names only")

    (record,) = READERS["utkface"].read(One(), Path("set")).records
    assert record.labels == {"age": age}
    assert record.groups == {"gender": GENDERS[gender], "race": RACES[race]}


@pytest.mark.parametrize("name", [f"117_0_0_{TIME}.jpg", f"{'9' * 5000}_0_0_{TIME}.jpg"[:240] + ".jpg"])
def test_an_age_out_of_range_is_skipped_with_its_reason(tmp_path: Path, name: str) -> None:
    reading = read(files(tmp_path, name, f"116_0_0_{TIME}.jpg", f"0_0_0_{TIME}.jpg"))
    assert sorted(record.labels["age"] for record in reading.records) == [0, 116]
    assert [skipped.file for skipped in reading.skipped] == [name]


def test_a_name_that_is_none_of_the_sets_is_skipped_with_its_reason(tmp_path: Path) -> None:
    reading = read(files(tmp_path, f"1_0_0_{TIME}.jpg", "holiday.jpg", "landmark_list_part1.txt"))
    assert len(reading.records) == 1
    assert [(s.file, s.reason) for s in reading.skipped] == [
        ("holiday.jpg", "the name is not [age]_[gender]_[race]_[date&time].jpg")
    ]


def test_parts_and_one_folder_and_a_zip_are_read_alike(tmp_path: Path) -> None:
    names = [f"{age}_0_0_{TIME}.jpg" for age in (30, 4, 7)]
    parts = files(tmp_path / "parts", *(f"part{n + 1}/{name}" for n, name in enumerate(names)))
    one = files(tmp_path / "one", *names)
    packed = archive(tmp_path / "set.zip", *(f"UTKFace/{name}" for name in names))
    ages = [[record.labels["age"] for record in read(path).records] for path in (parts, one, packed)]
    assert ages[0] == ages[1] == ages[2]
    assert sorted(ages[0]) == [4, 7, 30]


def test_a_face_that_is_there_twice_counts_once_and_aligned(tmp_path: Path) -> None:
    wild, aligned, copy = f"part1/5_0_0_{TIME}.jpg", f"UTKFace/5_0_0_{TIME}.jpg.chip.jpg", "zz/UTKFace/"
    again = copy + Path(aligned).name
    reading = read(files(tmp_path, wild, aligned, again))
    assert reading.found == "1 images where 23,708 are published, 1 of them aligned"
    assert [record.file for record in reading.records] == [aligned]
    assert [skipped.file for skipped in reading.skipped] == [wild, again]
    assert all(skipped.reason == f"the same face as {aligned}" for skipped in reading.skipped)


def test_files_of_an_operating_system_are_not_images(tmp_path: Path) -> None:
    name = f"5_0_0_{TIME}.jpg"
    reading = read(files(tmp_path, name, f"__MACOSX/._{name}", f"._{name}"))
    assert [record.file for record in reading.records] == [name]
    assert not reading.skipped


def test_a_folder_without_such_images_says_what_was_looked_for_and_where_the_set_is(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        read(files(tmp_path, "holiday.jpg", "readme.txt"))
    assert str(tmp_path) in str(caught.value)
    assert "[age]_[gender]_[race]_[date&time].jpg (looked at 1 images" in str(caught.value)
    assert "https://susanqq.github.io/UTKFace/" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"no zip at all", b"PK\x05 and then nothing"])
def test_a_path_that_is_neither_a_folder_nor_a_zip_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "set.tar.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RequestError, match=r"set\.tar\.gz (does not exist|is neither a folder nor|is empty)"):
        read(path)


@pytest.mark.parametrize(
    "member", ["../1_0_0_{}.jpg", "/1_0_0_{}.jpg", "a/../../1_0_0_{}.jpg", "C:\\1_0_0_{}.jpg"]
)
def test_an_archive_that_climbs_out_of_itself_is_refused(tmp_path: Path, member: str) -> None:
    path = archive(tmp_path / "set.zip", f"UTKFace/2_0_0_{TIME}.jpg", member.format(TIME))
    with pytest.raises(RequestError, match="lies outside of the archive"):
        read(path)


def test_a_link_in_a_zip_is_named_and_not_followed(tmp_path: Path) -> None:
    path = archive(tmp_path / "set.zip", f"2_0_0_{TIME}.jpg")
    link = zipfile.ZipInfo(f"3_0_0_{TIME}.jpg")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as written:
        written.writestr(link, "/etc/hostname")
    assert [record.labels["age"] for record in read(path).records] == [2, 3]
    with open_source(path) as files, pytest.raises(UnreadableFileError, match="a link in its place"):
        files.read(f"3_0_0_{TIME}.jpg")


def test_two_editions_together_have_each_face_once(tmp_path: Path) -> None:
    contents = {
        "UTKFace/61_1_20170109150557335.jpg.chip.jpg": b"one",
        "crop_part1/61_3_20170109150557335.jpg.chip.jpg": b"one, compressed again",
        "UTKFace/5_0_0_20170109150557336.jpg.chip.jpg": b"two",
        "crop_part1/5_1_0_20170109150557336.jpg.chip.jpg": b"two",
        "UTKFace/16_1_0_20170109213003514.jpg.chip.jpg": b"three",
        "UTKFace/16_1_1_20170109213003514.jpg.chip.jpg": b"another face of the same photograph",
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    reading = read(tmp_path)
    assert len(reading.records) == 4
    assert {(s.file, s.reason) for s in reading.skipped} == {
        (
            "crop_part1/61_3_20170109150557335.jpg.chip.jpg",
            "the same face as UTKFace/61_1_20170109150557335.jpg.chip.jpg",
        ),
        (
            "crop_part1/5_1_0_20170109150557336.jpg.chip.jpg",
            "the same face as UTKFace/5_0_0_20170109150557336.jpg.chip.jpg",
        ),
    }
