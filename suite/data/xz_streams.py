"""Reading xz files as the format defines them: one stream after another, with padding of zeros between and behind."""

import io
import lzma
from pathlib import Path

_PADDING = 4  # bytes; a file is padded by a multiple of it
_INPUT_BYTES = 1_000_000  # read at a time
#: Many times what 'xz -9' needs. A forged stream may ask for 4 GB.
_MOST_MEMORY = 1_000_000_000  # bytes


def open_xz(path: Path) -> io.BufferedReader:
    """Open an xz file for reading what it decompresses to.

    Unlike ``lzma.LZMAFile`` it knows padding, and takes nothing for the end that is not one.

    Reading raises ``lzma.LZMAError`` where the file is damaged or has something else behind a stream, and
    ``EOFError`` where it ends within one.
    """
    return io.BufferedReader(_XzStreams(path), _INPUT_BYTES)


class _XzStreams(io.RawIOBase):
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._stream = _new_stream()
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
                following = b""
                break
        padding += len(rest) - len(following)
        if padding % _PADDING:
            raise lzma.LZMAError(
                f"{padding:,} zeros behind a stream are no padding, which has multiples of 4"
            )
        self._stream, self._input, self._ended = _new_stream(), following, not following
        return not self._ended


def _new_stream() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
