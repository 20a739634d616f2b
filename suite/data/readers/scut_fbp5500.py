"""SCUT-FBP5500 (Liang et al. 2018): attractiveness of 5,500 faces, rated by 60 people from 1 to 5.

The set has ``Images/``; ``train_test_files/All_labels.txt`` with a file and its score a line;
``All_Ratings.xlsx`` with the single ratings, from which the deviation is computed; five official folds in
``5_folders_cross_validations_files/cross_validation_k/test_k.txt``; and a split into 60 % and 40 % in
``split_of_60%training and 40%testing/``. The prefix of a file name gives gender and race.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.file_names import AmbiguousNameError
from suite.data.readers.landmarks import locate_by_stem, points_of_86
from suite.data.readers.layout import (
    CONTRADICTED,
    ImageRows,
    NamedImages,
    Publication,
    ambiguous,
    find_file,
    no_image,
    out_of_range,
    sorted_result,
    visible,
    without_row,
)
from suite.data.readers.ratings import Score, score
from suite.data.readers.spreadsheets import read_sheets
from suite.data.readers.tables import not_a_number, number, read_numbered_rows, read_rows
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split
from suite.errors import RequestError

T = TypeVar("T")

SCORES = LabelRange(1, 5, 0.1)
FOLDS = 5
SCUT_FBP5500_PUBLICATION = Publication(
    "SCUT-FBP5500",
    "All_labels.txt or All_Ratings.xlsx, and the images that it names",
    "https://github.com/HCIILAB/SCUT-FBP5500-Database-Release",
    5_500,
)
#: The two naming schemes of the releases; "Y" and "W" stand for Asian and Caucasian.
PREFIXES = {
    "AF": ("female", "Asian"),
    "AM": ("male", "Asian"),
    "CF": ("female", "Caucasian"),
    "CM": ("male", "Caucasian"),
    "FTY": ("female", "Asian"),
    "MTY": ("male", "Asian"),
    "FTW": ("female", "Caucasian"),
    "MTW": ("male", "Caucasian"),
}


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of SCUT-FBP5500, with the folds and the split where their tables exist.

    Raises:
        RequestError: The scores or the images are missing, or openpyxl is not installed for the ratings.
    """
    names = visible(files)
    scores = _scores(files, names, path)
    if not scores:
        raise SCUT_FBP5500_PUBLICATION.missing(path, names, "table of scores")
    images = NamedImages(names)
    folds, split = _folds(files, names, path, images), _sixty_forty(files, names, path, images)
    rows = ImageRows()
    for image, rated in scores.items():
        try:
            file = images.find(image)
        except AmbiguousNameError as error:
            rows.skip(ambiguous(image, "the table of scores", error))
            continue
        if file is None:
            rows.skip(no_image(image, "the table of scores"))
        elif isinstance(rated, str):
            rows.skip(SkippedFile(file, rated, lost=True))
        elif reason := out_of_range("attractiveness", rated.mean, SCORES):
            rows.skip(SkippedFile(file, reason))
        else:
            rows.add(
                ImageRecord(
                    file,
                    {"attractiveness": rated.mean},
                    _groups(image),
                    {} if rated.deviation is None else {"attractiveness": rated.deviation},
                    split=split.get(file),
                    fold=folds.get(file),
                )
            )
    records = rows.records
    if rows.are_of_another_set(names):
        raise SCUT_FBP5500_PUBLICATION.missing(path, names, "image that the table of scores names")
    skipped = [*rows.skipped, *without_row(names, rows.listed)]
    return sorted_result(records, skipped, _found(records))


def _found(records: Sequence[ImageRecord]) -> str:
    has = {
        "a deviation (All_Ratings.xlsx)": sum(bool(record.deviations) for record in records),
        "one of the five official folds": sum(record.fold is not None for record in records),
        "a part in the 60/40 split": sum(record.split is not None for record in records),
    }
    counts = ", ".join(f"{count:,} with {what}" for what, count in has.items())
    return f"{SCUT_FBP5500_PUBLICATION.found(len(records))}, {counts}"


def _scores(files: SourceFiles, names: Sequence[str], path: Path) -> Mapping[str, Score | str]:
    """Score and deviation by image; the published mean takes precedence over that of the ratings.

    An image whose published score cannot be used has the reason.
    """
    ratings = find_file(names, r"All_Ratings\.xlsx")
    rated, unusable = _ratings(files, ratings, path) if ratings else ({}, {})
    labels = find_file(names, r"All_labels\.txt")
    if labels is None:
        return {**{image: score(votes) for image, votes in rated.items()}, **unusable}
    found: dict[str, Score | str] = {}
    for image, cell, *_ in (row for row in read_rows(files, labels, path) if len(row) > 1):
        mean = number(cell)
        one = (
            not_a_number("its score in All_labels.txt", cell)
            if mean is None
            else Score(mean, score(rated[image]).deviation if image in rated else None)
        )
        found[image] = one if found.get(image, one) == one else CONTRADICTED
    return found | {image: reason for image, reason in unusable.items() if image in found}


def _ratings(
    files: SourceFiles, name: str, path: Path
) -> tuple[Mapping[str, list[float]], Mapping[str, str]]:
    """Ratings by image, and the reasons of the images with one that is no number.

    Sheets repeat each other, so each rater counts once for a face.
    """
    by_rater: dict[tuple[str, str], float] = {}
    unusable: dict[str, str] = {}
    for sheet in read_sheets(files, name, path):
        titles = [title.lower() for title in next(sheet, [])]
        if not {"rater", "filename", "rating"} <= set(titles):
            continue
        rater, image, rating = (titles.index(title) for title in ("rater", "filename", "rating"))
        for row in sheet:
            cells = [*row, *[""] * (len(titles) - len(row))]
            if (value := number(cells[rating])) is not None:
                by_rater[cells[rater], cells[image]] = value
            elif cells[rating]:
                unusable[cells[image]] = not_a_number("a rating of it in All_Ratings.xlsx", cells[rating])
    found: defaultdict[str, list[float]] = defaultdict(list)
    for (_, image_name), value in by_rater.items():
        found[image_name].append(value)
    return found, unusable


def _folds(files: SourceFiles, names: Sequence[str], path: Path, images: NamedImages) -> Mapping[str, int]:
    """The fold that tests on each image, from 1."""
    tables: dict[int, str] = {}
    for fold in range(1, FOLDS + 1):
        in_folder = [name for name in names if f"cross_validation_{fold}/" in name.lower()]
        if table := find_file(in_folder, rf"test_{fold}\.txt"):
            tables[fold] = table
    return _parts(files, tables, path, images)


def _sixty_forty(
    files: SourceFiles, names: Sequence[str], path: Path, images: NamedImages
) -> Mapping[str, Split]:
    in_folder = [name for name in names if "60%" in PurePosixPath(name).parent.name]
    patterns: Mapping[Split, str] = {"train": r"train\.txt", "test": r"test\.txt"}
    tables = {part: table for part, pattern in patterns.items() if (table := find_file(in_folder, pattern))}
    return _parts(files, tables, path, images)


def _parts(files: SourceFiles, tables: Mapping[T, str], path: Path, images: NamedImages) -> Mapping[str, T]:
    """The part of a split to which each image belongs.

    Args:
        files: The set.
        tables: The table of each part, which lists its images.
        path: The set, for the error.
        images: Those of the set.

    Raises:
        RequestError: Two parts have the same image, so that one of them would be wrong.
    """
    part_of: dict[str, T] = {}
    listed_at: dict[str, str] = {}
    for part, table in tables.items():
        for line, row in read_numbered_rows(files, table, path):
            here = f"line {line:,} of {table}"
            try:
                file = images.find(row[0])
            except AmbiguousNameError as error:
                raise RequestError(
                    f"{here} in {path} lists {row[0]}, but {error}; spell it as the file is"
                ) from None
            if file is None:
                continue
            first = listed_at.setdefault(file, here)
            if part_of.setdefault(file, part) != part:
                raise RequestError(
                    f"{first} and {here} in {path} both list {PurePosixPath(file).name}, which belongs to one part of "
                    "the split only; delete one of the lines, or get the set again from "
                    f"{SCUT_FBP5500_PUBLICATION.page}"
                )
    return part_of


def _groups(image: str) -> Mapping[str, str]:
    match = re.match(r"[A-Za-z]+", PurePosixPath(image).name)
    gender, race = PREFIXES.get(match[0].upper() if match else "", ("", ""))
    return {"gender": gender, "race": race}


SCUT_FBP5500 = DatasetReader(
    name="scut-fbp5500",
    description="SCUT-FBP5500, 5,500 faces: attractiveness 1-5 with deviation, gender, race, "
    "five folds, 60/40",
    origin="SCUT-FBP5500 (Liang, Lin, Jin, Xie and Li 2018), for non-commercial research only",
    attributes={"attractiveness": SCORES},
    groups=("gender", "race"),
    read=read,
    locate=partial(locate_by_stem, points=points_of_86),
)
