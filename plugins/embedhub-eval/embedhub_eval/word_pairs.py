"""Word pairs with human similarity ratings: two words and a number per line."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from embedhub._text_lines import is_number, line_error, read_data_lines

_SEPARATORS = ("\t", ";", ",")


class WordPair(NamedTuple):
    """Two words and how similar people rated them.

    Example:
        >>> from embedhub_eval import WordPair
        >>> WordPair("rain", "storm", 8.0).score
        8.0

    Args:
        word1: The first word.
        word2: The second word.
        score: Human similarity rating; higher is more similar. Each benchmark has a scale of its own.
    """

    word1: str
    word2: str
    score: float


def read(path: Path, *, columns: Sequence[int] | None = None) -> Iterator[WordPair]:
    r"""Read word pairs.

    Columns are separated by tabs, semicolons or commas, or by white space if the first line has none of
    these; so a word may contain spaces in a file with tabs. The first line may be a header. Empty lines and
    lines that start with ``#`` are skipped.

    Example:
        >>> from pathlib import Path
        >>> from embedhub_eval.word_pairs import read
        >>> _ = Path("pairs.csv").write_text("POS,score,word 1,word 2\nN,8.5,New York,city\n")
        >>> list(read(Path("pairs.csv"), columns=(3, 4, 2)))
        [WordPair(word1='New York', word2='city', score=8.5)]

    Args:
        path: The file; it may be compressed.
        columns: Numbers, from 1, of the columns with the two words and the rating. By default the rating is
            the first column with a number, and the words are the first two other columns.

    Yields:
        Each pair, in the order of the file.

    Raises:
        FormatError: A line after the header lacks two words or a number in these columns.
    """
    places = None if columns is None else [column - 1 for column in columns]
    separator, is_first = None, True
    for number, line in read_data_lines(path):
        if is_first:
            separator = next((mark for mark in _SEPARATORS if mark in line), None)
        fields = _split(line, separator)
        if places is None and (any(map(is_number, fields)) or not is_first):
            numbers = [place for place, field in enumerate(fields) if is_number(field)]
            words = [place for place, field in enumerate(fields) if field and place not in numbers]
            if not numbers or len(words) < 2:  # noqa: PLR2004 - a pair
                raise line_error(path, number, line, "expected two words and a number")
            places = [*words[:2], numbers[0]]
        pair = None if places is None else _pair(fields, places)
        if pair is not None:
            yield pair
        elif not is_first:
            shown = ", ".join(str(place + 1) for place in places or ())
            raise line_error(path, number, line, f"expected two words and a number in columns {shown}")
        is_first = False


def _split(line: str, separator: str | None) -> list[str]:
    # Quotation marks quote only in CSV; between tabs they belong to the word.
    fields = (
        next(csv.reader([line], delimiter=separator)) if separator in {",", ";"} else line.split(separator)
    )
    return [field.strip() for field in fields]


def _pair(fields: list[str], places: list[int]) -> WordPair | None:
    if len(fields) <= max(places):
        return None
    word1, word2, score = (fields[place] for place in places)
    return WordPair(word1, word2, float(score)) if word1 and word2 and is_number(score) else None
