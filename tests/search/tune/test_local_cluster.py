"""A real cluster of this machine: what other users of the machine can reach and read of it, and what it leaves."""

import ipaddress
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
from ray import tune

from suite.runs.info import Resources
from suite.search.tune import cluster_session, ray_folder
from suite.search.tune.cluster_session import ray_session
from suite.search.tune.ray_private import run_in_this_process

pytestmark = pytest.mark.slow

SECRETS = {
    name: f"secret-of-{name.lower()}"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
}


class Once(tune.Trainable):
    """Ends after a step."""

    def setup(self, config: dict[str, Any]) -> None:
        """Do nothing."""

    def step(self) -> dict[str, Any]:
        """End."""
        return {"done": True}


@dataclass(frozen=True)
class Seen:
    folder: Path
    mode: int
    listening: list[str]
    contents: list[bytes]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A session with keys of S3 in the environment and a TMPDIR as Slurm has it, looked at after a trial."""
    long = tmp_path_factory.mktemp("a-temporary-folder-with-a-name-that-is-too-long-for-sockets")
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(name, secret)
        patch.setenv("TMPDIR", str(long))
        patch.setenv("RAY_AUTH_TOKEN_PATH", "/nonexistent")
        patch.setenv("RAY_AUTH_TOKEN", "")
        patch.delenv("RAY_AUTH_TOKEN")
        patch.setattr(cluster_session, "usable_cpus", lambda: 1)
        with ray_session(Resources()):
            storage = str(tmp_path_factory.mktemp("run"))
            run_in_this_process(Once, storage_path=storage, name="tune", verbose=0, num_samples=1)
            session = Path(ray._private.worker._global_node.get_session_dir_path())
            me = psutil.Process()
            found = [c for p in (me, *me.children(recursive=True)) for c in p.net_connections(kind="inet")]
            files = [path for path in session.rglob("*") if path.is_file() and not path.is_symlink()]
            files += [path for path in Path(storage).rglob("*") if path.is_file()]
            noted = Seen(
                folder=session.parent.parent,
                mode=stat.S_IMODE(session.parent.parent.stat().st_mode),
                listening=[c.laddr.ip for c in found if c.status == psutil.CONN_LISTEN],
                contents=[path.read_bytes() for path in files],
            )
        yield noted


def test_it_listens_on_the_loopback_interface_only(seen: Seen) -> None:
    addresses = [ipaddress.ip_address(ip.removeprefix("::ffff:")) for ip in seen.listening]
    assert len(addresses) > 3
    assert [str(address) for address in addresses if not address.is_loopback] == []


def test_no_key_of_the_environment_is_in_its_files(seen: Seen) -> None:
    assert len(seen.contents) > 5
    assert [
        name for name, secret in SECRETS.items() if any(secret.encode() in text for text in seen.contents)
    ] == []


def test_its_folder_is_short_and_closed_to_other_users(seen: Seen) -> None:
    assert seen.folder.name.startswith(ray_folder.PREFIX)
    assert seen.mode == 0o700


def test_nothing_of_it_is_left(seen: Seen) -> None:
    assert not seen.folder.exists()
