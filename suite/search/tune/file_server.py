"""The driver's files for trials on nodes that do not share its file system.

A node that sees the driver's folders, as on one machine or over NFS, uses them. Any other gets the packed
store once, through Ray's object store, into its own cache, and sends back what its trials write.
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
from suite.files.cache import cache_folder
from suite.files.locks import file_lock

#: What a store cannot do without, the file that says it is whole last.
STORE_FILES = ("images.npy", "labels.parquet", "store.json")
CHUNK_BYTES = 64 * 2**20
NAMESPACE = "suite"
#: Holds the file_server's name in the run folder, for a node to tell it from a folder of its own at that path.
SIGN = ".file-server"


class NotKeptError(Exception):
    """A file of the run folder could not be written; the message says why."""


class FileServer:
    """A Ray actor beside the driver: it hands out the store, and takes in files of the run folder."""

    def __init__(self, store: str, run_folder: str) -> None:
        self._store = Path(store)
        self._run_folder = Path(run_folder)
        self._chunks: dict[str, list[Any]] = {}

    def store_files(self) -> dict[str, list[Any]]:
        """References to each file's chunks, uint8 arrays; put into the object store at the first request."""
        if not self._chunks:
            self._chunks = {name: self._put(self._store / name) for name in STORE_FILES}
        return self._chunks

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the run folder, replaced in one step."""
        path = self._run_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, durable=True)

    def read(self, name: str) -> bytes | None:
        """A file of the run folder; None where there is none."""
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
    """A file_server is on the driver's own node inside, under the name that is yielded.

    The name is empty for a driver that came by ``ray://``: it runs on no node, so nodes must see its folders.

    Raises:
        RequestError: so it came, and a node of the cluster does not.
    """
    if ray.util.client.ray.is_connected():  # type: ignore[no-untyped-call]
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
    sign = run_folder / SIGN
    sign.write_text(name, encoding="utf-8")
    try:
        yield name
    finally:
        sign.unlink(missing_ok=True)
        ray.kill(handle)


def _check_seen(*folders: Path) -> None:
    """Ask one node, before every trial fails for it."""
    seen: Any = ray.remote(num_cpus=0)(lambda paths: [Path(path).is_dir() for path in paths])
    for folder, there in zip(folders, ray.get(seen.remote([str(folder) for folder in folders])), strict=True):
        if not there:
            raise RequestError(
                f"a node of the cluster does not see {folder}, as it must for a driver that came by ray://; "
                "choose one that all share, or send the search with 'suite submit'"
            )


@dataclass(frozen=True)
class DriverFiles:
    """The driver's folders as a trial's process sees them.

    Attributes:
        store: folder of the packed store, on the driver's node.
        fingerprint: of the store.
        run_folder: on the driver's node.
        file_server: name of a ``FileServer``; empty where every node sees both folders.
    """

    store: str
    fingerprint: str
    run_folder: str
    file_server: str = ""

    def open_store(self) -> Store:
        """The store where this node sees it, else this node's copy, which is fetched if there is none.

        Raises:
            RequestError: the node does not see it and there is no file_server to ask.
        """
        if not self.file_server:
            return open_store(Path(self.store))
        with contextlib.suppress(RequestError, OSError):
            seen = open_store(Path(self.store))
            if seen.info.fingerprint == self.fingerprint:
                return seen
        return self._copy()

    def keep(self, name: str, write: Callable[[Path], object]) -> None:
        """Have ``write`` make the file of a path; it comes to lie in the run folder under ``name``.

        So does whatever else ``write`` puts beside it.

        Raises:
            NotKeptError: it could not be written, there or on the way.
        """
        try:
            self._keep(name, write)
        except (OSError, SafetensorError) as error:
            number = getattr(error, "errno", None)
            raise NotKeptError(os.strerror(number) if number else str(error)) from error

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path | None]:
        """A file of the run folder where this process can read it inside; None where there is none."""
        path = Path(self.run_folder) / name
        if not self.file_server or self._sees_run_folder():
            yield path if path.exists() else None
            return
        content: bytes | None = ray.get(self._asked().read.remote(name))
        if content is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="suite-") as folder:
            path = Path(folder) / path.name
            path.write_bytes(content)
            yield path

    def _keep(self, name: str, write: Callable[[Path], object]) -> None:
        if not self.file_server or self._sees_run_folder():
            path = Path(self.run_folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
            return
        with tempfile.TemporaryDirectory(prefix="suite-") as folder:
            write(Path(folder) / Path(name).name)
            for file in sorted(Path(folder).iterdir()):
                kept = str(Path(name).with_name(file.name))
                ray.get(self._asked().write.remote(kept, file.read_bytes()))

    def _sees_run_folder(self) -> bool:
        try:
            return (Path(self.run_folder) / SIGN).read_text(encoding="utf-8") == self.file_server
        except OSError:  # not there, or another user's
            return False

    def _asked(self) -> Any:
        return ray.get_actor(self.file_server, namespace=NAMESPACE)

    def _copy(self) -> Store:
        """This node's copy, made by whichever of its processes comes first."""
        copy = cache_folder() / "copies" / self.fingerprint[:16]
        copy.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(copy.with_name(copy.name + ".lock"), wait=True):
            if not (copy / "store.json").exists():
                for left in copy.parent.glob(
                    f".{copy.name}.partial-*"
                ):  # a killed process's, under this lock
                    shutil.rmtree(left, ignore_errors=True)
                files: Mapping[str, list[Any]] = ray.get(self._asked().store_files.remote())
                with temporary_folder_beside(copy) as partial:
                    for name in STORE_FILES:
                        _write_chunks(partial / name, files[name])
                    move_into_place(partial, copy)
        return open_store(copy)


def _write_chunks(path: Path, chunks: list[Any]) -> None:
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(memoryview(ray.get(chunk)))
