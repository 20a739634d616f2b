"""The driver's files for trials on nodes that do not share its file system.

A node that sees the driver's folders, on the same machine or over NFS, uses them. Any other node fetches the
packed store once, through Ray's object store, into its own cache, and sends back the files of its trials.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from safetensors import SafetensorError

from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.files.atomic import move_into_place, temporary_folder_beside, write_atomically
from suite.files.cache import writable_cache
from suite.files.locks import file_lock
from suite.search.tune.ray_private import is_client_connection

#: The files of a store; the last is the one that marks it as complete.
STORE_FILES = ("images.npy", "labels.parquet", "store.json")
CHUNK_BYTES = 64 * 2**20
NAMESPACE = "suite"
#: The file in the run folder that holds the file server's name. By it a node tells the driver's folder from
#: one of its own at the same path.
MARKER = ".file-server"


class NotSavedError(Exception):
    """A file of the run folder could not be written; the message says why."""


class FileServer:
    """A Ray actor on the driver's node that sends the store to other nodes and receives files of the run."""

    def __init__(self, store: str, run_folder: str) -> None:
        self._store = Path(store)
        self._run_folder = Path(run_folder)
        self._chunks: dict[str, list[Any]] = {}

    def store_files(self) -> dict[str, list[Any]]:
        """Return references to the chunks of each file, uint8 arrays in Ray's object store."""
        if not self._chunks:
            self._chunks = {name: self._put(self._store / name) for name in STORE_FILES}
        return self._chunks

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the run folder, replacing it atomically."""
        path = self._run_folder / name
        path.parent.mkdir(exist_ok=True)  # a run folder that was deleted is not made anew
        write_atomically(path, content, durable=True)

    def read(self, name: str) -> bytes | None:
        """Return a file of the run folder; None where it does not exist."""
        try:
            return (self._run_folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def _put(self, path: Path) -> list[Any]:
        whole: npt.NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        starts = range(0, len(whole), CHUNK_BYTES)
        return [ray.put(np.array(whole[start : start + CHUNK_BYTES])) for start in starts]


@contextmanager
def file_server(store: Store, run_folder: Path) -> Iterator[str]:
    """Run a file server on the driver's own node, and yield its name.

    The name is empty for a driver that is connected by ``ray://``. Such a driver runs on no node, so every
    node must see its folders.

    Raises:
        RequestError: A node of the cluster does not see the folders of such a driver.
    """
    if is_client_connection():
        _check_seen(store.folder, run_folder)
        yield ""
        return
    name = f"file-server-{secrets.token_hex(8)}"
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    remote: Any = ray.remote(FileServer).options(
        name=name,
        namespace=NAMESPACE,
        num_cpus=0,
        scheduling_strategy=here,
        max_restarts=-1,
        max_task_retries=3,
    )
    handle = remote.remote(str(store.folder), str(run_folder))
    marker = run_folder / MARKER
    marker.write_text(name, encoding="utf-8")
    try:
        yield name
    finally:
        marker.unlink(missing_ok=True)
        ray.kill(handle)


def _check_seen(*folders: Path) -> None:
    """Ask one node whether it sees the folders, before every trial fails because it does not."""
    are_folders: Any = ray.remote(num_cpus=0)(lambda paths: [Path(path).is_dir() for path in paths])
    answers = ray.get(are_folders.remote([str(folder) for folder in folders]))
    for folder, is_seen in zip(folders, answers, strict=True):
        if not is_seen:
            raise RequestError(
                f"a node of the cluster does not see {folder}, as it must for a driver that is connected by "
                "ray://; choose a folder that all nodes share, or send the search with 'suite submit'"
            )


@dataclass(frozen=True)
class DriverFiles:
    """The driver's folders as a trial's process sees them.

    Attributes:
        store: Folder of the packed store, on the driver's node.
        data: The sampled fingerprint of the store, computed by the driver.
        run_folder: On the driver's node.
        file_server: Name of a ``FileServer``; empty where every node sees both folders.
    """

    store: str
    data: str
    run_folder: str
    file_server: str = ""

    def open_store(self) -> Store:
        """Open the store where this node sees it; else this node's copy, fetched at the first request.

        Raises:
            RequestError: This node does not see the store, and there is no file server.
        """
        if not self.file_server:
            return open_store(Path(self.store))
        with contextlib.suppress(RequestError, OSError):
            store = open_store(Path(self.store))
            if store.sampled_fingerprint == self.data:
                return store
        return self._fetched_store()

    def save(self, name: str, write: Callable[[Path], object]) -> None:
        """Save a file in the run folder.

        Args:
            name: Of the file within the run folder.
            write: Writes the file at the path that it is given. Files that it adds beside it are saved too.

        Raises:
            NotSavedError: A file could not be written.
        """
        try:
            self._save(name, write)
        except (OSError, SafetensorError) as error:
            number = getattr(error, "errno", None)
            raise NotSavedError(os.strerror(number) if number else str(error)) from error

    @contextmanager
    def local_copy(self, name: str) -> Iterator[Path | None]:
        """Yield the path of a file of the run folder that this node can read; None where there is no file."""
        path = Path(self.run_folder) / name
        if not self.file_server or self._sees_run_folder():
            yield path if path.exists() else None
            return
        content: bytes | None = ray.get(self._server().read.remote(name))
        if content is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="suite-") as folder:
            path = Path(folder) / path.name
            path.write_bytes(content)
            yield path

    @contextmanager
    def local_network(self, name: str) -> Iterator[Path]:
        """Yield the path of weights of the run folder that this node can read, their description beside them.

        Raises:
            RequestError: The run folder lacks one of the two.
        """
        with self.local_copy(name) as weights, self.local_copy(str(Path(name).with_suffix(".json"))) as json:
            if weights is None or json is None:
                raise RequestError(f"{name} of {self.run_folder} is missing; restore it from a backup")
            if json.parent != weights.parent:
                shutil.copy(json, weights.with_suffix(".json"))
            yield weights

    def _save(self, name: str, write: Callable[[Path], object]) -> None:
        if not self.file_server or self._sees_run_folder():
            path = Path(self.run_folder) / name
            path.parent.mkdir(exist_ok=True)  # a run folder that was deleted is not made anew
            write(path)
            return
        with tempfile.TemporaryDirectory(prefix="suite-") as folder:
            write(Path(folder) / Path(name).name)
            for file in sorted(Path(folder).iterdir()):
                target = str(Path(name).with_name(file.name))
                ray.get(self._server().write.remote(target, file.read_bytes()))

    def _sees_run_folder(self) -> bool:
        try:
            return (Path(self.run_folder) / MARKER).read_text(encoding="utf-8") == self.file_server
        except OSError:  # not there, or another user's
            return False

    def _server(self) -> Any:
        return ray.get_actor(self.file_server, namespace=NAMESPACE)

    def _fetched_store(self) -> Store:
        """Return this node's copy of the store, which the first of its processes to ask fetches."""
        server = self._server()
        with writable_cache("copies") as copies:
            copy = copies / self.data[:32]
            with file_lock(copy.with_name(copy.name + ".lock"), wait=True):
                if not (copy / "store.json").exists():
                    # Under this lock, a partial copy is one that a killed process left.
                    for left in copies.glob(f".{copy.name}.partial-*"):
                        shutil.rmtree(left, ignore_errors=True)
                    files: Mapping[str, list[Any]] = ray.get(server.store_files.remote())
                    with temporary_folder_beside(copy) as partial:
                        for name in STORE_FILES:
                            _write_chunks(partial / name, files[name])
                        move_into_place(partial, copy)
        store = open_store(copy)
        if store.sampled_fingerprint != self.data:
            raise RequestError(
                f"{copy} is not a copy of the data of this run; delete it, and start the trial again"
            )
        return store


def _write_chunks(path: Path, chunks: list[Any]) -> None:
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(memoryview(ray.get(chunk)))
