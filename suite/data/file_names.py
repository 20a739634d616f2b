r"""Names of files in a table, which another system wrote, and the names that the files have here.

macOS decomposes an accented letter into two characters (NFD) where others keep one (NFC), and Windows writes
``imgs\a.jpg``.
"""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

#: Before the form of a name without upper case; no name of a file has it.
_CASELESS = "\0"


def comparable(name: str) -> str:
    """The form of a name that is equal for all spellings: composed characters (NFC), forward slashes, no ``./``."""
    return PurePosixPath(unicodedata.normalize("NFC", name.replace("\\", "/"))).as_posix()


def _forms(name: str) -> tuple[str, str]:
    """What a name is looked up by: its form, then its form without upper case."""
    form = comparable(name)
    return form, _CASELESS + form.casefold()


class AmbiguousNameError(Exception):
    """A name in a table that two files or more have in other upper and lower case; the message names them."""

    def __init__(self, candidates: Iterable[str]) -> None:
        """Name the files, of which the first two are enough."""
        one, other, *_ = sorted(candidates)
        super().__init__(f"{one} and {other} differ in upper and lower case only")


class FileNames:
    """The names of files, to find one by any spelling of it.

    A name in other upper and lower case counts where no other file has it: Windows and macOS make no difference.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)
        self._by_form: defaultdict[str, list[str]] = defaultdict(list)
        for name in self._names:
            for form in _forms(name):
                self._by_form[form].append(name)

    def find(self, name: str) -> str | None:
        """Return the name that is spelt in the same way, or the only one spelt differently; None without one.

        Raises:
            AmbiguousNameError: Several are spelt differently.
        """
        if name in self._names:
            return name
        for form in _forms(name):
            if found := self._by_form.get(form):
                if len(found) > 1:
                    raise AmbiguousNameError(found)
                return found[0]
        return None


class NamesOnDisk:
    """The names of files below a folder, to find one by any spelling of it without a list of all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[Path, FileNames] = {}

    def find(self, name: str) -> str:
        """Return the spelling under which a file is there; the name itself where there is none.

        Raises:
            AmbiguousNameError: Several files or folders are spelt differently.
        """
        composed = comparable(name)
        spellings = (name, name.replace("\\", "/"), composed, unicodedata.normalize("NFD", composed))
        for spelling in dict.fromkeys(spellings):
            if _exists(self._folder / spelling):
                return self._from_here(spelling)
        found = self._part_by_part(Path(composed))
        return name if found is None else self._from_here(found.as_posix())

    def _part_by_part(self, path: Path) -> Path | None:
        """Find each folder on the way and then the file, in any spelling; None where one is not there."""
        found = Path(path.anchor)
        for part in path.parts[1:] if path.anchor else path.parts:
            if not _exists(self._folder / found / part):
                if found not in self._names:
                    entries = _entries(self._folder / found)
                    self._names[found] = FileNames((found / entry).as_posix() for entry in entries)
                spelt = self._names[found].find((found / part).as_posix())
                if spelt is None:
                    return None
                found = Path(spelt)
            else:
                found /= part
        return found

    def _from_here(self, name: str) -> str:
        """The shortest path from the folder, so that an image has one name: not ``../faces/a.jpg``."""
        folder = os.path.abspath(self._folder)
        path = os.path.normpath(os.path.join(folder, name))
        return os.path.relpath(path, folder) if Path(path).is_relative_to(folder) else path


def _entries(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (OSError, ValueError):  # reading a file of it says why
        return []


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no file can have such a name; reading it says why
        return False
