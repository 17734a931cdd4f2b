"""Ranks, Spearman's correlation, and intervals by the bootstrap."""

import numpy as np
import pytest
from embedhub_eval import metrics as scores
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

# Few different numbers, so that there are ties.
NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40)


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_ranks_are_scipys(values: list[float]) -> None:
    """Equal values share the mean of their ranks."""
    assert scores.ranks(values).tolist() == stats.rankdata(values).tolist()


@given(PAIRS)
def test_spearman_is_scipys(pairs: list[tuple[float, float]]) -> None:
    """The correlation is that of scipy; where one side is all equal there is none."""
    left, right = zip(*pairs, strict=True)
    score = scores.spearman(left, right)
    if len(set(left)) == 1 or len(set(right)) == 1:
        assert score is None
    else:
        assert score == pytest.approx(stats.spearmanr(left, right).statistic, abs=1e-12)


def test_it_has_known_values() -> None:
    """Equal orders give 1, opposite ones -1, and fewer than two pairs nothing."""
    assert scores.spearman([1, 2, 3], [10, 20, 90]) == pytest.approx(1)
    assert scores.spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert scores.spearman([1], [1]) is None
    assert scores.spearman([], []) is None
    assert scores.spearman_interval([1, 1], [1, 2]) is None


@given(PAIRS, st.integers(0, 2**32))
def test_a_resample_is_ranked_anew(pairs: list[tuple[float, float]], seed: int) -> None:
    """Ranks among drawn values, given how often each was drawn, are those of the drawn values laid out."""
    values = np.array(pairs)[:, 0]
    times = np.random.default_rng(seed).multinomial(
        len(values), np.full(len(values), 1 / len(values)), size=3
    )
    found = scores._ranks_of_drawn(values, times)  # noqa: SLF001 - the heart of the interval
    for drawn, ranked in zip(times, found, strict=True):
        laid_out = np.repeat(values, drawn)
        assert np.repeat(ranked, drawn).tolist() == stats.rankdata(laid_out).tolist()


def test_the_interval_is_that_of_scipys_bootstrap() -> None:
    """Percentiles over many resamples are those that scipy's bootstrap finds, up to chance."""
    draw = np.random.default_rng(1)
    left = draw.normal(size=80)
    right = np.round(left + draw.normal(size=80))
    found = scores.spearman_interval(left, right, resamples=4000)
    theirs = stats.bootstrap(
        (left, right),
        lambda a, b: stats.spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert found == pytest.approx(tuple(theirs), abs=0.02)
    score = scores.spearman(left, right)
    assert found is not None
    assert score is not None
    assert found[0] < score < found[1]


def test_the_interval_of_a_share_is_that_of_its_cases() -> None:
    """It is what resampling zeros and ones gives; without cases there is none, without doubt no width."""
    low, high = scores.share_interval(30, 100, resamples=20_000) or (0, 0)
    assert (low, high) == pytest.approx(tuple(stats.binom(100, 0.3).ppf([0.025, 0.975]) / 100), abs=0.011)
    assert scores.share_interval(0, 0) is None
    assert scores.share_interval(5, 5) == (1, 1)


def test_a_seed_gives_one_interval() -> None:
    """The same seed gives the same interval, another seed another; numpy's own state stays."""
    draw = np.random.default_rng(3)
    left, right = draw.normal(size=(2, 50))
    state = str(np.random.get_state())  # noqa: NPY002 - the state that must not change
    first = scores.spearman_interval(left, right, seed=5)
    assert first == scores.spearman_interval(left, right, seed=5)
    assert first != scores.spearman_interval(left, right, seed=6)
    assert str(np.random.get_state()) == state  # noqa: NPY002 - as above
