"""Lists and columns of texts, from any package."""

import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def as_list(texts: Any, expected: str = "a list of texts") -> list[Any]:
    """Return a list, array or column of texts as a list.

    Example:
        >>> import numpy as np
        >>> as_list(np.array([["rain"], ["wind"]]))
        ['rain', 'wind']

    Args:
        texts: Any iterable of texts, such as an array of NumPy or pyarrow, a series of pandas or polars, a
            column of datasets, or a tensor of strings. An array with one column counts as that column.
        expected: The expected type, for the error message.

    Raises:
        TypeError: The argument is a single text, a table, or not iterable.
        ValueError: The argument is an array with several columns.
    """
    kind = type(texts).__name__
    table = type(texts)  # that of Polars computes the columns of a LazyFrame, with a warning
    # Iteration over a table would yield the names of its columns, or rows as mappings.
    if isinstance(texts, Mapping) or hasattr(table, "columns") or hasattr(table, "column_names"):
        collected = "collect it and " if hasattr(table, "collect") else ""
        raise TypeError(
            f'expected {expected}, got a table of type {kind}; {collected}pass a column, batch["text"].'
        )
    shape = getattr(texts, "shape", ())
    if len(shape) > 1 and not hasattr(texts, "bounding_shape"):  # a ragged tensor has lists of words
        if math.prod(shape[1:]) != 1:
            raise ValueError(
                f"expected {expected}, got an array of shape {tuple(shape)}; pass one column, such as "
                "texts[:, 0], or texts.tolist() if each row is a list of words."
            )
        texts = np.asarray(texts).reshape(-1)
    # Tensors of TensorFlow; pyarrow, whose items are objects of its own; NumPy and pandas.
    for convert in ("numpy", "to_pylist", "tolist"):
        if hasattr(texts, convert):
            texts = getattr(texts, convert)()
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"expected {expected}, got {texts!r} of type {type(texts).__name__}.")
    return list(texts)


def normalize(text: Any, position: int) -> str | list[str]:
    """Return a text as a string, or as a list of its words.

    Example:
        >>> normalize(b"rain", 0), normalize(None, 1), normalize(("the", "rain"), 2)
        ('rain', '', ['the', 'rain'])

    Args:
        text: A str; bytes; None, NaN or pandas' NA, which have no words; or a list of words.
        position: Position of the text, for the error message.

    Raises:
        TypeError: The text is none of these.
    """
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
