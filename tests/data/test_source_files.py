"""The files of a set in a folder, a zip and a tar are the same files, and no archive reaches outside."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.data import tar_files
from suite.data.archive_safety import UnreadableFileError
from suite.data.packing import pack
from suite.data.sets import READERS
from suite.data.source_files import open_source, seekable
from suite.data.zip_files import bounded_zip
from suite.errors import RequestError

FILES = {"set/a.jpg": b"first" * 99, "set/below/b.jpg": b"", "set/c.txt": b"third"}
COMPRESS: dict[str, Callable[[bytes], bytes]] = {"xz": lzma.compress, "bz2": bz2.compress}
TARS = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def tar_of(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def contents(path: Path) -> dict[str, bytes]:
    with open_source(path) as files:
        return {name: files.read(name) for name in files.names()}


@pytest.mark.parametrize("ending", TARS)
def test_a_tar_is_read_as_it_is(tmp_path: Path, ending: str) -> None:
    path = tar_of(tmp_path / f"set.{ending}", FILES, TARS[ending])
    assert contents(path) == FILES
    with seekable(path, tmp_path / "scratch.tar") as source:
        assert contents(source) == FILES
        assert (source == path) == (ending == "tar")  # only what is compressed is copied
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_names_that_begin_with_a_dot_and_a_slash_are_the_same_names(tmp_path: Path) -> None:
    assert contents(tar_of(tmp_path / "set.tar", {f"./{name}": c for name, c in FILES.items()})) == FILES


def test_the_later_of_two_members_of_one_name_counts(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "set.tar", {"a": b"old", "./a": b"new"})
    assert contents(path) == {"a": b"new"}


def test_a_tar_with_a_zip_in_it_is_a_tar(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("inside.jpg", b"")
    assert list(contents(tar_of(tmp_path / "set.tar", {"inner.zip": inner.getvalue()}))) == ["inner.zip"]


@pytest.mark.parametrize("ending", TARS)
@pytest.mark.parametrize("member", ["../a.jpg", "/a.jpg", "b/../../a.jpg", "C:\\a.jpg"])
def test_a_tar_that_climbs_out_of_itself_is_refused(tmp_path: Path, member: str, ending: str) -> None:
    path = tar_of(tmp_path / f"set.{ending}", {**FILES, member: b""}, TARS[ending])
    with pytest.raises(RequestError, match=r"lies outside of the archive"), open_source(path):
        pass


def test_devices_in_a_tar_are_not_files_and_links_lead_out_of_none(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "set.tar", FILES)
    with tarfile.open(path, "a") as archive:
        for kind, name in (
            (tarfile.SYMTYPE, "s.jpg"),
            (tarfile.LNKTYPE, "l.jpg"),
            (tarfile.CHRTYPE, "d.jpg"),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/hostname"
            archive.addfile(member)
    with open_source(path) as files:
        assert files.names() == sorted([*FILES, "l.jpg", "s.jpg"])
        for name in ("l.jpg", "s.jpg"):
            with pytest.raises(UnreadableFileError, match="leads to no file of it"):
                files.read(name)


def test_a_tar_that_was_cut_off_is_refused_as_part_of_a_set(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "set.tar", {"a": b"a" * 2000, "b": b"b" * 2000})
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(RequestError, match=r"is damaged \(.+\); get the set again"), open_source(path):
        pass


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_tar_that_was_cut_off_between_two_members_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tar_of(tmp_path / "set.tar", {"a": b"a" * 2000, "b": b"b" * 2000})
    path.write_bytes(compress(path.read_bytes()[:2560]))  # a header and four blocks
    refused = pytest.raises(RequestError, match="ends without the zeros that end a tar")
    with seekable(path, tmp_path / "scratch.tar") as source, refused:
        contents(source)


@pytest.mark.parametrize("ending", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_compressed_tar_that_was_cut_off_is_refused_and_leaves_nothing(tmp_path: Path, ending: str) -> None:
    noise = bytes(range(256)) * 300
    path = tar_of(tmp_path / f"set.{ending}", {"a": noise}, TARS[ending])
    path.write_bytes(path.read_bytes()[:-40])
    with (
        pytest.raises(RequestError, match=r"cannot be decompressed \(.+\); get the set again"),
        seekable(path, tmp_path / "scratch.tar"),
    ):
        pass
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_compressed_tar_that_is_made_to_fill_a_disk_is_refused_and_leaves_nothing(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tar_of(tmp_path / f"set.{ending}", {"a": bytes(3_000_000)}, TARS[ending])
    with seekable(path, tmp_path / "scratch.tar") as tar:
        assert tar.stat().st_size > 3_000_000
    monkeypatch.setattr(tar_files, "SMALL_TAR", 1_000_000)
    monkeypatch.setattr(tar_files, "CHUNK_BYTES", 100_000)
    with (
        pytest.raises(
            RequestError, match=r"decompresses to more than 1,000,000 bytes.*unpack it and name its folder"
        ),
        seekable(path, tmp_path / "scratch.tar"),
    ):
        pass
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def header(kind: bytes, size: int) -> bytes:
    """A header of a tar; a negative size is one of base 256, as only a forger writes it."""
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, max(size, 0)
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    if size < 0:
        head[124:136] = size.to_bytes(12, "big", signed=True)
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("size", [10**9, -512])
@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_tar_whose_name_is_made_to_fill_the_memory_is_refused(
    kind: bytes, size: int, first: bool, tmp_path: Path
) -> None:
    path = tmp_path / "set.tar"
    path.write_bytes(b"" if first else tar_of(tmp_path / "good.tar", FILES).read_bytes()[:2560])
    with path.open("ab") as tar:
        tar.write(header(kind, size))
        tar.truncate(10**9 + 4096)  # sparse
    tracemalloc.start()
    with pytest.raises(RequestError), open_source(path):
        pass
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_a_number_of_thousands_of_digits_in_a_tar_is_refused_without_a_search(tmp_path: Path) -> None:
    path = tmp_path / "set.tar"
    path.write_bytes(header(tarfile.XHDTYPE, 16_384) + b"1" * 16_384 + bytes(1024))
    with pytest.raises(RequestError, match="neither a folder nor a readable zip or tar"), open_source(path):
        pass


def test_a_tar_of_too_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tar_of(tmp_path / "set.tar", FILES)
    monkeypatch.setattr(tar_files, "MOST_MEMBERS", 2)
    with pytest.raises(RequestError, match="more than 2 members"), open_source(path):
        pass


def test_a_long_name_is_read_and_one_that_climbs_out_is_not_repeated_whole(tmp_path: Path) -> None:
    name = "/".join(["long" * 50] * 20)
    assert list(contents(tar_of(tmp_path / "set.tar", {name: b"x"}))) == [name]
    with (
        pytest.raises(RequestError) as refused,
        open_source(tar_of(tmp_path / "b.tar", {f"../{name}": b"x"})),
    ):
        pass
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize("kind", ["gztar", "bztar", "xztar"])
def test_a_compressed_tar_that_ends_in_zeros_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """Gzip reads padding of zeros one byte at a time: a sparse file of 100 GB would keep it busy for hours."""
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "1.jpg").write_bytes(b"x" * 1000)
    archive = Path(shutil.make_archive(str(tmp_path / "set"), kind, tmp_path / "set"))
    os.truncate(archive, 10**11)
    with pytest.raises(RequestError, match="not downloaded to its end"), seekable(archive, tmp_path / "copy"):
        pass
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("left", [30, 200, -1])
def test_a_zip_that_was_cut_off_is_told_from_another_kind_of_archive(tmp_path: Path, left: int) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("1.jpg", b"x" * 1000)
    (tmp_path / "cut.zip").write_bytes((tmp_path / "set.zip").read_bytes()[:left])
    with (
        pytest.raises(RequestError, match="is a zip that is damaged or not complete"),
        open_source(tmp_path / "cut.zip"),
    ):
        pass


def test_what_is_compressed_and_no_tar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.tar.gz"
    path.write_bytes(b"\x1f\x8b but no more of it")
    with pytest.raises(RequestError, match="no readable tar is in it"), open_source(path):
        pass


def test_a_compressed_tar_is_packed_as_the_folder_is(utkface: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(utkface, "UTKFace")
    reader = READERS["utkface"]
    folder = pack(reader, utkface, tmp_path / "new" / "one", size=32, workers=1)
    tar = pack(reader, tmp_path / "set.tar.gz", tmp_path / "new" / "other", size=32, workers=1)
    assert folder.info.fingerprint == tar.info.fingerprint
    assert "set.tar.gz" in tar.info.origin
    assert sorted(path.name for path in tmp_path.iterdir()) == ["UTKFace", "new", "set.tar.gz"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["one", "other"]


def test_naming_a_table_opens_its_folder(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text("path,age\n")
    (tmp_path / "a.jpg").write_bytes(b"a")
    assert sorted(contents(tmp_path / "faces.csv")) == ["a.jpg", "faces.csv"]


def bomb(claimed: int, real: int) -> bytes:
    """A zip whose directory says less of a member than it unpacks to, with a checksum of what it says."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(real))
        (member,) = archive.infolist()
        member.file_size, member.CRC = claimed, zlib.crc32(bytes(claimed))
    return written.getvalue()


def test_a_zip_fills_no_more_memory_than_it_says(tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(bomb(1000, 50_000_000))
    content = bomb(1000, 50_000_000)
    tracemalloc.start()
    try:
        assert contents(tmp_path / "set.zip") == {"a.jpg": bytes(1000)}
        with zipfile.ZipFile(io.BytesIO(bounded_zip(content, 1000))) as bounded:
            assert bounded.read("a.jpg") == bytes(1000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_zip_in_memory_of_more_than_the_limit_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="it unpacks to 1,001 bytes, over the limit of 1,000"):
        bounded_zip(bomb(1001, 1001), 1000)


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")])
def test_a_compression_without_bounds_is_not_a_readable_file(tmp_path: Path, method: int, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", method) as archive:
        archive.writestr("a.jpg", b"a")
    with pytest.raises(UnreadableFileError, match=f"by {name}, and only stored and deflated files are read"):
        contents(tmp_path / "set.zip")


def test_links_to_folders_are_followed_once_and_links_to_nothing_are_named(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "set"
    elsewhere.mkdir()
    folder.mkdir()
    (elsewhere / "a.jpg").write_bytes(b"a")
    (folder / "part").symlink_to(elsewhere)
    (folder / "round").symlink_to(folder)
    (folder / "gone.jpg").symlink_to(tmp_path / "nowhere")
    with open_source(folder) as files:
        assert files.names() == ["gone.jpg", "part/a.jpg"]
        assert files.read("part/a.jpg") == b"a"
        with pytest.raises(UnreadableFileError, match="No such file"):
            files.read("gone.jpg")


def test_a_folder_that_may_not_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "part").mkdir()
    scan = os.scandir

    def forbidden(path: str | os.PathLike[str]) -> object:
        if str(path).endswith("part"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with open_source(tmp_path) as files, pytest.raises(RequestError, match="part cannot be read"):
        files.names()


def test_links_in_a_tar_lead_to_files_of_it(tmp_path: Path) -> None:
    path = tmp_path / "set.tar"
    with tarfile.open(path, "w") as archive:
        file = tarfile.TarInfo("store/blob")
        file.size = 3
        archive.addfile(file, io.BytesIO(b"abc"))
        for name, kind, target in [
            ("hard.jpg", tarfile.LNKTYPE, "store/blob"),
            ("soft.jpg", tarfile.SYMTYPE, "store/blob"),
            ("out.jpg", tarfile.SYMTYPE, "/etc/hostname"),
        ]:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, target
            archive.addfile(link)
    with open_source(path) as files:
        assert files.read("hard.jpg") == files.read("soft.jpg") == b"abc"
        with pytest.raises(UnreadableFileError, match="leads to no file of it"):
            files.read("out.jpg")


def test_a_pipe_is_not_a_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RequestError, match="neither a folder nor a file"), open_source(tmp_path / "pipe"):
        pass


def test_what_is_no_regular_file_has_a_reason(tmp_path: Path) -> None:
    """A table may name a device, and a pipe would block."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "endless.jpg").symlink_to("/dev/zero")
    with (tmp_path / "sparse.jpg").open("wb") as sparse:
        sparse.truncate(100_000_000_000)
    (tmp_path / "folder.jpg").mkdir()
    reasons = {
        "pipe.jpg": "it is not a regular file",
        "endless.jpg": "it is not a regular file",
        "/dev/zero": "it is not a regular file",
        "sparse.jpg": "100,000,000,000 bytes, over the limit",
        "folder.jpg": "it is a folder",
    }
    (tmp_path / "faces.csv").write_text("path,age\n")
    for source in (tmp_path, tmp_path / "faces.csv"):
        with open_source(source) as files:
            for name, reason in reasons.items():
                with pytest.raises(UnreadableFileError, match=reason):
                    files.read(name)


def test_a_file_of_zeros_is_no_archive_and_is_told_at_once(tmp_path: Path) -> None:
    """Xz takes zeros for empty streams without end; a download that reserves its space leaves such a file."""
    (tmp_path / "set.tar").touch()
    os.truncate(tmp_path / "set.tar", 10**11)
    with pytest.raises(RequestError), open_source(tmp_path / "set.tar") as files:
        files.names()


def test_a_hole_in_a_compressed_tar_is_found_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "1.jpg").write_bytes(b"x" * 1000)
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "gztar", tmp_path / "set"))
    with archive.open("r+b") as file:
        file.seek(10**11)
        file.write(b"x")
    with pytest.raises(RequestError, match="not downloaded to its end"), seekable(archive, tmp_path / "copy"):
        pass


@pytest.mark.parametrize("padding", [0, 20_000])
def test_members_behind_a_block_of_zeros_are_not_lost_without_a_word(tmp_path: Path, padding: int) -> None:
    archive = tmp_path / "set.tar"
    with tarfile.open(archive, "w") as written:
        for number in range(40):
            member = tarfile.TarInfo(f"{number}.jpg")
            member.size = 3000
            written.addfile(member, io.BytesIO(b"x" * 3000))
    with archive.open("ab") as file:
        file.write(bytes(padding))
    with open_source(archive) as files:
        assert len(files.names()) == 40
    with archive.open("r+b") as file:
        file.seek(20 * 3584)  # a header and six blocks each
        file.write(bytes(2 * 3584))
    with pytest.raises(RequestError, match="a block of zeros in the middle"), open_source(archive):
        pass


@pytest.mark.parametrize("padding", [4, 8, 500_000])
@pytest.mark.parametrize("ending", COMPRESS)
def test_padding_behind_and_between_streams_is_no_damage(tmp_path: Path, ending: str, padding: int) -> None:
    whole = tar_of(tmp_path / "set.tar", FILES).read_bytes()
    half, compress = len(whole) // 2, COMPRESS[ending]
    path = tmp_path / f"set.tar.{ending}"
    path.write_bytes(compress(whole[:half]) + bytes(padding) + compress(whole[half:]) + bytes(padding))
    with seekable(path, tmp_path / "scratch.tar") as source:
        assert contents(source) == FILES


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_damaged_stream_is_not_taken_for_the_end_of_the_file(tmp_path: Path, ending: str) -> None:
    files = {f"set/{n}.jpg": bytes([n]) * 512 for n in range(20)}
    whole = tar_of(tmp_path / "set.tar", files).read_bytes()
    compress = COMPRESS[ending]
    path = tmp_path / f"set.tar.{ending}"
    path.write_bytes(compress(whole[:10_240]) + b"???" + compress(whole[10_240:])[3:])  # of ten members each
    with (
        pytest.raises(RequestError, match=rf"set\.tar\.{ending} cannot be decompressed"),
        seekable(path, tmp_path / "scratch.tar"),
    ):
        pass


@pytest.mark.parametrize("behind", [bytes(3), bytes(6), b"junk", bytes(4) + b"\xfd7zXZ\0 and no more"])
def test_what_is_behind_an_xz_and_is_no_padding_is_not_passed_over(tmp_path: Path, behind: bytes) -> None:
    path = tar_of(tmp_path / "set.tar.xz", FILES, "w:xz")
    path.write_bytes(path.read_bytes() + behind)
    with (
        pytest.raises(RequestError, match=r"set\.tar\.xz cannot be decompressed"),
        seekable(path, tmp_path / "scratch.tar"),
    ):
        pass


@pytest.mark.parametrize("size", [1, 2, 3, 4, 30])
def test_a_zip_of_which_only_the_beginning_is_there_is_called_one(tmp_path: Path, size: int) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"content" * 99)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(RequestError, match=r"set\.zip is a zip that is damaged or not complete"):
        contents(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("set.zip", b"", "is empty; get it again"),
        ("set.tar", b"", "is empty; get it again"),
        ("set.zip", b"PK\5\6" + bytes(18), "is a zip without a file in it"),
        ("set.zip", b"PK\5\6" + bytes(9), "is a zip that is damaged or not complete"),
        ("set.tar", bytes(10_240), "is a tar without a file in it"),
        ("set.tar.xz", lzma.compress(b""), "is empty; get it again"),
        ("set.tar", bytes(3_000_000), "begins with zeros, as no archive does"),
        ("set.tar.gz", gzip.compress(bytes(10_240)), "is a tar without a file in it"),
    ],
    ids=["zip", "tar", "zip-end", "zip-cut", "tar-end", "xz", "zeros", "gzip"],  # a gzip has the time in it
)
def test_an_archive_with_nothing_in_it_is_called_that(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with (
        pytest.raises(RequestError, match=f"{name} {said}"),
        seekable(path, tmp_path / "scratch.tar") as source,
        open_source(source, shown=path),
    ):
        pass
