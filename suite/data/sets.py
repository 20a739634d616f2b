"""The public sets that can be packed: a new one is a row here, and a module that reads it."""

from collections.abc import Mapping

from suite.data.reading import Reader
from suite.data.utkface import UTKFACE

READERS: Mapping[str, Reader] = {reader.name: reader for reader in (UTKFACE,)}
