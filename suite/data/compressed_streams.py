"""Reading xz and bzip2 files to their end: one stream after another, with padding between and behind them.

The readers of the standard library take whatever follows a stream and is none for the end of the file. The rest of an
archive that was compressed in parts would then be lost without a word.
"""

import bz2
import io
import lzma
from collections.abc import Callable
from pathlib import Path

_XZ_PADDING = 4  # bytes; xz files are padded by a multiple of it, and some tapes pad others by any number
_INPUT_BYTES = 1_000_000  # read at a time
#: Many times what 'xz -9' needs. A forged stream may ask for 4 GB.
_MOST_MEMORY = 1_000_000_000  # bytes

_Stream = lzma.LZMADecompressor | bz2.BZ2Decompressor


def open_xz(path: Path) -> io.BufferedReader:
    """Open an xz file for reading what it decompresses to.

    Reading raises ``lzma.LZMAError`` where the file is damaged or has something else behind a stream, and
    ``EOFError`` where it ends within one.
    """
    return io.BufferedReader(_Streams(path, _new_xz, _XZ_PADDING), _INPUT_BYTES)


def open_bz2(path: Path) -> io.BufferedReader:
    """Open a bzip2 file for reading what it decompresses to; as ``open_xz``, with ``OSError`` for damage."""
    return io.BufferedReader(_Streams(path, bz2.BZ2Decompressor, 1), _INPUT_BYTES)


def _new_xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)


class _Streams(io.RawIOBase):
    def __init__(self, path: Path, new_stream: Callable[[], _Stream], padding: int) -> None:
        self._file = path.open("rb")
        self._new_stream, self._padding = new_stream, padding
        self._stream = new_stream()
        self._input = b""  # that the stream has not been given yet
        self._ended = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._ended and (not self._stream.eof or self._begin_next()):
            if self._stream.needs_input and not self._input:
                self._input = self._file.read(_INPUT_BYTES)
                if not self._input:
                    raise EOFError("it ends within a stream")
            given, self._input = self._input, b""
            content = self._stream.decompress(given, max_length=len(buffer))
            if content:
                buffer[: len(content)] = content
                return len(content)
        return 0

    def _begin_next(self) -> bool:
        """Pass over the padding behind a stream; False where the file ends there."""
        rest, padding = self._stream.unused_data, 0
        while not (following := rest.lstrip(b"\0")):
            padding += len(rest)
            rest = self._file.read(_INPUT_BYTES)
            if not rest:
                break
        padding += len(rest) - len(following)
        if padding % self._padding:
            raise lzma.LZMAError(
                f"{padding:,} zeros behind a stream are no padding, which has multiples of 4"
            )
        self._stream, self._input, self._ended = self._new_stream(), following, not following
        return not self._ended
