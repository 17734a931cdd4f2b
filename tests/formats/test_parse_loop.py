"""Compiled loops: they return what the Python that they are compiled from returns."""

from typing import Any

import numpy as np
import pytest
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
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_compiled_loop_equals_its_python(text: str) -> None:
    """For any lines, both return the same words, bits, slow numbers and malformed line."""
    for dim in (1, 2):
        by_machine = parsed(_parse_loop.parse_lines, text.encode(), dim)
        assert repr(parsed(_parse_loop.parse_lines.py_func, text.encode(), dim)) == repr(by_machine)
