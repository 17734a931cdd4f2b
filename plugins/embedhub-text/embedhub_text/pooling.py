"""Pooling of the vectors of a text's words.

Sums are float64, in the order of the words. A vector thus depends only on its text, not on the other texts of
the batch or on the machine.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from embedhub_text.word_cache import TextWords

_LONG = 512
"""Number of words of a text beyond which its words are pooled separately."""


class PaddedTexts(NamedTuple):
    """The vectors of all words of some texts."""

    vectors: NDArray[np.float32]
    """``(n, length, dim)`` float32, zeros behind the last word of a text."""
    mask: NDArray[np.bool_]
    """``(n, length)`` bool, True for words and False for padding."""


def pool_mean(
    texts: TextWords,
    weights: NDArray[np.float64],
    divisors: NDArray[np.float64],
    common_component: NDArray[np.float64] | None,
) -> NDArray[np.float32]:
    """Return for each text the sum of its words' weighted vectors over the sum of their divisors.

    Args:
        texts: The ``n`` texts.
        weights: ``(u,)``, the factor of each distinct word's vector.
        divisors: ``(u,)``, the contribution of each distinct word to the divisor.
        common_component: ``(dim,)``, a direction of length 1 that is removed from each mean; None for none.

    Returns:
        ``(n, dim)`` float32, zeros for a text without a vector.
    """
    columns = np.empty((len(texts.vectors), texts.vectors.shape[1] + 1))
    np.multiply(texts.vectors, weights[:, None], out=columns[:, :-1])
    columns[:, -1] = np.where(texts.is_counted, divisors, 0)
    # The entries are ones and not the weights, since a fused multiply-add, where a machine has one, would
    # round the sums differently. SciPy adds the terms of a row in the order of its entries.
    ones = np.ones(len(texts.words))
    sums = csr_array((ones, texts.words, texts.bounds), shape=(len(texts), len(columns))) @ columns
    total, divisor = sums[:, :-1], sums[:, -1:]
    mean: NDArray[np.float64] = np.divide(total, divisor, out=np.zeros_like(total), where=divisor > 0)
    if common_component is not None:
        # A BLAS would add in an order of its own on each machine.
        mean -= np.cumsum(mean * common_component, axis=1)[:, -1:] * common_component
    return mean.astype(np.float32)


def pool_max(texts: TextWords) -> NDArray[np.float32]:
    """Return for each text the largest number in each column over its words' vectors.

    Returns:
        ``(n, dim)`` float32, zeros for a text without a vector.
    """
    vectors = np.where(texts.is_counted[:, None], texts.vectors, np.float32(-np.inf))
    order = np.argsort(-texts.lengths)
    lengths, starts = texts.lengths[order], texts.bounds[:-1][order]
    largest = np.full((len(texts), vectors.shape[1]), -np.inf, np.float32)
    # One position of all texts at a time takes a third of the time of np.maximum.reduceat.
    for position in range(min(_LONG, int(lengths.max(initial=0)))):
        longer = largest[: np.searchsorted(-lengths, -position)]
        words = texts.words[starts[: len(longer)] + position]
        np.maximum(longer, vectors.take(words, axis=0), out=longer)
    for text in np.flatnonzero(lengths > _LONG).tolist():
        words = np.unique(texts.words[starts[text] + _LONG : starts[text] + lengths[text]])
        largest[text] = np.maximum(largest[text], vectors[words].max(axis=0))
    pooled = np.empty_like(largest)
    # Which of -0.0 and 0.0 is the larger depends on the processor; the sum makes both 0.0.
    pooled[order] = np.where(np.isneginf(largest), 0, largest) + np.float32(0)
    return pooled


def pad(chunks: list[TextWords], dim: int, length: int | None) -> PaddedTexts:
    """Return the vectors of all words that have one, padded.

    Args:
        chunks: The texts, ``n`` in all.
        dim: Dimension.
        length: Number of words to keep of each text; None keeps as many as the longest text has.
    """
    lengths = np.concatenate([np.zeros(0, np.int64), *(chunk.count(chunk.is_counted) for chunk in chunks)])
    if length is None:
        length = int(lengths.max(initial=0))
    padded = np.zeros((len(lengths), length, dim), np.float32)
    start = 0
    for chunk in chunks:
        stop = start + len(chunk)
        is_counted = chunk.is_counted[chunk.words]
        text, words = chunk.texts[is_counted], chunk.words[is_counted]
        used = lengths[start:stop]
        position = np.arange(len(words)) - np.repeat(np.cumsum(used) - used, used)
        fits = position < length
        padded[start:stop][text[fits], position[fits]] = chunk.vectors[words[fits]]
        start = stop
    return PaddedTexts(padded, np.arange(length) < lengths[:, None])
