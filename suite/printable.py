"""Text from outside, such as file names and fields of files, made safe for a terminal and a log."""

import unicodedata

#: Categories of Unicode that move the cursor, change the direction of the text or cannot be encoded:
#: control, format (bidirectional marks, zero-width characters), surrogate, line and paragraph separator.
UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: object) -> str:
    r"""Return text with every character that a terminal would obey as an escape such as ``\x1b``.

    A newline is escaped too, so that a name cannot forge a line of its own. A byte of a file name that is not UTF-8
    (a lone surrogate, PEP 383) is written as that byte.
    """
    return "".join(_escaped(c) if unicodedata.category(c) in UNPRINTABLE else c for c in str(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode() if code < 0xD800 or code > 0xDFFF else f"\\u{code:04x}"
