"""Word pairs that people have judged: two words and a score a line, in whatever columns."""

import csv
from collections.abc import Iterator
from pathlib import Path

from embedhub._text_lines import is_number, line_error, read_data_lines
from embedhub_eval.items import Pair

_SEPARATORS = ("\t", ";", ",")


def read(path: Path, *, columns: tuple[int, int, int] | None = None) -> Iterator[Pair]:
    r"""Read word pairs.

    Columns are separated by tabs, semicolons, commas or, where a file has none of them, white space; so a
    word may hold blanks where tabs separate. The first line may be a header. Lines that are empty or start
    with ``#`` are left out.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("pairs.csv").write_text("POS,score,word 1,word 2\nN,8.5,New York,city\n")
        >>> list(read(Path("pairs.csv"), columns=(2, 3, 1)))
        [Pair(left='New York', right='city', score=8.5)]

    Args:
        path: The file; it may be compressed.
        columns: Where the two words and the score are, from 0. Without, the score is the first column with a
            number in it, the words are the first two others.

    Yields:
        Each pair, in the order of the file.

    Raises:
        FormatError: A line has not these columns.
    """
    separator, first = None, True
    for number, line in read_data_lines(path):
        if first:
            separator = next((mark for mark in _SEPARATORS if mark in line), None)
        fields = _split(line, separator)
        if columns is None:
            if first and not any(map(is_number, fields)):
                first = False
                continue
            columns = _find_columns(path, number, line, fields)
        pair = _pair(fields, columns)
        if pair is None and not first:
            at = ", ".join(str(column + 1) for column in columns)
            raise line_error(path, number, line, f"expected two words and a number in columns {at}")
        if pair is not None:
            yield pair
        first = False


def _split(line: str, separator: str | None) -> list[str]:
    # Only of commas and semicolons: elsewhere a quotation mark is one.
    fields = (
        next(csv.reader([line], delimiter=separator)) if separator in {",", ";"} else line.split(separator)
    )
    return [field.strip() for field in fields]


def _find_columns(path: Path, number: int, line: str, fields: list[str]) -> tuple[int, int, int]:
    numbers = [column for column, field in enumerate(fields) if is_number(field)]
    words = [column for column, field in enumerate(fields) if field and column not in numbers]
    if not numbers or len(words) < 2:  # noqa: PLR2004 - a pair
        raise line_error(path, number, line, "expected two words and a number")
    return words[0], words[1], numbers[0]


def _pair(fields: list[str], columns: tuple[int, int, int]) -> Pair | None:
    if len(fields) <= max(columns):
        return None
    left, right, score = (fields[column] for column in columns)
    return Pair(left, right, float(score)) if left and right and is_number(score) else None
