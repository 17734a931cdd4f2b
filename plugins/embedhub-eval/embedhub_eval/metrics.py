"""Spearman's correlation, and intervals by the bootstrap."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 1000
LEVEL = 0.95
_CELLS = 1 << 20  # numbers in hand at once

Interval = tuple[float, float]
"""The lower and the upper end."""


def ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Return the rank of each value from 1, the mean of their ranks for equal ones.

    Args:
        values: ``(n,)`` numbers.
    """
    _, groups, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ranked: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[groups]
    return ranked


def spearman(left: ArrayLike, right: ArrayLike) -> float | None:
    """Return Spearman's rank correlation: Pearson's of the ranks, those of equal values being their mean.

    C. Spearman, "The proof and measurement of association between two things", 1904.

    Args:
        left: ``(n,)`` numbers.
        right: ``(n,)`` numbers.

    Returns:
        A number between -1 and 1; None where it means nothing: all of one side are equal, or n is under 2.
    """
    left, right = ranks(left), ranks(right)
    (score,) = _pearson(left[None], right[None], np.ones((1, len(left))))
    return None if np.isnan(score) else float(score)


def spearman_interval(
    left: ArrayLike, right: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> Interval | None:
    """Return the 95 % percentile interval of Spearman's correlation by the bootstrap over the pairs.

    B. Efron, "Bootstrap methods: another look at the jackknife", 1979; the percentile interval in Efron and
    Tibshirani, "An introduction to the bootstrap", 1993, chapter 13. Each resample is ranked anew.

    Args:
        left: ``(n,)`` numbers.
        right: ``(n,)`` numbers.
        resamples: How often n pairs are drawn, with replacement.
        seed: The same seed gives the same interval.

    Returns:
        The two ends, between -1 and 1; None where the correlation means nothing.
    """
    left, right = np.asarray(left), np.asarray(right)
    n = len(left)
    if spearman(left, right) is None:
        return None
    draw = np.random.default_rng(seed)
    scores = []
    step = max(1, _CELLS // n)
    for start in range(0, resamples, step):
        # How often each pair is drawn is all that matters; so nothing is sorted again.
        times = draw.multinomial(n, np.full(n, 1 / n), size=min(step, resamples - start))
        scores.append(_pearson(_ranks_of_drawn(left, times), _ranks_of_drawn(right, times), times))
    return _percentiles(np.concatenate(scores))


def share_interval(hits: int, n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval | None:
    """Return the 95 % percentile interval of a share, such as an accuracy, by the bootstrap over its cases.

    To draw n cases with replacement, of which ``hits`` are hits, is to draw from a binomial distribution.

    Args:
        hits: How many cases are hits.
        n: How many cases there are.
        resamples: How often n cases are drawn.
        seed: The same seed gives the same interval.

    Returns:
        The two ends, between 0 and 1; None where there are no cases.
    """
    if n == 0:
        return None
    return _percentiles(np.random.default_rng(seed).binomial(n, hits / n, size=resamples) / n)


def _percentiles(scores: NDArray[np.float64]) -> Interval | None:
    scores = scores[~np.isnan(scores)]  # of a few pairs some resample may have one pair only
    if not len(scores):
        return None
    low, high = np.percentile(scores, [50 * (1 - LEVEL), 50 * (1 + LEVEL)]).tolist()
    return low, high


def _ranks_of_drawn(values: NDArray[np.float64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the rank of each value among those that were drawn.

    Args:
        values: ``(n,)`` numbers.
        times: ``(r, n)``: how often each was drawn, in each of r resamples.

    Returns:
        ``(r, n)`` ranks; those of values that were not drawn mean nothing.
    """
    order = np.argsort(values, kind="stable")
    _, firsts, groups = np.unique(values[order], return_index=True, return_inverse=True)
    drawn = np.add.reduceat(times[:, order], firsts, axis=1)
    in_order = (np.cumsum(drawn, axis=1) - (drawn - 1) / 2)[:, groups]
    ranked = np.empty_like(in_order)
    ranked[:, order] = in_order
    return ranked


def _pearson(
    left: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64] | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return Pearson's correlation in each row, NaN where it means nothing; all are ``(r, n)``."""
    total = weights.sum(axis=1, keepdims=True)
    left = left - (weights * left).sum(axis=1, keepdims=True) / np.maximum(total, 1)
    right = right - (weights * right).sum(axis=1, keepdims=True) / np.maximum(total, 1)
    spread = np.sqrt((weights * left**2).sum(axis=1) * (weights * right**2).sum(axis=1))
    score: NDArray[np.float64] = np.full(len(left), np.nan)
    np.divide((weights * left * right).sum(axis=1), spread, out=score, where=spread > 0)
    return score
