"""Objects on the storage that this suite did not write: refused in one sentence, and nothing written elsewhere."""

import gzip
import io
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from suite.errors import RequestError
from suite.runs.storage.lease import _field
from suite.runs.storage.mirror import STATE, download_parts, read_state


@dataclass
class Objects:
    """A folder of objects in memory."""

    content: dict[str, bytes]
    url: str = "s3://bucket/run"
    downloaded: list[Path] = field(default_factory=list)

    def read(self, name: str) -> bytes | None:
        return self.content.get(name)

    def names(self) -> list[str]:
        return sorted(self.content)

    def download(self, name: str, file: Path) -> None:
        self.downloaded.append(file)


def archive(kind: bytes = tarfile.REGTYPE, name: str = "run.json", link: str = "") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        member.size = 2 if kind == tarfile.REGTYPE else 0
        tar.addfile(member, io.BytesIO(b"{}"))
    return packed.getvalue()


def state_of(packed: bytes) -> Any:
    objects: Any = Objects({STATE: packed})
    return read_state(objects)


def test_the_state_of_a_run_is_read() -> None:
    assert state_of(archive()).content == {"run.json": b"{}"}


@pytest.mark.parametrize(
    "packed",
    [
        archive(name="x" * 20_000),
        archive(tarfile.SYMTYPE, link="nosuch"),
        archive(tarfile.SYMTYPE, link="/etc/passwd"),
        archive(tarfile.LNKTYPE, link="nosuch"),
        archive(tarfile.DIRTYPE, "weights"),
        archive(tarfile.FIFOTYPE, "rows.journal"),
        archive(name="../run.json"),
        archive(name="/run.json"),
        archive(name=".."),
        archive(name="a\\b"),
        archive()[:513],
        archive()[:200],
        b"no archive",
        gzip.compress(archive(), mtime=0),
    ],
)
def test_a_state_with_anything_but_plain_files_is_refused(packed: bytes) -> None:
    with pytest.raises(RequestError, match=r"s3://bucket/run/state\.tar is not the state of a run .*backup"):
        state_of(packed)


def test_no_name_of_an_object_leads_out_of_the_folder(tmp_path: Path) -> None:
    names = ["weights/t0000.json", "/etc/x", "a//b", "../x/y", "a/../../b", "a/./b", "run.json"]
    objects: Any = Objects({name: b"" for name in names})
    download_parts(objects, tmp_path)
    assert objects.downloaded == [tmp_path / "weights/t0000.json"]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"host": 1' + b"0" * 5000 + b"}"]
)
def test_a_lease_that_is_none_names_nobody(text: bytes) -> None:
    assert _field(text, "host") == ""
