"""The compiled loop over the bytes of text vectors. It is imported only when a text is parsed."""

from typing import Any

import numpy as np

from embedhub.formats._machine_code import jit

# These powers of ten, and all integers up to 2**53, are exact in float64, so that one multiplication or
# division yields the correctly rounded value (W. D. Clinger, "How to read floating point numbers accurately",
# 1990).
_POWERS = np.array([float(10**i) for i in range(23)])
_LARGEST_POWER = 22
_LARGEST_MANTISSA = np.uint64(2**53)
_MAX_DIGITS = 19  # uint64 holds any number of 19 digits
_MAX_EXPONENT = 100_000  # larger ones mean infinity or zero, and must not overflow int64

PADDING = 8  # bytes that are read after the last number
_NEWLINE, _RETURN, _SPACE, _POINT = ord("\n"), ord("\r"), ord(" "), ord(".")
_PLUS, _MINUS, _E, _SMALL_E = ord("+"), ord("-"), ord("E"), ord("e")
_ZEROS, _ABOVE_NINE = np.uint64(0x3030303030303030), np.uint64(0x7676767676767676)
_HIGH_BITS, _LOW_BITS = np.uint64(0x8080808080808080), np.uint64(0x0101010101010101)
_PAIRS, _FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_TENS = np.array([10**i for i in range(9)], np.uint64)
_ZERO, _BASE = np.uint64(ord("0")), np.uint64(10)
# Unsigned positions: a signed one costs a test for negative indices at each access (measured: 1.6x the time).
_ONE = np.uintp(1)


@jit
def parse_lines(text: Any, vectors: Any, words: Any, slow_numbers: Any) -> Any:  # noqa: C901, PLR0912, PLR0915 - one loop without calls: a call updates reference counts at every number (measured: twice the time)
    """Parse the lines of ``text``, which ends with a newline and PADDING more bytes.

    Fill ``vectors`` with the numbers, ``words`` with the bytes of each word and a newline, and
    ``slow_numbers`` with (row, column, start, end) of the numbers that Clinger's fast path cannot parse.
    Return the numbers of vectors, of bytes of words, and of slow numbers, and the start of the first
    malformed line, or -1.

    The digits after a point are parsed eight bytes at a time in one register (D. Lemire, "Number parsing at a
    gigabyte per second", 2021): the end of a loop over single digits would be mispredicted at each number.
    """
    dim = vectors.shape[1]
    size = np.uintp(len(text) - PADDING)
    count = np.uintp(0)
    filled = np.uintp(0)
    slow_count = np.uintp(0)
    start = np.uintp(0)
    while start < size:
        at = start
        while text[at] != _SPACE and text[at] != _NEWLINE:
            at += _ONE
        line_slow_count = slow_count
        retry = True
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
                        # LLVM makes one read of this loop, which Numba compiles sooner than eight lines.
                        word = np.uint64(0)
                        for byte in range(8):
                            word |= np.uint64(text[at + np.uintp(byte)]) << np.uint64(8 * byte)
                        word ^= _ZEROS
                        # The low bit of each byte above 9; a carry changes only bytes after the first one.
                        above_nine = (((word + _ABOVE_NINE) | word) & _HIGH_BITS) >> np.uint64(7)
                        run = (
                            ((above_nine - np.uint64(1)) & ~above_nine & _LOW_BITS) * _LOW_BITS
                        ) >> np.uint64(56)
                        # In two steps, since a shift by 64 is undefined; zeros come in as leading digits.
                        half = (np.uint64(8) - run) << np.uint64(2)
                        word = (word << half) << half
                        word = (word * np.uint64(10) + (word >> np.uint64(8))) & _PAIRS
                        word = (word * np.uint64(100) + (word >> np.uint64(16))) & _FOURS
                        word = (word * np.uint64(10_000) + (word >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
                        mantissa = mantissa * _TENS[run] + word
                        at += run
                        if run < np.uint64(8):
                            break
                    digits += at - point
                    exponent -= np.int64(at - point)
                if digits == 0:
                    break
                if text[at] == _SMALL_E or text[at] == _E:
                    at += _ONE
                    negative_exponent = text[at] == _MINUS
                    at += np.uintp(negative_exponent or text[at] == _PLUS)
                    point = at
                    power = np.int64(0)
                    digit = np.uint64(text[at]) - _ZERO
                    while digit < _BASE:
                        if power < _MAX_EXPONENT:
                            power = power * 10 + np.int64(digit)
                        at += _ONE
                        digit = np.uint64(text[at]) - _ZERO
                    if at == point:
                        break
                    exponent += -power if negative_exponent else power
                if digits > _MAX_DIGITS or mantissa > _LARGEST_MANTISSA or abs(exponent) > _LARGEST_POWER:
                    slow_numbers[slow_count, 0] = count
                    slow_numbers[slow_count, 1] = column
                    slow_numbers[slow_count, 2] = first
                    slow_numbers[slow_count, 3] = at
                    slow_count += _ONE
                else:
                    value = np.float64(np.int64(mantissa))
                    if exponent < 0:
                        value /= _POWERS[np.uintp(-exponent)]
                    else:
                        value *= _POWERS[np.uintp(exponent)]
                    vectors[count, column] = -value if negative else value
                column += 1
            if column == dim:
                at += np.uintp(text[at] == _RETURN)
                if text[at] == _NEWLINE:
                    break
            if not retry:
                return count, filled, slow_count, np.int64(start)
            # The word itself may contain spaces: only the last `dim` of the line are separators.
            retry = False
            slow_count = line_slow_count
            word_spaces = -dim
            at = start
            while text[at] != _NEWLINE:
                word_spaces += text[at] == _SPACE
                at += _ONE
            if word_spaces <= 0:
                return count, filled, slow_count, np.int64(start)
            at = start
            while word_spaces > 0 or text[at] != _SPACE:
                word_spaces -= text[at] == _SPACE
                at += _ONE
        while start < end:
            words[filled] = text[start]
            filled += _ONE
            start += _ONE
        words[filled] = _NEWLINE
        filled += _ONE
        count += _ONE
        start = at + _ONE
    return count, filled, slow_count, np.int64(-1)
