"""Validation of the arguments of `Vectors`."""

import operator
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_topn(topn: Any) -> int:
    """Return a valid number of results as an int."""
    try:
        number = operator.index(topn)
    except TypeError:
        raise TypeError(f"topn is {topn!r}; expected an integer of 1 or more.") from None
    if number < 1:
        raise ValueError(f"topn is {topn!r}; expected 1 or more.")
    return number


def check_restriction(restrict_vocab: Any, words: int) -> int:
    """Return the number of words to search."""
    if restrict_vocab is None:
        return words
    try:
        number = operator.index(restrict_vocab)
    except TypeError:
        raise TypeError(
            f"restrict_vocab is {restrict_vocab!r}; expected a number of words, or None for all."
        ) from None
    if number < 1:
        raise ValueError(f"restrict_vocab is {number}; expected 1 or more, or None for all words.")
    return min(number, words)


def parse_terms(
    terms: Any, dim: int, label: str, *, several: bool = False
) -> list[str | NDArray[np.float64]]:
    """Return the words and vectors of a query, each vector of shape ``(dim,)``.

    Args:
        terms: A word or a vector, or several of them.
        dim: Dimension of the vectors.
        label: Name of the argument.
        several: Whether one word or vector is an error.
    """
    one = f"a word, or a vector of shape ({dim},)"
    expected = f"expected several words, or vectors of shape (k, {dim})" if several else f"expected {one}"
    if isinstance(terms, str):
        if several:
            raise TypeError(f"{label} is {terms!r}; {expected}.")
        return [terms]
    if not isinstance(terms, Iterable):
        hint = f" The number of words to return is topn={terms}." if isinstance(terms, int) else ""
        raise TypeError(f"{label} is {terms!r:.60}; {expected}, or several of them.{hint}")
    items = list(terms)
    if any(isinstance(item, str) for item in items):
        return [item if isinstance(item, str) else _vector(item, dim, label, expected) for item in items]
    if items and np.ndim(items[0]) == 0 and not several:
        return [_vector(items, dim, label, expected)]
    return [_vector(item, dim, label, expected) for item in items]


def _vector(value: Any, dim: int, label: str, expected: str) -> NDArray[np.float64]:
    """Return a vector of a query."""
    try:
        vector = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{label} has {value!r:.60}; {expected}.") from None
    if vector.shape != (dim,):
        raise ValueError(f"{label} has a vector of shape {vector.shape}; {expected}.")
    if not np.isfinite(vector).all():
        raise ValueError(f"{label} has a vector with NaN or infinity; expected finite numbers.")
    return vector


def matrix_and_words(
    matrix: ArrayLike | Mapping[str, ArrayLike], words: Iterable[str] | None
) -> tuple[ArrayLike, Iterable[str]]:
    """Return the matrix and the words of vectors that are given as a mapping, or as they are."""
    if isinstance(matrix, Mapping):
        if words is not None:
            raise TypeError("words are given twice: as the keys of a mapping, and as words.")
        return cast("ArrayLike", list(matrix.values())), list(matrix)
    if words is None:
        raise TypeError(
            "words is missing; expected one word for each row of the matrix, or a dict of vectors."
        )
    return matrix, words


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
