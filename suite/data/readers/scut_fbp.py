"""SCUT-FBP (Xie et al. 2015): attractiveness of 500 Asian women, rated by about 70 people from 1 to 5.

Image names end in a number from 1 to 500 (``SCUT-FBP-1.jpg``). There is a table of the mean (columns Image
and Attractiveness label), one of the ratings (a column a rater), or one with both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.layout import Publication, is_image, no_image, out_of_range, sorted_result, visible
from suite.data.readers.ratings import Score, score
from suite.data.readers.tables import Row, number, read_rows, read_sheets
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
    scores = _scores(files, names, path)
    if not scores:
        raise SCUT_FBP_PUBLICATION.missing(path, names, "table of ratings")
    records: list[ImageRecord] = []
    skipped: list[SkippedFile] = []
    for image, rated in sorted(scores.items()):
        if image not in images:
            skipped.append(no_image(f"image {image}", "the table of ratings"))
        elif reason := out_of_range("attractiveness", rated.mean, SCORES):
            skipped.append(SkippedFile(images[image], reason))
        else:
            deviations = {} if rated.deviation is None else {"attractiveness": rated.deviation}
            records.append(ImageRecord(images[image], {"attractiveness": rated.mean}, deviations=deviations))
    if not records:
        raise SCUT_FBP_PUBLICATION.missing(path, names, "image that the table of ratings names")
    skipped += [SkippedFile(images[n], "no table has a rating of it") for n in images.keys() - scores.keys()]
    with_deviation = sum(bool(record.deviations) for record in records)
    found_them = f"{SCUT_FBP_PUBLICATION.found(len(records))}, {with_deviation:,} with a deviation"
    return sorted_result(records, skipped, found_them)


def _scores(files: SourceFiles, names: Sequence[str], path: Path) -> Mapping[int, Score]:
    """The scores by image from all tables; a score with a deviation takes precedence."""
    scores: dict[int, Score] = {}
    for rows in _tables(files, names, path):
        for image, rated in _scores_of(rows).items():
            if image not in scores or scores[image].deviation is None:
                mean = scores[image].mean if image in scores else rated.mean
                scores[image] = Score(mean, rated.deviation)
    return scores


def _tables(files: SourceFiles, names: Sequence[str], path: Path) -> Iterator[list[Row]]:
    # A CSV is read first, because a complete one makes openpyxl unnecessary.
    plain = [name for name in names if name.lower().endswith((".csv", ".txt"))]
    yield from (list(read_rows(files, name, path)) for name in plain)
    for name in names:
        if name.lower().endswith(".xlsx"):
            yield from (list(sheet) for sheet in read_sheets(files, name, path))
        elif name.lower().endswith(".xls"):
            raise RequestError(
                f"{name} of {path} is a spreadsheet in an old format; save it as xlsx or CSV in the same folder"
            )


def _scores_of(rows: Sequence[Row]) -> Mapping[int, Score]:
    """The scores of a table. Its title marks a column of means; other columns of numbers are raters."""
    if len(rows) < 2:
        return {}
    titles = rows[0]
    means = [n for n, title in enumerate(titles) if n and _MEAN.search(title)]
    scores: dict[int, Score] = {}
    for row in rows[1:]:
        image = _numbered(row[0]) if row else None
        values = {n: value for n, cell in enumerate(row) if n and (value := number(cell)) is not None}
        ratings = [
            value for n, value in values.items() if n not in means and SCORES.low <= value <= SCORES.high
        ]
        if image is None or not values:
            continue
        rated = score(ratings) if len(ratings) > 1 else None
        mean = next((values[n] for n in means if n in values), rated.mean if rated else None)
        if mean is not None:
            scores[image] = Score(mean, rated.deviation if rated else None)
    return scores


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
