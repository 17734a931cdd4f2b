"""The lines of small text files of any origin: any line ends, a byte-order mark, comments, empty lines."""

import re
from collections.abc import Iterator
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.errors import FormatError

_ENDS = re.compile(b"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"
_SHOWN = 60
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give each line that is neither empty nor a comment (``#`` first), with its number from 1.

    Raises:
        FormatError: A line is not UTF-8.
    """
    with open_bytes(path) as file:
        data = file.read().removeprefix(_MARK)
    for number, line in enumerate(_ENDS.split(data), 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise bad(path, number, line.decode("utf-8", "replace"), f"expected UTF-8 ({error})") from error
        if text.strip() and not text.startswith("#"):
            yield number, text


def bad(path: Path, number: int, line: str, why: str) -> FormatError:
    """Return the error that says where a file is wrong, and why."""
    shown = line if len(line) <= _SHOWN else line[:_SHOWN] + "..."
    return FormatError(f"{path}: line {number}: {why}, got {shown!r}.")


def is_number(text: str) -> bool:
    """Tell whether a text is a number; ``nan``, which float() takes too, is a word."""
    return _NUMBER.fullmatch(text) is not None
