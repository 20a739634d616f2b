"""APPA-REAL (Agustsson et al. 2017): the images of LAP 2016 with apparent and real ages.

``gt_avg_train.csv``, ``gt_avg_valid.csv`` and ``gt_avg_test.csv`` with columns file_name, num_ratings,
apparent_age_avg, apparent_age_std and real_age; folders ``train/``, ``valid/`` and ``test/``. Where ``x.jpg``
comes with ``x.jpg_face.jpg``, the upright face with a margin, that is used. Gender and race are in the
optional ``allcategories_*.csv``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from suite.data.alignment import FivePoints, five_points
from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.apparent_age import ApparentAge, SplitTable, join_images, labelled
from suite.data.readers.landmarks import located, points_of_68
from suite.data.readers.layout import Publication, find_file, split_of, visible
from suite.data.readers.matlab import UnreadableMatError, read_mat
from suite.data.readers.tables import missing_extra, read_records
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split
from suite.errors import RequestError

AGES = LabelRange(0, 100, 1)
GROUPS = ("gender", "race", "expression")
APPARENT, DEVIATION, REAL = "apparent_age_avg", "apparent_age_std", "real_age"
APPA_REAL_PUBLICATION = Publication(
    "APPA-REAL",
    "gt_avg_train.csv, gt_avg_valid.csv and gt_avg_test.csv, and the folders train/, valid/ and test/",
    "https://chalearnlap.cvc.uab.cat/dataset/26/description/",
    7_591,
)
_TABLES: Mapping[Split, str] = {
    "train": r"gt_avg_train\.csv",
    "val": r"gt_avg_valid\.csv",
    "test": r"gt_avg_test\.csv",
}
#: Columns of allcategories_*.csv by group; the column of the expression has had two names.
_COLUMNS = {"gender": ("gender",), "race": ("race",), "expression": ("expression", "happiness")}


def read(files: SourceFiles, path: Path, *, column: str) -> ReadResult:
    """List the images of APPA-REAL, labelled by a column of its tables.

    Raises:
        RequestError: The table or the images of a split are missing.
    """
    names = visible(files)
    groups = _groups(files, names, path)
    tables: dict[Split, SplitTable] = {}
    for split, pattern in _TABLES.items():
        if table := find_file(names, pattern):
            tables[split] = SplitTable(table, _ages(files, table, path, column, groups.get(split, {})))
    result = join_images(path, names, APPA_REAL_PUBLICATION, AGES, tables)
    faces = sum(record.file.lower().endswith("_face.jpg") for record in result.records)
    return replace(result, found=f"{result.found}; {faces:,} with an upright face crop")


def _ages(
    files: SourceFiles,
    table: str,
    path: Path,
    column: str,
    groups: Mapping[str, Mapping[str, str]],
) -> list[ApparentAge | SkippedFile]:
    records = read_records(files, table, path)
    missing = sorted({"file_name", column} - set(records.columns))
    if missing:
        raise RequestError(
            f"{table} of {path} has no column {missing[0]!r}; get the set again from "
            f"{APPA_REAL_PUBLICATION.page}"
        )
    no_groups = dict.fromkeys(GROUPS, "")
    return [
        labelled(
            row["file_name"],
            row[column],
            row.get(DEVIATION, "") if column == APPARENT else "",
            PurePosixPath(table).name,
            groups.get(row["file_name"], no_groups),
        )
        for row in records.rows
    ]


def _groups(
    files: SourceFiles, names: Sequence[str], path: Path
) -> Mapping[Split, Mapping[str, Mapping[str, str]]]:
    """The groups in ``allcategories_*.csv``, by split and image; one about which rows disagree is unknown."""
    found: dict[Split, dict[str, Mapping[str, str]]] = {}
    for name in names:
        split = split_of(name)
        if not split or "allcategories" not in name.lower() or not name.lower().endswith(".csv"):
            continue
        of_split: dict[str, dict[str, set[str]]] = {}
        for row in read_records(files, name, path).rows:
            said = of_split.setdefault(next(iter(row.values()), ""), {group: set() for group in _COLUMNS})
            for group, columns in _COLUMNS.items():
                said[group] |= {next((row[c] for c in columns if c in row), "")} - {""}
        found[split] = {
            image: {group: next(iter(values)) if len(values) == 1 else "" for group, values in said.items()}
            for image, said in of_split.items()
        }
    return found


def locate(files: SourceFiles, path: Path, records: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Replace face crops by their whole images ``x.jpg``, with the landmarks in ``x.jpg.mat``.

    Raises:
        RequestError: scipy is not installed.
    """
    names = set(visible(files))
    try:
        return [_located(record, files, names) for record in records]
    except ImportError:
        raise missing_extra(f"the landmarks of {path} are in MATLAB files") from None


def _located(record: ImageRecord, files: SourceFiles, names: Set[str]) -> ImageRecord:
    whole = re.sub(r"_face\.jpg$", "", record.file, flags=re.IGNORECASE)
    if whole not in names:
        return record
    table = f"{whole}.mat"
    return located(replace(record, file=whole), files, table if table in names else None, _points_of_mat)


def _points_of_mat(content: bytes) -> FivePoints | None:
    """The first five or 68 landmarks in a MATLAB file, under any variable name; None where there are none."""
    try:
        arrays = list(_arrays(read_mat(content)))
    except UnreadableMatError:
        return None
    for array in arrays:
        points = (array if array.shape[1:] == (2,) else array.T) - 1  # MATLAB counts pixels from (1, 1)
        if points.shape == (5, 2):
            eyes, nose, mouth = points[:2], points[2], points[3:]
            found = five_points(
                [tuple(p) for p in eyes.tolist()], tuple(nose.tolist()), [tuple(p) for p in mouth.tolist()]
            )
        else:
            found = points_of_68([tuple(point) for point in points.tolist()])
        if found:
            return found
    return None


def _arrays(value: object) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the arrays of two columns or two rows in a MATLAB variable, its fields and its cells."""
    if isinstance(value, Mapping):
        for field in value.values():
            yield from _arrays(field)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for cell in value.ravel():
            yield from _arrays(cell)
    elif isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "iuf" and 2 in value.shape:
        yield value.astype(np.float64)


def _reader(name: str, column: str, age: str, description: str) -> DatasetReader:
    return DatasetReader(
        name=name,
        description=description,
        origin=f"APPA-REAL (Agustsson et al. 2017), {age} ages, for non-commercial research only",
        attributes={"age": AGES},
        groups=GROUPS,
        read=partial(read, column=column),
        locate=locate,
    )


APPA_REAL = _reader(
    "appa-real",
    APPARENT,
    "apparent",
    "APPA-REAL, 7,591 faces: apparent age 0-96 with deviation, gender, race, official splits",
)
APPA_REAL_REAL = _reader(
    "appa-real-real",
    REAL,
    "real",
    "APPA-REAL, the same images: real age 0-100, gender, race, official splits",
)
