"""Chunks of texts."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from embedhub.matrix.texts import normalize


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
        texts = [normalize(text, position) for position, text in enumerate(texts)]
    ends = np.cumsum([0, *map(len, texts)])
    start = 0
    while start < len(texts):
        stop = max(start + 1, int(np.searchsorted(ends, ends[start] + max_size, "right")) - 1)
        yield texts[start:stop]
        start = stop
