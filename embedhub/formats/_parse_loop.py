"""The compiled loop over the bytes of text vectors. Nothing imports this but a build."""

from typing import Any

import numpy as np

from embedhub._numba import compiled

# float64 holds these powers of ten, and any integer up to 2**53, exactly: then one multiplication or division
# gives the correctly rounded value (W. D. Clinger, "How to read floating point numbers accurately", 1990).
_POWERS = np.array([float(10**i) for i in range(23)])
_LARGEST_POWER = 22
_LARGEST_MANTISSA = np.uint64(2**53)
_MOST_DIGITS = 19  # uint64 holds any number of 19 digits
_ENOUGH = 100_000  # an exponent beyond it means infinity or zero, and must not overflow an int64

PADDING = 8  # bytes that are looked at beyond the last number
_NEWLINE, _RETURN, _SPACE, _POINT = ord("\n"), ord("\r"), ord(" "), ord(".")
_PLUS, _MINUS, _E, _SMALL_E = ord("+"), ord("-"), ord("E"), ord("e")
_ZEROS, _ABOVE_NINE = np.uint64(0x3030303030303030), np.uint64(0x7676767676767676)
_HIGH_BITS, _LOW_BITS = np.uint64(0x8080808080808080), np.uint64(0x0101010101010101)
_PAIRS, _FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_TENS = np.array([10**i for i in range(9)], np.uint64)
_ZERO, _BASE = np.uint64(ord("0")), np.uint64(10)
# Unsigned positions: a signed one costs a test for negative indices at each access (measured: 1.6x the time).
_ONE = np.uintp(1)


@compiled
def parse_lines(text: Any, rows: Any, words: Any, hard: Any) -> Any:  # noqa: C901, PLR0912, PLR0915 - one loop and no calls: each costs reference counts at every number (measured: twice the time)
    """Parse the lines of ``text``, which ends with a newline and then PADDING bytes.

    Fills ``rows`` with numbers, ``words`` with the words' bytes and a newline after each, ``hard`` with (row,
    column, start, end) of numbers that need more than Clinger's fast path. Returns how many rows, bytes and
    hard ones that makes, and where a bad line starts, or -1.

    The digits behind a point are taken eight bytes at a time in one register (D. Lemire, "Number parsing at a
    gigabyte per second", 2021): a loop over them would mispredict its end once a number.
    """
    dim = rows.shape[1]
    size = np.uintp(len(text) - PADDING)
    count = np.uintp(0)
    filled = np.uintp(0)
    hards = np.uintp(0)
    start = np.uintp(0)
    while start < size:
        at = start
        while text[at] != _SPACE and text[at] != _NEWLINE:
            at += _ONE
        before = hards
        again = True
        while True:
            end = at
            column = 0
            while column < dim and text[at] == _SPACE:
                at += _ONE
                first = at
                negative = text[at] == _MINUS
                at += np.uintp(negative or text[at] == _PLUS)
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
                    while True:
                        word = np.uint64(text[at])
                        word |= np.uint64(text[at + np.uintp(1)]) << np.uint64(8)
                        word |= np.uint64(text[at + np.uintp(2)]) << np.uint64(16)
                        word |= np.uint64(text[at + np.uintp(3)]) << np.uint64(24)
                        word |= np.uint64(text[at + np.uintp(4)]) << np.uint64(32)
                        word |= np.uint64(text[at + np.uintp(5)]) << np.uint64(40)
                        word |= np.uint64(text[at + np.uintp(6)]) << np.uint64(48)
                        word |= np.uint64(text[at + np.uintp(7)]) << np.uint64(56)
                        word ^= _ZEROS
                        # The low bit of each byte above 9; a carry spoils only bytes behind the first such.
                        odd = (((word + _ABOVE_NINE) | word) & _HIGH_BITS) >> np.uint64(7)
                        eight = (((odd - np.uint64(1)) & ~odd & _LOW_BITS) * _LOW_BITS) >> np.uint64(56)
                        # In two steps, since a shift by 64 is undefined; zeros come in as leading digits.
                        half = (np.uint64(8) - eight) << np.uint64(2)
                        word = (word << half) << half
                        word = (word * np.uint64(10) + (word >> np.uint64(8))) & _PAIRS
                        word = (word * np.uint64(100) + (word >> np.uint64(16))) & _FOURS
                        word = (word * np.uint64(10_000) + (word >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
                        mantissa = mantissa * _TENS[eight] + word
                        at += eight
                        if eight < np.uint64(8):
                            break
                    digits += at - point
                    exponent -= np.int64(at - point)
                if digits == 0:
                    break
                if text[at] == _SMALL_E or text[at] == _E:
                    at += _ONE
                    down = text[at] == _MINUS
                    at += np.uintp(down or text[at] == _PLUS)
                    point = at
                    power = np.int64(0)
                    digit = np.uint64(text[at]) - _ZERO
                    while digit < _BASE:
                        if power < _ENOUGH:
                            power = power * 10 + np.int64(digit)
                        at += _ONE
                        digit = np.uint64(text[at]) - _ZERO
                    if at == point:
                        break
                    exponent += -power if down else power
                if digits > _MOST_DIGITS or mantissa > _LARGEST_MANTISSA or abs(exponent) > _LARGEST_POWER:
                    hard[hards, 0] = count
                    hard[hards, 1] = column
                    hard[hards, 2] = first
                    hard[hards, 3] = at
                    hards += _ONE
                else:
                    value = np.float64(np.int64(mantissa))
                    if exponent < 0:
                        value /= _POWERS[np.uintp(-exponent)]
                    else:
                        value *= _POWERS[np.uintp(exponent)]
                    rows[count, column] = -value if negative else value
                column += 1
            if column == dim:
                at += np.uintp(text[at] == _RETURN)
                if text[at] == _NEWLINE:
                    break
            if not again:
                return count, filled, hards, np.int64(start)
            # The word may hold spaces itself: only the last `dim` of the line's are separators.
            again = False
            hards = before
            spare = -dim
            at = start
            while text[at] != _NEWLINE:
                spare += text[at] == _SPACE
                at += _ONE
            if spare <= 0:
                return count, filled, hards, np.int64(start)
            at = start
            while spare > 0 or text[at] != _SPACE:
                spare -= text[at] == _SPACE
                at += _ONE
        while start < end:
            words[filled] = text[start]
            filled += _ONE
            start += _ONE
        words[filled] = _NEWLINE
        filled += _ONE
        count += _ONE
        start = at + _ONE
    return count, filled, hards, np.int64(-1)
