"""Mean and principal directions of a table, in one pass over its blocks."""

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import VocabularyError
from embedhub_derive.table import Table


def mean_of(table: Table) -> NDArray[np.float64]:
    """Return the mean of all vectors, ``(dim,)``."""
    total, count = np.zeros(table.dim), 0
    for words, vectors in table.blocks():
        total += vectors.sum(axis=0)
        count += len(words)
    return total / max(count, 1)


def principal_directions(
    table: Table, count: int, step: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean ``(dim,)``, and the directions of the largest variance around it, ``(dim, count)``.

    They are eigenvectors of the covariance, which is summed in float64, block after block, around the mean of
    the first block, so that it loses no digits where the mean is large. The largest number of each direction,
    by its absolute value, is positive, since an eigenvector has no sign of its own.

    Args:
        table: The vectors.
        count: How many directions.
        step: The step that needs them, for messages.

    Raises:
        VocabularyError: There are fewer words than directions.
    """
    total, products, words = np.zeros(table.dim), np.zeros((table.dim, table.dim)), 0
    origin: NDArray[np.float64] | None = None
    for block, vectors in table.blocks():
        origin = vectors.mean(axis=0) if origin is None else origin
        moved = vectors - origin
        total += moved.sum(axis=0)
        products += moved.T @ moved
        words += len(block)
    if origin is None or words < count:
        raise VocabularyError(f"{step} needs at least {count:,} words; the vectors before it have {words:,}.")
    shift = total / words
    _, vectors = np.linalg.eigh(products / words - np.outer(shift, shift))
    directions = vectors[:, ::-1][:, :count]
    largest = np.abs(directions).argmax(axis=0)
    signs = np.where(directions[largest, np.arange(count)] < 0, -1.0, 1.0)
    return origin + shift, np.ascontiguousarray(directions * signs)
