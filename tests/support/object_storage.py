"""A real local server of S3, moto's, and an environment that no command of these tests changes for others."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """A command tells Ray of its token before Ray is imported, and this process has imported it long ago."""
    with patch.dict(os.environ):
        yield


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a server, as ``http://127.0.0.1:PORT``."""
    server = pytest.importorskip("moto.server", reason="moto and flask are not installed (the dev extra)")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """An empty bucket of the test's own, and keys in the environment that open it."""
    from pyarrow import fs

    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    scheme, _, server = s3_endpoint.partition("://")
    made = fs.S3FileSystem(
        scheme=scheme, endpoint_override=server, region="us-east-1", allow_bucket_creation=True
    )
    name = f"b{abs(hash(request.node.nodeid)):x}"
    made.create_dir(name)
    return name
