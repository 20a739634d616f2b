"""AFAD (Niu et al. 2016): real ages of Asian faces, by folder.

Images are ``AFAD-Full/[age]/[111 male or 112 female]/[number]-[k].jpg``; AFAD-Lite has the same layout. The number
is not taken for a person: in the published lists 647 of the 1,482 numbers with several faces are those of men and of
women, always of one age. It is probably that of a photograph.
"""

import re
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.layout import Publication, is_image, out_of_range, read_names, visible, without_copies
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange

AGES = LabelRange(15, 72, 1)
GENDERS = {"111": "male", "112": "female"}
LITE = 59_344  # images of AFAD-Lite
AFAD_PUBLICATION = Publication(
    "AFAD", "images [age]/[111 or 112]/[number]-[k].jpg", "https://afad-dataset.github.io/", 164_432
)

_PATH = re.compile(r"(?:.*/)?(?P<age>[0-9]{1,3})/(?P<gender>11[12])/[0-9]+-[0-9]+\.[A-Za-z]+")


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of AFAD, each once by its content.

    Raises:
        RequestError: No image has a path as in AFAD.
    """
    names = visible(files)
    records, skipped = read_names(filter(is_image, names), _parse, parts=3)
    if not records:
        raise AFAD_PUBLICATION.missing(path, names)
    records, copies = without_copies(files, records)
    found = "AFAD-Lite" if len(records) == LITE else AFAD_PUBLICATION.found(len(records))
    return ReadResult(records, sorted([*skipped, *copies], key=lambda one: one.file), found)


def _parse(name: str) -> ImageRecord | SkippedFile:
    match = _PATH.fullmatch(name)
    if match is None:
        return SkippedFile(
            name,
            f"the path of {PurePosixPath(name).name} does not end in [age]/[111 or 112]/[number]-[k].jpg",
        )
    age = int(match["age"])
    if reason := out_of_range("age", age, AGES):
        return SkippedFile(name, reason)
    return ImageRecord(name, {"age": age}, {"gender": GENDERS[match["gender"]]})


AFAD = DatasetReader(
    name="afad",
    description="AFAD, 164,432 Asian faces (Lite: 59,344): age 15-72, gender",
    origin="AFAD (Niu, Zhou, Wang, Gao and Hua 2016), for non-commercial research only",
    attributes={"age": AGES},
    groups=("gender",),
    read=read,
)
