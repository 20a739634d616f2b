"""What the variables of a MATLAB v5 file claim to hold, checked against their bytes before memory is taken for it.

The layout is that of "MAT-File Format" (MathWorks), level 5: elements with a tag of type and size. A few bytes can
claim an array of any number of cells, and a reader takes memory for all of them before it reads the first.
"""

import math
import struct
from dataclasses import dataclass

MATRIX = 14
CELL, STRUCT, OBJECT, SPARSE = 1, 2, 3, 5
_CLASSES = range(1, 16)  # of arrays; the later ones are functions and objects of other kinds
#: The types of elements with values. SciPy looks others up outside of its table, which ends the process.
_VALUES = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17, 18})
_COMPLEX = 0x800  # of the flags of an array
_TAG = 8  # bytes, the least that a cell or a field has
_DEEPEST = 20  # cells within cells


class FalseClaimError(Exception):
    """A variable claims more than its bytes can hold, or is damaged; the message says which, as a clause."""


@dataclass(frozen=True)
class MatElements:
    """The elements of a file, without deflated ones."""

    content: bytes
    order: str  # of the bytes, as for ``struct``

    def check_matrix(self, start: int, end: int, depth: int = 0) -> None:
        """Check an array whose parts, without its tag, are the bytes from ``start`` to ``end``.

        Raises:
            FalseClaimError: It claims more cells than it has bytes for, or its parts do not fill it exactly.
        """
        if start == end:
            return  # an empty array may have no parts
        if depth > _DEEPEST:
            raise FalseClaimError(f"it has cells in cells to a depth of more than {_DEEPEST}")
        flags, at = self._part(start, end)
        shape, at = self._part(at, end)
        _, at = self._part(at, end)  # its name
        kind = self._integers(flags[:4])[0]
        if kind & 0xFF not in _CLASSES:
            raise FalseClaimError("it holds a function, or something else than arrays")
        dimensions = self._integers(shape)
        if min(dimensions, default=-1) < 0:
            raise FalseClaimError("an array has no shape")
        cells = math.prod(dimensions)
        if kind & 0xFF in (CELL, STRUCT, OBJECT):
            at = self._check_cells(kind & 0xFF, cells, at, end, depth)
        else:
            if kind & 0xFF != SPARSE and cells > end - start:
                raise FalseClaimError(f"an array claims {cells:,} values in {end - start:,} bytes")
            # Values, the imaginary part of complex ones, and before them the places of sparse ones.
            for _ in range(1 + bool(kind & _COMPLEX) + 2 * (kind & 0xFF == SPARSE)):
                _, at = self._part(at, end)
        if at != end:
            raise FalseClaimError("the parts of an array do not fill it")

    def _check_cells(self, kind: int, cells: int, at: int, end: int, depth: int) -> int:
        """Check an array of cells, or of structs, and return where its last one ends."""
        count = cells
        if kind == OBJECT:
            _, at = self._part(at, end)  # the name of its class
        if kind in (STRUCT, OBJECT):
            length, at = self._part(at, end)
            names, at = self._part(at, end)
            fields = len(names) // max(self._integers(length[:4])[0], 1)
            count = cells * fields
        if count * _TAG > end - at or cells * _TAG > end:
            raise FalseClaimError(f"an array claims {max(count, cells):,} cells in {end - at:,} bytes")
        for _ in range(count):
            kind_of_part, size, data = self._tag(at, end)
            if kind_of_part != MATRIX:
                raise FalseClaimError("a cell of it is no array")
            self.check_matrix(data, data + size, depth + 1)
            at = data + size
        return at

    def _part(self, at: int, end: int) -> tuple[bytes, int]:
        """The bytes of an element, and where the next one starts; elements begin at multiples of eight bytes."""
        kind, size, data = self._tag(at, end)
        if kind not in _VALUES:
            raise FalseClaimError(f"an element has the unknown type {kind}")
        after = at + _TAG if data == at + 4 else data + -(-size // 8) * 8
        return self.content[data : data + size], min(after, end)

    def _tag(self, at: int, end: int) -> tuple[int, int, int]:
        """Type, size and place of the data of an element; a small one has them and its data in eight bytes."""
        if at + _TAG > end:
            raise FalseClaimError("it ends within an element")
        first, size = struct.unpack_from(f"{self.order}II", self.content, at)
        kind, size, data = (first & 0xFFFF, first >> 16, at + 4) if first >> 16 else (first, size, at + _TAG)
        if data + size > (at + _TAG if first >> 16 else end):
            raise FalseClaimError("an element is longer than what it is in")
        return kind, size, data

    def _integers(self, content: bytes) -> tuple[int, ...]:
        if not content or len(content) % 4:
            raise FalseClaimError("an element is too short")
        return struct.unpack(f"{self.order}{len(content) // 4}i", content)
