"""ChaLearn LAP 2016 (Escalera et al. 2016): apparent age, the mean and deviation of about 38 guesses.

The tables ``train_gt.csv``, ``valid_gt.csv`` and ``test_gt.csv`` have the columns image, mean and stdv; the
images are in ``train/``, ``valid/`` and ``test/``.
"""

from pathlib import Path

from suite.data.dataset_reader import DatasetReader, ReadResult
from suite.data.readers.apparent_age import read_lap
from suite.data.readers.layout import Publication
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange

AGES = LabelRange(0, 100, 1)
LAP2016_PUBLICATION = Publication(
    "ChaLearn LAP 2016",
    "train_gt.csv, valid_gt.csv, test_gt.csv of image, mean, stdv and the folders train/, valid/ and test/",
    "https://chalearnlap.cvc.uab.cat/dataset/19/description/ (after a registration)",
    7_591,
)


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of LAP 2016.

    Raises:
        RequestError: The table or the images of a split are missing.
    """
    return read_lap(files, path, LAP2016_PUBLICATION, AGES)


LAP2016 = DatasetReader(
    name="lap2016",
    description="ChaLearn LAP 2016, 7,591 photographs: apparent age 0-96 with deviation, official splits",
    origin="ChaLearn LAP 2016 (Escalera et al. 2016), for non-commercial research only",
    attributes={"age": AGES},
    groups=(),
    read=read,
)
