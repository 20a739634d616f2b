"""The data sets that can be packed. To add one, write a reader in ``suite.data.readers`` and add a row."""

from collections.abc import Mapping

from suite.data.dataset_reader import DatasetReader
from suite.data.readers.afad import AFAD
from suite.data.readers.agedb import AGEDB
from suite.data.readers.appa_real import APPA_REAL, APPA_REAL_REAL
from suite.data.readers.cacd2000 import CACD2000
from suite.data.readers.fgnet import FGNET
from suite.data.readers.lap2015 import LAP2015
from suite.data.readers.lap2016 import LAP2016
from suite.data.readers.manifest import MANIFEST
from suite.data.readers.morph import MORPH
from suite.data.readers.scut_fbp import SCUT_FBP
from suite.data.readers.scut_fbp5500 import SCUT_FBP5500
from suite.data.readers.utkface import UTKFACE

READERS: Mapping[str, DatasetReader] = {
    reader.name: reader
    for reader in (
        UTKFACE,
        LAP2015,
        LAP2016,
        APPA_REAL,
        APPA_REAL_REAL,
        MORPH,
        AFAD,
        AGEDB,
        CACD2000,
        FGNET,
        SCUT_FBP,
        SCUT_FBP5500,
        MANIFEST,
    )
}
