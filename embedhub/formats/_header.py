"""The first line of word2vec's formats, text and binary: ``<rows> <dim>``."""

from pathlib import Path

from embedhub.errors import FormatError

LONGEST_HEADER = 100
WIDEST = 1 << 16  # more numbers in a row than any vectors have; a file that says so is something else


def parse(line: bytes) -> tuple[int, int] | None:
    """Return the rows and the dim that a line promises, None if it is no header."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):  # noqa: PLR2004 - "<rows> <dim>"
        return None
    return int(fields[0]), int(fields[1])


def promised_rows(line: bytes, path: Path, dim: int) -> int:
    """Return the rows that a header promises.

    Raises:
        FormatError: It is no header, or of another dim.
    """
    header = parse(line)
    if header is None:
        raise FormatError(f"{path}: line 1: expected a header '<rows> <dim>', found {line!r}.")
    promised, width = header
    if width != dim or width > WIDEST:
        raise FormatError(f"{path}: line 1: the header says dim {width}; expected {dim}.")
    return promised
