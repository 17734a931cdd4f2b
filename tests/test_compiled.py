"""The compiled loop and the Python that it is compiled from say the same."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from embedhub.readers import _compiled

# Python's numpy tells of sums that wrap around, machine code does not; both mean them.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


def parsed(function: Any, text: bytes, dim: int) -> list[list[Any]]:
    """Return what a parser of lines gives: words, numbers, those left to others, the first bad line."""
    lines = np.frombuffer(text + bytes(_compiled.PADDING), np.uint8)
    rows = np.zeros((len(text) + 1, dim), np.float32)
    words, hard = np.zeros(len(text) + 1, np.uint8), np.zeros((len(text) + 1, 4), np.int64)
    count, filled, hards, bad = map(int, function(lines, rows, words, hard))
    return [words[:filled].tolist(), rows[:count].tolist(), hard[:hards].tolist(), [bad]]


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
def test_machine_code_means_what_its_python_says(text: str) -> None:
    """Whatever lines they get, both give the same words, bits, numbers left to others, and bad line."""
    for dim in (1, 2):
        by_machine = parsed(_compiled.parse_lines, text.encode(), dim)
        assert repr(parsed(_compiled.parse_lines.py_func, text.encode(), dim)) == repr(by_machine)
