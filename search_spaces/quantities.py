"""Counts as people write them: 900000, 900k, 1M, 3.8MB."""

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


Count = Annotated[int, BeforeValidator(counted), Field(ge=1, le=LARGEST)]
