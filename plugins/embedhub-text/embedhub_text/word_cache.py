"""Cache of the words of a process: each is tokenized and looked up once.

Without it, batches of 4,096 texts took twice the processor time.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.matrix.tokenizers import Tokenize
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.vectors import Vectors

_MAX_CACHED_WORDS = 1 << 16
"""Number of words or pieces of texts after which the cache is cleared; they take about 10 MB.

Texts with more words are slower, but not because of the limit: without it, 100,000 texts of 20 words drawn by
Zipf's law, 236,000 of them distinct, took as long.
"""

_END: Any = object()
"""Word that marks the end of a text; its number is 0."""


@dataclass(frozen=True)
class TextWords:
    """The words of some texts: ``n`` texts, ``t`` words, ``u`` of them distinct.

    Args:
        vectors: ``(u, dim)`` float32, the vector of each distinct word, zeros where it has none.
        rows: ``(u,)`` int64, its row in the source; negative where the vector is not that of a row.
        is_counted: ``(u,)`` bool, whether it has a vector.
        is_known: ``(u,)`` bool, whether it has one from the source, if need be by a fallback.
        words: ``(t,)`` int64, which of the distinct words each word is, text after text.
        bounds: ``(n + 1,)`` int64; text ``i`` is ``words[bounds[i]:bounds[i + 1]]``.
    """

    vectors: NDArray[np.float32]
    rows: NDArray[np.int64]
    is_counted: NDArray[np.bool_]
    is_known: NDArray[np.bool_]
    words: NDArray[np.int64]
    bounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Number of words of each text, ``(n,)``."""
        return np.diff(self.bounds)

    @cached_property
    def texts(self) -> NDArray[np.int64]:
        """Number of the text that each word belongs to, ``(t,)``."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def count(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many words of each text are selected by a mask of the distinct ones, ``(n,)``."""
        return np.bincount(self.texts[which[self.words]], minlength=len(self))


class WordCache:
    """Turns texts into words with vectors. It is thread-safe.

    Args:
        vectors: The source.
        tokenize: Function that tokenizes a text, or a piece of one.
        fallbacks: The chain for OOV words.
        oov_vectors: Function that returns vectors for words that are not found; None ignores these words.
    """

    def __init__(
        self,
        vectors: Vectors,
        tokenize: Tokenize,
        fallbacks: tuple[Fallback, ...],
        oov_vectors: Callable[[list[str]], NDArray[np.float32]] | None = None,
    ) -> None:
        self._vectors = vectors
        self._tokenize = tokenize
        self._fallbacks = fallbacks
        self._oov_vectors = oov_vectors
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._numbers: defaultdict[Any, int] = defaultdict(count().__next__)  # a new word gets the next one
        self._pieces = _Pieces(self._tokenize, self._numbers)
        # Of each word by its number. A row from len(vectors) on is an item of the composed vectors.
        self._rows = np.full(1, -1)
        self._is_known = np.zeros(1, np.bool_)
        self._composed: list[NDArray[np.float32]] = []

    def read(self, texts: Sequence[str | list[str]], *, by_piece: bool) -> TextWords:
        """Return the words of texts.

        Args:
            texts: Strings, and lists of words.
            by_piece: Whether to tokenize each distinct piece between spaces once, in half the time. The texts
                must then be strings.
        """
        with self._lock:
            if max(len(self._numbers), len(self._pieces)) > _MAX_CACHED_WORDS:
                self._clear()
            try:
                words, bounds = self._read_pieces(texts) if by_piece else self._read_words(texts)
                self._look_up(list(islice(self._numbers, len(self._rows), None)))
            except BaseException:
                self._clear()  # a word without a row must not stay
                raise
            rows, is_known, composed = self._rows, self._is_known, self._composed
        distinct, words = _distinct(words, len(rows))
        rows, is_known = rows[distinct], is_known[distinct]
        vectors = np.take(self._vectors.matrix, rows, axis=0, mode="clip")
        vectors[rows < 0] = 0
        for position in np.flatnonzero(rows >= len(self._vectors)).tolist():
            vectors[position] = composed[rows[position] - len(self._vectors)]
        is_counted = rows >= 0
        rows[rows >= len(self._vectors)] = -1
        return TextWords(vectors, rows, is_counted, is_known, words, bounds)

    def _read_pieces(self, texts: Sequence[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the numbers of the words of strings, and the bounds of the texts."""
        # Iterators to the end: lists of the pieces of all texts would double the time of this method.
        pieces = chain.from_iterable(map(chain, map(str.split, texts), repeat((_END,))))
        words = np.fromiter(chain.from_iterable(map(self._pieces.__getitem__, pieces)), np.int64)
        is_end = words == 0
        bounds = np.concatenate([[0], np.flatnonzero(is_end) - np.arange(len(texts))])
        return words[~is_end], bounds

    def _read_words(self, texts: Sequence[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the numbers of the words of strings and lists of words, and the bounds of the texts."""
        lists = [self._tokenize(text) if isinstance(text, str) else text for text in texts]
        bounds = np.cumsum([0, *map(len, lists)])
        words = map(self._numbers.__getitem__, chain.from_iterable(lists))
        return np.fromiter(words, np.int64, int(bounds[-1])), bounds

    def _look_up(self, words: list[str]) -> None:
        """Find the vectors of new words."""
        if not words:
            return
        match = chains.lookup(self._vectors, words, self._fallbacks)
        rows, is_known = match.rows.copy(), ~match.missing
        for position, mean in match.mean_vectors(self._vectors):
            rows[position] = self._compose(mean, 1)
        oov = np.flatnonzero(match.missing)
        if self._oov_vectors is not None and len(oov):
            first = self._compose(self._oov_vectors([words[i] for i in oov.tolist()]), len(oov))
            rows[oov] = first + np.arange(len(oov))
        # New arrays, since another thread may still read the old ones.
        self._rows = np.concatenate([self._rows, rows])
        self._is_known = np.concatenate([self._is_known, is_known])

    def _compose(self, vectors: NDArray[Any], number: int) -> int:
        """Keep vectors that are not in the source; return the row of the first."""
        first = len(self._vectors) + len(self._composed)
        self._composed += list(np.broadcast_to(vectors.astype(np.float32), (number, self._vectors.dim)))
        return first


class _Pieces(dict[Any, tuple[int, ...]]):
    """The numbers of the words of each piece of a text."""

    def __init__(self, tokenize: Tokenize, numbers: defaultdict[Any, int]) -> None:
        super().__init__({_END: (numbers[_END],)})
        self._tokenize = tokenize
        self._numbers = numbers

    def __missing__(self, piece: str) -> tuple[int, ...]:
        self[piece] = numbers = tuple(map(self._numbers.__getitem__, self._tokenize(piece)))
        return numbers


def _distinct(words: NDArray[np.int64], number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct numbers, and the position of each number among them.

    Not ``np.unique``, whose sorting takes a fifth of the time of a text.

    Args:
        words: Numbers of words.
        number: Number of distinct values.
    """
    occurs = np.zeros(number, np.bool_)
    occurs[words] = True
    distinct = np.flatnonzero(occurs)
    position = np.empty(number, np.int64)
    position[distinct] = np.arange(len(distinct))
    return distinct, position[words]
