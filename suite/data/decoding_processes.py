"""Decoding in parallel. No pandas here: a decoding process should start at once."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from suite.data.alignment import FivePoints
from suite.data.archive_safety import UnreadableFileError
from suite.data.decoding import CropBox, Pixels, UndecodableError, decode
from suite.data.source_files import SourceFiles, open_source
from suite.errors import UnfinishedError
from suite.machine import usable_cpus

#: Images that a process decodes at a time.
CHUNK = 64


@dataclass(frozen=True)
class DecodeRequest:
    """A file to decode."""

    file: str
    part: CropBox | FivePoints | None = None  # of it, as ``decode`` takes it


@dataclass(frozen=True)
class _Chunk:
    images: tuple[DecodeRequest, ...]
    size: int


def decode_all(
    path: Path, images: Sequence[DecodeRequest], size: int, workers: int | None = None
) -> Iterator[Pixels | str]:
    """The pixels of each file in order, uint8 (size, size, 3), or the reason why there are none.

    Args:
        path: the folder, zip or tar.
        images: its files.
        size: pixels a side.
        workers: processes; None takes one a core. What one process does in a moment, this one does.

    Raises:
        UnfinishedError: a process died.
    """
    chunks = [_Chunk(tuple(images[i : i + CHUNK]), size) for i in range(0, len(images), CHUNK)]
    processes = min(workers or usable_cpus(), len(chunks))
    if processes <= 1:
        with open_source(path) as files:
            for chunk in chunks:
                yield from _decode_chunk(files, chunk)
        return
    # Spawned, because a fork of a process with threads (torch has some) may hang.
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), initializer=_start, initargs=(path,)
    )
    try:
        for outcomes in pool.map(_decode_in_process, chunks):
            yield from outcomes
    except BrokenProcessPool:
        raise UnfinishedError(
            f"a process that decoded images of {path} died, as happens when memory runs out; "
            "pack again with --workers 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_chunk(files: SourceFiles, chunk: _Chunk) -> list[Pixels | str]:
    outcomes: list[Pixels | str] = []
    for image in chunk.images:
        try:
            outcomes.append(decode(files.read(image.file), chunk.size, image.part))
        except (UnreadableFileError, UndecodableError) as error:
            outcomes.append(str(error))
    return outcomes


#: The set that a decoding process has open, and what keeps it open for as long as the process lives.
_open: list[SourceFiles] = []
_kept_open = contextlib.ExitStack()


def _start(path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the pool
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _open.append(_kept_open.enter_context(open_source(path)))


def _end_with_parent() -> None:
    """A parent that was killed ends no pool, and its processes would wait for work for ever."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _decode_in_process(chunk: _Chunk) -> list[Pixels | str]:
    return _decode_chunk(_open[0], chunk)
