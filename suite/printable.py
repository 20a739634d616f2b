"""Text from outside, such as file names and fields of files, made safe for a terminal and a log.

Every line that a command prints goes through ``print_line`` or ``print_json``; ruff's T201 refuses a bare ``print``.
"""

import contextlib
import json
import os
import sys
import unicodedata
from typing import Any, TextIO

from suite.errors import RequestError

#: Categories of Unicode that move the cursor, change the direction of the text or cannot be encoded:
#: control, format (bidirectional marks, zero-width characters), surrogate, line and paragraph separator.
UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
#: Characters of an error, enough for two long paths.
LONGEST_SENTENCE = 2_000


def printable(text: object, *, keep: str = "") -> str:
    r"""Return text with every character that a terminal would obey as an escape such as ``\x1b``.

    A newline is escaped too, so that a name cannot forge a line of its own. A byte of a file name that is not UTF-8
    (a lone surrogate, PEP 383) is written as that byte.

    Args:
        text: The text.
        keep: Characters that stay as they are.
    """
    return "".join(
        _escaped(c) if unicodedata.category(c) in UNPRINTABLE and c not in keep else c for c in str(text)
    )


def shortened(text: str, most: int = LONGEST_SENTENCE) -> str:
    """Return a sentence without its middle where that is long: a name in it may be as long as its author likes.

    What a sentence is about is at its beginning, and the remedy at its end.

    Args:
        text: The sentence, or a name in it.
        most: Characters that are kept.
    """
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} [...] {text[-half:]}"


def print_line(text: object, stream: TextIO | None = None) -> bool:
    """Print one line at once, with foreign text in it made printable.

    A reader that has closed the pipe, such as ``head``, is not a fault: the command goes on, so that its work and its
    exit code stay what they are.

    Args:
        text: The line. A newline inside it is escaped.
        stream: Where to; None: standard output.

    Returns:
        False where the reader has just gone.

    Raises:
        RequestError: Standard output cannot be written to, for example because the disk is full. Any other stream
            carries progress, and is given up without a word.
    """
    return _write(printable(text) + "\n", stream)


def print_json(document: Any) -> bool:
    """Print a document as one line of JSON on standard output; see ``print_line``.

    Text is exact, because JSON quotes it: whatever is not ASCII, and so every character that a terminal obeys, is
    written as an escape such as ``\u001b``. A byte of a file name that is not UTF-8 is a lone surrogate (PEP 383),
    which ``os.fsencode`` turns back into the byte.
    """
    # The one control character that json leaves as it is.
    return _write(json.dumps(document).replace("\x7f", "\\u007f") + "\n", None)


def print_log(text: str) -> bool:
    """Print a piece of another program's log on standard output, with its lines and tabs; see ``print_line``."""
    return _write(printable(text, keep="\n\t"), None)


def print_file(text: str) -> bool:
    """Write the content of a file to standard output exactly as it is; see ``print_line``."""
    return _write(text, None)


def make_streams_encodable() -> None:
    """Let standard output and error escape what their encoding lacks, instead of failing in the middle of a list.

    A stream that the shell has closed (``>&-``) leads nowhere from here on.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # until the process ends
        if (reconfigure := getattr(getattr(sys, name), "reconfigure", None)) is not None:
            reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Flush what others, such as argparse, have printed; Python itself would end with an error about a closed pipe."""
    with contextlib.suppress(RequestError):
        _write("", None)


def _write(text: str, stream: TextIO | None) -> bool:
    chosen = sys.stdout if stream is None else stream
    try:
        chosen.write(text)
        chosen.flush()
    except OSError as error:
        _give_up(chosen)
        if stream is None and not isinstance(error, BrokenPipeError):
            raise RequestError(
                f"standard output cannot be written to ({error.strerror}); send it to another place"
            ) from None
        return False
    return True


def _give_up(stream: TextIO) -> None:
    """Send what is still buffered, and all that follows, nowhere."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a file, such as one in memory
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode() if code < 0xD800 or code > 0xDFFF else f"\\u{code:04x}"
