"""Text files: UTF-8 with or without a byte-order mark, any line ends, plain or compressed."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, TextIO

from embedhub._compression import read_small
from embedhub.errors import FormatError

_LINE_END = re.compile(b"\r\n|\n|\r")
_MAX_LINES = 1 << 22  # each takes 100 bytes of memory
_MAX_SHOWN = 60  # characters of a line in a message
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)


@contextmanager
def open_text(file: BinaryIO) -> Iterator[TextIO]:
    """Open the text of a binary file, which may be larger than memory and stays open.

    Bytes that are not UTF-8 are decoded to surrogate escapes.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape")
    try:
        yield text
    finally:
        text.detach()


def read_lines(
    path: Path, *, errors: Literal["strict", "surrogateescape"] = "strict"
) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers from 1.

    Args:
        path: The file; it is read into memory.
        errors: How bytes that are not UTF-8 are decoded; words of a source have surrogate escapes.

    Raises:
        FormatError: There are too many bytes or lines; or with ``errors="strict"``, a line is not UTF-8.
    """
    data = read_small(path).removeprefix(codecs.BOM_UTF8)
    if data.count(b"\n") + data.count(b"\r") > _MAX_LINES:
        raise FormatError(
            f"{path}: the file has more than {_MAX_LINES:,} lines, too many to be read at once."
        )
    for number, line in enumerate(_LINE_END.split(data), 1):
        try:
            text = line.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            shown = line.decode("utf-8", "replace")
            raise line_error(path, number, shown, f"expected UTF-8 ({error})") from error
        if text:
            yield number, text


def read_data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither blank nor comments, which begin with ``#``, with their numbers from 1.

    Raises:
        FormatError: A line is not UTF-8.
    """
    for number, line in read_lines(path):
        if line.strip() and not line.startswith("#"):
            yield number, line


def line_error(path: Path, number: int, line: str, expected: str) -> FormatError:
    """Return an error that names the file and the line, with what was expected and the line itself."""
    shown = line if len(line) <= _MAX_SHOWN else line[:_MAX_SHOWN] + "..."
    return FormatError(f"{path}: line {number}: {expected}, got {shown!r}.")


def is_utf8(text: str) -> bool:
    """Return whether a text can be encoded; bytes that are not UTF-8 are decoded to surrogate escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_number(text: str) -> bool:
    """Return whether a text is a decimal number; ``nan``, which float() accepts, is a word."""
    return _NUMBER.fullmatch(text) is not None
