"""Parser for lines of a word and ``dim`` numbers, shared by GloVe and word2vec text.

A line is split as by ``line.rsplit(b" ", dim)``: the last ``dim`` fields are the numbers, and everything
before them is the word, whatever bytes it has. If tabs or runs of spaces separate the fields, they are
replaced by single spaces first. Each number gets the value of ``numpy.float32(text)``: the nearest float64,
rounded to the nearest float32.
"""

import codecs
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import FormatError, UnexpectedEndError
from embedhub.formats._layout import (
    Layout,
    abbreviate,
    find_layout,
    first_lines,
    is_number,
    to_single_spaces,
)
from embedhub.vectors.blocks import Block

MAX_DIM = 1 << 16  # a file that declares more is not a file of vectors
_BLOCK = 1 << 20  # fits into the second-level cache, with the vectors that are parsed from it
_MAX_LINE_BYTES = 1 << 22
_preparing = Lock()
_THREADS = 2  # the compiled loop releases the GIL; reading, decompressing and writing use another core


class _Parsed(NamedTuple):
    """Words and vectors of some lines, and the first malformed line, where parsing stopped, if any.

    Such a line is ``ambiguous`` if it has more fields than one word and the numbers, although its file is
    split at every run of spaces.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    malformed: bytes | None
    ambiguous: bool = False


def read_vectors(
    file: BinaryIO, path: Path, dim: int, *, line_offset: int = 0, trailing_space: bool = False
) -> Iterator[Block]:
    """Yield all remaining lines of a file in blocks, in their order.

    Args:
        file: Uncompressed bytes, at the start of a line.
        path: The file's name in messages.
        dim: Numbers per line.
        line_offset: Number of lines read before, for line numbers.
        trailing_space: Whether any line may end with a space; otherwise only if each of the first lines does.

    Raises:
        FormatError: A line is not a word and ``dim`` numbers, or the file is empty.
        UnexpectedEndError: The last line, which is in the last block, lacks a newline and may be truncated.
    """
    line = line_offset
    layout = Layout(dim)
    with ThreadPoolExecutor(_THREADS) as pool:
        pending: deque[Future[_Parsed]] = deque()
        pieces = _whole_lines(file)
        failure: Exception | None = None
        while True:
            piece = None
            try:
                piece = next(pieces, None)
            except Exception as error:  # noqa: BLE001 - raised below, after the lines before it
                failure = error
            if piece:
                if line == line_offset and not pending:
                    first = b"".join(piece)
                    first = first if line else first.removeprefix(codecs.BOM_UTF8)
                    piece = [first]
                    layout = _check_first_lines(first, dim, f"{path}: line {line + 1}")
                    layout = layout._replace(trailing_space=layout.trailing_space or trailing_space)
                pending.append(pool.submit(_parse, piece, dim, layout))
            if not pending:
                break
            # Exactly one block ahead for each thread, so that memory use does not grow.
            if piece and len(pending) <= _THREADS:
                continue
            parsed = pending.popleft().result()
            is_last = not piece and not pending and not failure
            yield from _check_lines(parsed, dim, path, line, is_last=is_last)
            line += len(parsed.words)
    if failure:
        raise failure
    if line == line_offset:
        raise FormatError(
            f"{path}: the file contains no vectors; expected lines of a word and {dim} numbers."
        )


def _check_lines(parsed: _Parsed, dim: int, path: Path, line: int, *, is_last: bool) -> Iterator[Block]:
    """Yield the lines before a malformed one, and raise its error."""
    words, vectors, malformed, ambiguous = parsed
    if words:
        yield Block(words, vectors)
    where = f"{path}: line {line + len(words) + 1}"
    if ambiguous and malformed is not None:
        raise FormatError(
            f"{where}: expected a word and {dim} numbers, separated by tabs or "
            f"spaces as in the first lines, got {abbreviate(malformed)}."
        )
    if malformed is not None:
        yield from _handle_malformed(malformed, dim, where, is_last=is_last)


def prepare() -> None:
    """Import Numba and compile the loop in a thread, or load its machine code, while bytes still arrive.

    Threads that parse lines meanwhile wait for the locks of imports and of Numba, and raise the error of a
    failed compilation. A process that ends while LLVM runs may crash, so the thread is not a daemon.
    """
    Thread(target=_prepare, name="embedhub-compile").start()


def _prepare() -> None:
    if not _preparing.acquire(blocking=False):
        return  # another thread does the same
    interval = sys.getswitchinterval()
    # The download needs the interpreter's lock several times for each 64 kB, and waits this long each time:
    # with the usual 5 ms, a first use over 20 MB/s took 1.2 times as long as a later one.
    sys.setswitchinterval(min(interval, 0.0005))
    try:
        with suppress(Exception):  # of a broken installation: the reader, which imports the same, raises it
            _parse([b"word 0.5\n"], 1, Layout(1))
    finally:
        sys.setswitchinterval(interval)
        _preparing.release()


def _whole_lines(file: BinaryIO) -> Iterator[list[bytes | memoryview]]:
    """Yield the bytes of a file in pieces that end with a newline, except perhaps the last one.

    A piece comes in parts, and the thread that parses it joins them: the reading thread should only read.
    """
    parts: list[bytes | memoryview] = []
    length = 0
    while chunk := file.read(_BLOCK):
        end = chunk.rfind(b"\n") + 1
        if end or length > _MAX_LINE_BYTES:
            yield [*parts, memoryview(chunk)[:end]]
            parts, length = [], 0
        parts.append(chunk[end:])
        length += len(chunk) - end
    if length:
        yield parts


def _strip_trailing_spaces(text: bytes) -> bytes:
    """Remove one space from the end of each line."""
    text = text.replace(b" \n", b"\n").replace(b" \r\n", b"\n")
    return text.removesuffix(b" ")


def _parse(piece: list[bytes | memoryview], dim: int, layout: Layout) -> _Parsed:
    """Parse lines with the compiled loop, and the numbers that it leaves with NumPy."""
    # Importing Numba takes longer than opening a store.
    from embedhub.formats import _parse_loop

    ambiguous = None
    if layout.split:
        text, ambiguous = to_single_spaces(b"".join(piece), dim, layout.split)
        piece = [text]
    elif layout.trailing_space:
        piece = [_strip_trailing_spaces(b"".join(piece))]
    text = b"".join([*piece, bytes(_parse_loop.PADDING)])
    size = len(text) - _parse_loop.PADDING
    whole = text.rfind(b"\n") + 1
    # A valid line has at least a space and a digit for each number, and a newline.
    capacity = whole // (2 * dim + 1) + 1
    vectors = np.empty((capacity, dim), np.float32)
    word_bytes = np.empty(whole, np.uint8)
    slow_numbers = np.empty((whole // 5 + 1, 4), np.int64)  # the shortest is like "1e23 "
    lines = np.frombuffer(text, np.uint8, whole + _parse_loop.PADDING)
    count, filled, slow_count, malformed = _parse_loop.parse_lines(lines, vectors, word_bytes, slow_numbers)
    for row, column, start, end in slow_numbers[:slow_count].tolist():
        with np.errstate(over="ignore"):  # the store rejects infinity, and names the word
            vectors[row, column] = np.float64(text[start:end])
    # All words at once: none contains a newline, and decoding them one by one costs more than parsing.
    words = word_bytes[:filled].tobytes().decode("utf-8", "surrogateescape").split("\n")[:-1]
    if malformed < 0 and whole < size:
        malformed = whole
    if malformed < 0 and ambiguous is not None:
        return _Parsed(words, vectors[:count], ambiguous, ambiguous=True)
    line = None if malformed < 0 else text[malformed:size].partition(b"\n")[0]
    return _Parsed(words, vectors[:count], line)


def _handle_malformed(line: bytes, dim: int, where: str, *, is_last: bool) -> Iterator[Block]:
    """Raise the error of a malformed line; first yield its vector if it only lacks the last newline."""
    message = _describe_error(line, dim, where)
    # Longer ones are not lines of vectors, and not worth the memory.
    parsed = _parse([line, b"\n"], dim, Layout(dim)) if is_last and len(line) <= _BLOCK else None
    if parsed is None or parsed.malformed is not None:
        raise FormatError(message)
    yield Block(parsed.words, parsed.vectors)
    raise UnexpectedEndError(message)


def _check_first_lines(text: bytes, dim: int, where: str) -> Layout:
    """Return the layout of a file; reject a file of a larger dimension.

    The additional numbers would silently become part of the words.
    """
    layout = find_layout(first_lines(text), where, dim)
    if layout.dim > dim:
        raise FormatError(
            f"{where}: expected {dim} numbers, got {layout.dim}. This file has another dimension."
        )
    return layout


def _describe_error(line: bytes, dim: int, where: str) -> str:
    """Return the message about a line that the compiled loop did not accept."""
    word, *fields = line.removesuffix(b"\r").rsplit(b" ", dim)
    expected = f"{where}: expected a word and {dim} numbers separated by single spaces"
    if len(fields) < dim:
        hint = ""
        if b"\t" in line:
            hint = " A tab separates fields only if it does in the first lines."
        elif where.endswith("line 1") and word.isdigit() and all(field.isdigit() for field in fields):
            hint = (
                " This looks like the header of a word2vec text file."
                if len(fields) == 1
                else " This looks like a header of one number, which no format has: remove the line."
            )
        return f"{expected}, got {len(fields)} numbers: {abbreviate(line)}.{hint}"
    invalid = next(((i, field) for i, field in enumerate(fields, 1) if not is_number(field)), None)
    if invalid is None:
        return f"{where} has no newline at its end; the file may be truncated there: {abbreviate(line)}."
    number, field = invalid
    hint = "" if field else " It has two spaces in a row, or one at its end, unlike the first lines."
    return f"{expected}, got {abbreviate(field)} as number {number}: {abbreviate(line)}.{hint}"
