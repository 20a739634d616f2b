"""A manifest: a table of one's own images."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suite.data.dataset_reader import ReadResult
from suite.data.decoding import CropBox
from suite.data.packing import pack
from suite.data.readers import manifest
from suite.data.readers.manifest import manifest_reader
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
    monkeypatch.setattr(manifest, "MOST_ROWS", 1)
    written = io.BytesIO()
    pd.DataFrame({"path": ["a.jpg", "b.jpg"], "age": [1, 2]}).to_parquet(written)
    with pytest.raises(RequestError, match="claims to have 2 rows, over the limit of 1; split it"):
        read(lay_out({"faces.parquet": written.getvalue()}) / "faces.parquet")


def test_a_parquet_that_unpacks_to_too_much_is_refused(
    lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "LARGEST_TABLE", 10)
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
        ("30,1,0,0,9,", "the crop box 0, 0, 9,  has a side that is not a number"),
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
    reading = of_csv(lay_out, "path,age\na.jpg,30\n./a.jpg,31\n")
    assert [record.labels["age"] for record in reading.records] == [30]
    assert [skipped.reason for skipped in reading.skipped] == ["faces.csv lists it twice"]


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
