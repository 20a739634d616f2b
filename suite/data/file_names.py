r"""Names of files in a table, which another system wrote, and the names that the files have here.

macOS decomposes an accented letter into two characters (NFD) where others keep one (NFC), and Windows writes
``imgs\a.jpg``.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path


def comparable(name: str) -> str:
    """The form of a name that is equal for all spellings: composed characters (NFC), forward slashes."""
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


class FileNames:
    """The names of files, to find one by any spelling of it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)
        self._by_form: defaultdict[str, list[str]] = defaultdict(list)
        for name in self._names:
            self._by_form[comparable(name)].append(name)

    def find(self, name: str) -> str | None:
        """Return the name that is spelt in the same way, or the only one spelt differently; None without one."""
        if name in self._names:
            return name
        found = self._by_form.get(comparable(name), ())
        return found[0] if len(found) == 1 else None


def spelling_on_disk(folder: Path, name: str) -> str:
    """Return the spelling of a name under which a file is in a folder; the name itself where there is none."""
    if name.isascii() and "\\" not in name:
        return name
    composed = comparable(name)
    spellings = (name, name.replace("\\", "/"), composed, unicodedata.normalize("NFD", composed))
    return next((spelling for spelling in spellings if _exists(folder / spelling)), name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no file can have such a name; reading it says why
        return False
