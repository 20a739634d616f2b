"""Folders of objects on a local S3 server."""

import socket
from pathlib import Path

import pytest
import requests

from suite.cli.main import main
from suite.errors import RequestError
from suite.runs.storage import object_storage
from suite.runs.storage.object_storage import object_url, open_object_folder


def test_objects_are_read_back_as_they_were_written(bucket: str, tmp_path: Path) -> None:
    folder = open_object_folder(f"s3://{bucket}/runs/a b")
    assert (folder.names(), folder.read("x")) == ([], None)
    folder.write("x", b"one")
    folder.write("x", b"two")
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 100_000)  # more than one chunk
    folder.upload("weights/large", large)
    assert folder.names() == ["weights/large", "x"]
    assert folder.read("x") == b"two"
    folder.download("weights/large", tmp_path / "there" / "large")
    assert (tmp_path / "there" / "large").read_bytes() == large.read_bytes()
    folder.delete("x")
    folder.delete("x")
    assert folder.names() == ["weights/large"]
    assert open_object_folder(f"s3://{bucket}/runs/a").names() == []  # no prefix of a name


def test_the_url_may_name_the_endpoint(
    bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    server = s3_endpoint.removeprefix("http://")
    url = f"s3://{bucket}/a?endpoint_override={server}&scheme=http"
    open_object_folder(url).write("x", b"1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    assert open_object_folder(f"s3://{bucket}/a").read("x") == b"1"
    assert (
        object_url(url, "report.html")
        == f"s3://{bucket}/a/report.html?endpoint_override={server}&scheme=http"
    )


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("s3://", "names no folder in a bucket"),
        ("s3://bucket", "names no folder in a bucket"),
        ("s3://bucket/a/../b", "names no folder in a bucket"),
        ("s3://bucket/a?endpiont=x", "has 'endpiont' after its ?; only endpoint_override"),
        ("s3://key:secret@bucket/a", "which logs would show; set AWS_ACCESS_KEY_ID"),
        ("s3://no-such-bucket/a", "names the bucket no-such-bucket, which does not exist"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_a_url_without_a_usable_folder_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=r"s3://|URL") as refusal:
        open_object_folder(url)
    assert complaint in str(refusal.value)
    assert "secret@" not in str(refusal.value)


def test_an_unknown_scheme_is_refused_in_one_sentence(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match=r"cannot be used \(Invalid S3 connection scheme 'ftp'"):
        open_object_folder(f"s3://{bucket}/a?endpoint_override=127.0.0.1:9&scheme=ftp&region=us-east-1")


def test_wrong_access_keys_are_refused_in_one_sentence(
    bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONG")
    count = f"{s3_endpoint}/moto-api/reset-auth"
    requests.post(count, data="0", timeout=10)  # from here on moto checks the keys
    try:
        assert main(["status", f"s3://{bucket}/a"]) == 2
    finally:
        requests.post(count, data="inf", timeout=10)
    said = capsys.readouterr().err
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may read and write there" in said
    assert len(said.splitlines()) == 1


def test_unreachable_storage_is_reported_in_one_sentence(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_storage, "ATTEMPTS", 1)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(RequestError, match="cannot be used") as refusal:
            open_object_folder(f"s3://{bucket}/a")
    said = str(refusal.value)
    assert "check the network, AWS_ENDPOINT_URL and the region" in said
    assert "\n" not in said
