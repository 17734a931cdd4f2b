"""Batches of texts in, pooled rows out, on any engine."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.registry import Source, load
from embedhub.tokens import tokenizer
from embedhub.vectors import Vectors


class TextEmbedder:
    """Turns texts into rows: the pooled rows of their words.

    Example:
        >>> import embedhub
        >>> embed = embedhub.TextEmbedder("wordnet-ppmi", 50)
        >>> embed(["a stirring , funny film", "qwxz"]).shape
        (2, 50)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        pooling: ``"mean"``.
        tokenize: How a text is cut into words; see `embedhub.tokens.tokenizer`.
    """

    def __init__(
        self, source: Source, dim: int | None = None, *, pooling: str = "mean", tokenize: Any = "words"
    ) -> None:
        self.source = source
        self.dim = dim
        self.pooling = pooling
        self.tokenize = tokenize

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors, opened when they are first needed."""
        return load(self.source, self.dim)

    def __call__(self, texts: Iterable[str | None]) -> NDArray[np.float32]:
        """Return one row for each text, ``(n, dim)`` float32; zeros where no word is known."""
        from embedhub import pooling

        cut = tokenizer(self.tokenize)
        numbers: dict[str, int] = {}
        words: list[str] = []
        ends: list[int] = []
        for text in texts:
            words += cut(text) if text else ()
            ends.append(len(words))
        numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
        found = self.vectors.indices(list(numbers))
        rows = found[np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))]
        out = np.empty((len(ends), self.vectors.dim), np.float32)
        pooling.mean(self.vectors.matrix, rows, np.array(ends, np.int64), out)
        return out
