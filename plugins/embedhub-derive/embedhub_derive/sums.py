"""Sums of sources: their vectors side by side, over the union of their words."""

import mmap
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from embedhub import Vectors
from embedhub_derive.table import BLOCK, DoubleBlock


def blocks_of(vectors: Vectors) -> Iterator[DoubleBlock]:
    """Yield the words and vectors of a source, in its order."""
    for start in range(0, len(vectors), BLOCK):
        rows = slice(start, min(start + BLOCK, len(vectors)))
        yield list(vectors.words[rows]), vectors.matrix[rows].astype(np.float64)
        _release(vectors.matrix)


def _release(matrix: NDArray[np.float32]) -> None:
    """Give pages of a mapped file back to the system, which otherwise count as memory of this process."""
    owner: object = matrix
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
        owner.madvise(mmap.MADV_DONTNEED)


def concatenated(parts: Sequence[Vectors], missing: Sequence[NDArray[np.float64]]) -> Iterator[DoubleBlock]:
    """Yield the union of the words: those of the first source, then those that only the second one has, ...

    Words are the same if all their characters are: fallbacks are not applied.

    Args:
        parts: The sources.
        missing: For each source, the vector of the words that it lacks.
    """
    for number, part in enumerate(parts):
        for all_words, all_vectors in blocks_of(part):
            words, vectors = all_words, all_vectors
            earlier = [other.words.indices(words) >= 0 for other in parts[:number]]
            if earlier:
                new = ~np.logical_or.reduce(earlier)
                words, vectors = (
                    [word for word, is_new in zip(words, new, strict=True) if is_new],
                    vectors[new],
                )
            if not words:
                continue
            columns = [np.broadcast_to(vector, (len(words), len(vector))) for vector in missing[:number]]
            columns.append(vectors)
            for other, vector in zip(parts[number + 1 :], missing[number + 1 :], strict=True):
                rows = other.words.indices(words)
                column = other.matrix[np.maximum(rows, 0)].astype(np.float64)
                column[rows < 0] = vector
                columns.append(column)
                _release(other.matrix)
            yield words, np.concatenate(columns, axis=1)
