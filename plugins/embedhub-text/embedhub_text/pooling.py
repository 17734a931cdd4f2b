"""From the rows of a text's words to one row: the compiled loops. Nothing imports this before texts come.

All sums are float64 in the order of the words. So a row depends on its text alone: not on the texts that come
with it, not on how an engine has cut them into batches, and not on the machine.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub._numba import jit
from embedhub_text.word_cache import TextWords


class PaddedTexts(NamedTuple):
    """The rows of all words of some texts."""

    vectors: NDArray[np.float32]
    """``(n, length, dim)`` float32, zeros behind the last word of a text."""
    mask: NDArray[np.bool_]
    """``(n, length)`` bool, whether there is a word."""


def pool(chunk: TextWords, pooling: str, common: NDArray[np.float64], out: NDArray[np.float32]) -> None:
    """Write one row for each text.

    Args:
        chunk: The texts.
        pooling: ``"max"``, or a mean, whose weights the words have.
        common: ``(dim,)`` float64, a direction of length 1 to take out of each mean, or ``(0,)``.
        out: ``(n, dim)`` float32, filled; zeros for a text without words that count.
    """
    rows, weights, shares = (chunk.words[field] for field in ("row", "weight", "share"))
    if pooling == "max":
        _largest(chunk.matrix, chunk.extra, rows, chunk.places, chunk.ends, out)
    else:
        _mean(chunk.matrix, chunk.extra, rows, weights, shares, chunk.places, chunk.ends, common, out)


def pad(chunks: list[TextWords], dim: int, length: int | None) -> PaddedTexts:
    """Return the rows of all words that count, padded.

    Args:
        chunks: The texts, ``n`` in all.
        dim: Width of a row.
        length: How many words of each text to keep; None for as many as the longest has.
    """
    used = [chunk.per_text(chunk.words["row"] >= 0) for chunk in chunks]
    lengths = np.concatenate([np.zeros(0, np.int64), *used])
    if length is None:
        length = int(lengths.max(initial=0))
    vectors = np.zeros((len(lengths), length, dim), np.float32)
    start = 0
    for chunk, some in zip(chunks, used, strict=True):
        rows = chunk.words["row"][chunk.places]
        rows = rows[rows >= 0]
        text = np.repeat(np.arange(start, start + len(some)), some)
        at = np.arange(len(rows)) - np.repeat(np.cumsum(some) - some, some)
        kept = at < length
        vectors[text[kept], at[kept]] = chunk.gather(rows[kept])
        start += len(some)
    return PaddedTexts(vectors, np.arange(length) < lengths[:, None])


@jit
def _mean(  # noqa: C901, PLR0912, PLR0917 - one loop and no calls; compiled code takes no keywords
    matrix: Any,
    extra: Any,
    rows: Any,
    weights: Any,
    shares: Any,
    places: Any,
    ends: Any,
    common: Any,
    out: Any,
) -> None:
    """Write for each text the sum of its words' weighted rows, over the sum of their shares."""
    dim = matrix.shape[1]
    total = np.empty(dim)
    start = 0
    for text in range(len(ends)):
        total[:] = 0
        divisor = 0.0
        for at in range(start, ends[text]):
            word = places[at]
            row = rows[word]
            if row < 0:
                continue
            divisor += shares[word]
            weight = weights[word]
            if row < len(matrix):
                for column in range(dim):
                    total[column] += weight * matrix[row, column]
            else:
                for column in range(dim):
                    total[column] += weight * extra[row - len(matrix), column]
        start = ends[text]
        if divisor > 0:
            for column in range(dim):
                total[column] /= divisor
        if len(common):
            along = 0.0
            for column in range(dim):
                along += total[column] * common[column]
            for column in range(dim):
                total[column] -= along * common[column]
        for column in range(dim):
            out[text, column] = total[column]


@jit
def _largest(  # noqa: PLR0917 - the same
    matrix: Any, extra: Any, rows: Any, places: Any, ends: Any, out: Any
) -> None:
    """Write for each text the largest number in each column over its words' rows."""
    dim = matrix.shape[1]
    start = 0
    for text in range(len(ends)):
        empty = True
        for column in range(dim):
            out[text, column] = 0
        for at in range(start, ends[text]):
            row = rows[places[at]]
            if row < 0:
                continue
            for column in range(dim):
                value = matrix[row, column] if row < len(matrix) else extra[row - len(matrix), column]
                if empty or value > out[text, column]:
                    out[text, column] = value
            empty = False
        start = ends[text]
