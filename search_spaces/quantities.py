"""Counts and lengths as people write them: 900000, 900k, 1M, 3.8MB; 24 epochs, or 4x those of the search."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from search_spaces.validation import requirement

#: Decimal, as in "0.9 M parameters"; a B after it says bytes and changes nothing.
FACTORS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
LARGEST = 10**15
_WRITTEN = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([kKmMgG]?)[bB]?", re.ASCII)


def counted(written: Any) -> Any:
    """Return a count from its text, rounded down; other values are returned as they are.

    Raises:
        PydanticCustomError: The text is not a count.
    """
    if isinstance(written, float) and written.is_integer():
        return int(written)  # 1e6
    if not isinstance(written, str):
        return written
    match = _WRITTEN.fullmatch(written.strip().replace("_", ""))
    if match is None:
        raise requirement("it must be a count such as 900000, 900k, 1M or 4MB")
    return int(Decimal(match[1]) * FACTORS[match[2].upper()])


MOST_EPOCHS = 100_000
_TIMES = re.compile(r"[1-9]\d{0,2}x", re.ASCII)


def _length(written: Any) -> Any:
    """Return a length of training as it is.

    Raises:
        PydanticCustomError: It is neither a number of epochs nor a factor.
    """
    if isinstance(written, str) and _TIMES.fullmatch(written):
        return written
    if isinstance(written, int) and not isinstance(written, bool) and 1 <= written <= MOST_EPOCHS:
        return written
    raise requirement("it must be a number of epochs such as 24, or a factor such as 4x")


#: Epochs, or how many times those of another training, from 1x to 999x.
Length = Annotated[int | str, BeforeValidator(_length)]
Count = Annotated[int, BeforeValidator(counted), Field(ge=1, le=LARGEST)]
