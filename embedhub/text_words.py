"""From texts as they come, in lists, arrays and columns of any package, to their distinct words and rows."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub import fallbacks as chains
from embedhub.fallbacks import Fallback
from embedhub.tokens import Tokenize
from embedhub.vectors import Vectors


def texts_of(column: Any) -> list[Any]:
    """Return a list, array or column as a list.

    Args:
        column: Anything to iterate over; arrays of numpy and pyarrow, series of pandas.

    Raises:
        TypeError: It is one text, or cannot be iterated over.
    """
    for convert in ("to_pylist", "tolist"):  # pyarrow, whose items are objects of its own; numpy and pandas
        if hasattr(column, convert):
            column = getattr(column, convert)()
            break
    if isinstance(column, str | bytes) or not isinstance(column, Iterable):
        raise TypeError(f"expected a list of texts, got {column!r} of type {type(column).__name__}.")
    return list(column)


def are_cut(texts: list[Any]) -> bool:
    """Tell whether some of the texts are lists of words."""
    return any(issubclass(kind, list | tuple | np.ndarray) for kind in set(map(type, texts)))


def in_chunks(texts: list[Any], cut: Tokenize, limit: int) -> Iterator[tuple[list[str], list[int]]]:
    """Cut texts into pieces, some texts at a time.

    Args:
        texts: Each a str; bytes; None, NaN or pandas' NA, which have no words; or a list of words.
        cut: Cuts a text.
        limit: A chunk ends with the text that brings it to so many pieces.

    Yields:
        The pieces of some texts, one text after the other, and where among them each text ends.

    Raises:
        TypeError: A text is none of these.
    """
    pieces: list[str] = []
    ends: list[int] = []
    for position, text in enumerate(texts):
        pieces += cut(text) if type(text) is str else _cut_odd(text, cut, position)
        ends.append(len(pieces))
        if len(pieces) >= limit:
            yield pieces, ends
            pieces, ends = [], []
    if ends:
        yield pieces, ends


def _cut_odd(text: Any, cut: Tokenize, position: int) -> list[str]:
    if isinstance(text, str):
        return cut(text)
    if isinstance(text, bytes):
        return cut(text.decode("utf-8", "surrogateescape"))
    if isinstance(text, list | tuple):
        return list(text)
    if isinstance(text, np.ndarray):
        return list(text.tolist())
    if text is None or text is getattr(sys.modules.get("pandas"), "NA", None):
        return []
    if isinstance(text, float) and text != text:  # noqa: PLR0124 - only NaN is not itself
        return []
    raise TypeError(
        f"text {position} is {text!r} of type {type(text).__name__}; expected str, bytes of UTF-8, None, or "
        "a list of words that is cut already."
    )


@dataclass(frozen=True, slots=True)
class TextWords:
    """The distinct words of some texts, their rows, and where they stand.

    Args:
        table: ``(u, dim)`` float32, the row of each.
        index: ``(u,)`` int64, the source's row of each; negative for words without one of their own.
        known: ``(u,)`` bool, which of them the source has.
        used: ``(u,)`` bool, which of them count: those it has, and all where missing words get rows too.
        places: ``(t,)`` int64, for each word of each text which of the distinct ones it is.
        ends: ``(n,)`` int64, where in ``places`` each text ends.
    """

    table: NDArray[np.float32]
    index: NDArray[np.int64]
    known: NDArray[np.bool_]
    used: NDArray[np.bool_]
    places: NDArray[np.int64]
    ends: NDArray[np.int64]

    def lengths(self) -> NDArray[np.int64]:
        """Return how many words each text has, ``(n,)``."""
        return np.diff(self.ends, prepend=0)

    def per_text(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many words each text has of those that are marked in ``which``, ``(n,)``."""
        return np.diff(_sums(which[self.places])[self.ends], prepend=0)


def look_up(
    vectors: Vectors,
    pieces: list[str],
    ends: list[int],
    *,
    cut: Tokenize | None,
    fallbacks: tuple[Fallback, ...],
    rows_for: Callable[[list[str]], NDArray[np.float32]] | None,
) -> TextWords:
    """Cut each distinct piece of some texts once, and look each distinct word up once.

    Args:
        vectors: Where to look.
        pieces: Those of the texts, one text after the other.
        ends: Where among them each text ends.
        cut: Cuts a piece into words; None where the pieces are words.
        fallbacks: The chain for missing words.
        rows_for: Gives rows to words that are still missing; without it they do not count.
    """
    words, places = _distinct(pieces)
    stops = np.array(ends, np.int64)
    if cut is not None:
        # No list of lists: so many new ones make Python's garbage collector look through all that there is.
        parts: list[str] = []
        bounds = [0]
        for piece in words:
            parts += cut(piece)
            bounds.append(len(parts))
        words, numbers = _distinct(parts)
        many = np.diff(bounds)[places]
        before = _sums(many)
        firsts = np.array(bounds)[places] - before[:-1]
        places, stops = numbers[np.arange(before[-1]) + np.repeat(firsts, many)], before[stops]
    match = chains.find(vectors, words, fallbacks)
    table = match.gather(vectors.matrix, np.arange(len(words)), len(words))
    known = used = ~match.missing
    absent = np.flatnonzero(match.missing)
    if rows_for is not None and len(absent):
        table[absent] = rows_for([words[i] for i in absent.tolist()])
        used = np.ones(len(words), np.bool_)
    return TextWords(table, match.rows, known, used, places, stops)


def _distinct(items: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct items, and for each item which of them it is."""
    number: defaultdict[str, int] = defaultdict(count().__next__)
    places = np.fromiter(map(number.__getitem__, items), np.int64, len(items))
    return list(number), places


def _sums(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Return the sums of the first 0, 1, ..., k numbers, ``(k + 1,)``."""
    sums = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(numbers, out=sums[1:])
    return sums
