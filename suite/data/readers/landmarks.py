"""Landmarks in the formats of the data sets, converted to the five points of an alignment."""

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from suite.data.alignment import FivePoints, Point, five_points
from suite.data.archive_safety import UnreadableFileError
from suite.data.dataset_reader import ImageRecord
from suite.data.decoding import CropBox
from suite.data.readers.layout import visible
from suite.data.readers.tables import not_a_number, number
from suite.data.source_files import SourceFiles

# Columns of a table with the landmarks of a face, and with its box for faces without landmarks.
EYES = (("left_eye_x", "left_eye_y"), ("right_eye_x", "right_eye_y"))
NOSE = ("nose_x", "nose_y")
MOUTH = (("left_mouth_x", "left_mouth_y"), ("right_mouth_x", "right_mouth_y"))
POINT_COLUMNS = frozenset(column for point in (*EYES, NOSE, *MOUTH) for column in point)
BOX = ("left", "top", "right", "bottom")


def points_of_row(row: Mapping[str, str]) -> FivePoints | str | None:
    """Read the five points from a row of a table.

    Returns:
        None where a cell is empty or the points cannot be those of a face, the reason where a cell cannot be used.
    """
    columns = [column for point in (*EYES, NOSE, *MOUTH) for column in point]
    cells = [row.get(column, "") for column in columns]
    if not any(cells):
        return None
    values = [number(cell) for cell in cells]
    for column, cell, value in zip(columns, cells, values, strict=True):
        if cell and value is None:
            return not_a_number(f"the landmark {column}", cell)
    known = [value for value in values if value is not None]
    if len(known) < len(columns):
        return None
    points = list(zip(known[::2], known[1::2], strict=True))
    return five_points(points[:2], points[2], points[3:])


def box_of_row(row: Mapping[str, str]) -> CropBox | str | None:
    """Read the box from a row of a table: None where there is none, the reason where it cannot be used."""
    cells = [row.get(side, "") for side in BOX]
    if not any(cells):
        return None
    sides = [number(cell) for cell in cells]
    for side, cell, value in zip(BOX, cells, sides, strict=True):
        if value is None:
            return not_a_number(f"the side {side} of the crop box", cell)
    left, top, right, bottom = (value or 0.0 for value in sides)
    if left >= right or top >= bottom:
        return f"the crop box {', '.join(cells)[:80]} is empty"
    return CropBox(left, top, right, bottom)


def points_of_86(content: bytes) -> FivePoints | None:
    """Read a ``.pts`` file of SCUT-FBP5500: the integer 86, then x and y of each point as float32, little-endian.

    The set does not document the order of the points. According to published loaders that draw the points on faces,
    42 to 49 and 50 to 57 surround the eyes, 66 is the middle of the nose's base, and 73 and 79 are the mouth's corners.
    """
    if len(content) != struct.calcsize("<i172f") or struct.unpack_from("<i", content) != (86,):
        return None
    values = struct.unpack_from("<172f", content, 4)
    points = list(zip(values[::2], values[1::2], strict=True))
    return five_points([_middle(points[42:50]), _middle(points[50:58])], points[66], [points[73], points[79]])


def points_of_fgnet(content: bytes) -> FivePoints | None:
    """Read a ``.pts`` file of FG-NET: a line of x and y for each of 68 points, between braces.

    Counted from 0, 31 and 36 are the pupils, 67 is the tip of the nose, 48 and 54 are the mouth's corners.
    """
    braces = re.search(r"\{(.*)\}", content.decode("latin-1"), re.DOTALL)
    rows = [line.split() for line in braces[1].splitlines() if line.strip()] if braces else []
    pairs = [(number(row[0]), number(row[1])) for row in rows if len(row) == 2]
    points = [(x, y) for x, y in pairs if x is not None and y is not None]
    if len(points) != 68:
        return None
    return five_points([points[31], points[36]], points[67], [points[48], points[54]])


def points_of_68(points: Sequence[Point]) -> FivePoints | None:
    """Convert the 68 points of iBUG (Sagonas et al. 2013), which dlib and others use."""
    if len(points) != 68:
        return None
    return five_points([_middle(points[36:42]), _middle(points[42:48])], points[30], [points[48], points[54]])


def _middle(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def locate_by_stem(
    files: SourceFiles,
    path: Path,
    records: Sequence[ImageRecord],
    *,
    points: Callable[[bytes], FivePoints | None],
) -> list[ImageRecord]:
    """Add the landmarks of the ``.pts`` files that have the same names as the images."""
    tables = {_stem(name): name for name in visible(files) if name.lower().endswith(".pts")}
    return [located(record, files, tables.get(_stem(record.file)), points) for record in records]


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.lower()


def located(
    record: ImageRecord, files: SourceFiles, table: str | None, points: Callable[[bytes], FivePoints | None]
) -> ImageRecord:
    """Add the landmarks of a file to a record; without a readable file the record stays as it is."""
    if table is None:
        return record
    try:
        return replace(record, face=points(files.read(table)))
    except UnreadableFileError:
        return record
