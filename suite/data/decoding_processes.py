"""Decoding images in parallel. This module imports no pandas, so that its processes start quickly."""

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

#: The number of images that a process decodes at a time.
CHUNK = 64


@dataclass(frozen=True)
class DecodeRequest:
    """A file to decode, and the part of the image to take (see ``suite.data.decoding.decode``)."""

    file: str
    part: CropBox | FivePoints | None = None


@dataclass(frozen=True)
class _Chunk:
    images: tuple[DecodeRequest, ...]
    size: int


def decode_all(
    path: Path, images: Sequence[DecodeRequest], size: int, workers: int | None = None
) -> Iterator[Pixels | str]:
    """Yield the pixels of each file in order, uint8 (size, size, 3), or the reason why there are none.

    Args:
        path: The folder, zip or tar.
        images: The files in it.
        size: Pixels a side.
        workers: Processes; None starts one per core. A single chunk is decoded in this process.

    Raises:
        UnfinishedError: A process died.
    """
    chunks = [_Chunk(tuple(images[i : i + CHUNK]), size) for i in range(0, len(images), CHUNK)]
    processes = min(workers or usable_cpus(), len(chunks))
    if processes <= 1:
        with open_source(path) as files:
            for chunk in chunks:
                yield from _decode_chunk(files, chunk)
        return
    # Spawned, because a forked process of one with threads, such as those of torch, may hang.
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


# The source that a decoding process has open, and what keeps it open until the process ends.
_open: list[SourceFiles] = []
_kept_open = contextlib.ExitStack()


def _start(path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the pool
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _open.append(_kept_open.enter_context(open_source(path)))


def _end_with_parent() -> None:
    """Exit when the parent is gone; after a kill, nothing else would end the processes of its pool."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _decode_in_process(chunk: _Chunk) -> list[Pixels | str]:
    return _decode_chunk(_open[0], chunk)
