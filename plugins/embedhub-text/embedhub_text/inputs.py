"""Lists and columns of texts."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np


def as_list(texts: Any) -> list[Any]:
    """Return a list, array or column of texts as a list.

    Args:
        texts: Any iterable of texts, such as an array of NumPy or pyarrow, a series of pandas or polars, or a
            tensor of strings. An array of one column is that column.

    Raises:
        TypeError: The argument is one text, a table, or not iterable.
        ValueError: It is an array of several columns.
    """
    kind = type(texts).__name__
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):  # iteration would yield the columns' names
        raise TypeError(
            f'expected a list of texts, got a table of type {kind}; pass a column, batch["text"].'
        )
    shape = getattr(texts, "shape", ())
    if len(shape) > 1 and not hasattr(texts, "bounding_shape"):  # a ragged tensor has lists of words
        if math.prod(shape[1:]) != 1:
            raise ValueError(
                f"expected a list of texts, got an array of shape {tuple(shape)}; pass one column, such as "
                "texts[:, 0], or texts.tolist() if each row is a list of words."
            )
        texts = np.asarray(texts).reshape(-1)
    # Tensors of TensorFlow; pyarrow, whose items are objects of its own; NumPy and pandas.
    for convert in ("numpy", "to_pylist", "tolist"):
        if hasattr(texts, convert):
            texts = getattr(texts, convert)()
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"expected a list of texts, got {texts!r} of type {type(texts).__name__}.")
    return list(texts)


def are_tokenized(texts: list[Any]) -> bool:
    """Return whether some of the texts are lists of words."""
    return any(issubclass(kind, list | tuple | np.ndarray) for kind in set(map(type, texts)))


def iter_chunks(texts: list[Any], max_size: int) -> Iterator[list[str | list[str]]]:
    """Yield the texts as strings and lists of words, a chunk at a time.

    Args:
        texts: Each a str; bytes; None, NaN or pandas' NA, which have no words; or a list of words.
        max_size: Characters, or words of lists, of a chunk; a longer text is a chunk of its own.

    Raises:
        TypeError: A text is none of these.
    """
    if not set(map(type, texts)) <= {str, list}:
        texts = [_normalize(text, position) for position, text in enumerate(texts)]
    ends = np.cumsum([0, *map(len, texts)])
    start = 0
    while start < len(texts):
        stop = max(start + 1, int(np.searchsorted(ends, ends[start] + max_size, "right")) - 1)
        yield texts[start:stop]
        start = stop


def _normalize(text: Any, position: int) -> str | list[str]:
    if isinstance(text, str):
        return str(text)
    if isinstance(text, bytes):
        return text.decode("utf-8", "surrogateescape")
    if isinstance(text, list | tuple):
        return list(text)
    if isinstance(text, np.ndarray):
        words = text.tolist()
        return [
            word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word for word in words
        ]
    if text is None or text is getattr(sys.modules.get("pandas"), "NA", None):
        return ""
    if isinstance(text, float) and text != text:  # noqa: PLR0124 - only NaN differs from itself
        return ""
    raise TypeError(
        f"text {position} is {text!r} of type {type(text).__name__}; expected str, bytes of UTF-8, None, or "
        "a list of words."
    )
