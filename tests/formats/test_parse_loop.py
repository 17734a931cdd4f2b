"""Compiled loops: they return what the Python that they are compiled from returns."""

from typing import Any

import numpy as np
import pytest
from embedhub_text import pooling
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from embedhub.formats import _parse_loop

# In Python, NumPy warns of unsigned numbers that wrap around, which is intended.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


def parsed(function: Any, text: bytes, dim: int) -> list[list[Any]]:
    """Return the result of a parser: words, numbers, slow numbers, the first malformed line."""
    lines = np.frombuffer(text + bytes(_parse_loop.PADDING), np.uint8)
    rows = np.zeros((len(text) + 1, dim), np.float32)
    words, slow = np.zeros(len(text) + 1, np.uint8), np.zeros((len(text) + 1, 4), np.int64)
    count, filled, slow_count, malformed = map(int, function(lines, rows, words, slow))
    return [words[:filled].tolist(), rows[:count].tolist(), slow[:slow_count].tolist(), [malformed]]


NUMBERS = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0", "-0", "+7", ".5", "5.", "1e5", "-1E-5", "1e400", "1e99999999", "0.1234567890123"]),
    st.sampled_from(["", "-", ".", "e5", "1e", "1e+", "a", "1.2.3", "1,5", "123456789012345678901234567890"]),
)
WORDS = st.sampled_from(["the", "a b", ". . .", "1 2", "", "é", "x\r", "7"])
LINES = st.tuples(WORDS, st.lists(NUMBERS, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"])).map(
    lambda line: f"{line[0]} {' '.join(line[1])}{line[2]}"
)


@example("the 1 -2.5\na b 3e-1 4\nlong 0.12345678901234567 12345678.12345678\nhuge 1e99 1\r\n")
@example("the 1 2\n\n")
@example("the 1\n")
@given(st.lists(LINES, min_size=1, max_size=4).map("".join))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_compiled_loop_equals_its_python(text: str) -> None:
    """For any lines, both return the same words, bits, slow numbers and malformed line."""
    for dim in (1, 2):
        by_machine = parsed(_parse_loop.parse_lines, text.encode(), dim)
        assert repr(parsed(_parse_loop.parse_lines.py_func, text.encode(), dim)) == repr(by_machine)


def test_the_pooling_loops_do_what_their_source_says() -> None:
    """The machine code of the mean and of the maximum gives the bits that Python gives for the same lines."""
    mean, largest = pooling._mean, pooling._largest  # noqa: SLF001 - the loops themselves
    matrix = np.random.default_rng(5).normal(size=(6, 3)).astype(np.float32)
    extra = np.full((1, 3), -2, np.float32)
    rows = np.array([0, 5, -1, 6, 3])  # of the matrix, missing, and one of its own
    weights, shares = np.array([1.0, 0.5, 1, 2, 1]), np.array([1.0, 0.5, 0, 2, 1])
    places, ends = (
        np.array([0, 1, 2, 3, 4, 2]),
        np.array([4, 5, 5, 6]),
    )  # the third has no words, the last none known
    for common in (np.empty(0), np.array([0.6, 0.8, 0.0])):
        machine, plain = np.empty((4, 3), np.float32), np.empty((4, 3), np.float32)
        mean(matrix, extra, rows, weights, shares, places, ends, common, machine)
        mean.py_func(matrix, extra, rows, weights, shares, places, ends, common, plain)
        assert machine.tobytes() == plain.tobytes()
    machine, plain = np.empty((4, 3), np.float32), np.empty((4, 3), np.float32)
    largest(matrix, extra, rows, places, ends, machine)
    largest.py_func(matrix, extra, rows, places, ends, plain)
    assert machine.tobytes() == plain.tobytes()
    assert not machine[2:].any()
