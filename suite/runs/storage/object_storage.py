"""A folder of objects on S3-compatible storage, accessed through pyarrow's file system.

Two guarantees of the storage are relied on: an object appears whole or not at all, and a listing is up to date.
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
from suite.url_secrets import has_secret

CONNECT_SECONDS = 10
REQUEST_SECONDS = 60
ATTEMPTS = 4
CHUNK_BYTES = 8 * 2**20
#: Parameters that a URL may have after its ``?``, as in pyarrow's own URLs.
QUERY = ("endpoint_override", "region", "scheme")


@dataclass(frozen=True)
class ObjectFolder:
    """Objects below a key of a bucket, named relative to it.

    All methods raise ``OSError`` if the storage cannot be reached or refuses the request.

    Attributes:
        url: The URL as the user typed it.
        filesystem: pyarrow's file system.
        base: The bucket and the key, as "BUCKET/KEY".
        endpoint: The host of the storage; empty for Amazon's.
    """

    url: str
    filesystem: Any
    base: str
    endpoint: str = ""

    def read(self, name: str) -> bytes | None:
        """Read an object; None if it does not exist."""
        try:
            with self.filesystem.open_input_stream(f"{self.base}/{name}") as stream:
                content: bytes = stream.read()
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write an object, and replace one of the same name."""
        with self.filesystem.open_output_stream(f"{self.base}/{name}") as stream:
            stream.write(content)

    def upload(self, name: str, file: Path) -> None:
        """Write an object from a file, in chunks."""
        with file.open("rb") as source, self.filesystem.open_output_stream(f"{self.base}/{name}") as stream:
            while chunk := source.read(CHUNK_BYTES):
                stream.write(chunk)

    def download(self, name: str, file: Path) -> None:
        """Read an object into a file, which appears once it is complete."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with (
            self.filesystem.open_input_stream(f"{self.base}/{name}") as stream,
            atomic_path(file) as temporary,
            temporary.open("wb") as target,
        ):
            while chunk := stream.read(CHUNK_BYTES):
                target.write(chunk)

    def delete(self, name: str) -> None:
        """Delete an object, if it exists."""
        with suppress(FileNotFoundError):
            self.filesystem.delete_file(f"{self.base}/{name}")

    def names(self) -> list[str]:
        """Return the names of all objects at any depth, in alphabetical order."""
        chosen = fs.FileSelector(self.base, recursive=True, allow_not_found=True)
        found = self.filesystem.get_file_info(chosen)
        files = (info.path for info in found if info.type == fs.FileType.File)
        return sorted(path.removeprefix(f"{self.base}/") for path in files)


def open_object_folder(url: str) -> ObjectFolder:
    """Open the folder at ``s3://BUCKET/KEY?endpoint_override=HOST:PORT&scheme=http&region=R``.

    Without ``endpoint_override``, the host of the storage is ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL``, or else
    Amazon's. Access keys come from the environment or ``~/.aws``, as for other S3 clients.

    Raises:
        RequestError: The URL is not valid, or its bucket does not exist or cannot be reached.
    """
    bucket, key, options = _parts(url)
    with explain_storage_errors(url):
        if "endpoint_override" not in options and "region" not in options and not _region_is_set():
            options["region"] = fs.resolve_s3_region(bucket)
        filesystem = fs.S3FileSystem(
            connect_timeout=CONNECT_SECONDS,
            request_timeout=REQUEST_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            **options,
        )
        exists = filesystem.get_file_info(bucket).type == fs.FileType.Directory
    if not exists:
        raise RequestError(
            f"{url} names the bucket {bucket}, which does not exist; create it, or name another"
        )
    return ObjectFolder(url, filesystem, f"{bucket}/{key}", options.get("endpoint_override", ""))


def object_url(folder: str, name: str) -> str:
    """Return the URL of an object in the folder at a URL."""
    path, mark, query = folder.partition("?")
    return f"{path.rstrip('/')}/{name}{mark}{query}"


@contextmanager
def explain_storage_errors(url: str) -> Iterator[None]:
    """Turn the errors of storage that cannot be reached, or refuses a request, into one sentence.

    Raises:
        RequestError: The storage cannot be used.
    """
    try:
        yield
    except (OSError, ArrowInvalid) as error:  # ArrowInvalid: an option of the URL
        raise RequestError(f"{url} cannot be used ({reason(error)}); {_remedy(str(error))}") from None


def reason(error: Exception) -> str:
    """Return the message of a pyarrow error without the parts that only its developers need."""
    text = " ".join(str(error).split())
    for ending in ("; Details:", " (Request ID", " Detail:"):
        text = text.split(ending)[0]
    return text.rstrip(".")


def _remedy(error: str) -> str:
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
    if any(refusal in error for refusal in refusals):
        return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may read and write there"
    return "check the network, AWS_ENDPOINT_URL and the region, and try again"


def _parts(url: str) -> tuple[str, str, dict[str, str]]:
    """Split a URL into bucket, key and the options of pyarrow's file system."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    for named, value in (("the URL of the run folder", url), ("AWS_ENDPOINT_URL", endpoint)):
        if has_secret(value):
            raise RequestError(
                f"{named} contains access keys, which logs would show; set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY instead"
            )
    try:
        split = urlsplit(url)
        query = {
            name: values[-1]
            for name, values in parse_qs(split.query, strict_parsing=bool(split.query)).items()
        }
    except ValueError:
        raise RequestError(f"{url} is not a valid URL; write it as s3://BUCKET/KEY") from None
    bucket, key = split.netloc, unquote(split.path).strip("/")
    if not bucket or not key or split.fragment or any(part in ("", ".", "..") for part in key.split("/")):
        raise RequestError(f"{url} names no folder in a bucket; write it as s3://BUCKET/KEY")
    if unknown := sorted(set(query) - set(QUERY)):
        raise RequestError(f"{url} has {unknown[0]!r} after its ?; only {', '.join(QUERY)} may be there")
    if "endpoint_override" not in query and endpoint:
        query["endpoint_override"] = endpoint
    if "://" in query.get("endpoint_override", ""):
        query["scheme"], query["endpoint_override"] = query["endpoint_override"].rstrip("/").split("://", 1)
    return bucket, key, query


def _region_is_set() -> bool:
    return any(os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
