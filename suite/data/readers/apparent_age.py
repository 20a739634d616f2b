"""What the sets of apparent age by ChaLearn share: a table of means and deviations for each split."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import ImageRecord, ReadResult, SkippedFile
from suite.data.readers.layout import (
    SPLITS,
    NamedImages,
    Publication,
    count_of_splits,
    no_image,
    out_of_range,
    sorted_result,
    split_of,
    visible,
)
from suite.data.readers.tables import number, read_rows
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split


@dataclass(frozen=True)
class Guessed:
    """What a table says of an image."""

    image: str
    age: float
    deviation: float | None
    groups: Mapping[str, str] = field(default_factory=dict)


def read_lap(files: SourceFiles, path: Path, publication: Publication, ages: LabelRange) -> ReadResult:
    """Read a set with a table ``image, mean, deviation`` for each of three splits.

    A table and the images of a split are told by a folder or file name with train, val or test in it.

    Raises:
        RequestError: the table of a split, or all of its images, are not there.
    """
    names = visible(files)
    tables: dict[Split, str] = {}
    guesses: dict[Split, list[Guessed]] = {}
    for name in (name for name in names if name.lower().endswith((".csv", ".txt"))):
        split = split_of(name)
        if split and (found := _means(read_rows(files, name, path))):
            tables[split], guesses[split] = name, found
    return join_images(path, names, publication, ages, tables, guesses)


def join_images(
    path: Path,
    names: Sequence[str],
    publication: Publication,
    ages: LabelRange,
    tables: Mapping[Split, str],
    guesses: Mapping[Split, Sequence[Guessed]],
) -> ReadResult:
    """The records of the images that the tables of the splits name.

    Raises:
        RequestError: the table of a split, or all of its images, are not there.
    """
    records: dict[str, ImageRecord] = {}
    skipped: list[SkippedFile] = []
    for split in SPLITS:
        if split not in tables:
            raise publication.missing(path, names, f"table of its {split} images")
        table = PurePosixPath(tables[split]).name
        # Splits number their images alike: one of another split is not taken for one of this.
        images = NamedImages(name for name in names if split_of(name) in (split, None))
        found = [_record(guess, images, split, table, ages) for guess in guesses[split]]
        if not any(isinstance(one, ImageRecord) for one in found):
            raise publication.missing(path, names, f"image that {table} names")
        for one in found:
            if isinstance(one, SkippedFile):
                skipped.append(one)
            elif one.file in records:
                skipped.append(SkippedFile(one.file, f"{table} names it, and so does that of another split"))
            else:
                records[one.file] = one
    counts = count_of_splits(records.values())
    return sorted_result(
        records.values(), skipped, f"{publication.found(len(records))}; official splits {counts}"
    )


def _record(
    guess: Guessed, images: NamedImages, split: Split, table: str, ages: LabelRange
) -> ImageRecord | SkippedFile:
    if not guess.image:
        return SkippedFile(table, "a row with an age names no image", lost=True)
    file = images.find(f"{guess.image}_face.jpg") or images.find(guess.image)
    if file is None:
        return no_image(guess.image, table)
    if reason := out_of_range("age", guess.age, ages):
        return SkippedFile(file, reason)
    deviations = {} if guess.deviation is None else {"age": guess.deviation}
    return ImageRecord(file, {"age": guess.age}, guess.groups, deviations, split=split)


def _means(rows: Iterable[Sequence[str]]) -> list[Guessed]:
    """The rows of three cells, of which two are numbers; none of a table with the votes one by one."""
    found: dict[str, Guessed] = {}
    for row in rows:
        if len(row) == 3 and (age := number(row[1])) is not None:
            if row[0] in found:
                return []
            found[row[0]] = Guessed(row[0], age, number(row[2]))
    return list(found.values())
