"""A folder of objects on S3-compatible storage, by pyarrow's file system.

An object appears whole or not at all, and a listing is up to date: that is all that is asked of the storage.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pyarrow import ArrowInvalid, fs

from suite.errors import RequestError
from suite.files.atomic import atomic_path

CONNECT_SECONDS = 10
REQUEST_SECONDS = 60
ATTEMPTS = 4
CHUNK_BYTES = 8 * 2**20
#: What may stand behind the ``?`` of a URL, as in pyarrow's own.
QUERY = ("endpoint_override", "region", "scheme")


@dataclass(frozen=True)
class ObjectFolder:
    """Objects below a key of a bucket; names are relative to it.

    All methods raise ``OSError`` where the storage cannot be reached or refuses.

    Attributes:
        url: as it was typed.
        filesystem: pyarrow's.
        base: "bucket/key".
        endpoint: where the storage is; empty: Amazon's.
    """

    url: str
    filesystem: Any
    base: str
    endpoint: str = ""

    def read(self, name: str) -> bytes | None:
        """The content of an object; None where there is none."""
        try:
            with self.filesystem.open_input_stream(f"{self.base}/{name}") as stream:
                content: bytes = stream.read()
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write an object; it replaces one that is there."""
        with self.filesystem.open_output_stream(f"{self.base}/{name}") as stream:
            stream.write(content)

    def send(self, name: str, file: Path) -> None:
        """Write an object from a file, in pieces."""
        with file.open("rb") as source, self.filesystem.open_output_stream(f"{self.base}/{name}") as stream:
            while chunk := source.read(CHUNK_BYTES):
                stream.write(chunk)

    def fetch(self, name: str, file: Path) -> None:
        """Read an object into a file, which appears when it is whole."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with (
            self.filesystem.open_input_stream(f"{self.base}/{name}") as stream,
            atomic_path(file) as temporary,
            temporary.open("wb") as target,
        ):
            while chunk := stream.read(CHUNK_BYTES):
                target.write(chunk)

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        with suppress(FileNotFoundError):
            self.filesystem.delete_file(f"{self.base}/{name}")

    def names(self) -> list[str]:
        """The names of all objects, however deep, in order."""
        chosen = fs.FileSelector(self.base, recursive=True, allow_not_found=True)
        found = self.filesystem.get_file_info(chosen)
        files = (info.path for info in found if info.type == fs.FileType.File)
        return sorted(path.removeprefix(f"{self.base}/") for path in files)


def open_object_folder(url: str) -> ObjectFolder:
    """The folder at ``s3://BUCKET/KEY?endpoint_override=HOST:PORT&scheme=http&region=R``.

    Without ``endpoint_override``, ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` say where the storage is;
    where they do not either, it is Amazon's. Keys come from the environment or ``~/.aws``, as everywhere.

    Raises:
        RequestError: the URL is none, or its bucket is not there or cannot be reached.
    """
    bucket, key, options = _parts(url)
    with storage_asked(url):
        if "endpoint_override" not in options and "region" not in options and not _region_is_set():
            options["region"] = fs.resolve_s3_region(bucket)
        filesystem = fs.S3FileSystem(
            connect_timeout=CONNECT_SECONDS,
            request_timeout=REQUEST_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            **options,
        )
        there = filesystem.get_file_info(bucket).type == fs.FileType.Directory
    if not there:
        raise RequestError(f"{url} names the bucket {bucket}, which does not exist; make it, or name another")
    return ObjectFolder(url, filesystem, f"{bucket}/{key}", options.get("endpoint_override", ""))


def url_of(folder: str, name: str) -> str:
    """The URL of an object in the folder at a URL."""
    path, mark, query = folder.partition("?")
    return f"{path.rstrip('/')}/{name}{mark}{query}"


@contextmanager
def storage_asked(url: str) -> Iterator[None]:
    """Storage that cannot be reached inside, or refuses, is one sentence.

    Raises:
        RequestError: it is.
    """
    try:
        yield
    except (OSError, ArrowInvalid) as error:  # the latter of a URL's options
        raise RequestError(f"{url} cannot be used ({reason(error)}); {_mend(str(error))}") from None


def reason(error: Exception) -> str:
    """What an error of pyarrow says, without the parts that only its authors need."""
    text = " ".join(str(error).split())
    for ending in ("; Details:", " (Request ID", " Detail:"):
        text = text.split(ending)[0]
    return text.rstrip(".")


def _mend(error: str) -> str:
    if "NO_SUCH_BUCKET" in error or "not found" in error:
        return "name a bucket that exists"
    refusals = (
        "ACCESS_DENIED",
        "INVALID_ACCESS_KEY",
        "SIGNATURE",
        "CREDENTIALS",
        "AuthFailure",
        "status 403",
    )
    if any(sign in error for sign in refusals):
        return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may read and write there"
    return "see that the network, AWS_ENDPOINT_URL and the region are right, and ask once more"


def _parts(url: str) -> tuple[str, str, dict[str, str]]:
    """Bucket, key, and the options of pyarrow's file system."""
    try:
        split = urlsplit(url)
        query = {
            name: values[-1]
            for name, values in parse_qs(split.query, strict_parsing=bool(split.query)).items()
        }
    except ValueError:
        raise RequestError(f"{url} is no URL; write it as s3://BUCKET/KEY") from None
    if "@" in split.netloc:
        raise RequestError(
            "the URL of the run folder has keys in it, which logs would show; set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY instead"
        )
    bucket, key = split.netloc, unquote(split.path).strip("/")
    if not bucket or not key or split.fragment or any(part in ("", ".", "..") for part in key.split("/")):
        raise RequestError(f"{url} names no folder in a bucket; write it as s3://BUCKET/KEY")
    if unknown := sorted(set(query) - set(QUERY)):
        raise RequestError(f"{url} has {unknown[0]!r} behind its ?; there may be {', '.join(QUERY)}")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if "endpoint_override" not in query and endpoint:
        query["endpoint_override"] = endpoint
    if "://" in query.get("endpoint_override", ""):
        query["scheme"], query["endpoint_override"] = query["endpoint_override"].rstrip("/").split("://", 1)
    return bucket, key, query


def _region_is_set() -> bool:
    return any(os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
