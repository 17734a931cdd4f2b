"""The compiled loop over the bytes of text vectors. Nothing imports this but a build."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from embedhub import settings

# float64 holds these powers of ten, and any integer up to 2**53, exactly: then one multiplication or division
# gives the correctly rounded value (W. D. Clinger, "How to read floating point numbers accurately", 1990).
_POWERS = np.array([float(10**i) for i in range(23)])
_LARGEST_POWER = 22
_LARGEST_MANTISSA = np.uint64(2**53)
_MOST_DIGITS = 19  # uint64 holds any number of 19 digits
_ENOUGH = 100_000  # an exponent beyond it means infinity or zero, and must not overflow an int64

_GOOD, _HARD, _BAD = 0, 1, 2
_NEWLINE, _RETURN, _SPACE, _POINT = ord("\n"), ord("\r"), ord(" "), ord(".")
_PLUS, _MINUS, _E, _SMALL_E = ord("+"), ord("-"), ord("E"), ord("e")
_ZERO, _BASE = np.uint64(ord("0")), np.uint64(10)
# Unsigned positions: a signed one costs a test for negative indices at each access (measured: 1.6x the time).
_ONE = np.uintp(1)


def _compile(function: Callable[..., Any]) -> Any:
    """Compile with the machine code kept in our cache folder, since the package's may be read-only."""
    config: Any = numba.config
    saved = config.CACHE_DIR
    config.CACHE_DIR = str(settings.cache_folder() / "compiled")
    try:
        return numba.njit(nogil=True, cache=True)(function)
    finally:
        config.CACHE_DIR = saved


@numba.njit(inline="always")
def _number(text: Any, at: Any) -> Any:  # noqa: C901, PLR0912 - as below
    """Parse the number that starts at ``at``; return its value, how that went, and where it ends."""
    negative = text[at] == _MINUS
    if negative or text[at] == _PLUS:
        at += _ONE
    mantissa = np.uint64(0)
    point = at
    digit = np.uint64(text[at]) - _ZERO  # wraps around to a large number for bytes below "0"
    while digit < _BASE:
        mantissa = mantissa * _BASE + digit
        at += _ONE
        digit = np.uint64(text[at]) - _ZERO
    digits = at - point
    exponent = np.int64(0)
    if text[at] == _POINT:
        at += _ONE
        point = at
        digit = np.uint64(text[at]) - _ZERO
        while digit < _BASE:
            mantissa = mantissa * _BASE + digit
            at += _ONE
            digit = np.uint64(text[at]) - _ZERO
        digits += at - point
        exponent -= np.int64(at - point)
    if digits == 0:
        return 0.0, _BAD, at
    if text[at] == _SMALL_E or text[at] == _E:
        at += _ONE
        down = text[at] == _MINUS
        if down or text[at] == _PLUS:
            at += _ONE
        point = at
        power = np.int64(0)
        digit = np.uint64(text[at]) - _ZERO
        while digit < _BASE:
            if power < _ENOUGH:
                power = power * 10 + np.int64(digit)
            at += _ONE
            digit = np.uint64(text[at]) - _ZERO
        if at == point:
            return 0.0, _BAD, at
        exponent += -power if down else power
    if digits > _MOST_DIGITS or mantissa > _LARGEST_MANTISSA or abs(exponent) > _LARGEST_POWER:
        return 0.0, _HARD, at
    value = np.float64(mantissa)
    if exponent < 0:
        value /= _POWERS[np.uintp(-exponent)]
    else:
        value *= _POWERS[np.uintp(exponent)]
    return -value if negative else value, _GOOD, at


@_compile
def parse_lines(text: Any, rows: Any, heads: Any, hard: Any) -> Any:  # noqa: C901, PLR0912 - one loop, no calls: this is the hot path
    """Parse the lines of ``text``, which ends with a newline.

    Fills ``rows`` with numbers, ``heads`` with start and end of each word, ``hard`` with (row, column,
    start, end) of numbers that need more than Clinger's fast path. Returns the counts of both, and where a
    bad line starts, or -1.
    """
    dim = rows.shape[1]
    size = np.uintp(len(text))
    count = np.uintp(0)
    hards = np.uintp(0)
    start = np.uintp(0)
    while start < size:
        at = start
        while text[at] != _SPACE and text[at] != _NEWLINE:
            at += _ONE
        before = hards
        again = True
        while True:
            heads[count, 0] = start
            heads[count, 1] = at
            good = True
            for column in range(dim):
                good = text[at] == _SPACE
                if not good:
                    break
                first = at + _ONE
                value, state, at = _number(text, first)
                rows[count, column] = value
                if state == _HARD:
                    hard[hards, 0] = count
                    hard[hards, 1] = column
                    hard[hards, 2] = first
                    hard[hards, 3] = at
                    hards += _ONE
                elif state == _BAD:
                    good = False
                    break
            if good and text[at] == _RETURN:
                at += _ONE
            if good and text[at] == _NEWLINE:
                break
            if not again:
                return count, hards, np.int64(start)
            # The word may hold spaces itself: only the last `dim` of the line's are separators.
            again = False
            hards = before
            spare = -dim
            at = start
            while text[at] != _NEWLINE:
                spare += text[at] == _SPACE
                at += _ONE
            if spare <= 0:
                return count, hards, np.int64(start)
            at = start
            while spare > 0 or text[at] != _SPACE:
                spare -= text[at] == _SPACE
                at += _ONE
        count += _ONE
        start = at + _ONE
    return count, hards, np.int64(-1)
