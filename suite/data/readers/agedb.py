"""AgeDB (Moschoglou et al. 2017): real ages of well-known people, in file names.

Images are ``[n]_[Name]_[age]_[m or f].jpg``, all in one folder. The name is the subject.
"""

import re
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.layout import Publication, is_image, out_of_range, read_names, visible
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange

AGES = LabelRange(1, 101, 1)
GENDERS = {"m": "male", "f": "female"}
AGEDB_PUBLICATION = Publication(
    "AgeDB", "images [n]_[Name]_[age]_[m or f].jpg", "https://ibug.doc.ic.ac.uk/resources/agedb/", 16_488
)

_NAME = re.compile(r"[0-9]+_(?P<subject>.+)_(?P<age>[0-9]{1,3})_(?P<gender>[mfMF])\.[A-Za-z]+")


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of AgeDB.

    Raises:
        RequestError: No image has a name as in AgeDB.
    """
    names = visible(files)
    records, skipped = read_names(filter(is_image, names), _parse)
    if not records:
        raise AGEDB_PUBLICATION.missing(path, names)
    return ReadResult(records, skipped, AGEDB_PUBLICATION.found(len(records)))


def _parse(name: str) -> ImageRecord | SkippedFile:
    match = _NAME.fullmatch(PurePosixPath(name).name)
    if match is None:
        return SkippedFile(name, "the name is not [n]_[Name]_[age]_[m or f].jpg")
    age = int(match["age"])
    if reason := out_of_range("age", age, AGES):
        return SkippedFile(name, reason)
    gender = GENDERS[match["gender"].lower()]
    return ImageRecord(name, {"age": age}, {"gender": gender}, subject=match["subject"])


AGEDB = DatasetReader(
    name="agedb",
    description="AgeDB, 16,488 faces of well-known people: age 1-101, gender, subjects",
    origin="AgeDB (Moschoglou et al. 2017), for non-commercial research only",
    attributes={"age": AGES},
    groups=("gender",),
    read=read,
)
