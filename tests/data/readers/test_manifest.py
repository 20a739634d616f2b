"""A manifest: a table of one's own images."""

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from suite.data.alignment import FivePoints
from suite.data.dataset_reader import ReadResult
from suite.data.decoding import CropBox
from suite.data.decoding_processes import DecodeRequest
from suite.data.packing import pack
from suite.data.readers import parquet_tables
from suite.data.readers.layout import CONTRADICTED
from suite.data.readers.manifest import manifest_reader
from suite.data.resume_packing import source_key
from suite.data.source_files import open_source
from suite.errors import RequestError
from suite.trial import Attribute

Miniature = Callable[[str], dict[str, bytes]]
LayOut = Callable[[Mapping[str, bytes]], Path]


def read(path: Path, attribute: Attribute | None = None) -> ReadResult:
    with open_source(path) as files:
        return manifest_reader(attribute).read(files, path)


def of_csv(lay_out: LayOut, text: str, attribute: Attribute | None = None) -> ReadResult:
    return read(lay_out({"faces.csv": text.encode()}) / "faces.csv", attribute)


def test_a_row_says_all_of_an_image(miniature: Miniature, lay_out: LayOut) -> None:
    reading = read(lay_out(miniature("manifest")) / "faces.csv")
    first, second = reading.records[:2]
    assert (first.file, first.labels, first.deviations) == ("photos/0.jpg", {"age": 20}, {"age": 2.5})
    assert (first.subject, first.groups, first.crop) == ("s0", {"gender": "m"}, None)
    assert second.crop == CropBox(0, 0, 24, 48)
    assert reading.groups == ["gender"]
    assert reading.found == "24 of 24 rows of faces.csv"


def test_parquet_and_csv_are_read_alike(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("manifest")
    expected = read(lay_out(files) / "faces.csv").records
    written = io.BytesIO()
    frame = pd.read_csv(io.BytesIO(files["faces.csv"]))
    frame.to_parquet(written)
    assert read(lay_out({"faces.parquet": written.getvalue()}) / "faces.parquet").records == expected


def test_a_parquet_of_too_many_rows_is_refused(lay_out: LayOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_tables, "MOST_ROWS", 1)
    written = io.BytesIO()
    pd.DataFrame({"path": ["a.jpg", "b.jpg"], "age": [1, 2]}).to_parquet(written)
    with pytest.raises(RequestError, match="claims to have 2 rows, over the limit of 1; split it"):
        read(lay_out({"faces.parquet": written.getvalue()}) / "faces.parquet")


def test_a_parquet_that_unpacks_to_too_much_is_refused(
    lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_tables, "LARGEST_TABLE", 10)
    written = io.BytesIO()
    pd.DataFrame({"path": ["a.jpg", "b.jpg"], "age": [1, 2]}).to_parquet(written)
    with pytest.raises(RequestError, match="unpacks to more than the limit of 10 bytes"):
        read(lay_out({"faces.parquet": written.getvalue()}) / "faces.parquet")


def test_the_table_may_be_in_a_zip_with_its_images(
    miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    files = miniature("manifest")
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(f"my set/{name}", content)
    store = pack(manifest_reader(), tmp_path / "faces.zip", tmp_path / "out", size=32, workers=1)
    assert store.info.images == 24
    other = pack(manifest_reader(), lay_out(files) / "faces.csv", tmp_path / "other", size=32, workers=1)
    assert store.info.fingerprint == other.info.fingerprint


def test_a_crop_box_is_what_is_packed(miniature: Miniature, lay_out: LayOut, tmp_path: Path) -> None:
    store = pack(manifest_reader(), lay_out(miniature("manifest")), tmp_path / "out", size=32, workers=1)
    # The picture is red on its left, blue on its right; the box is the left half.
    for pixels, source in zip(store.images, store.labels["source"], strict=True):
        blue = np.asarray(pixels)[..., 2].mean()
        assert (blue > 100) == (source == "0.jpg")


def test_a_box_that_lies_outside_of_its_image_is_skipped(
    lay_out: LayOut, photo: Callable[..., bytes], tmp_path: Path
) -> None:
    rows = "\n".join(f"{n}.jpg,30,{60 if n == 3 else 0},0,99,99" for n in range(9))
    files = {f"{n}.jpg": photo() for n in range(9)}
    source = lay_out({"faces.csv": f"path,age,left,top,right,bottom\n{rows}".encode(), **files})
    store = pack(manifest_reader(), source, tmp_path / "out", size=32, workers=1, max_skipped=0.2)
    skipped = pd.read_csv(store.folder / "skipped.csv")
    assert skipped["source"].tolist() == ["3.jpg"]
    assert "the crop box 60, 0, 99, 99 does not overlap the image of 48 x 48 pixels" in skipped["reason"][0]


def test_splits_of_a_manifest_are_official(lay_out: LayOut) -> None:
    named = ["train", "Train", "val", "valid", "validation", "test", "testing", "", "dev"]
    rows = "\n".join(f"{n}.jpg,30,{split}" for n, split in enumerate(named))
    reading = of_csv(lay_out, f"path,age,split\n{rows}")
    assert [record.split for record in reading.records] == [
        "train", "train", "val", "val", "val", "test", "test", None,
    ]  # fmt: skip
    assert [s.reason for s in reading.skipped] == ["the split is 'dev', none of train, val and test"]


def test_a_column_value_needs_its_attribute(lay_out: LayOut) -> None:
    text = "file;value;deviation\na.jpg;3.5;0.4\n"
    (record,) = of_csv(lay_out, text, "attractiveness").records
    assert (record.labels, record.deviations) == ({"attractiveness": 3.5}, {"attractiveness": 0.4})
    with pytest.raises(RequestError, match="add --attribute age or --attribute attractiveness"):
        of_csv(lay_out, text)
    with pytest.raises(RequestError, match="has no column 'value' or 'age'; its columns: path, attr"):
        of_csv(lay_out, "path,attractiveness\na.jpg,3\n", "age")


def test_both_attributes_may_be_there(lay_out: LayOut) -> None:
    (record,) = of_csv(
        lay_out, "path,age,age_std,attractiveness,attractiveness_std\na.jpg,30,2,3.5,0.5\n"
    ).records
    assert record.labels == {"age": 30, "attractiveness": 3.5}
    assert record.deviations == {"age": 2, "attractiveness": 0.5}
    assert not record.groups


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("121,1,0,0,9,9", "the age is 121, outside of 0 to 120"),
        ("-1,1,0,0,9,9", "the age is -1, outside of 0 to 120"),
        ("nan,1,0,0,9,9", "the age is 'nan', which is not a number"),
        (",1,0,0,9,9", "the age is '', which is not a number"),
        ("30,-2,0,0,9,9", "the deviation of the age is -2, below 0"),
        ("30,1,0,0,9,", "the side bottom of the crop box is '', which is not a number"),
        ("30,1,9,0,9,9", "the crop box 9, 0, 9, 9 is empty"),
    ],
)
def test_a_row_that_cannot_be_used_has_a_reason(row: str, reason: str, lay_out: LayOut) -> None:
    text = f"path,age,age_std,left,top,right,bottom\na.jpg,{row}\nb.jpg,30,1,0,0,9,9\n"
    reading = of_csv(lay_out, text)
    assert [record.file for record in reading.records] == ["b.jpg"]
    assert [(skipped.file, skipped.reason) for skipped in reading.skipped] == [("a.jpg", reason)]


def test_a_row_without_a_path_and_a_path_with_a_null_byte_are_skipped(
    lay_out: LayOut, photo: Callable[..., bytes], tmp_path: Path
) -> None:
    good = "".join(f"30,{n}.jpg\n" for n in range(9))
    files = {f"{n}.jpg": photo() for n in range(9)}
    source = lay_out({"faces.csv": f"age,path\n{good}31\n32,\n33,b\0.jpg\n".encode(), **files})
    store = pack(manifest_reader(), source / "faces.csv", tmp_path / "out", size=32, workers=1, max_skipped=1)
    reasons = pd.read_csv(store.folder / "skipped.csv")["reason"].tolist()
    assert reasons[1:] == ["row 10 has no image", "row 11 has no image"]
    assert reasons[0] == "the file cannot be read: embedded null byte"
    assert store.info.images == 9


def test_an_image_that_is_named_twice_counts_once(lay_out: LayOut) -> None:
    reading = of_csv(lay_out, "path,age\na.jpg,30\n./a.jpg,30\n")
    assert [record.labels["age"] for record in reading.records] == [30]
    assert [(one.reason, one.lost) for one in reading.skipped] == [("faces.csv lists it twice", False)]


@pytest.mark.parametrize("second", ["31,,", "30,bob,", "30,,test"])
def test_an_image_whose_rows_contradict_each_other_is_lost(lay_out: LayOut, second: str) -> None:
    rows = f"a.jpg,30,ann,train\nb.jpg,40,,\n./a.jpg,{second}\n"
    reading = of_csv(lay_out, f"path,age,subject,split\n{rows}")
    assert [record.file for record in reading.records] == ["b.jpg"]
    assert [one.file for one in reading.skipped] == ["a.jpg"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_rows_of_an_image_complete_each_other(lay_out: LayOut, order: tuple[int, ...]) -> None:
    header = "path,age,age_std,subject,split,sex,left,top,right,bottom,race\n"
    rows = ["a.jpg,30,,ann,,m,,,,,", "a.jpg,30,2.5,,test,,0,0,9,9,", "a.jpg,30,,,,m,,,,,x"]
    reading = of_csv(lay_out, header + "\n".join(rows[n] for n in order) + "\nb.jpg,40,,,train,f,,,,,\n")
    record = reading.records[0]
    assert (record.deviations, record.subject, record.split) == ({"age": 2.5}, "ann", "test")
    assert record.groups == {"sex": "m", "race": "x"}
    assert record.crop == record.face == CropBox(0, 0, 9, 9)
    assert not [one for one in reading.skipped if one.lost]


def test_landmarks_in_one_row_and_a_crop_box_in_another_do_not_contradict(lay_out: LayOut) -> None:
    points = "left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,left_mouth_x,left_mouth_y,"
    header = f"path,age,left,top,right,bottom,{points}right_mouth_x,right_mouth_y\n"
    rows = ["a.jpg,30,0,0,30,30" + "," * 10, "a.jpg,30,,,,,5,5,15,5,10,10,6,15,14,15"]
    for order in (rows, rows[::-1]):
        (record,) = of_csv(lay_out, header + "\n".join(order) + "\n").records
        assert record.crop == CropBox(0, 0, 30, 30)
        assert isinstance(record.face, FivePoints)


def test_a_decimal_comma_in_a_table_with_commas_names_its_remedy(lay_out: LayOut) -> None:
    rows = 'a.jpg,"25,5",,,,,,\nb.jpg,30,"1,5",,,,,\nc.jpg,30,,"1,5",1,30,30,\nd.jpg,30,,,,,,",5"\n'
    reading = of_csv(lay_out, f"path,age,deviation,left,top,right,bottom,nose_x\n{rows}")
    assert [one.reason.partition(": ")[2] for one in reading.skipped] == [
        "write a decimal point, or separate the columns by semicolons"
    ] * 4


def test_a_long_cell_with_a_decimal_comma_has_the_same_remedy(lay_out: LayOut) -> None:
    (skipped,) = of_csv(lay_out, f'path,age\na.jpg,"{"1" * 60},5"\n').skipped
    assert skipped.reason.endswith("write a decimal point, or separate the columns by semicolons")
    assert len(skipped.reason) < 200


def test_a_manifest_in_an_archive_reaches_nothing_outside(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.writestr("faces.csv", "path,age\n../secret.jpg,30\n/etc/hostname,31\nnosuch.jpg,32\n")
    reading = read(tmp_path / "faces.zip")
    assert not reading.records
    assert all(skipped.lost for skipped in reading.skipped)
    assert len(reading.skipped) == 3


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"a.csv": b"path,age\n", "b.csv": b"path,age\n"}, r"has 2 tables \(a.csv, b.csv\)"),
        (
            {"a.csv": b"name,age\nx,1\n"},
            r"a.csv of .* no column 'path', only name, age",
        ),
        ({"a.csv": b""}, "has no rows below its header"),
        (
            {"a.csv": b"path,height\nx,1\n"},
            "no column 'age' or 'attractiveness'; its columns: path, height",
        ),
        ({"a.parquet": b"PAR1 and no more"}, "is not a readable parquet file"),
    ],
)
def test_a_table_that_is_not_a_manifest_is_refused(
    files: Mapping[str, bytes], complaint: str, lay_out: LayOut
) -> None:
    with pytest.raises(RequestError, match=complaint) as caught:
        read(lay_out(files))
    assert "\n" not in str(caught.value)


#: The same letter as one character (NFC) and as two (NFD).
COMPOSED, DECOMPOSED = "caf\u00e9.jpg", "cafe\u0301.jpg"


@pytest.mark.parametrize("table", ["faces.csv", ""])  # named itself, or found in its folder
@pytest.mark.parametrize(
    ("listed", "here"),
    [
        (COMPOSED, DECOMPOSED),
        (DECOMPOSED, COMPOSED),
        ("imgs\\f0.jpg", "imgs/f0.jpg"),
        (f"imgs\\{COMPOSED}", f"imgs/{DECOMPOSED}"),
        ("back\\slash.jpg", "back\\slash.jpg"),  # is a name, too
    ],
)
def test_a_file_is_found_by_another_spelling_of_its_name(
    listed: str, here: str, table: str, miniature: Miniature, lay_out: LayOut
) -> None:
    image = miniature("manifest")["photos/0.jpg"]
    folder = lay_out({"faces.csv": f"path,age\n{listed},25\n".encode(), here: image})
    assert [record.file for record in read(folder / table).records] == [here]


def test_two_files_whose_names_differ_in_their_spelling_alone_are_not_guessed(
    miniature: Miniature, lay_out: LayOut
) -> None:
    image = miniature("manifest")["photos/0.jpg"]
    table = f"path,age\na\\{COMPOSED},25\na/{COMPOSED},26\n".encode()
    folder = lay_out({"faces.csv": table, f"a/{COMPOSED}": image, f"a/{DECOMPOSED}": image})
    assert [record.labels["age"] for record in read(folder).records] == [26]


@pytest.mark.parametrize("table", ["faces.csv", ""])
def test_two_files_whose_names_differ_in_case_alone_are_named(
    table: str, miniature: Miniature, lay_out: LayOut
) -> None:
    image = miniature("manifest")["photos/0.jpg"]
    rows = b"path,age\na/X.JPG,25\nb/i.jpg,30\n"
    names = ("a/x.jpg", "a/X.jpg", "B/i.jpg")
    folder = lay_out({"faces.csv": rows, **dict.fromkeys(names, image)})
    reading = read(folder / table)
    assert [record.file for record in reading.records] == ["B/i.jpg"]
    assert [(one.file, one.reason, one.lost) for one in reading.skipped] == [
        (
            "a/X.JPG",
            "faces.csv lists it, but a/X.jpg and a/x.jpg differ in upper and lower case only: rename one, or spell "
            "it as the file is",
            True,
        )
    ]


@pytest.mark.parametrize(
    "listed", ["IMGS/Sub/A.JPG", "./imgs/SUB/a.jpg", "imgs\\sub\\A.jpg", "../source/Imgs/sub/a.jpg"]
)
def test_a_folder_in_other_upper_and_lower_case_is_found_too(
    listed: str, miniature: Miniature, tmp_path: Path
) -> None:
    image = miniature("manifest")["photos/0.jpg"]
    (tmp_path / "source" / "imgs" / "sub").mkdir(parents=True)
    (tmp_path / "source" / "imgs" / "sub" / "a.jpg").write_bytes(image)
    (tmp_path / "source" / "faces.csv").write_text(f"path,age\n{listed},30\nimgs/sub/a.jpg,30\n")
    reading = read(tmp_path / "source" / "faces.csv")
    assert [record.file for record in reading.records] == ["imgs/sub/a.jpg"]


def test_a_path_of_very_many_folders_that_are_not_there_is_a_missing_image(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text(f"path,age\n{'a/' * 40_000}x.jpg,30\n{'../' * 30_000}x.jpg,30\n")
    assert len(read(tmp_path / "faces.csv").records) == 2  # decoding says that they are missing


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("path,age\na.jpg,25,5\n", r"line 2 of .*/faces\.csv has 3 cells, but its header names 2 columns"),
        (
            "path,age,age\na.jpg,25,30\n",
            r"the header of .*/faces\.csv names the column 'age' more than once",
        ),
        ("path,age,Age\na.jpg,25,30\n", "names the column 'age' more than once"),
        ('path,age,note\na.jpg,25,"blurry\nb.jpg,26,\n', "line 2 has a quote that is not closed"),
    ],
)
def test_a_table_of_which_a_part_would_be_lost_is_refused(text: str, complaint: str, lay_out: LayOut) -> None:
    with pytest.raises(RequestError, match=complaint):
        of_csv(lay_out, text)


def test_cells_that_say_nothing_change_nothing(lay_out: LayOut) -> None:
    reading = of_csv(
        lay_out, ",path,age,age_std,subject,split,left,top,right,bottom,\n0,a.jpg,25,,,,,,,,,,\n,,,,,,,,,,\n"
    )
    assert reading.found == "1 of 1 rows of faces.csv"
    assert (reading.records[0].deviations, reading.records[0].crop, reading.groups) == ({}, None, [])


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("split", "dev", "the split is 'dev', none of train, val and test"),
        ("left", "NA", "the side left of the crop box is 'NA', which is not a number"),
        ("age_std", "-1", "the deviation of the age is -1, below 0"),
        (
            "age_std",
            "3,5",
            "the deviation of the age is '3,5', which is not a number: write a decimal point, or separate the "
            "columns by semicolons",
        ),
        ("age_std", "inf", "the deviation of the age is 'inf', which is not a number"),
        ("nose_x", "NA", "the landmark nose_x is 'NA', which is not a number"),
        ("subject", "NaN", "the subject is 'NaN'; leave it empty where it is unknown"),
        ("age", "1_0", "the age is '1_0', which is not a number"),
    ],
)
def test_an_image_with_an_unusable_cell_is_lost(column: str, cell: str, reason: str, lay_out: LayOut) -> None:
    row = {"path": "a.jpg", "age": "25", "left": "0", "top": "0", "right": "9", "bottom": "9", column: cell}
    reading = of_csv(lay_out, "\t".join(row) + "\n" + "\t".join(row.values()))
    assert not reading.records
    assert [(s.file, s.reason, s.lost) for s in reading.skipped] == [("a.jpg", reason, True)]


def test_a_decimal_comma_is_read_where_semicolons_separate(lay_out: LayOut) -> None:
    (record,) = of_csv(lay_out, "path;age;deviation\na.jpg;25,5;3,5\n").records
    assert (record.labels, record.deviations) == ({"age": 25.5}, {"age": 3.5})


@pytest.mark.parametrize("name", ["faces.tsv", "faces.csv.gz", "faces.txt"])
def test_a_table_may_have_another_ending(
    name: str, lay_out: LayOut, photo: Callable[..., bytes], tmp_path: Path
) -> None:
    text = "path\tage\n" + "".join(f"{n}.jpg\t{20 + n}\n" for n in range(9))
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    source = lay_out({name: content, **{f"{n}.jpg": photo() for n in range(9)}})
    assert pack(manifest_reader(), source / name, tmp_path / "out", size=32, workers=1).info.images == 9


def with_images(photo: Callable[..., bytes], path: str | None = "x/face.jpg") -> bytes:
    """A parquet of the form of the Hugging Face hub."""
    images = [{"bytes": photo(left=(25 * n, 0, 0)), "path": path} for n in range(9)]
    written = io.BytesIO()
    columns = {"image": images, "age": [20 + n for n in range(9)], "gender": ["m", None, "f"] * 3}
    pyarrow.parquet.write_table(pyarrow.table(columns), written, row_group_size=4)
    return written.getvalue()


@pytest.mark.parametrize(
    ("path", "source"), [("x/face.jpg", "1/face.jpg"), (None, "1"), ("../../etc", "1/etc")]
)
@pytest.mark.parametrize("folder", [True, False])
def test_a_parquet_may_have_its_images_in_itself(
    path: str | None, source: str, folder: bool, lay_out: LayOut, photo: Callable[..., bytes], tmp_path: Path
) -> None:
    at = lay_out({"train.parquet": with_images(photo, path)})
    named = at if folder else at / "train.parquet"
    store = pack(manifest_reader(), named, tmp_path / "out", size=32, workers=1)
    assert store.info.images == 9
    assert store.labels["source"][0] == source
    assert store.labels["gender"].tolist() == ["m", "", "f"] * 3
    for pixels, age in zip(store.images, store.labels["age"], strict=True):
        assert abs(np.asarray(pixels)[:, :12, 0].mean() - 25 * (age - 20)) < 12


def test_a_column_of_bytes_is_a_column_of_images_too(
    lay_out: LayOut, photo: Callable[..., bytes], tmp_path: Path
) -> None:
    written = io.BytesIO()
    pd.DataFrame({"image": [photo()] * 4 + [b"", None], "age": range(6)}).to_parquet(written)
    source = lay_out({"faces.parquet": written.getvalue()}) / "faces.parquet"
    store = pack(manifest_reader(), source, tmp_path / "out", size=32, workers=1, max_skipped=0.5)
    assert store.info.images == 4
    assert "the row has no bytes of an image" in pd.read_csv(store.folder / "skipped.csv")["reason"].tolist()


def test_packing_starts_again_after_the_images_in_a_parquet_changed(
    lay_out: LayOut, photo: Callable[..., bytes]
) -> None:
    source = lay_out({"faces.parquet": with_images(photo)})
    requests = [DecodeRequest("faces.parquet/1/face.jpg")]
    first = source_key(source, requests, "manifest", 32)
    lay_out({"faces.parquet": with_images(photo, "another.jpg")})
    assert source_key(source, requests, "manifest", 32) != first


def test_images_in_a_parquet_in_a_zip_are_refused(photo: Callable[..., bytes], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.writestr("faces.parquet", with_images(photo))
    with pytest.raises(
        RequestError, match="has its images in itself; unpack the archive, and name the table"
    ):
        read(tmp_path / "faces.zip")


def test_a_cell_of_a_parquet_that_is_too_long_is_refused_and_a_missing_value_is_empty(
    lay_out: LayOut,
) -> None:
    frame = pd.DataFrame({"path": ["a.jpg", "b.jpg"], "age": [1, 2], "age_std": [2.5, float("nan")]})
    frame["subject"] = ["s1", None]
    source = lay_out({}) / "faces.parquet"
    source.parent.mkdir(exist_ok=True)
    frame.to_parquet(source)
    assert [(r.deviations, r.subject) for r in read(source).records] == [({"age": 2.5}, "s1"), ({}, "")]
    frame.assign(note="x" * 20_000).to_parquet(source)
    with pytest.raises(RequestError, match="or of 10,000 for a cell; leave out columns"):
        read(source)


def test_images_of_a_parquet_that_was_written_again_are_the_new_ones(
    lay_out: LayOut, photo: Callable[..., bytes]
) -> None:
    source = lay_out({"faces.parquet": with_images(photo)}) / "faces.parquet"
    with open_source(source) as files:
        assert files.read("faces.parquet/2") == photo(left=(25, 0, 0))
        pd.DataFrame({"image": [b"one", b"two"], "age": [1, 2]}).to_parquet(source)
        assert files.read("faces.parquet/2") == b"two"


def test_a_split_that_is_empty_because_of_unusable_rows_says_so(lay_out: LayOut, tmp_path: Path) -> None:
    rows = "".join(f"{n}.jpg,30,{('train', 'dev')[n % 2]}\n" for n in range(20))
    source = lay_out({"faces.csv": f"path,age,split\n{rows}".encode()}) / "faces.csv"
    with pytest.raises(
        RequestError, match=r"leave no test images .*10 images were left out before, the first, 1\.jpg"
    ):
        pack(manifest_reader(), source, tmp_path / "out", size=32, workers=1)


def test_a_manifest_of_ones_own_may_name_images_outside_its_folder(lay_out: LayOut) -> None:
    """SECURITY.md says so: they are read with the rights of the user."""
    folder = lay_out({"photos/a.jpg": b"a", "photos/b.jpg": b"b", "tables/faces.csv": b""})
    absolute = (folder / "photos" / "b.jpg").as_posix()
    (folder / "tables" / "faces.csv").write_text(f"path,age\n../photos/a.jpg,30\n{absolute},31\n")
    records = read(folder / "tables" / "faces.csv").records
    assert [record.labels["age"] for record in records] == [30, 31]
    security = (Path(__file__).parents[3] / "SECURITY.md").read_text(encoding="utf-8")
    assert "a manifest names images" in security


def test_a_name_in_other_upper_and_lower_case_is_found_where_only_one_file_has_it(
    photo: Callable[..., bytes], lay_out: LayOut, tmp_path: Path
) -> None:
    table = b"path,age\nImages/A.JPG,30\nimages/b.jpg,31\nimages/c.jpg,32\n"
    names = ("images/a.jpg", "images/b.jpg", "images/B.jpg", "images/C.jpg", "images/C.JPG")
    source = lay_out({"faces.csv": table, **{name: photo() for name in names}})
    archive = tmp_path / "faces.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for name in ("faces.csv", *names):
            written.write(source / name, name)
    assert [record.file for record in read(archive).records] == ["images/a.jpg", "images/b.jpg"]
    assert [record.file for record in read(source / "faces.csv").records] == ["images/a.jpg", "images/b.jpg"]


@pytest.mark.parametrize("again", [".\\\\a.jpg", "../source/a.jpg", "//./a.jpg"])
def test_an_image_has_one_name_however_the_table_leads_to_it(
    photo: Callable[..., bytes], tmp_path: Path, again: str
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.jpg").write_bytes(photo())
    second = str(tmp_path / "source" / "a.jpg") if again.startswith("//") else again.replace("\\\\", "\\")
    (tmp_path / "source" / "faces.csv").write_text(f"path,age\na.jpg,20\n{second},50\n")
    reading = read(tmp_path / "source" / "faces.csv")
    assert not reading.records
    assert [(one.file, one.reason) for one in reading.skipped] == [("a.jpg", CONTRADICTED)]


@pytest.mark.parametrize("second", ["500", "old"])
def test_an_image_with_a_usable_row_and_another_is_not_both_packed_and_skipped(
    lay_out: LayOut, second: str
) -> None:
    reading = of_csv(lay_out, f"path,age\na.jpg,30\n./a.jpg,{second}\nb.jpg,40\n")
    assert [record.file for record in reading.records] == ["b.jpg"]
    assert [one.file for one in reading.skipped] == ["a.jpg"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"path": ["a.jpg"], "age": [[1]]}, "column 'age' of .* is of type list"),
        (
            {"path": ["a.jpg"], "attractiveness": [{"a": 1}]},
            "column 'attractiveness' of .* is of type struct",
        ),
        ({"image": [{"path": "a.jpg"}], "age": [1]}, "column 'image' of .* is of type struct"),
        ({"Path": [None], "age": [1]}, "column 'path' of .* is of type null"),
    ],
)
def test_a_column_of_a_parquet_whose_type_is_not_read_is_named_with_it(
    columns: dict[str, list[object]], said: str, tmp_path: Path
) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "faces.parquet")
    with pytest.raises(RequestError, match=said):
        read(tmp_path / "faces.parquet")
