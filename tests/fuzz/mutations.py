"""Hostile changes of good files, as hypothesis strategies."""

import csv
import io
import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

#: What a field may hold that its reader did not expect.
HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, 10**400, 1e308, -0.5, math.nan, math.inf),
    *(
        "",
        "x" * 100_000,
        "../../../ESC",
        "/dev/zero",
        "\x1b]52;c;aGk=\x07",
        "a\nsuite: done",
        "gpj.\u202eexe",
    ),
    *("<b>&amp;", "__proto__", "a\0b", "1:30", "1e999", "NaN", "=cmd()"),
    *([], {}, [[]], {"a": {"b": []}}, [0] * 1000),
)
_NESTED = "[" * 50_000 + "]" * 50_000


@dataclass(frozen=True)
class Changed:
    """One file of a folder, changed.

    Attributes:
        name: The path of the file in the folder.
        content: Its new content; None where it is replaced by ``place``.
        place: What stands in its place: "missing", "folder", "pipe", "zeros", "nowhere", "sparse" or "closed".
    """

    name: str
    content: bytes | None
    place: str = ""

    def __repr__(self) -> str:
        """Show little of the content, which may be long."""
        return f"Changed({self.name!r}, {(self.content or b'')[:300]!r}, {self.place!r})"


PLACES = ("missing", "folder", "pipe", "zeros", "nowhere", "sparse", "closed")


def write(files: Mapping[str, bytes], change: Changed, folder: Path) -> None:
    """Write the files, one of them changed, to an empty folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name != change.name:
            path.write_bytes(content)
        elif change.content is not None:
            path.write_bytes(change.content)
        else:
            _put(change.place, path, content)


def _put(place: str, path: Path, content: bytes) -> None:
    match place:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "zeros":
            path.symlink_to("/dev/zero")
        case "nowhere":
            path.symlink_to("nowhere")
        case "sparse":
            path.write_bytes(content)
            os.truncate(path, 10**11)
        case "closed":
            path.write_bytes(content)
            path.chmod(0)


@st.composite
def changes(draw: st.DrawFn, files: Mapping[str, bytes]) -> Changed:
    """Draw one change of one file."""
    name = draw(st.sampled_from(sorted(files)))
    structured = _STRUCTURED.get(Path(name).suffix)
    kind = draw(st.sampled_from(["bytes", "place", *(["fields"] * 4 if structured else [])]))
    if kind == "place":
        return Changed(name, None, draw(st.sampled_from(PLACES)))
    if kind == "fields" and structured:
        return Changed(name, draw(structured(files[name])))
    return Changed(name, draw(damaged(files[name])))


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw a copy of a file that is cut off, overwritten in part or longer."""
    at = draw(st.integers(0, len(content)))
    junk = draw(st.binary(max_size=64))
    match draw(st.sampled_from(["cut", "overwritten", "inserted", "zeroed", "twice", "swapped"])):
        case "cut":
            return content[:at]
        case "overwritten":
            return content[:at] + junk + content[at + len(junk) :]
        case "inserted":
            return content[:at] + junk + content[at:]
        case "zeroed":
            return content[:at] + bytes(len(content) - at)
        case "twice":
            return content + content
    return content[at:] + content[:at]


@st.composite
def json_text(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw a JSON document of which one value is hostile, or one key is missing or new."""
    document = json.loads(content)
    path = draw(st.sampled_from(sorted(_paths(document), key=str)))
    if not path:
        return _dumped(draw(st.sampled_from(HOSTILE)))
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    match draw(st.sampled_from(["value", "value", "value", "missing", "new", "nested"])):
        case "value":
            parent[path[-1]] = draw(st.sampled_from(HOSTILE))
        case "missing":
            del parent[path[-1]]
        case "new" if isinstance(parent, dict):
            parent[draw(st.sampled_from([str(value)[:50] for value in HOSTILE]))] = draw(
                st.sampled_from(HOSTILE)
            )
        case _:
            parent[path[-1]] = "NESTED"
    return _dumped(document)


def _dumped(document: Any) -> bytes:
    return json.dumps(document).replace('"NESTED"', _NESTED).encode("utf-8", "surrogatepass")


def _paths(document: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    return [above, *(path for key, value in items for path in _paths(value, (*above, key)))]


@st.composite
def json_lines(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw a journal of which one line is hostile, missing or there twice."""
    lines = content.splitlines()
    if not lines:
        return draw(st.sampled_from([b"\n", b"{}\n", b"null\n", b"[1]\n"]))
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["fields", "fields", "missing", "twice"])):
        case "missing":
            changed: list[bytes] = []
        case "twice":
            changed = [lines[at], lines[at]]
        case _:
            changed = [draw(json_text(lines[at]))]
    return b"\n".join([*lines[:at], *changed, *lines[at + 1 :]]) + b"\n"


@st.composite
def parquet(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw a table of which one column is hostile, missing, new or of another type, or whose rows are other ones."""
    frame = pd.read_parquet(io.BytesIO(content))
    column = draw(st.sampled_from(list(frame.columns)))
    match draw(st.sampled_from(["value", "value", "value", "missing", "new", "rows", "twice"])):
        case "value":
            frame[column] = [draw(st.sampled_from(HOSTILE))] * len(frame)
        case "missing":
            frame = frame.drop(columns=column)
        case "new":
            frame[draw(st.sampled_from(["__proto__", "<b>", "a\nb", "x" * 5000]))] = 1
        case "rows":
            frame = frame.iloc[: draw(st.integers(0, len(frame)))]
        case _:
            frame = pd.concat([frame, frame], ignore_index=True)
    written = io.BytesIO()
    try:
        frame.to_parquet(written, index=False)
    except (ValueError, TypeError, OverflowError, NotImplementedError):  # Parquet has no such column
        return content[: len(content) // 2]
    return written.getvalue()


@st.composite
def safetensors(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw a file of tensors whose header is hostile."""
    (length,) = struct.unpack("<Q", content[:8])
    header = draw(json_text(content[8 : 8 + length].rstrip()))
    claimed = draw(st.sampled_from([len(header), len(header), len(header), 2**62, 0]))
    return struct.pack("<Q", claimed) + header + content[8 + length :]


@st.composite
def csv_text(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw a table of which one cell is hostile, in one of several encodings."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    row = draw(st.integers(0, len(rows) - 1))
    column = draw(st.integers(0, max(len(rows[row]) - 1, 0)))
    match draw(st.sampled_from(["cell", "cell", "missing", "quote", "longer"])):
        case "cell":
            rows[row][column] = str(draw(st.sampled_from(HOSTILE)))[:5000]
        case "missing":
            del rows[row][column]
        case "longer":
            rows[row].append("more")
        case _:
            rows[row][column] = 'QUOTE"x'
    written = io.StringIO()
    csv.writer(written, delimiter=draw(st.sampled_from(",,,;\t|"))).writerows(rows)
    text = written.getvalue().replace('"QUOTE""x"', '"x')
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "latin-1"])), "replace")


@st.composite
def onnx_file(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw an ONNX file whose description of the training is hostile."""
    import onnx

    model = onnx.load_from_string(content)
    entry = next(entry for entry in model.metadata_props if entry.key == "trial_config")
    entry.value = draw(json_text(entry.value.encode())).decode("utf-8", "replace")
    written: bytes = model.SerializeToString()
    return written


@st.composite
def npy(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw an array of another shape or type, or one that claims more than it holds."""
    match draw(st.sampled_from(["shape", "type", "claim"])):
        case "shape":
            array: Any = np.zeros(draw(st.sampled_from([(0,), (3, 2), (1, 1, 1, 3), ()])), np.uint8)
        case "type":
            array = np.zeros((2, 2, 2, 3), draw(st.sampled_from(["f8", "U5", "c16", "M8[s]"])))
        case _:
            return content.replace(b"(", b"(9999999999", 1)
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


_STRUCTURED = {
    ".json": json_text,
    ".journal": json_lines,
    ".parquet": parquet,
    ".safetensors": safetensors,
    ".csv": csv_text,
    ".onnx": onnx_file,
    ".npy": npy,
}
