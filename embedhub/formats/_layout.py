"""Detection of the field separator of text vectors, from the first lines of a file.

Most files have single spaces, which the compiled loop reads. Tabs, runs of spaces, and spaces at the end of
lines are converted first; other separators raise an error that names them.
"""

from collections.abc import Callable, Sequence
from itertools import takewhile
from statistics import mode
from typing import NamedTuple

from embedhub.errors import FormatError

_MAX_LINES = 10
_REFUSED = {b",": "commas", b";": "semicolons"}


class Layout(NamedTuple):
    """How the lines of a file are split.

    Args:
        dim: Number of numbers at the end of the first line.
        trailing_space: Whether each of the first lines ends with a space.
        split: Function that splits a line into the word and the numbers; None if single spaces separate them,
            so that the word is everything but the last ``dim`` fields.
    """

    dim: int
    trailing_space: bool = False
    split: Callable[[bytes], list[bytes]] | None = None


def first_lines(text: bytes) -> list[bytes]:
    """Return the complete first lines of a text; if it does not have a line end, its only line."""
    *lines, incomplete = text.split(b"\n", _MAX_LINES)
    return [line.removesuffix(b"\r") for line in lines or [incomplete]]


def find_layout(lines: Sequence[bytes], where: str, dim: int = 0) -> Layout:
    """Return the layout of the first lines of a file.

    Args:
        lines: At least one line, without line ends.
        where: The file and the first line, as the start of messages.
        dim: Numbers per line; 0 if unknown.

    Raises:
        FormatError: The separator is not supported.
    """
    trailing_space = all(line.endswith(b" ") for line in lines)
    stripped = [line.removesuffix(b" ") for line in lines]
    if any(b"\t" in line or b"  " in line or line.strip(b" ") != line for line in stripped):
        # A tab is hardly ever in a word, but a word with a space is as long as two.
        for split, agreeing in ((_split_at_tabs, len(lines) // 2 + 1), (_split_at_spaces, len(lines))):
            dims = [_count_fields(split(line)) for line in stripped]
            most = mode(dims)
            if most and most >= dim and dims.count(most) >= agreeing:
                return Layout(most, split=split)
    for separator, name in _REFUSED.items():
        if all(_is_separated(line, separator) for line in stripped):
            raise FormatError(
                f"{where}: expected a word and its numbers separated by single spaces or tabs, with decimal "
                f"points, got {name}: {abbreviate(lines[0])}. Write the file with tabs, such as with pandas: "
                "frame.to_csv(path, sep='\\t', header=False)."
            )
    return Layout(count_numbers(stripped[0]), trailing_space)


def to_single_spaces(
    text: bytes, dim: int, split: Callable[[bytes], list[bytes]]
) -> tuple[bytes, bytes | None]:
    """Return the lines of a text with single spaces, up to the first that is not a word and its numbers.

    Args:
        text: Lines; the last one may lack its line end.
        dim: Numbers per line.
        split: As a `Layout` has it.

    Returns:
        The lines before the first malformed one, and that one or None.
    """
    lines = text.split(b"\n")
    last = lines.pop()
    results: list[bytes] = []
    for line in [*lines, last] if last else lines:
        fields = split(line.removesuffix(b"\r"))
        if len(fields) != dim + 1:
            return b"".join(results), line
        results.append(b" ".join(fields) + b"\n")
    joined = b"".join(results)
    return (joined[:-1] if last else joined), None


def count_numbers(line: bytes) -> int:
    """Return the number of numbers at the end of a line, not counting its first field."""
    _, *fields = line.removesuffix(b"\r").split(b" ")
    return sum(1 for _ in takewhile(is_number, reversed(fields)))


def is_number(field: bytes) -> bool:
    """Return whether a field is a decimal number that the compiled loop accepts."""
    if not field or field.strip(b"0123456789+-.eE"):
        return False
    try:
        float(field)
    except ValueError:
        return False
    return True


def abbreviate(text: bytes, limit: int = 60) -> str:
    """Return bytes as text for messages."""
    return repr(text if len(text) <= limit else text[:limit] + b"...")[1:]


def _split_at_tabs(line: bytes) -> list[bytes]:
    """Split a line whose first tab ends the word, which may have spaces."""
    word, _, numbers = line.partition(b"\t")
    return [word, *numbers.rstrip(b" \t").replace(b"\t", b" ").split(b" ")]


def _split_at_spaces(line: bytes) -> list[bytes]:
    """Split a line at each run of spaces and tabs, so that no word can have any."""
    return [field for field in line.replace(b"\t", b" ").split(b" ") if field]


def _count_fields(fields: list[bytes]) -> int:
    """Return the number of numbers if all fields but the first are numbers, else 0."""
    return len(fields) - 1 if all(map(is_number, fields[1:])) else 0


def _is_separated(line: bytes, separator: bytes) -> bool:
    """Return whether splitting at this separator finds more numbers, other than in words like ``1,000``."""
    numbers = count_numbers(line)
    more = count_numbers(b" ".join(_split_at_spaces(line.replace(separator, b" "))) or b" ")
    return more > numbers and not (numbers and is_number(line.partition(separator)[0]))
