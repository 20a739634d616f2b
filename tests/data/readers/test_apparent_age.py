"""LAP 2015, LAP 2016 and APPA-REAL: guesses, their deviation, and the official splits."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suite.data.dataset_reader import ReadResult
from suite.data.sets import READERS
from suite.data.source_files import open_source
from suite.errors import RequestError

Miniature = Callable[[str], dict[str, bytes]]
LayOut = Callable[[Mapping[str, bytes]], Path]


def read(name: str, path: Path) -> ReadResult:
    with open_source(path) as files:
        return READERS[name].read(files, path)


def test_the_image_of_a_split_is_never_that_of_another(miniature: Miniature, lay_out: LayOut) -> None:
    reading = read("lap2015", lay_out(miniature("lap2015")))
    for record in reading.records:
        split = {"Train": "train", "Validation": "val", "Test": "test"}[record.file.split("/")[0]]
        assert record.split == split
        assert record.labels["age"] == 20 + int(record.file.split("_")[1].removesuffix(".jpg"))
        assert record.deviations == {"age": 3.5}
    assert reading.found == ("24 images where 4,691 are published; official splits 12 train, 6 val, 6 test")


def test_the_folder_of_a_split_may_be_missing_from_the_path_but_not_be_anothers(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("lap2015")
    for n in range(6):
        del files[f"Test/image_{n}.jpg"]
    with pytest.raises(RequestError, match=r"there is no image that Test\.csv names"):
        read("lap2015", lay_out(files))


def test_all_images_in_one_folder_are_found_too(miniature: Miniature, lay_out: LayOut) -> None:
    files = {
        name if name.endswith(".csv") else f"images/{name.split('/')[1]}": content
        for name, content in miniature("lap2016").items()
    }
    reading = read("lap2016", lay_out(files))
    assert [record.split for record in reading.records] == ["train"] * 12 + ["val"] * 6 + ["test"] * 6


def test_appa_real_has_an_apparent_and_a_real_age(miniature: Miniature, lay_out: LayOut) -> None:
    source = lay_out(miniature("appa-real"))
    apparent, real = read("appa-real", source), read("appa-real-real", source)
    by_file = {record.file: record for record in real.records}
    for record in apparent.records:
        assert by_file[record.file].labels["age"] == record.labels["age"] + 0.5
        assert record.deviations == {"age": 4.25}
        assert not by_file[record.file].deviations
        assert record.groups == {"gender": "female", "race": "asian", "expression": "happy"}


def test_the_upright_face_of_appa_real_is_taken_where_there_is_one(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("appa-real")
    del files["appa-real-release/test/000020.jpg_face.jpg"]
    reading = read("appa-real", lay_out(files))
    assert reading.found.endswith("; 23 with an upright face crop")
    taken = {Path(record.file).name for record in reading.records}
    assert "000020.jpg" in taken
    assert len([name for name in taken if name.endswith("_face.jpg")]) == 23


def test_appa_real_without_its_groups_is_still_read(miniature: Miniature, lay_out: LayOut) -> None:
    files = {name: c for name, c in miniature("appa-real").items() if "allcategories" not in name}
    reading = read("appa-real", lay_out(files))
    assert len(reading.records) == 24
    assert set(reading.records[0].groups.values()) == {""}


def test_a_table_of_appa_real_without_its_column_is_refused(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("appa-real")
    name = "appa-real-release/gt_avg_valid.csv"
    files[name] = files[name].replace(b"real_age", b"age")
    source = lay_out(files)
    assert len(read("appa-real", source).records) == 24
    with pytest.raises(RequestError, match=r"gt_avg_valid\.csv of .* has no column 'real_age'"):
        read("appa-real-real", source)


def test_an_age_out_of_range_is_skipped_with_its_reason(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("lap2016")
    files["test_gt.csv"] = files["test_gt.csv"].replace(b"38.5", b"138.5")
    (skipped,) = read("lap2016", lay_out(files)).skipped
    assert (skipped.file, skipped.lost) == ("test/000018.jpg", False)
    assert skipped.reason == "the age is 138.5, outside of 0 to 100"


def test_a_short_row_of_appa_real_is_skipped(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("appa-real")
    table = "appa-real-release/gt_avg_train.csv"
    files[table] = b"real_age,apparent_age_avg,file_name\n30,31,000000.jpg\n32,33\n"
    reading = read("appa-real", lay_out(files))
    assert [(s.file, s.reason) for s in reading.skipped if s.reason != "no table has a row of it"] == [
        ("gt_avg_train.csv", "a row has an age but no image")
    ]
    assert sum(s.lost for s in reading.skipped) == 12


def test_a_folder_names_the_split_before_the_file_does(lay_out: LayOut) -> None:
    files = {
        "Train/Train.csv": b"image_1.jpg;20,5;3,5\nimage_2.jpg;30;2.5\n",
        "Validation/Reference.csv": b"image_1.jpg;40;1\n",
        "Test/Reference.csv": b"image_1.jpg;50;2\n",
        **{f"{split}/image_1.jpg": b"" for split in ("Train", "Validation", "Test")},
        "Train/image_2.jpg": b"",
    }
    reading = read("lap2015", lay_out(files))
    assert [(r.file, r.split, r.labels["age"], r.deviations["age"]) for r in reading.records] == [
        ("Test/image_1.jpg", "test", 50, 2),
        ("Train/image_1.jpg", "train", 20.5, 3.5),
        ("Train/image_2.jpg", "train", 30, 2.5),
        ("Validation/image_1.jpg", "val", 40, 1),
    ]


def test_a_folder_around_the_whole_set_names_no_split(miniature: Miniature, lay_out: LayOut) -> None:
    files = {f"test-data/{name}": content for name, content in miniature("lap2016").items()}
    reading = read("lap2016", lay_out(files))
    assert "official splits 12 train, 6 val, 6 test" in reading.found


def test_of_two_tables_for_a_split_the_larger_is_taken_and_the_other_named(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("lap2015")
    files["train_small.csv"] = files["Train.csv"].splitlines(keepends=True)[0].replace(b";20;", b";99;")
    files["a_train_small.csv"] = files["train_small.csv"]
    reading = read("lap2015", lay_out(files))
    assert len(reading.records) == 24
    assert "train_small.csv not used, which is smaller" in reading.found
    assert max(record.labels["age"] for record in reading.records) < 40


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("NA;3.5", "its age in Test.csv is 'NA', which is not a number"),
        ("25;unknown", "the deviation of the age is 'unknown', which is not a number"),
        ("25;-1", "the deviation of the age is -1, below 0"),
    ],
)
def test_a_row_of_lap_that_cannot_be_used_is_lost(
    cells: str, reason: str, miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("lap2015")
    files["Test.csv"] = files["Test.csv"].replace(b"image_3.jpg;23;3.5", f"image_3.jpg;{cells}".encode())
    (skipped,) = read("lap2015", lay_out(files)).skipped
    assert (skipped.file, skipped.reason, skipped.lost) == ("Test/image_3.jpg", reason, True)


def test_an_image_of_a_split_that_its_table_does_not_list_is_lost(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("lap2015")
    reading = read("lap2015", lay_out({**files, "Test/image_10.jpg": b"x"}))
    assert [(s.file, s.lost) for s in reading.skipped] == [("Test/image_10.jpg", True)]


@pytest.mark.parametrize("rows", [1, 6])
def test_a_decimal_comma_from_the_first_row_on_names_its_remedy(
    rows: int, miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("lap2015")
    lines = [line.replace(";", ",") for line in files["Test.csv"].decode().splitlines()]
    if not lines[0].split(",")[1][0].isdigit():
        del lines[0]
    for n in range(rows):
        image, age, deviation = lines[n].split(",")
        lines[n] = f'{image},"{age},5",{deviation}'
    files["Test.csv"] = "\n".join(lines).encode()
    lost = [one for one in read("lap2015", lay_out(files)).skipped if one.lost]
    assert len(lost) == rows
    assert all("which is not a number: write a decimal point" in one.reason for one in lost)


def test_groups_of_appa_real_about_which_rows_disagree_are_unknown(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("appa-real")
    table = "appa-real-release/allcategories_train.csv"
    files[table] += b"\n000003.jpg,male,asian,happy\n000004.jpg,,asian,\n"
    records = {Path(one.file).name[:6]: one for one in read("appa-real", lay_out(files)).records}
    assert dict(records["000003"].groups) == {"gender": "", "race": "asian", "expression": "happy"}
    assert records["000004"].groups["gender"] == "female"
