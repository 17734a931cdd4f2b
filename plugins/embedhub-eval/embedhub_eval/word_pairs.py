"""Reader of word pairs with human similarity ratings: two words and a number per line."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from embedhub._text_lines import is_number, line_error, read_data_lines
from embedhub.errors import FormatError
from embedhub_eval._fields import SEPARATORS, split_fields

_DECIMAL_COMMA = re.compile(r"^([-+]?[0-9]+),([0-9]+)$")
# Names of columns, in lower case and with a space for other marks.
_WORD_NAMES = {
    f"{word}{space}{number}"
    for word in ("word", "w", "term", "token")
    for space in ("", " ")
    for number in "12"
} | {"first word", "second word", "first", "second", "left", "right"}
_RATING_NAMES = {
    *("score", "similarity", "sim", "rating", "mean", "human", "average", "avg", "gold", "relatedness"),
    *("human mean", "simlex999", "judgment", "scores", "ratings"),
}
_SPREAD_NAMES = {"sd", "std", "stdev", "stddev", "var", "variance", "n", "count", "rank"}
_INDEX_NAMES = {"index", "idx", "id", "unnamed 0", "no", "nr", "row"}


class WordPair(NamedTuple):
    """Two words with a human rating of their similarity.

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
        >>> _ = Path("pairs.csv").write_text(",POS,score,word1,word2\n0,N,8.5,New York,city\n")
        >>> list(read(Path("pairs.csv")))
        [WordPair(word1='New York', word2='city', score=8.5)]

    Args:
        path: The file; it may be compressed.
        columns: Numbers, from 1, of the columns with the two words and the rating. By default the names of
            the header decide: ``word1`` and ``word2``, and ``score``, ``similarity``, ``rating``, ``mean`` or
            the like. Without such names, the words are the first two columns that are not numbers, and the
            rating is the only column of numbers that does not count the rows.

    Yields:
        Each pair, in the order of the file.

    Raises:
        FormatError: A line after the header lacks two words or a number in these columns, or the columns
            cannot be distinguished.
    """
    lines = list(read_data_lines(path))
    if not lines:
        return
    separator = next((mark for mark in SEPARATORS if mark in lines[0][1]), None)
    rows = [_split(line, separator) for _, line in lines]
    header = None if any(map(is_number, rows[0])) else rows[0]
    places = None if columns is None else [column - 1 for column in columns]
    if places is not None:
        has_header = _pair(rows[0], places) is None
    else:
        has_header = header is not None
        if len(rows) == has_header:
            raise line_error(path, *lines[0], "expected two words and a number")
        places = _places(path, lines[has_header], rows[has_header:], header)
    for (number, line), fields in list(zip(lines, rows, strict=True))[has_header:]:
        pair = _pair(fields, places)
        if pair is None:
            shown = ", ".join(str(place + 1) for place in places)
            raise line_error(path, number, line, f"expected two words and a number in columns {shown}")
        yield pair


def _places(path: Path, line: tuple[int, str], rows: list[list[str]], header: list[str] | None) -> list[int]:
    """Return the positions of the two words and of the rating.

    Args:
        path: The file, for messages.
        line: The first line after the header, with its number.
        rows: Fields of the lines after the header.
        header: Fields of the header; None without one.
    """
    first = rows[0]
    names = [re.sub(r"[\W_]+", " ", name).strip().lower() for name in header or [""] * len(first)]
    names += [""] * (len(first) - len(names))
    named_words = [place for place, name in enumerate(names) if name in _WORD_NAMES]
    numbers = [
        place
        for place, field in enumerate(first)
        if is_number(field) and place not in named_words and not _counts_rows(rows, place, names[place])
    ]
    words = named_words or [place for place, field in enumerate(first) if field and not is_number(field)]
    if len(words) < 2 or not numbers:  # noqa: PLR2004 - a pair
        raise line_error(path, *line, "expected two words and a number")
    ratings = (
        [place for place in numbers if names[place] in _RATING_NAMES]
        or [place for place in numbers if _is_rating(names[place])]
        or (numbers if header is None or named_words else [])
    )
    if len(ratings) != 1 or len(named_words) not in {0, 2}:
        shown = ", ".join(
            f"{place + 1} ({header[place] if header and place < len(header) else first[place]!r})"
            for place in ratings or numbers
        )
        raise FormatError(
            f"{path}: expected one column of similarity ratings, but it is not clear which that is: column "
            f"{shown}. Name the columns word1, word2 and score in the first line, or pass their numbers: "
            f"embedhub_eval.Benchmark(name='mine', format='pairs', path=pathlib.Path({str(path.name)!r}), "
            "columns=(1, 2, 3))."
        )
    return [*words[:2], ratings[0]]


def _counts_rows(rows: list[list[str]], place: int, name: str) -> bool:
    """Return whether a column counts or identifies the rows, as the first of `DataFrame.to_csv` does."""
    if name in _INDEX_NAMES:
        return True
    if place or name:
        return False
    values = [fields[0] for fields in rows]
    return any(values == [str(i + start) for i in range(len(rows))] for start in (0, 1))


def _is_rating(name: str) -> bool:
    words = set(name.split())
    return bool(words & _RATING_NAMES) and not words & _SPREAD_NAMES


def _split(line: str, separator: str | None) -> list[str]:
    fields = split_fields(line, separator)
    # Where a comma is the decimal mark, spreadsheets separate by semicolons.
    return [_DECIMAL_COMMA.sub(r"\1.\2", field) for field in fields] if separator == ";" else fields


def _pair(fields: list[str], places: list[int]) -> WordPair | None:
    if len(fields) <= max(places):
        return None
    word1, word2, score = (fields[place] for place in places)
    return WordPair(word1, word2, float(score)) if word1 and word2 and is_number(score) else None
