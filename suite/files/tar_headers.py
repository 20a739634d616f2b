"""The headers of a tar that somebody else made, read within limits."""

import io
import re
import tarfile
from collections.abc import Callable
from typing import BinaryIO

#: Bytes of a header with a long name; no path has half as many.
LARGEST_HEADER = 16_384
#: The types of headers whose content belongs to the next one.
FURTHER_HEADERS = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)
#: No number of a header has so many digits; tarfile tries each digit as the first of one.
LONG_NUMBER = re.compile(rb"[0-9]{1000}")


class BoundedInfo(tarfile.TarInfo):
    """A header whose further headers, such as those of long names, are small.

    tarfile reads one of any size into memory, and searches it in time that grows with the square of its size.
    """

    # tarfile's own documentation names this as the method that subclasses override.
    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in FURTHER_HEADERS:
            if not 0 <= self.size <= LARGEST_HEADER:
                raise tarfile.ReadError(f"a header claims {self.size:,} bytes")
            self._check_digits(archive)
        process: Callable[[tarfile.TarFile], tarfile.TarInfo] = super()._proc_member  # type: ignore[misc]
        return process(archive)

    def _check_digits(self, archive: tarfile.TarFile) -> None:
        file: BinaryIO = archive.fileobj  # type: ignore[assignment]
        content = file.read(self.size)
        file.seek(-len(content), io.SEEK_CUR)
        if LONG_NUMBER.search(content):
            raise tarfile.ReadError("a header has a number of thousands of digits")
