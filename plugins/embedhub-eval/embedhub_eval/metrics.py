"""Spearman's correlation, and 95 % confidence intervals."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
_Z = 1.959963984540054  # 97.5th percentile of the normal distribution
MIN_PAIRS = 10  # of an interval; with fewer, ranks are too coarse for the normal approximation

Interval = tuple[float, float]
"""Lower and upper end."""


def spearman(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return Spearman's rank correlation; equal values get the mean of their ranks.

    Args:
        x: ``(n,)`` numbers.
        y: ``(n,)`` numbers.

    Returns:
        A number between -1 and 1; None if all values of one side are equal, or n is less than 2.
    """
    from scipy.stats import rankdata

    # Not spearmanr: it rounds the last bit in another way, and published scores are equal to the bit.
    ranks_x, ranks_y = rankdata(x), rankdata(y)
    if len(ranks_x) == 0:
        return None
    ranks_x -= ranks_x.sum() / len(ranks_x)
    ranks_y -= ranks_y.sum() / len(ranks_y)
    spread = np.sqrt((ranks_x**2).sum() * (ranks_y**2).sum())
    return float((ranks_x * ranks_y).sum() / spread) if spread > 0 else None


def spearman_interval(rho: float | None, n: int) -> Interval | None:
    """Return the 95 % confidence interval of Spearman's correlation.

    D. G. Bonett and T. A. Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations", 2000: Fisher's z with the standard error sqrt((1 + rho^2 / 2) / (n - 3)).

    Args:
        rho: The correlation.
        n: Number of pairs.

    Returns:
        Both ends, between -1 and 1; None where the formula has no meaning: for fewer than 10 pairs, and for a
        correlation of -1 or 1.
    """
    if rho is None or n < MIN_PAIRS or abs(rho) > 1 - 1e-12:
        return None
    margin = _Z * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return math.tanh(math.atanh(rho) - margin), math.tanh(math.atanh(rho) + margin)


def accuracy_interval(correct: int, n: int) -> Interval | None:
    """Return Wilson's 95 % confidence interval of an accuracy; None without cases.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    Args:
        correct: Number of correct cases.
        n: Number of cases.
    """
    from scipy.stats import binomtest

    if n == 0:
        return None
    low, high = binomtest(correct, n).proportion_ci(CONFIDENCE, method="wilson")
    return float(low), float(high)


def difference_interval(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Interval | None:
    """Return the 95 % confidence interval of the difference of two accuracies on the same cases.

    R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17, 1998, method 10: from Wilson's intervals and the correlation.

    Args:
        first: ``(n,)`` booleans, whether each case is correct.
        second: The same for the accuracy that is subtracted.

    Returns:
        Both ends, between -1 and 1; None without cases.
    """
    n = len(first)
    counts = int(first.sum()), int(second.sum())
    first_interval, second_interval = (accuracy_interval(count, n) for count in counts)
    if first_interval is None or second_interval is None:
        return None
    (p1, p2), (low1, high1), (low2, high2) = (count / n for count in counts), first_interval, second_interval
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    covariance: float = both * neither - (counts[0] - both) * (counts[1] - both)
    if covariance > 0:  # with a correction for continuity
        covariance = max(covariance - n / 2, 0)
    spread = math.sqrt(math.prod(count * (n - count) for count in counts))
    phi = covariance / spread if spread else 0.0

    def margin(one: float, other: float) -> float:
        return math.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0))

    return p1 - p2 - margin(p1 - low1, high2 - p2), p1 - p2 + margin(high1 - p1, p2 - low2)
