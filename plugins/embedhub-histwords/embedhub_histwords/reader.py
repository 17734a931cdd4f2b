"""The reader of a decade: a matrix in NumPy's format, and the pickled list of its words.

Loading a pickle can run any program, so none is loaded. The few operations that make a list of strings are
interpreted here; any other one, such as those that name a function, call it, remember a value or build
something else, is an error. No number in a file reserves memory: the strings in its bytes are kept, and at
most 64 MiB of these are read.
"""

import math
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from embedhub import Block, FormatError, open_bytes

MAX_PICKLE_BYTES = 1 << 26
_BLOCK = 1 << 20  # bytes
_MAX_DIM = 1 << 16
_HEADER_ERRORS = (ValueError, TypeError, SyntaxError, EOFError, RecursionError, MemoryError)

# Operations that add nothing to the list, with the number of bytes that follow: the protocol, a frame, the
# first of several strings, and numbers under which a value is remembered, which nothing asks for.
_SKIPPED = {b"\x80": 1, b"\x95": 8, b"(": 0, b"q": 1, b"r": 4, b"\x94": 0}
_EMPTY_LIST = {b"]", b"l"}
# Operations with a string: the format of its length, and whether it is text; else a byte string of Python 2.
_STRINGS = {
    b"X": ("<I", True),
    b"\x8c": ("<B", True),
    b"\x8d": ("<Q", True),
    b"U": ("<B", False),
    b"T": ("<i", False),
}
_LITERAL = re.compile(
    rb"""'((?:[^'\\]|\\x[0-9a-f]{2}|\\['\\tnr])*)'|"((?:[^"\\]|\\x[0-9a-f]{2}|\\["\\tnr])*)\""""
)
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)")
_ESCAPED = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}


def read(path: Path, dim: int, vocabulary: Path) -> Iterator[Block]:
    """Read a decade; words whose vectors are zeros do not occur in it, and are skipped.

    Args:
        path: The matrix, ``<decade>-w.npy``.
        dim: Dimension of the vectors.
        vocabulary: The list of words, ``<decade>-vocab.pkl``.

    Yields:
        Words, and their vectors as ``(k, dim)`` float32, in the order of the list.

    Raises:
        FormatError: A file is malformed or truncated, the pickle has something else than a list of strings,
            or they do not match each other or the dimension.
    """
    words = read_words(vocabulary)
    with open_bytes(path) as file:
        count, dtype = _read_header(file, path, dim)
        if count != len(words):
            raise FormatError(
                f"{path}: the matrix has {count} rows, but {vocabulary} has {len(words)} words."
            )
        step = max(1, _BLOCK // (dim * dtype.itemsize))
        for start in range(0, count, step):
            rows = min(step, count - start)
            data = file.read(rows * dim * dtype.itemsize)
            complete = len(data) // (dim * dtype.itemsize)
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # the store rejects infinity, and names the word
                vectors = np.frombuffer(data, dtype, complete * dim).reshape(-1, dim).astype(np.float32)
            present = np.flatnonzero(vectors.any(axis=1))
            yield Block([words[start + row] for row in present.tolist()], vectors[present])
            if complete < rows:
                raise FormatError(f"{path}: the file ends after {start + complete} of {count} rows.")
        if file.read(1):
            raise FormatError(f"{path}: the file continues after {count} rows.")


def _read_header(file: BinaryIO, path: Path, dim: int) -> tuple[int, np.dtype[Any]]:
    """Return the number of rows of an array, and the type of its numbers."""
    try:
        version = np.lib.format.read_magic(file)
        read_header = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, in_columns, dtype = read_header(file)
    except _HEADER_ERRORS as error:
        raise FormatError(f"{path}: expected a matrix in NumPy's format ({error}).") from error
    if len(shape) != 2 or in_columns or dtype.kind != "f" or dtype.itemsize > 8 or not math.prod(shape):  # noqa: PLR2004 - rows and columns of at most float64
        raise FormatError(
            f"{path}: the array has shape {shape} and dtype {dtype}{' in columns' if in_columns else ''}; "
            "expected rows of float32 or float64."
        )
    if shape[1] != dim or dim > _MAX_DIM:
        raise FormatError(f"{path}: the matrix has dimension {shape[1]}; expected {dim}.")
    return shape[0], dtype


def read_words(path: Path) -> list[str]:
    """Return the list of strings that a pickle of Python 2 or 3 has, without loading the pickle.

    Byte strings, which Python 2 had, are decoded as UTF-8; bytes that are not valid become surrogates, as in
    the words of other files.

    Args:
        path: The file.

    Raises:
        FormatError: The pickle has something else, or it is truncated or larger than 64 MiB.
    """
    with open_bytes(path) as file:
        data = file.read(MAX_PICKLE_BYTES + 1)
    if len(data) > MAX_PICKLE_BYTES:
        raise FormatError(
            f"{path}: the pickle has more than {MAX_PICKLE_BYTES:,} bytes; expected a list of words."
        )
    pickle = _Pickle(data, path)
    try:
        return pickle.words()
    except (UnicodeError, ValueError, struct.error) as error:
        raise pickle.error(f"expected a string ({error})") from error


class _Pickle:
    """The bytes of a pickle, read as a list of strings.

    Args:
        data: The bytes.
        path: Its name in messages.
    """

    def __init__(self, data: bytes, path: Path) -> None:
        self._data = data
        self._path = path
        self._next = 0
        self._start = 0  # of the operation

    def error(self, message: str) -> FormatError:
        """Return an error that names the file, and the byte of the operation."""
        return FormatError(
            f"{self._path}: byte {self._start}: {message}. A pickle is not loaded, since it can run any "
            "program: only a list of strings is read."
        )

    def words(self) -> list[str]:
        """Return the strings, in their order."""
        words: list[str] = []
        pending: list[str] = []  # strings that are not in the list yet
        started = False
        while (operation := self._operation()) != b".":
            if operation in _SKIPPED:
                self._bytes(_SKIPPED[operation])
            elif operation == b"p":
                self._line()
            elif operation in _EMPTY_LIST and not started and not pending:
                started = True
            elif started and (operation == b"e" or (operation == b"a" and len(pending) == 1)):
                words += pending
                pending = []
            else:
                pending.append(self._string(operation))
        if not started or pending or self._next != len(self._data):
            raise self.error("expected one list, and nothing after it")
        return words

    def _operation(self) -> bytes:
        self._start = self._next
        return self._bytes(1)

    def _bytes(self, count: int) -> bytes:
        data = self._data[self._next : self._next + count]
        if len(data) != count:
            raise self.error(f"expected {count} bytes, but the file ends after {len(data)}")
        self._next += count
        return data

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self._next)
        if end < 0:
            raise self.error("expected the end of a line, but the file ends")
        line = self._data[self._next : end]
        self._next = end + 1
        return line

    def _string(self, operation: bytes) -> str:
        if operation == b"V":
            return _joined(self._line().decode("raw-unicode-escape"))
        if operation == b"S":
            literal = _LITERAL.fullmatch(self._line())
            if literal is None:
                raise self.error("expected a byte string in quotes")
            content = literal[1] if literal[1] is not None else literal[2]
            return _ESCAPE.sub(_unescaped, content).decode("utf-8", "surrogateescape")
        if operation not in _STRINGS:
            raise self.error(f"expected strings in one list, got the operation {operation!r}")
        length_format, is_text = _STRINGS[operation]
        (length,) = struct.unpack(length_format, self._bytes(struct.calcsize(length_format)))
        if length < 0:
            raise self.error(f"the length of a string is {length}")
        content = self._bytes(length)
        if is_text:
            return _joined(content.decode("utf-8", "surrogatepass"))
        return content.decode("utf-8", "surrogateescape")


def _joined(text: str) -> str:
    """Return a text whose pairs of surrogates, as Python 2 may have them, are one character each."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes([int(code[1:], 16)]) if len(code) > 1 else _ESCAPED.get(code, code)
