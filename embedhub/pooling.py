"""From the rows of a text's words to one row: the compiled loops. Nothing imports this before texts come.

All sums are float64 in the order of the words. So a row depends on its text alone: not on the texts that come
with it, not on how an engine has cut them into batches, and not on the machine.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.compiled import compiled
from embedhub.fitted import NOTHING, Weights
from embedhub.text_words import TextWords


def pool(chunk: TextWords, pooling: str, weights: Weights | None, out: NDArray[np.float32]) -> None:
    """Write one row for each text.

    Args:
        chunk: The texts.
        pooling: ``"mean"``, ``"max"``, ``"sif"`` or ``"idf"``.
        weights: For "sif" and "idf".
        out: ``(n, dim)`` float32, filled; zeros for a text without words that count.
    """
    shares = chunk.used.astype(np.float64)
    if pooling == "max":
        _largest(chunk.table, shares, chunk.places, chunk.ends, out)
        return
    each, common = np.ones(len(shares)), NOTHING
    if weights is not None:
        each = np.where(chunk.index >= 0, weights.rows[chunk.index], weights.other)
        common = weights.common
    if pooling == "idf":
        shares *= each
    _mean(chunk.table, each, shares, chunk.places, chunk.ends, common, out)


def pad(
    chunks: list[TextWords], dim: int, length: int | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the rows of all words that count, padded, and where there are such.

    Args:
        chunks: The texts, ``n`` in all.
        dim: Width of a row.
        length: How many words of each text to keep; None for as many as the longest has.

    Returns:
        ``(n, length, dim)`` float32 and ``(n, length)`` bool.
    """
    used = [chunk.per_text(chunk.used) for chunk in chunks]
    lengths = np.concatenate([np.zeros(0, np.int64), *used])
    if length is None:
        length = int(lengths.max(initial=0))
    vectors = np.zeros((len(lengths), length, dim), np.float32)
    start = 0
    for chunk, some in zip(chunks, used, strict=True):
        places = chunk.places[chunk.used[chunk.places]]
        text = np.repeat(np.arange(start, start + len(some)), some)
        at = np.arange(len(places)) - np.repeat(np.cumsum(some) - some, some)
        kept = at < length
        vectors[text[kept], at[kept]] = chunk.table[places[kept]]
        start += len(some)
    return vectors, np.arange(length) < lengths[:, None]


@compiled
def _mean(table: Any, weights: Any, shares: Any, words: Any, ends: Any, common: Any, out: Any) -> None:  # noqa: C901, PLR0917 - one loop and no calls; compiled code takes no keywords
    """Write for each text the sum of its words' weighted rows, over the sum of their shares.

    Args:
        table: ``(u, dim)`` float32, the row of each distinct word.
        weights: ``(u,)`` float64, what each row is multiplied by.
        shares: ``(u,)`` float64, what each word adds to the divisor; a word with 0 is left out.
        words: ``(t,)`` int64, for each word of each text which of the distinct ones it is.
        ends: ``(n,)`` int64, where in ``words`` each text ends.
        common: ``(dim,)`` float64, a direction of length 1 to take out of each mean, or ``(0,)``.
        out: ``(n, dim)`` float32, filled; zeros for a text whose words are all left out.
    """
    dim = table.shape[1]
    total = np.empty(dim)
    start = 0
    for text in range(len(ends)):
        total[:] = 0
        divisor = 0.0
        for at in range(start, ends[text]):
            word = words[at]
            if shares[word] > 0:
                divisor += shares[word]
                weight = weights[word]
                for column in range(dim):
                    total[column] += weight * table[word, column]
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


@compiled
def _largest(table: Any, shares: Any, words: Any, ends: Any, out: Any) -> None:
    """Write for each text the largest number in each column over its words' rows; see `_mean`."""
    dim = table.shape[1]
    start = 0
    for text in range(len(ends)):
        empty = True
        for column in range(dim):
            out[text, column] = 0
        for at in range(start, ends[text]):
            word = words[at]
            if shares[word] > 0:
                for column in range(dim):
                    if empty or table[word, column] > out[text, column]:
                        out[text, column] = table[word, column]
                empty = False
        start = ends[text]
