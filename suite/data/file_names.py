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
        """Return the name that is spelt in the same way, or the only one spelt differently; None without one."""
        if name in self._names:
            return name
        for form in _forms(name):
            if found := self._by_form.get(form):
                return found[0] if len(found) == 1 else None
        return None


class NamesOnDisk:
    """The names of files below a folder, to find one by any spelling of it without a list of all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[Path, FileNames] = {}

    def find(self, name: str) -> str:
        """Return the spelling under which a file is there; the name itself where there is none."""
        composed = comparable(name)
        spellings = (name, name.replace("\\", "/"), composed, unicodedata.normalize("NFD", composed))
        for spelling in dict.fromkeys(spellings):
            if _exists(self._folder / spelling):
                return self._from_here(spelling)
        parent = Path(composed).parent
        if parent not in self._names:
            self._names[parent] = FileNames(_entries(self._folder / parent))
        found = self._names[parent].find(Path(composed).name)
        return name if found is None else (parent / found).as_posix()

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
