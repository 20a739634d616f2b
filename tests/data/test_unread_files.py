"""Sets that are still packed, or are of a kind that is not read."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from suite.data.packing import pack
from suite.data.sets import READERS
from suite.data.source_files import open_source
from suite.data.unread_files import advice_on
from suite.errors import RequestError, UnfinishedError

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n"
Photo = Callable[..., bytes]


def folder(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def complaint(name: str, source: Path) -> str:
    with pytest.raises(RequestError) as caught:
        pack(READERS[name], source, source.parent / "out", size=32, workers=1)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("packed", "todo"),
    [
        (
            ["AFAD-Full.tar.gz"],
            "AFAD-Full.tar.gz in it is still packed and was not looked into: unpack it in its",
        ),
        (
            ["AFAD-Lite.tar.xzaa", "AFAD-Lite.tar.xzab"],
            "AFAD-Lite.tar.xzaa and 1 more archives in it is still packed and was not looked into: join the parts in "
            "their order (cat AFAD-Lite.tar.xz?* > AFAD-Lite.tar.xz), and unpack the result",
        ),
        (["a/AFAD.part1.rar"], "unpack it with a program that joins the parts"),
        (["AFAD.zip.001"], "cat AFAD.zip?* > AFAD.zip"),
    ],
)
def test_a_folder_with_its_parts_still_packed_says_to_unpack_them(
    packed: list[str], todo: str, tmp_path: Path
) -> None:
    said = complaint("afad", folder(tmp_path / "set", {"README.md": b"AFAD", **dict.fromkeys(packed, b"")}))
    assert "is not AFAD as its owner distributes it" in said
    assert todo in said


def test_a_set_of_which_a_part_is_still_packed_says_so(utkface: Path) -> None:
    folder(utkface, {"part2.tar.gz": b""})
    store = pack(READERS["utkface"], utkface, utkface.parent / "out", size=32, workers=1)
    assert "part2.tar.gz in it is still packed and was not looked into" in store.info.origin


def test_labels_beside_their_packed_images_say_to_unpack_them(tmp_path: Path, photo: Photo) -> None:
    rows = "path,age\n" + "".join(f"{n}.jpg,30\n" for n in range(20))
    files = {"faces.csv": rows.encode(), "images.tar.gz": b"", **{f"{n}.jpg": photo() for n in range(4)}}
    said = complaint("manifest", folder(tmp_path / "set", files) / "faces.csv")
    assert "16 of 20 images" in said
    assert said.endswith(
        "images.tar.gz in it is still packed and was not looked into: unpack it in its folder"
    )
    with pytest.raises(UnfinishedError):
        pack(READERS["manifest"], tmp_path / "set", tmp_path / "out", size=32, workers=1)


@pytest.mark.parametrize(
    "name", ["UTKFace.tar.gz", "set.zip", "faces.csv", "notes.tar.gz.md", "a.jpg", "arch.tarot"]
)
def test_only_archives_are_told_to_be_unpacked(name: str) -> None:
    assert bool(advice_on([name])) == (name in ("UTKFace.tar.gz", "set.zip"))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("set.7z", b"7z\xbc\xaf\x27\x1c...", "is a 7z archive; unpack it and name its folder"),
        ("set.rar", b"Rar!\x1a", "is a rar archive"),
        ("set.tar.zst", b"\x28\xb5\x2f\xfd", "is compressed by zstd"),
        ("UTKFace.zip", LFS, "is a pointer of Git LFS, not the file; get the file with 'git lfs pull'"),
        (
            "AFAD-Lite.tar.xzaa",
            b"\xfd7zXZ\x00",
            r"is a part of a divided archive; join the parts in their order",
        ),
        ("set.zip.001", b"PK\x03\x04", r"\(cat .*set.zip\?\* > .*set.zip\)"),
        ("faces.xlsx", b"PK\x03\x04", "is a spreadsheet; save it as CSV and name that"),
        ("faces.jsonl", b"{}", "is no table that is read; save it as CSV or parquet"),
    ],
)
def test_a_file_of_a_kind_that_is_not_read_is_named(
    name: str, content: bytes, kind: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=kind), open_source(tmp_path / name):
        pass
    with pytest.raises(RequestError, match=kind):
        pack(READERS["utkface"], tmp_path / name, tmp_path / "out", size=32, workers=1)


def test_an_encrypted_zip_says_to_unpack_it(tmp_path: Path) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("1_0_0_20170109142408075.jpg", b"x")
    content = bytearray(written.getvalue())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "set.zip").write_bytes(content)
    assert complaint("utkface", tmp_path / "set.zip").endswith(
        "set.zip is encrypted; unpack it with its password, and name its folder"
    )


def test_a_clone_without_its_large_files_says_to_get_them(utkface: Path) -> None:
    names = sorted(utkface.glob("**/*.*"))
    names[0].write_bytes(LFS)
    store = pack(READERS["utkface"], utkface, utkface.parent / "out", size=32, workers=1, max_skipped=0.1)
    (reason,) = pd.read_csv(store.folder / "skipped.csv")["reason"]
    assert reason == "it is a pointer of Git LFS, not the file; get the file with 'git lfs pull'"
    source = folder(utkface.parent / "set", {"faces.csv": LFS})
    assert "it is a pointer of Git LFS" in complaint("manifest", source / "faces.csv")


def test_folders_beside_a_table_are_not_looked_into(
    tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "path,age\n" + "".join(f"{n}.jpg,30\n" for n in range(4))
    source = folder(tmp_path / "set", {"faces.csv": rows.encode(), **{f"{n}.jpg": photo() for n in range(4)}})
    monkeypatch.setattr("os.walk", None)
    store = pack(READERS["manifest"], source / "faces.csv", tmp_path / "out", size=32, workers=1)
    assert store.info.images == 4
