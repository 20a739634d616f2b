"""SCUT-FBP (Xie et al. 2015): attractiveness of 500 Asian women, rated by about 70 people from 1 to 5.

Image names end in a number from 1 to 500 (``SCUT-FBP-1.jpg``). There is a table of the labels (columns Image,
Attractiveness label and Standard Deviation), one of the ratings, or one with both. The ratings are long, as the set
publishes them (columns Rater, image, Rating, a row for each rating), or wide (a column for each rater). Deviations are
those of a sample, as in the published table.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.layout import (
    CONTRADICTED,
    Publication,
    is_image,
    no_image,
    out_of_range,
    sorted_result,
    visible,
)
from suite.data.readers.ratings import Score, score
from suite.data.readers.spreadsheets import read_sheets
from suite.data.readers.tables import has_decimal_comma, is_text_table, not_a_number, number, rows_if_table
from suite.data.readers.text_tables import Row
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange
from suite.errors import RequestError

SCORES = LabelRange(1, 5, 0.1)
SCUT_FBP_PUBLICATION = Publication(
    "SCUT-FBP",
    "images numbered 1 to 500 and a table (xlsx or CSV) of their ratings",
    "http://www.hcii-lab.net/data/SCUT-FBP/EN/introduce.html",
    500,
)
# A letter before the number, as in AF12.jpg, belongs to another set.
_NUMBER = re.compile(r"(?:SCUT.?FBP.?)?0*(?P<number>[0-9]{1,3})(?:\.[A-Za-z]+)?", re.IGNORECASE)
_MEAN = re.compile(r"label|mean|average|score|attract", re.IGNORECASE)
_DEVIATION = re.compile(r"deviation|std|\bsd\b", re.IGNORECASE)
_RATER = re.compile(r"rater|user|annotator|observer|participant", re.IGNORECASE)
_IMAGE = re.compile(r"image|picture|photo|file", re.IGNORECASE)
_RATING = re.compile(r"rating|score|label|attract", re.IGNORECASE)


@dataclass(frozen=True)
class _Layout:
    """What the columns of a table are, counted from 0."""

    first: int  # row below the titles
    image: int
    ratings: tuple[int, ...]
    mean: int | None = None
    deviation: int | None = None
    is_long: bool = False  # a row is one rating


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of SCUT-FBP.

    Raises:
        RequestError: The images or the table are missing, or openpyxl is not installed for a spreadsheet.
    """
    names = visible(files)
    images: dict[int, str] = {}
    for name in sorted(filter(is_image, names), key=lambda name: (name.count("/"), name)):
        if (found := _numbered(PurePosixPath(name).name)) is not None:
            images.setdefault(found, name)
    scores, unusable, faulty = _scores(files, names, path)
    if not scores and not faulty:
        raise SCUT_FBP_PUBLICATION.missing(path, names, "table of ratings")
    records: list[ImageRecord] = []
    skipped: list[SkippedFile] = []
    for image in sorted({*scores, *faulty}):
        rated = scores.get(image)
        if image not in images:
            skipped.append(no_image(f"image {image}", "the table of ratings"))
        elif rated is None or image in faulty:
            skipped.append(SkippedFile(images[image], faulty[image], lost=True))
        elif reason := out_of_range("attractiveness", rated.mean, SCORES):
            skipped.append(SkippedFile(images[image], reason))
        else:
            deviations = {} if rated.deviation is None else {"attractiveness": rated.deviation}
            records.append(ImageRecord(images[image], {"attractiveness": rated.mean}, deviations=deviations))
    if not records and images.keys().isdisjoint(faulty):
        raise SCUT_FBP_PUBLICATION.missing(path, names, "image that the table of ratings names")
    unrated = images.keys() - scores.keys() - faulty.keys()
    skipped += [SkippedFile(images[n], "no table has a rating of it", lost=True) for n in unrated]
    with_deviation = sum(bool(record.deviations) for record in records)
    found_them = f"{SCUT_FBP_PUBLICATION.found(len(records))}, {with_deviation:,} with a deviation"
    if unusable:
        found_them += f", {unusable:,} ratings outside of {SCORES.low:g} to {SCORES.high:g} left out"
    return sorted_result(records, skipped, found_them)


def _scores(
    files: SourceFiles, names: Sequence[str], path: Path
) -> tuple[Mapping[int, Score], int, Mapping[int, str]]:
    """The scores by image from all tables, the number of ratings out of range, and why an image cannot be used.

    What the set publishes takes precedence over what its ratings give. Of several tables with ratings of an image the
    one with most of them counts, because tables repeat each other.
    """
    published: dict[int, Score] = {}
    ratings: dict[int, list[float]] = {}
    faulty: dict[int, str] = {}
    unusable = 0
    for name, rows in _tables(files, names, path):
        layout = _layout(rows, f"{name} of {path}")
        if layout is None:
            continue
        faulty |= _unreadable(rows, layout, PurePosixPath(name).name)
        of_table = _ratings_of(rows, layout, f"{name} of {path}")
        for image, given in of_table.items():
            usable = [rating for rating in given if SCORES.low <= rating <= SCORES.high]
            unusable += (len(given) - len(usable)) if layout.is_long else 0
            if usable and len(usable) > len(ratings.get(image, ())):
                ratings[image] = usable
        for row in rows[layout.first :]:
            image_of_row, mean = _numbered(_cell(row, layout.image)), number(_cell(row, layout.mean))
            if image_of_row is not None and mean is not None:
                one = Score(mean, number(_cell(row, layout.deviation)))
                joined_rows = _joined(published.get(image_of_row, one), one)
                if joined_rows is None:
                    faulty[image_of_row] = CONTRADICTED
                else:
                    published[image_of_row] = joined_rows
    rated = {image: score(given, sample=True) for image, given in ratings.items() if len(given) > 1}
    joined = {
        image: Score(
            known.mean,
            rated[image].deviation if known.deviation is None and image in rated else known.deviation,
        )
        for image, known in (rated | published).items()
    }
    return joined, unusable, faulty


def _joined(one: Score, other: Score) -> Score | None:
    """What two rows of an image say together, where an empty cell says nothing; None where they contradict."""
    known = [score.deviation for score in (one, other) if score.deviation is not None]
    if one.mean != other.mean or len(set(known)) > 1:
        return None
    return Score(one.mean, next(iter(known), None))


def _unreadable(rows: Sequence[Row], layout: _Layout, table: str) -> Mapping[int, str]:
    """Why images cannot be used that have a cell which is no number.

    The ratings of a wide table are all columns that are nothing else, so of them only a decimal comma counts.
    """
    found: dict[int, str] = {}
    for row in rows[layout.first :]:
        image = _numbered(_cell(row, layout.image))
        for column in (layout.mean, layout.deviation, *layout.ratings) if image is not None else ():
            cell = _cell(row, column)
            is_label = column in (layout.mean, layout.deviation) or layout.is_long
            if cell and number(cell) is None and (is_label or has_decimal_comma(cell)):
                what = "its deviation" if column == layout.deviation else "its score or a rating of it"
                found[image or 0] = not_a_number(f"{what} in {table}", cell)
    return found


def _ratings_of(rows: Sequence[Row], layout: _Layout, source: str) -> Mapping[int, list[float]]:
    """All numbers in the columns of ratings, by image."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for row in rows[layout.first :]:
        image = _numbered(_cell(row, layout.image))
        given = [value for n in layout.ratings if (value := number(_cell(row, n))) is not None]
        if image is None or not given:
            continue
        if image in found and not layout.is_long:
            raise RequestError(
                f"{source} has several rows of image {image}; if a row is one rating, title the columns rater, image "
                "and rating"
            )
        found[image] += given
    return found


def _layout(rows: Sequence[Row], source: str) -> _Layout | None:
    """Tell what the columns of a table are: by their titles, or else by their values."""
    if len(rows) < 2:
        return None
    has_titles = any(cell and number(cell) is None for cell in rows[0]) and _numbered(rows[0][0]) is None
    titles, first = (rows[0], 1) if has_titles else ([""] * len(rows[0]), 0)
    raters, images, scores = (
        [n for n, t in enumerate(titles) if p.search(t)] for p in (_RATER, _IMAGE, _RATING)
    )
    if len(raters) == len(images) == len(scores) == 1:
        return _Layout(first, images[0], tuple(scores), is_long=True)
    image = images[0] if images else 0
    if len(titles) == 3 and not any(p.search(t) for t in titles for p in (_MEAN, _DEVIATION)):
        named = [_cell(row, image) for row in rows[first:]]
        if len(set(named)) < len(named):  # a row is one rating
            return _Layout(first, _image_column(rows[first:], source), (2,), is_long=True)
    mean = next(
        (n for n, t in enumerate(titles) if n != image and _MEAN.search(t) and not _DEVIATION.search(t)), None
    )
    deviation = next((n for n, t in enumerate(titles) if _DEVIATION.search(t)), None)
    others = tuple(n for n in range(max(map(len, rows))) if n not in (image, mean, deviation))
    return _Layout(first, image, others, mean, deviation)


def _image_column(rows: Sequence[Row], source: str) -> int:
    """Which of the first two columns of single ratings is the image: there are more images than raters."""
    counts = [len({_cell(row, n) for row in rows}) for n in (0, 1)]
    if counts[0] == counts[1]:
        raise RequestError(
            f"{source} does not say which column is the image; title its columns rater, image and rating"
        )
    return counts.index(max(counts))


def _cell(row: Row, column: int | None) -> str:
    return row[column] if column is not None and column < len(row) else ""


def _tables(files: SourceFiles, names: Sequence[str], path: Path) -> Iterator[tuple[str, list[Row]]]:
    # Text is read first, because a complete table makes openpyxl unnecessary.
    for name in filter(is_text_table, names):
        yield name, rows_if_table(files, name, path)
    for name in names:
        if name.lower().endswith(".xlsx"):
            yield from ((name, list(sheet)) for sheet in read_sheets(files, name, path))
        elif name.lower().endswith(".xls"):
            raise RequestError(
                f"{name} of {path} is a spreadsheet in an old format; save it as xlsx or CSV in the same folder"
            )


def _numbered(text: str) -> int | None:
    """The number of an image, from 1 to 500, at the end of its name or alone (7.0 in a spreadsheet)."""
    match = _NUMBER.fullmatch(text.removesuffix(".0"))
    image = int(match["number"]) if match else 0
    return image if 1 <= image <= SCUT_FBP_PUBLICATION.images else None


SCUT_FBP = DatasetReader(
    name="scut-fbp",
    description="SCUT-FBP, 500 faces: attractiveness 1-5 with deviation",
    origin="SCUT-FBP (Xie, Liang, Jin, Xu and Li 2015), for non-commercial research only",
    attributes={"attractiveness": SCORES},
    groups=(),
    read=read,
)
