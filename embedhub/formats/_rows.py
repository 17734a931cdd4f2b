"""Lines of a word and ``dim`` numbers: the pass over the bytes that GloVe and word2vec text share.

A line is what ``line.rsplit(b" ", dim)`` would make of it: the last ``dim`` fields are the numbers,
everything before is the word, whatever bytes it holds. Each number becomes what ``numpy.float32(text)``
gives: the nearest float64 first, the nearest float32 of that then.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import FormatError, UnexpectedEndError
from embedhub.vectors.blocks import Block

_BLOCK = 1 << 20  # stays in the second-level cache, with the rows that it becomes
_LONGEST_LINE = 1 << 22
_THREADS = 2  # the compiled loop lets go of the interpreter; reading, inflating and writing take another core


class _Parsed(NamedTuple):
    """What the compiled loop made of some lines; ``bad`` is the first line that is none, if any."""

    words: list[str]
    rows: NDArray[np.float32]
    bad: bytes | None


def read_lines(
    file: BinaryIO, path: Path, dim: int, *, before: int = 0, trailing_blank: bool = False
) -> Iterator[Block]:
    """Read all remaining lines of a file.

    Args:
        file: Uncompressed bytes, at the start of a line.
        path: Its name in messages.
        dim: Numbers per line.
        before: Lines that were read already, for line numbers.
        trailing_blank: Whether a line may have a blank at its end.

    Yields:
        Blocks in the order of the file.

    Raises:
        FormatError: A line has no word and ``dim`` numbers.
        UnexpectedEndError: The last line, which is among the blocks, has no newline: it may be cut off.
    """
    line = before
    with ThreadPoolExecutor(_THREADS) as pool:
        pending: deque[Future[_Parsed]] = deque()
        pieces = _whole_lines(file)
        while True:
            piece = next(pieces, None)
            if piece:
                if line == before and not pending:
                    _check_first_line(b"".join(piece), dim, f"{path}: line {line + 1}")
                pending.append(pool.submit(_parse, piece, dim, trailing_blank=trailing_blank))
            if not pending:
                break
            # Always ahead by a block for each thread, and never by more: the memory stays the same.
            if piece and len(pending) <= _THREADS:
                continue
            words, rows, bad = pending.popleft().result()
            line += len(words)
            if words:
                yield words, rows
            if bad is not None:
                last = not piece and not pending
                yield from _unfinished(bad, dim, f"{path}: line {line + 1}", last=last)
    if line == before:
        raise FormatError(f"{path}: no vectors in this file; expected lines of a word and {dim} numbers.")


def _whole_lines(file: BinaryIO) -> Iterator[list[bytes | memoryview]]:
    """Give the bytes of a file in pieces that end with a newline, but for the last one perhaps.

    A piece comes in parts, which the thread that parses it joins: the one that reads should only read.
    """
    parts: list[bytes | memoryview] = []
    length = 0
    while chunk := file.read(_BLOCK):
        end = chunk.rfind(b"\n") + 1
        if end or length > _LONGEST_LINE:
            yield [*parts, memoryview(chunk)[:end]]
            parts, length = [], 0
        parts.append(chunk[end:])
        length += len(chunk) - end
    if length:
        yield parts


def _without_blanks(text: bytes) -> bytes:
    """Take one blank off the end of each line."""
    text = text.replace(b" \n", b"\n").replace(b" \r\n", b"\n")
    return text.removesuffix(b" ")


def _parse(piece: list[bytes | memoryview], dim: int, *, trailing_blank: bool = False) -> _Parsed:
    """Parse lines with the compiled loop, and finish by hand what that left."""
    # Numba costs more time to import than a store takes to open.
    from embedhub.formats import _parse_loop as _compiled

    if trailing_blank:
        piece = [_without_blanks(b"".join(piece))]
    text = b"".join([*piece, bytes(_compiled.PADDING)])
    size = len(text) - _compiled.PADDING
    whole = text.rfind(b"\n") + 1
    # A good line has at least a space and a digit per number, and a newline.
    capacity = whole // (2 * dim + 1) + 1
    rows = np.empty((capacity, dim), np.float32)
    word_bytes = np.empty(whole, np.uint8)
    hard = np.empty((whole // 5 + 1, 4), np.int64)  # the shortest is like "1e23 "
    lines = np.frombuffer(text, np.uint8, whole + _compiled.PADDING)
    count, filled, hard_count, bad = _compiled.parse_lines(lines, rows, word_bytes, hard)
    for row, column, start, end in hard[:hard_count].tolist():
        with np.errstate(over="ignore"):  # the store refuses infinity, naming the word
            rows[row, column] = np.float64(text[start:end])
    # All words at once: none holds a newline, and decoding one by one costs more than parsing them.
    words = word_bytes[:filled].tobytes().decode("utf-8", "surrogateescape").split("\n")[:-1]
    if bad < 0 and whole < size:
        bad = whole
    return _Parsed(words, rows[:count], None if bad < 0 else text[bad:size].partition(b"\n")[0])


def _unfinished(line: bytes, dim: int, where: str, *, last: bool) -> Iterator[Block]:
    """Give the last line of a file if all that it lacks is its end; raise what is wrong with it."""
    complaint = _complaint(line, dim, where)
    # One that is too long is no line at all, and not worth the memory.
    parsed = _parse([line, b"\n"], dim) if last and len(line) <= _BLOCK else None
    if parsed is None or parsed.bad is not None:
        raise FormatError(complaint)
    yield parsed.words, parsed.rows
    raise UnexpectedEndError(complaint)


def _check_first_line(text: bytes, dim: int, where: str) -> None:
    """Refuse a file of a larger dim, whose extra numbers would silently become part of the words."""
    _, *fields = text.partition(b"\n")[0].removesuffix(b"\r").split(b" ")
    numbers = sum(1 for _ in takewhile(is_number, reversed(fields)))
    if numbers > dim:
        raise FormatError(f"{where} has {numbers} numbers; expected {dim}. This is a file of another dim.")


def _complaint(line: bytes, dim: int, where: str) -> str:
    """Say what is wrong with a line that the compiled pass refused."""
    _, *numbers = line.removesuffix(b"\r").rsplit(b" ", dim)
    expected = f"{where}: expected a word and {dim} numbers separated by single spaces"
    if len(numbers) < dim:
        hint = ""
        if where.endswith("line 1") and len(numbers) == 1 and line.replace(b" ", b"").isdigit():
            hint = " This looks like the header of a word2vec text file."
        return f"{expected}, found {len(numbers)} numbers: {_shown(line)}.{hint}"
    odd = next(((i, field) for i, field in enumerate(numbers) if not is_number(field)), None)
    if odd is None:
        return f"{where} ends without a newline; the file may be cut off there: {_shown(line)}."
    column, field = odd
    return f"{expected}, found {_shown(field)} as number {column + 1}: {_shown(line)}."


def is_number(field: bytes) -> bool:
    """Tell whether a field is a decimal number as the compiled pass means it."""
    if not field or field.strip(b"0123456789+-.eE"):
        return False
    try:
        float(field)
    except ValueError:
        return False
    return True


def _shown(text: bytes, limit: int = 60) -> str:
    return repr(text if len(text) <= limit else text[:limit] + b"...")[1:]
