"""Checking packed data: what would make its figures worthless is found, and nothing else is."""

import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suite.cli.main import main
from suite.data.checking import Check, check_store
from suite.data.dataset import images_at, resized_file
from suite.data.store import LabelRange, Store, StoreInfo, fingerprint, open_store, write_info
from tests.support.pictures import compressed, faces

Change = Callable[[np.ndarray, pd.DataFrame], None]


def a_store(folder: Path, change: Change = lambda images, labels: None) -> Store:
    """A store of 30 images, 20 + 5 + 5, after a change that its fingerprint knows of."""
    images = faces(30)
    labels = pd.DataFrame(
        {
            "split": ["train"] * 20 + ["val"] * 5 + ["test"] * 5,
            "subject": [f"p{n}" for n in range(30)],
            "source": [f"{n}.jpg" for n in range(30)],
            "age": np.arange(30) * 3.0,
            "age_std": np.nan,
        }
    )
    change(images, labels)
    folder.mkdir()
    np.save(folder / "images.npy", images)
    labels.to_parquet(folder / "labels.parquet", index=False)
    info = StoreInfo(
        "small", {"age": LabelRange(0, 90, 1)}, 30, 48, fingerprint(images, labels), "By hand.", "Nowhere."
    )
    write_info(folder, info)
    return open_store(folder)


def test_data_without_fault_passes_and_is_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = a_store(tmp_path / "store")
    assert not check_store(store).problems
    assert main(["data", "check", str(store.folder)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "images: 20 train, 5 val, 5 test; 30 people"
    assert "protocol: By hand." in said
    assert said[-4:-1] == [
        "copies: 0 groups of 0 images; 0 have the pixels of another, 0 only look like another",
        "copies in different splits: 0 groups",
        "copies whose labels contradict: 0 groups",
    ]
    assert said[-1] == "no problems found"
    rows = [line.split() for line in said if " to " in line]
    assert len(rows) == 10
    assert sum(int(row[3]) for row in rows) == 20
    assert rows[0] == ["0", "to", "9", "3", "0", "0"]
    assert rows[9] == ["81", "to", "90", "0", "0", "3"]


def share_a_subject(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[28, "subject"] = "p3"


def copy_across(images: np.ndarray, labels: pd.DataFrame) -> None:
    images[22] = images[4]


def lose_a_label(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[[3, 4], "age"] = [np.nan, 91]


def negative(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[3, "age_std"] = -1.0


def no_test(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[labels["split"] == "test", "split"] = "val"


def other_split(images: np.ndarray, labels: pd.DataFrame) -> None:
    labels.loc[3, "split"] = "dev"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (share_a_subject, "1 people are in two splits or more: p3."),
        (copy_across, "1 image has an exact copy in another split: 4.jpg and 22.jpg."),
        (lose_a_label, "2 labels of age are missing or outside of 0 to 90."),
        (negative, "1 deviations of age are below 0."),
        (no_test, "There is no test image."),
        (other_split, "There are splits of other names than train, val and test: 'dev'."),
    ],
)
def test_a_fault_is_found_and_named(
    change: Change, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = a_store(tmp_path / "store", change)
    assert list(check_store(store).problems) == [problem]
    assert main(["data", "check", str(store.folder)]) == 1
    assert capsys.readouterr().err == f"suite: {problem}\n"


@pytest.mark.parametrize("column", ["split", "subject", "source", "age", "age_std"])
def test_labels_without_a_column_are_reported_in_one_sentence(
    column: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def drop(images: np.ndarray, labels: pd.DataFrame) -> None:
        del labels[column]

    store = a_store(tmp_path / "store", drop)
    assert main(["data", "check", str(store.folder)]) == 1
    said = capsys.readouterr().err
    assert said == (
        f"suite: labels.parquet of {store.folder} cannot be read (it has no column {column}); pack the data again, or "
        "take it from a backup.\n"
    )


def test_copies_within_a_split_are_counted_but_not_wrong(tmp_path: Path) -> None:
    def copy(images: np.ndarray, labels: pd.DataFrame) -> None:
        images[5] = images[4]
        images[7] = compressed(images[6], 75)

    found = check_store(a_store(tmp_path / "store", copy))
    assert not found.problems
    assert list(found.facts[-3:]) == [
        "copies: 2 groups of 4 images; 2 have the pixels of another, 2 only look like another",
        "copies in different splits: 0 groups",
        "copies whose labels contradict: 2 groups; look at 4.jpg (age 12) and 5.jpg (age 15), 6.jpg (age 18) and "
        "7.jpg (age 21)",
    ]


def test_a_look_alike_in_another_split_is_shown_and_left_to_the_user(tmp_path: Path) -> None:
    def compress(images: np.ndarray, labels: pd.DataFrame) -> None:
        images[27] = compressed(images[2], 75)

    found = check_store(a_store(tmp_path / "store", compress))
    assert not found.problems
    assert "copies in different splits: 1 group; look at 2.jpg and 27.jpg" in found.facts


def copies_of_three_kinds(images: np.ndarray, labels: pd.DataFrame) -> None:
    images[[5, 27]] = images[4]
    images[9] = compressed(images[8], 75)
    labels.loc[9, "age"] = labels.loc[8, "age"] + 0.4
    labels.loc[5, "source"] = 'a "copy", 2.jpg'


def test_all_groups_of_copies_can_be_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, file = a_store(tmp_path / "store", copies_of_three_kinds), tmp_path / "copies.csv"
    assert main(["data", "check", str(store.folder), "--list", str(file)]) == 1
    assert f"{file} lists all copies" in capsys.readouterr().out
    listed = pd.read_csv(file)
    assert listed.to_dict("list") == {
        "group": [1, 1, 1, 2, 2],
        "source": ["4.jpg", 'a "copy", 2.jpg', "27.jpg", "8.jpg", "9.jpg"],
        "split": ["train", "train", "test", "train", "train"],
        "age": [12.0, 15.0, 81.0, 24.0, 24.4],
        "kind": ["exact", "exact", "exact", "near", "near"],
        "contradicts": [True, True, True, False, False],
    }


def test_a_list_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = a_store(tmp_path / "store")
    monkeypatch.setattr("suite.data.checking.check_store", lambda *asked: pytest.fail("the data was read"))
    assert main(["data", "check", str(store.folder), "--list", str(tmp_path / "none" / "copies.csv")]) == 2
    assert "copies.csv cannot be written (No such file or directory)" in capsys.readouterr().err


def broken(folder: Path) -> Check:
    return check_store(open_store(folder))


def test_a_bit_that_flipped_on_the_disk_is_found(tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    content = bytearray((folder / "images.npy").read_bytes())
    content[-1000] ^= 1
    (folder / "images.npy").write_bytes(content)
    assert list(broken(folder).problems) == [
        "The fingerprint of images and labels is another than that in store.json."
    ]


@pytest.mark.parametrize("name", ["images.npy", "labels.parquet"])
@pytest.mark.parametrize("damage", ["empty", "short", "noise", "gone"])
def test_a_damaged_file_is_reported_in_one_sentence(name: str, damage: str, tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    file = folder / name
    if damage == "gone":
        file.unlink()
    else:
        whole = file.read_bytes()
        file.write_bytes({"empty": b"", "short": whole[: len(whole) // 2], "noise": b"\x07" * 999}[damage])
    (problem,) = broken(folder).problems
    assert " cannot be read (" in problem
    assert "\n" not in problem


def test_files_of_different_stores_are_reported(tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    np.save(folder / "images.npy", faces(29))
    (problem,) = broken(folder).problems
    assert "it holds uint8 29 x 48 x 48 x 3 instead of uint8 30 x 48 x 48 x 3" in problem


def test_a_store_of_older_days_without_its_info_is_refused(tmp_path: Path) -> None:
    folder = a_store(tmp_path / "store").folder
    info = dataclasses.asdict(open_store(folder).info)
    (folder / "store.json").write_text(json.dumps({**info, "schema_version": 0}))
    assert main(["data", "check", str(folder)]) == 2


def test_resized_images_in_the_cache_are_compared_with_what_they_were_made_of(tmp_path: Path) -> None:
    store = a_store(tmp_path / "store")
    images_at(store, 40)
    assert not check_store(store).problems
    kept = np.lib.format.open_memmap(resized_file(store, 40), mode="r+")
    kept[7] = 0
    kept.flush()
    (problem,) = check_store(store).problems
    assert problem.startswith("The images at 40 pixels in the cache are not made of these; delete ")


def named_by_a_stranger(images: np.ndarray, labels: pd.DataFrame) -> None:
    images[[5, 6, 27]] = images[4]
    labels.loc[4, "source"] = "long " * 20_000
    labels.loc[5, "source"] = "+one\rline.jpg"
    labels.loc[6, "source"] = "=1+1.jpg"
    labels.loc[27, "source"] = None
    labels.loc[[4, 27], "subject"] = "p4 " * 20_000
    labels.loc[[7, 8, 22], "subject"] = None


def test_names_of_any_length_and_kind_leave_the_findings_readable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, file = a_store(tmp_path / "store", named_by_a_stranger), tmp_path / "copies.csv"
    write_info(store.folder, dataclasses.replace(store.info, protocol="word " * 100_000))
    assert main(["data", "check", str(store.folder), "--list", str(file)]) == 1
    captured = capsys.readouterr()
    said = [*captured.out.splitlines(), *captured.err.splitlines()]
    assert max(map(len, said)) < 2_100
    assert "an image without a name" in captured.err
    assert "26 people" in said[0]
    assert not [line for line in said if "fingerprint" in line or "None" in line or "nan" in line]
    with file.open(newline="") as opened:
        names = [row["source"] for row in csv.DictReader(opened)]
    assert names[1:] == ["'+one\rline.jpg", "'=1+1.jpg", ""]


def test_images_too_plain_to_be_compared_are_counted(tmp_path: Path) -> None:
    def one_colour(images: np.ndarray, labels: pd.DataFrame) -> None:
        images[3], images[4] = 90, 120

    found = check_store(a_store(tmp_path / "store", one_colour))
    assert [line for line in found.facts if line.startswith("plain images: 2 images are too plain")]
