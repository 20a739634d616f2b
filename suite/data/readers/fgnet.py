"""FG-NET (2002): real ages of 82 people from childhood on, in file names.

Images are ``images/[subject]A[age].JPG``, with a letter after the age where a person has several images of
one age, and the ``A`` in either case. The usual protocol leaves one person out: each fold tests on one
person.
"""

import dataclasses
import re
from functools import partial
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.landmarks import locate_by_stem, points_of_fgnet
from suite.data.readers.layout import Publication, is_image, out_of_range, read_names, visible
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange

AGES = LabelRange(0, 69, 1)
FGNET_PUBLICATION = Publication(
    "FG-NET", "images [subject]A[age].JPG", "https://yanweifu.github.io/FG_NET_data/", 1_002
)

_NAME = re.compile(r"(?P<subject>[0-9]{1,3})[Aa](?P<age>[0-9]{1,2})[A-Za-z]?\.[A-Za-z]+")


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of FG-NET; the fold of an image is the number of its person.

    Raises:
        RequestError: No image has a name as in FG-NET.
    """
    names = visible(files)
    records, skipped = read_names(filter(is_image, names), _parse)
    if not records:
        raise FGNET_PUBLICATION.missing(path, names)
    people = {subject: n for n, subject in enumerate(sorted({record.subject for record in records}), start=1)}
    records = [dataclasses.replace(record, fold=people[record.subject]) for record in records]
    found = f"{FGNET_PUBLICATION.found(len(records))} of {len(people)} people"
    return ReadResult(records, skipped, found)


def _parse(name: str) -> ImageRecord | SkippedFile:
    match = _NAME.fullmatch(PurePosixPath(name).name)
    if match is None:
        return SkippedFile(name, "the name is not [subject]A[age].JPG")
    age = int(match["age"])
    if reason := out_of_range("age", age, AGES):
        return SkippedFile(name, reason)
    return ImageRecord(name, {"age": age}, subject=match["subject"].zfill(3))


FGNET = DatasetReader(
    name="fgnet",
    description="FG-NET, 1,002 photographs of 82 people: age 0-69, subjects, leave one person out",
    origin="FG-NET Aging Database (2002), for research only",
    attributes={"age": AGES},
    groups=(),
    read=read,
    locate=partial(locate_by_stem, points=points_of_fgnet),
)
