"""ChaLearn LAP 2015 (Escalera et al. 2015): apparent age, the mean and deviation of several guesses.

Train, validation and test each have a table ``name, mean, deviation`` and a folder of images.
"""

from pathlib import Path

from suite.data.dataset_reader import DatasetReader, ReadResult
from suite.data.readers.apparent_age import read_lap
from suite.data.readers.layout import Publication
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange

AGES = LabelRange(0, 100, 1)
LAP2015_PUBLICATION = Publication(
    "ChaLearn LAP 2015",
    "a CSV of name, mean, deviation and a folder of images for each of train, validation and test",
    "https://chalearnlap.cvc.uab.cat (after a registration)",
    4_691,
)


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of LAP 2015.

    Raises:
        RequestError: The table or the images of a split are missing.
    """
    return read_lap(files, path, LAP2015_PUBLICATION, AGES)


LAP2015 = DatasetReader(
    name="lap2015",
    description="ChaLearn LAP 2015, 4,691 photographs: apparent age 3-85 with deviation, official splits",
    origin="ChaLearn LAP 2015 (Escalera et al. 2015), for non-commercial research only",
    attributes={"age": AGES},
    groups=(),
    read=read,
)
