"""Some rows of vectors, as all writers get them: in blocks, so that memory does not grow with the matrix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedhub.vectors.vectors import Vectors

Advance = Callable[[int], None]
"""Called with the number of rows that have been written."""

_BLOCK = 1 << 20  # bytes of the matrix


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be written.

    Args:
        vectors: Where the rows are.
        rows: ``(k,)`` int64, ascending.
    """

    vectors: Vectors
    rows: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows, and their dim."""
        return len(self.rows), self.vectors.dim

    def words(self) -> Iterator[list[str]]:
        """Give the words in blocks."""
        for rows in self._rows():
            yield self._words(rows)

    def blocks(self) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """Give words and rows in blocks; the rows in C order, little-endian."""
        for rows in self._rows():
            yield self._words(rows), np.ascontiguousarray(self.vectors.matrix[rows], "<f4")

    def matrix(self) -> Iterator[NDArray[np.float32]]:
        """Give the rows in blocks, in C order, little-endian."""
        for rows in self._rows():
            yield np.ascontiguousarray(self.vectors.matrix[rows], "<f4")

    def _rows(self) -> Iterator[NDArray[np.int64]]:
        step = max(1, _BLOCK // (4 * self.vectors.dim))
        for start in range(0, len(self.rows), step):
            yield self.rows[start : start + step]

    def _words(self, rows: NDArray[np.int64]) -> list[str]:
        first, last = int(rows[0]), int(rows[-1])
        if last - first + 1 == len(rows):  # neighbours are decoded at once
            return self.vectors.words[first : last + 1]
        return [self.vectors.words[row] for row in rows.tolist()]


def is_utf8(word: str) -> bool:
    """Tell whether the bytes of a word are UTF-8: those that are not travel as surrogate escapes."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
