"""Texts as they come, in lists, arrays and columns of any package, cut into pieces."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.matrix.tokenizers import Tokenize


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


def in_chunks(
    texts: list[Any], cut: Tokenize, limit: int
) -> Iterator[tuple[list[list[str]], NDArray[np.int64]]]:
    """Cut texts into pieces, some texts at a time.

    Args:
        texts: Each a str; bytes; None, NaN or pandas' NA, which have no words; or a list of words.
        cut: Cuts a text.
        limit: How many characters, or words of lists, a chunk has at most, if it is not one longer text.

    Yields:
        The pieces of each text, and where a text ends if those of all are put in one row.

    Raises:
        TypeError: A text is none of these.
    """
    if not set(map(type, texts)) <= {str, list}:
        texts = [_plain(text, position) for position, text in enumerate(texts)]
    so_far = np.cumsum([0, *map(len, texts)])
    start = 0
    while start < len(texts):
        stop = max(start + 1, int(np.searchsorted(so_far, so_far[start] + limit, "right")) - 1)
        pieces = [cut(text) if type(text) is str else text for text in texts[start:stop]]
        yield pieces, np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)))
        start = stop


def _plain(text: Any, position: int) -> str | list[str]:
    if isinstance(text, str):
        return str(text)
    if isinstance(text, bytes):
        return text.decode("utf-8", "surrogateescape")
    if isinstance(text, list | tuple):
        return list(text)
    if isinstance(text, np.ndarray):
        return list(text.tolist())
    if text is None or text is getattr(sys.modules.get("pandas"), "NA", None):
        return ""
    if isinstance(text, float) and text != text:  # noqa: PLR0124 - only NaN is not itself
        return ""
    raise TypeError(
        f"text {position} is {text!r} of type {type(text).__name__}; expected str, bytes of UTF-8, None, or "
        "a list of words that is cut already."
    )
