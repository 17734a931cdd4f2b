"""Words and their rows: `Vocabulary` and `Vectors`, both views of memory-mapped files.

No dictionary of the corpus is ever built. A lookup hashes the asked-for words with XXH3 (64 bits), finds
the hashes in a sorted array, compares the bytes, and gathers the rows. XXH3 is specified at
https://github.com/Cyan4973/xxHash.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, SupportsIndex, TypeVar, overload

import numpy as np
import xxhash
from numpy.typing import ArrayLike, NDArray

from embedhub.errors import WordNotFoundError
from embedhub.subwords import Subwords

_CHUNK = 8192
_T = TypeVar("_T")


def encode(word: str) -> bytes:
    """Return the bytes of a word; bytes that are not UTF-8 travel as surrogate escapes."""
    return word.encode("utf-8", "surrogateescape")


def encode_all(words: list[str]) -> list[bytes]:
    """Return the bytes of each word; one call for all of them, where no word holds the separator."""
    encoded = "\n".join(words).encode("utf-8", "surrogateescape").split(b"\n")
    return encoded if len(encoded) == len(words) else [encode(word) for word in words]


def hash_words(encoded: Collection[bytes]) -> NDArray[np.uint64]:
    """Return the 64-bit XXH3 of each word's bytes, shape ``(k,)``."""
    return np.fromiter(map(xxhash.xxh3_64_intdigest, encoded), np.uint64, len(encoded))


class Vocabulary(Sequence[str]):
    """The words of a source in the order of its rows; all distinct.

    Example:
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi", 25).words
        <Vocabulary of 78,781 words: 'the', 'a', 'of', ...>

    Args:
        text: The words' bytes one after the other, uint8.
        offsets: Where each word starts in ``text``, and its end last, ``(n + 1,)`` int64.
        hashes: XXH3 of each word's bytes, sorted, ``(n,)`` uint64.
        rows: The row of each entry of ``hashes``, ``(n,)`` int64.
    """

    __slots__ = ("_hashes", "_offsets", "_rows", "_text")

    def __init__(
        self,
        text: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        hashes: NDArray[np.uint64],
        rows: NDArray[np.int64],
    ) -> None:
        self._text = text
        self._offsets = offsets
        self._hashes = hashes
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> str | list[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._words(start, max(start, stop))
            return [self[i] for i in range(start, stop, step)]
        row = operator.index(index)
        if row < 0:
            row += len(self)
        if not 0 <= row < len(self):
            raise IndexError(f"index {operator.index(index)} is out of range for {len(self)} words")
        return self._words(row, row + 1)[0]

    def _words(self, start: int, stop: int) -> list[str]:
        """Return the words of a range of rows."""
        ends = self._offsets[start : stop + 1].tolist()
        text = self._text[ends[0] : ends[-1]].tobytes()
        return [text[a - ends[0] : b - ends[0]].decode("utf-8", "surrogateescape") for a, b in pairwise(ends)]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _CHUNK):
            yield from self._words(start, min(start + _CHUNK, len(self)))

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and bool(self.indices([word])[0] >= 0)

    def index(self, word: str, start: int = 0, stop: int | None = None) -> int:
        """Return the row of a word, or raise ValueError, as a list does.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).words.index("music")
            253

        Args:
            word: The word.
            start: The first row that counts.
            stop: The row behind the last one that counts.
        """
        row = int(self.indices([word])[0])
        if row < 0 or row not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{word!r} is not in the vocabulary")
        return row

    def count(self, word: str) -> int:
        """Return 1 if the word is there, else 0: words are distinct.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).words.count("music")
            1

        Args:
            word: The word.
        """
        return int(word in self)

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self):,} words: {', '.join(map(repr, self[:3]))}, ...>"

    def indices(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the row of each word, -1 where it is missing.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).words.indices(["music", "qwxz"]).tolist()
            [253, -1]

        Args:
            words: ``k`` words, in any order, repeated or not.

        Returns:
            ``(k,)`` int64.

        Raises:
            TypeError: ``words`` is one string, or holds something that is no string.
        """
        if isinstance(words, (str, bytes)):
            raise TypeError(f"expected several words, got one {type(words).__name__}: {words!r}")
        wanted = list(words)
        try:
            encoded = encode_all(wanted)
        except TypeError:
            odd = next(word for word in wanted if not isinstance(word, str))
            raise TypeError(f"expected words of type str, got {odd!r} of type {type(odd).__name__}") from None
        except UnicodeEncodeError:
            return self._indices_of_odd(wanted)
        return self._find(encoded)

    def _indices_of_odd(self, words: list[str]) -> NDArray[np.int64]:
        """Look up words of which some hold a lone surrogate, which no file's bytes can decode to."""
        found = np.full(len(words), -1, np.int64)
        possible = [
            i
            for i, word in enumerate(words)
            if not any("\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff" for c in word)
        ]
        found[possible] = self._find([encode(words[i]) for i in possible])
        return found

    def _find(self, encoded: list[bytes]) -> NDArray[np.int64]:
        hashes = hash_words(encoded)
        found = np.full(len(encoded), -1, np.int64)
        # Sorted, neighbours look at the same pages: 3 ms for 20,000 words among 400,000, against 15 ms.
        order = np.argsort(hashes)
        entries = np.empty(len(encoded), np.int64)
        entries[order] = np.searchsorted(self._hashes, hashes[order])
        open_ = np.arange(len(encoded))
        # Two words may share a hash: then their entries are neighbours, and the next one is tried.
        while True:
            open_ = open_[entries[open_] < len(self)]
            open_ = open_[self._hashes[entries[open_]] == hashes[open_]]
            if not len(open_):
                return found
            rows = self._rows[entries[open_]]
            same = self._equal(rows, [encoded[i] for i in open_.tolist()])
            found[open_[same]] = rows[same]
            open_ = open_[~same]
            entries[open_] += 1

    def _equal(self, rows: NDArray[np.int64], encoded: list[bytes]) -> NDArray[np.bool_]:
        """Tell for each row whether its word has just these bytes."""
        starts = self._offsets[rows]
        lengths = self._offsets[rows + 1] - starts
        equal: NDArray[np.bool_] = lengths == np.fromiter(map(len, encoded), np.int64, len(encoded))
        if not equal.all():
            equal[equal] = self._equal(rows[equal], [encoded[i] for i in np.flatnonzero(equal).tolist()])
            return equal
        owners = np.repeat(np.arange(len(rows)), lengths)
        shifts = starts - (np.cumsum(lengths) - lengths)
        stored = self._text[np.arange(len(owners)) + shifts[owners]]
        differ = stored != np.frombuffer(b"".join(encoded), np.uint8)
        equal[owners[differ]] = False
        return equal


class Vectors(Collection[str]):
    """The matrix of a source, and the words of its rows. Read-only; opening one costs milliseconds.

    Example:
        >>> import embedhub
        >>> vectors = embedhub.load("wordnet-ppmi", 25)
        >>> vectors["music"].shape
        (25,)
        >>> vectors.get("qwxz") is None
        True
        >>> vectors.lookup(["music", "qwxz"], missing="zeros").shape
        (2, 25)

    Args:
        matrix: ``(n, dim)`` float32, read-only.
        words: The word of each row.
        name: Name of the source.
        manifest: What the store says of itself.
        subwords: Makes vectors for words that are not there, where the source can (fastText); else None.
        extras: Files that came with the vectors, by name, such as ``tokenizer.json``.

    Attributes:
        fallbacks: What is tried for missing words unless the caller says otherwise: the default of the
            source, which sets it. Look-ups here know of none; `embedhub.embedding_matrix` does.
        reopen: A function and its arguments that open the same vectors in another process: what travels
            when they are pickled. `embedhub.load` sets it; without it they cannot be pickled.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        words: Vocabulary,
        *,
        name: str,
        manifest: dict[str, Any] | None = None,
        subwords: Subwords | None = None,
        extras: Mapping[str, Path] | None = None,
    ) -> None:
        self.matrix = matrix
        self.words = words
        self.name = name
        self.manifest = manifest or {}
        self.fallbacks: tuple[str | Callable[[str], str | None], ...] = ()
        self.subwords = subwords
        self.extras = extras or {}
        self.reopen: tuple[Callable[..., Vectors], tuple[Any, ...]] | None = None
        self._norms: NDArray[np.float32] | None = None

    @property
    def dim(self) -> int:
        """Width of a row."""
        return int(self.matrix.shape[1])

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.words

    def __repr__(self) -> str:
        return f"<Vectors {self.name}: {len(self):,} words, dim {self.dim}>"

    def __reduce__(self) -> tuple[Callable[..., "Vectors"], tuple[Any, ...]]:
        if self.reopen is None:
            raise TypeError(
                f"{self!r} cannot be pickled: only its name would travel, and it has no registered one. "
                "Register its source with embedhub.register and open it with embedhub.load."
            )
        return self.reopen

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        """Return the row of a word, ``(dim,)`` and read-only, or raise WordNotFoundError."""
        row = self.get(word)
        if row is None:
            raise WordNotFoundError(
                f"{self.name} {self.dim}d has no word {word!r}; use .get(word, default) if it may be missing."
            )
        return row

    @overload
    def get(self, word: str) -> NDArray[np.float32] | None: ...
    @overload
    def get(self, word: str, default: _T) -> NDArray[np.float32] | _T: ...
    def get(self, word: str, default: Any = None) -> Any:
        """Return the row of a word, or ``default`` where it is missing.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).get("qwxz", "none")
            'none'

        Args:
            word: The word.
            default: What comes back for a missing one.

        Returns:
            ``(dim,)`` float32, read-only.
        """
        row = self.indices([word])[0]
        return default if row < 0 else self.matrix[row]

    def indices(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the index of each word's row, -1 where the word is missing.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).indices(["music", "qwxz"]).tolist()
            [253, -1]

        Args:
            words: ``k`` words.

        Returns:
            ``(k,)`` int64.
        """
        return self.words.indices(words)

    def lookup(
        self, words: Iterable[str], *, missing: Literal["raise", "zeros"] = "raise"
    ) -> NDArray[np.float32]:
        """Return the rows of many words at once.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 25)
            >>> vectors.lookup(["music", "qwxz"], missing="zeros").any(axis=1).tolist()
            [True, False]

        Args:
            words: ``k`` words.
            missing: ``"raise"``, or ``"zeros"`` for a row of zeros in place of a missing word.

        Returns:
            A new ``(k, dim)`` float32 array.

        Raises:
            WordNotFoundError: A word is missing, and ``missing`` is ``"raise"``.
        """
        if missing not in {"raise", "zeros"}:
            raise ValueError(f"missing is {missing!r}; expected 'raise' or 'zeros'.")
        wanted = words if isinstance(words, (str, bytes)) else list(words)
        rows = self.indices(wanted)
        absent = np.flatnonzero(rows < 0)
        if len(absent) and missing == "raise":
            shown = ", ".join(repr(wanted[i]) for i in absent[:5])
            raise WordNotFoundError(
                f"{self.name} {self.dim}d: {len(absent)} of {len(rows)} words are missing: {shown}"
                f"{', ...' if len(absent) > 5 else ''}. "  # noqa: PLR2004 - as many as are shown
                "Use .get(word), or lookup(words, missing='zeros')."
            )
        matrix = self.matrix[rows]
        matrix[absent] = 0
        return matrix

    def most_similar(self, query: str | ArrayLike, topn: int = 10) -> list[tuple[str, float]]:
        """Return the words whose rows have the largest cosine with the query's.

        Example:
            >>> import embedhub
            >>> [word for word, _ in embedhub.load("wordnet-ppmi", 100).most_similar("cello", topn=3)]
            ['cellos', 'violoncello', 'lutanist']

        Args:
            query: A word, which is then left out of the answer, or a vector of shape ``(dim,)``.
            topn: How many words; fewer come back when the vocabulary is smaller.

        Returns:
            Pairs of word and cosine, best first. A row of zeros has cosine 0 with everything.

        Raises:
            WordNotFoundError: The query is a word that is missing.
        """
        if topn < 1:
            raise ValueError(f"topn is {topn}; expected 1 or more.")
        if isinstance(query, str):
            vector, left_out = self[query], int(self.indices([query])[0])
        else:
            vector, left_out = np.asarray(query, np.float32), -1
            if vector.shape != (self.dim,):
                raise ValueError(
                    f"query has shape {vector.shape}; expected a word or a vector of shape ({self.dim},)."
                )
        scores = self.matrix @ vector
        scores /= self._lengths() * (np.linalg.norm(vector) or 1)
        if left_out >= 0:
            scores[left_out] = -np.inf
        topn = min(topn, len(self) - (left_out >= 0))
        if topn == 0:
            return []
        # Equal scores come in the order of the rows, so that the answer is the same everywhere.
        best = np.flatnonzero(scores >= np.partition(scores, -topn)[-topn])
        best = best[np.argsort(-scores[best], kind="stable")][:topn]
        return [(self.words[i], float(scores[i])) for i in best.tolist()]

    def _lengths(self) -> NDArray[np.float32]:
        """Return the Euclidean length of each row, 1 for rows of zeros; computed once."""
        if self._norms is None:
            norms = np.empty(len(self), np.float32)
            for start in range(0, len(self), _CHUNK):
                rows = self.matrix[start : start + _CHUNK]
                norms[start : start + _CHUNK] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            norms[norms == 0] = 1
            self._norms = norms
        return self._norms
