"""Spearman's correlation and confidence intervals."""

import math

import numpy as np
import pytest
from embedhub_eval import metrics
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

# Few different numbers, so that there are ties.
NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40)


@pytest.mark.slow
@given(PAIRS)
def test_spearman_equals_scipy(pairs: list[tuple[float, float]]) -> None:
    """The correlation is scipy's; it is undefined if all values of one side are equal."""
    x, y = zip(*pairs, strict=True)
    rho = metrics.spearman(x, y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert rho is None
    else:
        assert rho == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_spearman_of_known_orders() -> None:
    """Equal orders have 1, opposite ones -1, and fewer than two pairs have no correlation."""
    assert metrics.spearman([1, 2, 3], [10, 20, 90]) == pytest.approx(1)
    assert metrics.spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert metrics.spearman([1], [1]) is None
    assert metrics.spearman([], []) is None


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.3, 0.7])
@pytest.mark.parametrize("n", [10, 11, 353])
def test_interval_has_the_standard_error_of_bonett_and_wright(rho: float, n: int) -> None:
    """In Fisher's z both ends are 1.96 standard errors from the correlation."""
    low, high = metrics.spearman_interval(rho, n) or (0, 0)
    assert -1 < low < rho < high < 1
    error = math.sqrt((1 + rho**2 / 2) / (n - 3))
    z = [(math.atanh(end) - math.atanh(rho)) / error for end in (low, high)]
    assert z == pytest.approx([stats.norm.ppf(0.025), stats.norm.ppf(0.975)])


@pytest.mark.slow
def test_interval_is_near_the_bootstrap() -> None:
    """On 80 pairs both ends are within 0.03 of the percentiles of scipy's bootstrap."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=80)
    y = np.round(x + draw.normal(size=80))
    bootstrap = stats.bootstrap(
        (x, y),
        lambda a, b: stats.spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert metrics.spearman_interval(metrics.spearman(x, y), 80) == pytest.approx(tuple(bootstrap), abs=0.03)


@pytest.mark.parametrize(("rho", "n"), [(None, 10), (0.5, 3), (1.0, 5), (-1.0, 50), (1 - 1e-16, 5)])
def test_interval_is_missing_where_the_formula_has_no_value(rho: float | None, n: int) -> None:
    """Fewer than 4 pairs, and a perfect correlation, have no interval rather than one without width."""
    assert metrics.spearman_interval(rho, n) is None


@given(st.integers(1, 60), st.integers(0, 60))
def test_accuracy_interval_is_wilsons(correct: int, wrong: int) -> None:
    """Both ends solve |accuracy - p| = z sqrt(p (1 - p) / n)."""
    n = correct + wrong
    interval = metrics.accuracy_interval(correct, n)
    assert interval is not None
    for end in interval:
        deviation = stats.norm.ppf(0.975) * math.sqrt(end * (1 - end) / n)
        assert abs(correct / n - end) == pytest.approx(deviation, abs=1e-7)
    assert 0 <= interval[0] <= correct / n <= interval[1] <= 1


def test_accuracy_without_cases_has_no_interval() -> None:
    """There is nothing to measure."""
    assert metrics.accuracy_interval(0, 0) is None


@pytest.mark.parametrize(
    ("both", "first", "second", "neither", "expected"),
    [
        # Cavo et al. 2012, in the R package contingencytables 3.1
        (59, 6, 16, 80, (-0.1186, -0.0046)),
        # A difference of none among equal answers is as uncertain as Wilson's interval is wide.
        (54, 0, 0, 0, (-0.0664, 0.0664)),
    ],
)
def test_interval_of_a_difference_is_newcombes(
    both: int, first: int, second: int, neither: int, expected: tuple[float, float]
) -> None:
    """The interval of a paired difference is the published one, and turns its sign with the order."""
    kinds = np.repeat([0, 1, 2, 3], [both, first, second, neither])
    one, other = np.isin(kinds, [0, 1]), np.isin(kinds, [0, 2])
    low, high = metrics.difference_interval(one, other) or (0, 0)
    assert (low, high) == pytest.approx(expected, abs=5e-5)
    assert metrics.difference_interval(other, one) == pytest.approx((-high, -low))
    assert metrics.difference_interval(one[:0], other[:0]) is None
