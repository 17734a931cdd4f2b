"""Validation of the arguments of `Vectors`."""

import operator
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_keywords(unknown: Collection[str]) -> None:
    """Refuse keywords of `most_similar`, such as gensim's."""
    if unknown:
        raise TypeError(
            f"most_similar has no {'=, '.join(unknown)}=; it takes one word or vector, and topn. Add and "
            "subtract vectors: most_similar(vectors['king'] - vectors['man'] + vectors['woman']), or use "
            "analogy('man', 'king', 'woman')."
        )


def check_topn(topn: Any) -> int:
    """Return a valid number of results as an int."""
    try:
        number = operator.index(topn)
    except TypeError:
        raise TypeError(f"topn is {topn!r}; expected an integer of 1 or more.") from None
    if number < 1:
        raise ValueError(f"topn is {topn!r}; expected 1 or more.")
    return number


def checked_query(query: ArrayLike, dim: int) -> NDArray[np.float32]:
    """Return a query vector as a float32 array of shape ``(dim,)``."""
    expected = f"expected a word, or a vector of shape ({dim},)"
    try:
        vector = np.asarray(query, np.float32)
    except (TypeError, ValueError):
        raise TypeError(
            f"query is {query!r:.60}; {expected}. Of several words, pass the mean of their vectors: "
            "vectors.lookup(words).mean(axis=0)."
        ) from None
    if vector.shape != (dim,):
        raise ValueError(f"query has shape {vector.shape}; {expected}.")
    return vector


def checked_matrix(matrix: ArrayLike, rows: int) -> NDArray[np.float32]:
    """Return a read-only view of a caller's matrix as float32; a copy only where it has another dtype."""
    try:
        checked = np.asarray(matrix, np.float32)
    except (TypeError, ValueError) as error:
        raise TypeError(f"matrix does not consist of numbers, in rows of one length ({error}).") from error
    if checked.ndim != 2 or len(checked) != rows or not checked.size:  # noqa: PLR2004 - rows and columns
        raise ValueError(f"matrix has shape {checked.shape}; expected ({rows}, dim), a row for each word.")
    if not np.isfinite(checked).all():
        (row,) = np.flatnonzero(~np.isfinite(checked).all(axis=1))[:1]
        raise ValueError(f"matrix has NaN or infinity in row {row}; expected finite float32 numbers.")
    checked = checked.view()
    checked.flags.writeable = False
    return checked
