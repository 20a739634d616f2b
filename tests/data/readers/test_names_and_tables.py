"""AFAD, AgeDB, FG-NET, MORPH II and CACD2000: ages by name and by table, and whose face it is."""

import io
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.data.dataset_reader import ImageRecord, ReadResult
from suite.data.identities import load_identities
from suite.data.packing import pack
from suite.data.readers.layout import CONTRADICTED
from suite.data.sets import READERS
from suite.data.source_files import open_source
from suite.errors import RequestError

Miniature = Callable[[str], dict[str, bytes]]
LayOut = Callable[[Mapping[str, bytes]], Path]
META = "celebrity2000_meta.mat"
SCORES_OF_5500 = "SCUT-FBP5500_v2/train_test_files/All_labels.txt"


def read(name: str, path: Path) -> ReadResult:
    with open_source(path) as files:
        return READERS[name].read(files, path)


def record_of(name: str, file: str) -> ImageRecord:
    """What a reader says of the only file of a source."""

    class One:
        def names(self) -> list[str]:
            return [file]

        def read(self, name: str) -> bytes:
            return name.encode()

    (record,) = READERS[name].read(One(), Path("set")).records
    return record


@given(st.integers(15, 72), st.sampled_from([("111", "male"), ("112", "female")]), st.integers(1, 10**6))
def test_a_path_of_afad_says_age_and_gender_but_no_subject(
    age: int, gender: tuple[str, str], number: int
) -> None:
    record = record_of("afad", f"AFAD-Full/{age}/{gender[0]}/{number}-3.jpg")
    assert record.labels == {"age": age}
    assert record.groups == {"gender": gender[1]}
    assert not record.subject


@given(
    st.integers(1, 101),
    st.sampled_from("mf"),
    st.text(st.characters(categories=["Lu", "Ll"]) | st.sampled_from("_-. '"), min_size=1).filter(
        lambda name: "/" not in name
    ),
)
def test_a_name_of_agedb_says_age_gender_and_subject(age: int, gender: str, name: str) -> None:
    record = record_of("agedb", f"AgeDB/12_{name}_{age}_{gender}.jpg")
    assert record.labels == {"age": age}
    assert record.groups == {"gender": {"m": "male", "f": "female"}[gender]}
    assert record.subject == name


@pytest.mark.parametrize(
    ("file", "subject", "age"),
    [("001A02.JPG", "001", 2), ("082a18b.jpg", "082", 18), ("010A69.JPG", "010", 69), ("7A5.jpg", "007", 5)],
)
def test_a_name_of_fgnet_says_subject_and_age(file: str, subject: str, age: int) -> None:
    record = record_of("fgnet", f"images/{file}")
    assert (record.subject, record.labels["age"]) == (subject, age)


def test_a_fold_of_fgnet_is_a_person(miniature: Miniature, lay_out: LayOut) -> None:
    reading = read("fgnet", lay_out(miniature("fgnet")))
    assert {(record.subject, record.fold) for record in reading.records} == {
        (f"{n:03d}", n) for n in range(1, 7)
    }
    assert reading.found == "24 images where 1,002 are published of 6 people"


@pytest.mark.parametrize(
    ("name", "file", "reason"),
    [
        ("afad", "AFAD/14/111/1-0.jpg", "the age is 14, outside of 15 to 72"),
        (
            "afad",
            "AFAD/20/113/1-0.jpg",
            "the path of 1-0.jpg does not end in [age]/[111 or 112]/[number]-[k].jpg",
        ),
        ("agedb", "AgeDB/1_X_102_m.jpg", "the age is 102, outside of 1 to 101"),
        ("agedb", "AgeDB/holiday.jpg", "the name is not [n]_[Name]_[age]_[m or f].jpg"),
        ("fgnet", "images/001A70.JPG", "the age is 70, outside of 0 to 69"),
        ("fgnet", "images/holiday.JPG", "the name is not [subject]A[age].JPG"),
    ],
)
def test_what_cannot_be_used_has_a_reason(
    name: str, file: str, reason: str, miniature: Miniature, lay_out: LayOut
) -> None:
    reading = read(name, lay_out({**miniature(name), file: b""}))
    assert [(skipped.file, skipped.reason) for skipped in reading.skipped] == [(file, reason)]


@pytest.mark.parametrize("name", ["afad", "agedb", "fgnet"])
def test_a_second_copy_of_an_image_counts_not(name: str, miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature(name)
    some = next(iter(files))
    reading = read(name, lay_out({**files, f"copy/of/{some}": files[some]}))
    assert len(reading.records) == 24
    assert [skipped.reason for skipped in reading.skipped] == [f"the same image as {some}"]


def test_files_of_an_operating_system_are_not_images(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("agedb")
    reading = read(
        "agedb", lay_out({**files, "__MACOSX/AgeDB/._1_X_30_m.jpg": b"", "AgeDB/._2_X_30_m.jpg": b""})
    )
    assert len(reading.records) == 24
    assert not reading.skipped


def test_morph_by_its_table(miniature: Miniature, lay_out: LayOut) -> None:
    reading = read("morph", lay_out(miniature("morph")))
    records = {Path(record.file).stem: record for record in reading.records}
    assert records["7"].labels == {"age": 27}
    assert records["7"].groups == {"gender": "female", "race": "Others"}
    assert records["7"].subject == records["6"].subject == "000002" != records["5"].subject
    assert "labelled by morph_2008_nonCommercial.csv" in reading.found


def test_morph_by_its_names_where_there_is_no_table(lay_out: LayOut) -> None:
    reading = read(
        "morph", lay_out({f"Album2/{n:06d}_{k}M{30 + k}.JPG": b"" for n in range(3) for k in (0, 1)})
    )
    assert len(reading.records) == 6
    assert reading.records[1].subject == "000000"
    assert reading.records[1].labels == {"age": 31}
    assert reading.records[1].groups == {"gender": "male", "race": ""}
    assert "without a table" in reading.found


def test_a_row_of_morph_that_cannot_be_used_has_a_reason(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("morph")
    table = "MORPH/morph_2008_nonCommercial.csv"
    rows = files[table].decode().splitlines()
    rows[1] = rows[1].replace(",20,", ",,")
    rows[2] = rows[2].replace(",21,", ",15,")
    rows.append(rows[3])
    files[table] = "\n".join(rows).encode()
    reasons = {Path(s.file).name: s.reason for s in read("morph", lay_out(files)).skipped}
    assert reasons == {
        "0.JPG": "morph_2008_nonCommercial.csv has no age for it",
        "1.JPG": "the age is 15, outside of 16 to 77",
        "2.JPG": "morph_2008_nonCommercial.csv lists it twice",
    }


@pytest.mark.parametrize(
    ("name", "table", "again"),
    [
        ("morph", "MORPH/morph_2008_nonCommercial.csv", lambda row: row.replace(",20,", ",24,")),
        ("scut-fbp5500", SCORES_OF_5500, lambda row: f"{row.split()[0]} 1.25"),
        ("scut-fbp5500", SCORES_OF_5500, lambda row: f"{row.split()[0].lower()} 1.25"),
        ("scut-fbp5500", SCORES_OF_5500, lambda row: f"./{row.split()[0]} 1.25"),
    ],
)
def test_an_image_with_two_labels_is_lost(
    miniature: Miniature, lay_out: LayOut, name: str, table: str, again: Callable[[str], str]
) -> None:
    files = miniature(name)
    rows = files[table].decode().splitlines()
    rows.append(again(rows[1]))
    files[table] = "\n".join(rows).encode()
    lost = [one.reason for one in read(name, lay_out(files)).skipped if one.lost]
    assert lost == [CONTRADICTED]


def test_two_files_whose_names_differ_in_case_alone_have_their_own_labels(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("scut-fbp5500")
    image = next(name for name in files if name.endswith(".jpg"))
    own = PurePosixPath(image).name
    files[str(PurePosixPath(image).with_name(own.lower()))] = files[image]
    files[SCORES_OF_5500] += f"\n{own.lower()} 1.25\n".encode()
    found = {
        PurePosixPath(one.file).name: one.labels["attractiveness"]
        for one in read("scut-fbp5500", lay_out(files)).records
    }
    assert found[own.lower()] == 1.25
    assert found[own] != 1.25


def test_a_name_in_other_case_that_two_files_have_is_told_with_both(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("scut-fbp5500")
    image = next(name for name in files if name.endswith("AF0.jpg"))
    files[str(PurePosixPath(image).with_name("Af0.jpg"))] = files[image]
    files = {name: content.replace(b"AF0.jpg", b"af0.jpg") for name, content in files.items()}
    files = {name: content for name, content in files.items() if "60%" not in name and "cross_" not in name}
    (skipped,) = [one for one in read("scut-fbp5500", lay_out(files)).skipped if one.lost]
    assert skipped.file == "af0.jpg"
    assert "AF0.jpg and " in skipped.reason
    assert "Af0.jpg differ in upper and lower case only" in skipped.reason


def test_rows_of_morph_complete_each_other(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("morph")
    name = "MORPH/morph_2008_nonCommercial.csv"
    header, row, *rows = files[name].decode().splitlines()
    race = header.split(",").index("race")
    cells = row.split(",")
    without = [*cells[:race], "", *cells[race + 1 :]]
    files[name] = "\n".join([header, ",".join(without), row, *rows]).encode()
    reading = read("morph", lay_out(files))
    assert not [one for one in reading.skipped if one.lost]
    assert all(record.groups["race"] for record in reading.records)


def test_a_decimal_comma_in_morph_names_its_remedy(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("morph")
    name = "MORPH/morph_2008_nonCommercial.csv"
    files[name] = files[name].replace(b",20,", b',"20,5",', 1)
    (skipped,) = [one for one in read("morph", lay_out(files)).skipped if one.lost]
    assert "'20,5', which is not a number: write a decimal point" in skipped.reason


@pytest.mark.parametrize("age", [math.inf, math.nan])
def test_an_age_of_cacd2000_that_is_no_number_loses_its_image_alone(
    miniature: Miniature, lay_out: LayOut, age: float
) -> None:
    from scipy.io import loadmat, savemat

    files = miniature("cacd2000")
    loaded = loadmat(io.BytesIO(files[META]))
    data = loaded["celebrityImageData"]
    ages = data["age"][0, 0].astype(float)
    ages[0, 0] = age
    data["age"][0, 0] = ages
    written = io.BytesIO()
    savemat(written, {"celebrityImageData": {name: data[name][0, 0] for name in data.dtype.names}})
    files[META] = written.getvalue()
    reading = read("cacd2000", lay_out(files))
    assert [one.reason for one in reading.skipped] == [f"{META} has no age for it"]


def test_a_short_row_of_morph_is_read_as_far_as_it_goes(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("morph")
    table = "MORPH/morph_2008_nonCommercial.csv"
    files[table] = b"photo,age,id_num\nAlbum2/0.JPG,20\n,30,7\n"
    reading = read("morph", lay_out(files))
    assert [(Path(r.file).name, r.subject) for r in reading.records] == [("0.JPG", "")]
    unlisted = ["no table has a row of it"] * 23
    assert [s.reason for s in reading.skipped] == [*unlisted, "row 2 has no photo"]


def test_cacd2000_is_split_by_rank(miniature: Miniature, lay_out: LayOut) -> None:
    reading = read("cacd2000", lay_out(miniature("cacd2000")))
    for record in reading.records:
        rank = int(record.subject) + 1
        assert record.split == ("val" if rank <= 2 else "test" if rank <= 5 else "train")
        assert record.labels["age"] == int(Path(record.file).name.split("_")[0])
    assert "by rank 14 train, 4 val, 6 test" in reading.found


def test_an_accent_may_be_stored_composed_or_not(lay_out: LayOut, photo: Callable[..., bytes]) -> None:
    import numpy as np
    from scipy.io import savemat

    names = np.array([f"20_Zo\u00eb_{n}.jpg" for n in range(4)], dtype=object)[:, None]
    column = np.arange(4)[:, None]
    written = io.BytesIO()
    savemat(
        written,
        {"celebrityImageData": {"name": names, "identity": column, "age": column + 20, "rank": column}},
    )
    files = {META: written.getvalue(), **{f"20_Zoe\u0308_{n}.jpg": photo() for n in range(4)}}
    reading = read("cacd2000", lay_out(files))
    assert not reading.skipped
    assert {record.file for record in reading.records} == files.keys() - {META}


@pytest.mark.parametrize(
    "content", [b"", b"MATLAB 7.3 MAT-file, an HDF5 file" + bytes(600), bytes(range(256)) * 4]
)
def test_a_matlab_file_that_cannot_be_read_is_refused(
    content: bytes, miniature: Miniature, lay_out: LayOut
) -> None:
    with pytest.raises(RequestError, match=rf"{META} of .* (is not a readable MATLAB v5 file|has no struct)"):
        read("cacd2000", lay_out({**miniature("cacd2000"), META: content}))


def test_another_matlab_file_is_refused(miniature: Miniature, lay_out: LayOut) -> None:
    from scipy.io import savemat

    written = io.BytesIO()
    savemat(written, {"celebrityImageData": {"name": ["a.jpg"], "age": [20]}})
    with pytest.raises(RequestError, match="has no struct celebrityImageData with name, identity, age"):
        read("cacd2000", lay_out({**miniature("cacd2000"), META: written.getvalue()}))


def test_cacd2000_without_scipy_names_what_to_install(
    miniature: Miniature, lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = lay_out(miniature("cacd2000"))
    monkeypatch.setitem(sys.modules, "scipy.io", None)  # makes its import fail
    with pytest.raises(RequestError, match=r'is a MATLAB file, .*pip install "suite\[sets\]"'):
        read("cacd2000", source)


def test_all_tables_of_morph_are_read_and_images_without_a_row_are_lost(
    miniature: Miniature, lay_out: LayOut
) -> None:
    files = miniature("morph")
    whole = "MORPH/morph_2008_nonCommercial.csv"
    rows = files[whole].splitlines(keepends=True)
    # Sorts first, and has a part of the rows; so does a table of another part.
    files["AGR/s1/s1_test.csv"] = b"".join(rows[:6])
    files["AGR/s2/s2_test.csv"] = b"".join([rows[0], *rows[-3:]])
    files[whole] = b"".join(rows[:-3])
    files["MORPH/Album2/unlisted.JPG"] = files["MORPH/Album2/0.JPG"]
    reading = read("morph", lay_out(files))
    assert len(reading.records) == 24
    assert "labelled by s1_test.csv and 2 more tables" in reading.found
    assert [(s.file, s.reason, s.lost) for s in reading.skipped] == [
        ("MORPH/Album2/unlisted.JPG", "no table has a row of it", True)
    ]


def test_an_image_about_which_tables_of_morph_disagree_is_lost(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("morph")
    whole = "MORPH/morph_2008_nonCommercial.csv"
    rows = files[whole].splitlines(keepends=True)
    files["AGR/s1.csv"] = rows[0] + rows[1].replace(b",20,", b",30,") + rows[2]
    reading = read("morph", lay_out(files))
    assert len(reading.records) == 23
    assert [(Path(s.file).name, s.reason, s.lost) for s in reading.skipped] == [("0.JPG", CONTRADICTED, True)]


def test_a_text_beside_the_table_of_morph_harms_nothing(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("morph")
    files["MORPH/README.txt"] = b'"MORPH", a set of faces, says: "hello\nand goodbye, friends\n'
    assert len(read("morph", lay_out(files)).records) == 24


def test_an_image_of_cacd2000_without_a_row_is_lost(miniature: Miniature, lay_out: LayOut) -> None:
    files = miniature("cacd2000")
    reading = read("cacd2000", lay_out({**files, "CACD2000/30_Nobody_0001.jpg": b"x"}))
    assert [(s.file, s.lost) for s in reading.skipped] == [("CACD2000/30_Nobody_0001.jpg", True)]


def test_the_number_in_a_name_of_afad_is_no_person_and_copies_are_told_by_content(lay_out: LayOut) -> None:
    reading = read(
        "afad",
        lay_out({"20/111/123-0.jpg": b"a man", "20/112/123-1.jpg": b"a woman", "25/111/77-0.jpg": b"a man"}),
    )
    assert [(record.file, record.subject) for record in reading.records] == [
        ("20/111/123-0.jpg", ""),
        ("20/112/123-1.jpg", ""),
    ]
    assert [(s.file, s.reason) for s in reading.skipped] == [
        ("25/111/77-0.jpg", "the same content as 20/111/123-0.jpg")
    ]


def test_afad_cannot_be_pretrained_on(miniature: Miniature, lay_out: LayOut, tmp_path: Path) -> None:
    store = pack(READERS["afad"], lay_out(miniature("afad")), tmp_path / "out", size=32, workers=1)
    assert "the set names no subjects" in store.info.protocol
    with pytest.raises(RequestError, match="does not name the people in its training images"):
        load_identities(store, 32)
