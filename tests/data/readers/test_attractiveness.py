"""SCUT-FBP and SCUT-FBP5500: scores, the deviation of their raters, folds."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from suite.data.dataset_reader import ReadResult
from suite.data.readers import spreadsheets
from suite.data.sets import READERS
from suite.data.source_files import open_source
from suite.errors import RequestError
from tests.data.readers.conftest import spreadsheet

Miniature = Callable[[str], dict[str, bytes]]
LayOut = Callable[[Mapping[str, bytes]], Path]
RATINGS = "SCUT-FBP5500_v2/All_Ratings.xlsx"


def read(name: str, path: Path) -> ReadResult:
    with open_source(path) as files:
        return READERS[name].read(files, path)


def test_a_raters_rating_counts_once_although_the_sheets_repeat_it(
    miniature: Miniature, lay_out: LayOut
) -> None:
    for record in read("scut-fbp5500", lay_out(miniature("scut-fbp5500"))).records:
        assert record.labels == {"attractiveness": 3.0}
        assert record.deviations["attractiveness"] == pytest.approx(np.std([2, 3, 4]), abs=1e-6)


def test_the_five_folds_and_the_60_40_split_are_read(miniature: Miniature, lay_out: LayOut) -> None:
    reading = read("scut-fbp5500", lay_out(miniature("scut-fbp5500")))
    assert Counter(record.fold for record in reading.records) == {1: 5, 2: 5, 3: 5, 4: 5, 5: 5}
    assert Counter(record.split for record in reading.records) == {"train": 15, "test": 10}
    for record in reading.records:
        number = int("".join(filter(str.isdigit, Path(record.file).name)))
        assert record.fold == number % 5 + 1
        assert (record.split == "train") == (number < 15)
    assert "25 with one of the five official folds, 25 with a part in the 60/40 split" in reading.found


def test_the_prefix_tells_gender_and_race(miniature: Miniature, lay_out: LayOut) -> None:
    groups = {
        Path(record.file).name[:2]: tuple(record.groups.values())
        for record in read("scut-fbp5500", lay_out(miniature("scut-fbp5500"))).records
    }
    assert groups == {
        "AF": ("female", "Asian"),
        "AM": ("male", "Asian"),
        "CF": ("female", "Caucasian"),
        "CM": ("male", "Caucasian"),
    }


def test_without_the_ratings_there_is_no_deviation_and_the_summary_says_so(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("scut-fbp5500")
    del files[RATINGS]
    reading = read("scut-fbp5500", lay_out(files))
    assert not any(record.deviations for record in reading.records)
    assert "0 with a deviation (All_Ratings.xlsx)" in reading.found


def test_the_ratings_and_the_images_alone_are_enough(miniature: Miniature, lay_out: LayOut) -> None:
    files = {name: c for name, c in miniature("scut-fbp5500").items() if "train_test_files" not in name}
    reading = read("scut-fbp5500", lay_out(files))
    assert len(reading.records) == 25
    assert {record.labels["attractiveness"] for record in reading.records} == {3.0}
    assert {record.fold for record in reading.records} == {None}


@pytest.mark.parametrize("name", ["scut-fbp", "scut-fbp5500"])
def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(
    name: str, miniature: Miniature, lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "LARGEST_BOOK", 1000)
    with pytest.raises(RequestError, match=r"\.xlsx of .* \(it unpacks to .* over the limit of 1,000\)"):
        read(name, lay_out(miniature(name)))


@pytest.mark.parametrize("name", ["scut-fbp", "scut-fbp5500"])
def test_a_spreadsheet_without_openpyxl_names_what_to_install(
    name: str, miniature: Miniature, lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = lay_out(miniature(name))
    monkeypatch.setitem(sys.modules, "openpyxl", None)  # makes its import fail
    with pytest.raises(RequestError, match=r'\.xlsx of .* is a spreadsheet, .*pip install "suite\[sets\]"'):
        read(name, source)


def test_the_published_mean_and_the_deviation_of_the_raters_are_joined(
    miniature: Miniature, lay_out: LayOut
) -> None:
    for record in read("scut-fbp", lay_out(miniature("scut-fbp"))).records:
        number = int(record.file.split("-")[-1].removesuffix(".jpg"))
        ratings = [1 + number % 4, 2, 3, 5]
        assert record.labels["attractiveness"] == pytest.approx(np.mean(ratings), abs=1e-6)
        assert record.deviations["attractiveness"] == pytest.approx(np.std(ratings, ddof=1), abs=1e-6)


def test_a_csv_of_means_alone_is_enough(miniature: Miniature, lay_out: LayOut) -> None:
    files = {name: c for name, c in miniature("scut-fbp").items() if not name.endswith(".xlsx")}
    files["labels.csv"] = b"#Image,Attractiveness label\n" + b"".join(b"%d,3.25\n" % n for n in range(1, 25))
    reading = read("scut-fbp", lay_out(files))
    assert {record.labels["attractiveness"] for record in reading.records} == {3.25}
    assert reading.found.endswith(", 0 with a deviation")


def test_a_score_out_of_range_and_an_image_without_one_are_skipped(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = {name: c for name, c in miniature("scut-fbp").items() if not name.endswith(".xlsx")}
    files["labels.csv"] = b"Image,Attractiveness label\n1,5.5\n" + b"".join(
        b"%d,3.25\n" % n for n in range(2, 24)
    )
    skipped = read("scut-fbp", lay_out(files)).skipped
    assert {Path(one.file).name: one.reason for one in skipped} == {
        "SCUT-FBP-1.jpg": "the attractiveness is 5.5, outside of 1 to 5",
        "SCUT-FBP-24.jpg": "no table has a rating of it",
    }


def test_an_old_spreadsheet_is_refused(miniature: Miniature, lay_out: LayOut) -> None:
    files = {name: c for name, c in miniature("scut-fbp").items() if not name.endswith(".xlsx")}
    files["ratings.xls"] = b"\xd0\xcf\x11\xe0"
    with pytest.raises(RequestError, match=r"ratings\.xls of .* save it as xlsx or CSV"):
        read("scut-fbp", lay_out(files))


LONG = [(1, 1, 2), (2, 1, 4), (3, 1, 3), (1, 2, 5), (2, 2, 5), (3, 2, 5), (1, 3, 1), (2, 3, 1), (3, 3, 1)]


def scores_of(lay_out: LayOut, table: str, images: int = 3) -> dict[int, tuple[float, float | None]]:
    """Mean and deviation by number of the image."""
    pictures = {f"SCUT-FBP-{n}.jpg": b"" for n in range(1, images + 1)}
    reading = read("scut-fbp", lay_out({"ratings.csv": table.encode(), **pictures}))
    return {
        int(record.file.split("-")[-1].removesuffix(".jpg")): (
            record.labels["attractiveness"],
            record.deviations.get("attractiveness"),
        )
        for record in reading.records
    }


@pytest.mark.parametrize(
    "titles", ["#Rater,#image,Rating", "Rater,Filename of image,Score", "user_id,picture,rating"]
)
def test_a_row_for_each_rating_is_not_taken_for_a_row_for_each_image(titles: str, lay_out: LayOut) -> None:
    rows = "\n".join(",".join(map(str, row)) for row in LONG)
    assert scores_of(lay_out, f"{titles}\n{rows}\n") == {1: (3, 1), 2: (5, 0), 3: (1, 0)}


def test_a_row_for_each_rating_may_be_in_a_spreadsheet(lay_out: LayOut) -> None:
    rows: list[tuple[object, ...]] = [("#Rater", "#image", "Rating"), *LONG]
    pictures = {f"SCUT-FBP-{n}.jpg": b"" for n in (1, 2, 3)}
    reading = read("scut-fbp", lay_out({"Ratings of all raters.xlsx": spreadsheet(Sheet1=rows), **pictures}))
    assert [record.labels["attractiveness"] for record in reading.records] == [3, 5, 1]


def test_single_ratings_without_titles_are_told_by_their_values(lay_out: LayOut) -> None:
    rows = [(rater, image, 1 + (rater + image) % 5) for image in range(1, 9) for rater in (1, 2, 3)]
    found = scores_of(lay_out, "\n".join(f"{r},{i},{v}" for r, i, v in rows), images=8)
    assert found[4] == pytest.approx((np.mean([1, 2, 3]), np.std([1, 2, 3], ddof=1)), abs=1e-6)
    with pytest.raises(RequestError, match="does not say which column is the image; title its columns rater"):
        scores_of(lay_out, "\n".join(f"{r},{i},{v}" for r, i, v in LONG))


def test_a_column_for_each_rater_with_two_rows_of_an_image_is_refused(lay_out: LayOut) -> None:
    with pytest.raises(RequestError, match=r"ratings\.csv of .* has several rows of image 1"):
        scores_of(lay_out, "Image,a,b,c\n1,2,3,4\n2,2,3,4\n1,5,5,5\n")


def test_the_published_deviation_is_used(lay_out: LayOut) -> None:
    table = "#Image,Attractiveness label,Standard Deviation\n1,3.1,1.25\n2,4.2,0.5\n3,2.5,2\n"
    assert scores_of(lay_out, table) == {1: (3.1, 1.25), 2: (4.2, 0.5), 3: (2.5, 2)}


def test_an_image_of_scut_fbp_without_a_rating_is_lost_and_an_impossible_rating_counted(
    lay_out: LayOut,
) -> None:
    rows = "\n".join(f"{rater},{image},{rating}" for rater, image, rating in [*LONG, (4, 1, 7)])
    pictures = {f"SCUT-FBP-{n}.jpg": b"" for n in range(1, 5)}
    reading = read("scut-fbp", lay_out({"r.csv": f"Rater,image,Rating\n{rows}".encode(), **pictures}))
    assert [(s.file, s.lost) for s in reading.skipped] == [("SCUT-FBP-4.jpg", True)]
    assert "1 ratings outside of 1 to 5 left out" in reading.found


def test_an_image_of_scut_fbp5500_without_a_score_or_a_row_is_lost(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("scut-fbp5500")
    labels = "SCUT-FBP5500_v2/train_test_files/All_labels.txt"
    files[labels] = files[labels].replace(b"AF0.jpg 3.0\n", b"").replace(b"AM1.jpg 3.0", b"AM1.jpg NA")
    reading = read("scut-fbp5500", lay_out(files))
    assert {(Path(s.file).name, s.reason, s.lost) for s in reading.skipped} == {
        ("AF0.jpg", "no table has a row of it", True),
        ("AM1.jpg", "its score in All_labels.txt is 'NA', which is not a number", True),
    }


SIXTY = "SCUT-FBP5500_v2/train_test_files/split_of_60%training and 40%testing"
FOLD = "SCUT-FBP5500_v2/train_test_files/5_folders_cross_validations_files/cross_validation_"


@pytest.mark.parametrize(
    ("tables", "again"),
    [
        ((f"{SIXTY}/train.txt", f"{SIXTY}/test.txt"), "AF0.jpg 3.0"),
        ((f"{SIXTY}/train.txt", f"{SIXTY}/test.txt"), "Images/af0.JPG 3.0"),
        ((f"{FOLD}1/test_1.txt", f"{FOLD}4/test_4.txt"), "./AF0.jpg 3.0"),
    ],
)
def test_an_image_in_two_parts_of_a_split_is_refused(
    tables: tuple[str, str], again: str, miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("scut-fbp5500")
    line = files[tables[1]].decode().count("\n") + 2
    files[tables[1]] += f"\n{again}\n".encode()
    complaint = (
        rf"line 1 of {re.escape(tables[0])} and line {line} of {re.escape(tables[1])} in .* both list AF0.jpg"
    )
    with pytest.raises(
        RequestError, match=f"{complaint}, which belongs to one part .*; delete one of the lines"
    ):
        read("scut-fbp5500", lay_out(files))


def test_two_deviations_of_an_image_of_scut_fbp_contradict_and_an_empty_one_does_not(lay_out: LayOut) -> None:
    titles = "#Image,Attractiveness label,Standard Deviation\n"
    rows = "1,3.1,\n1,3.1,1.25\n2,4.2,0.5\n2,4.2,0.7\n3,2.5,2\n3,2.5,\n"
    assert scores_of(lay_out, titles + rows) == {1: (3.1, 1.25), 3: (2.5, 2)}


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ('Image,Attractiveness label,Standard Deviation\n1,"3,1",1\n2,4,1\n3,2,1\n', "its score"),
        ('Image,Attractiveness label,Standard Deviation\n1,3.1,"0,5"\n2,4,1\n3,2,1\n', "its deviation"),
        ('Rater,image,Rating\n1,1,"2,5"\n2,1,3\n1,2,4\n2,2,4\n', "a rating of it"),
        ('Image,a,b,c\n1,"2,5",3,4\n2,3,4,4\n', "a rating of it"),
    ],
)
def test_a_decimal_comma_in_scut_fbp_names_its_remedy(table: str, what: str, lay_out: LayOut) -> None:
    pictures = {f"SCUT-FBP-{n}.jpg": b"" for n in (1, 2)}
    reading = read("scut-fbp", lay_out({"r.csv": table.encode(), **pictures}))
    (reason,) = [one.reason for one in reading.skipped if one.file == "SCUT-FBP-1.jpg"]
    assert what in reason
    assert "which is not a number: write a decimal point" in reason
    assert [record.file for record in reading.records] == ["SCUT-FBP-2.jpg"]


def test_scores_that_all_have_a_decimal_comma_are_not_taken_for_another_set(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("scut-fbp5500")
    labels = "SCUT-FBP5500_v2/train_test_files/All_labels.txt"
    files[labels] = files[labels].replace(b"3.0", b"3,0")
    reading = read("scut-fbp5500", lay_out(files))
    assert not reading.records
    assert {one.reason for one in reading.skipped} == {
        "its score in All_labels.txt is '3,0', which is not a number: write a decimal point, or separate the columns "
        "by semicolons"
    }
