"""Vocabulary of a source, in memory-mapped files.

No dictionary of all words is built. A look-up hashes the requested words with 64-bit XXH3, finds the hashes
in a sorted array, and compares the bytes. XXH3 is specified at https://github.com/Cyan4973/xxHash.
"""

import operator
from collections import Counter
from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import SupportsIndex, overload

import numpy as np
import xxhash
from numpy.typing import NDArray

_CHUNK = 8192
_LOOK_UPS = 1000  # one by one, they take as long as a dict of 200,000 words


def encode(word: str) -> bytes:
    """Return the bytes of a word; its surrogate escapes stand for bytes that are not UTF-8."""
    return word.encode("utf-8", "surrogateescape")


def encode_all(words: list[str]) -> list[bytes]:
    """Return the bytes of each word; encoded in one call, unless a word contains the separator."""
    encoded = "\n".join(words).encode("utf-8", "surrogateescape").split(b"\n")
    return encoded if len(encoded) == len(words) else [encode(word) for word in words]


def hash_words(encoded: Collection[bytes]) -> NDArray[np.uint64]:
    """Return the 64-bit XXH3 of each word's bytes, shape ``(k,)``."""
    return np.fromiter(map(xxhash.xxh3_64_intdigest, encoded), np.uint64, len(encoded))


class Vocabulary(Sequence[str]):
    """The distinct words of a source, in the order of its vectors.

    Example:
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi", 25).words
        <Vocabulary of 78,781 words: 'the', 'a', 'of', ...>

    Args:
        text: Concatenated bytes of the words, uint8.
        offsets: Start of each word in ``text``, and the end of the last one, ``(n + 1,)`` int64.
        hashes: XXH3 of each word's bytes, sorted, ``(n,)`` uint64.
        rows: Row number of the word of each hash, ``(n,)`` int64.
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

    @classmethod
    def of(cls, words: Iterable[str]) -> "Vocabulary":
        """Return a vocabulary of distinct words in memory.

        Example:
            >>> Vocabulary.of(["rain", "storm", "wind"])
            <Vocabulary of 3 words: 'rain', 'storm', 'wind', ...>

        Args:
            words: The words, in the order of their rows.

        Raises:
            TypeError: One of them is not a string, or ``words`` is one string.
            ValueError: A word occurs twice.
        """
        if isinstance(words, str | bytes):
            raise TypeError(f"words is {words!r}; expected one word for each row.")
        words = list(words)
        if invalid := [word for word in words if not isinstance(word, str)]:
            kind = type(invalid[0]).__name__
            raise TypeError(f"words has {invalid[0]!r} of type {kind}; expected strings.")
        if repeated := [word for word, count in Counter(words).items() if count > 1]:
            raise ValueError(f"words has {repeated[0]!r} more than once; each word has one row.")
        encoded = encode_all(words)
        offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(encoded) + 1)
        hashes = hash_words(encoded)
        order = np.argsort(hashes, kind="stable")
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets, hashes[order], order)

    @property
    def encoded(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The concatenated bytes of the words; and where each word starts, and the end."""
        return self._text, self._offsets

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
        if isinstance(index, str):
            raise TypeError(
                f"words[{index!r}]: words are numbered. The vector of a word is vectors[{index!r}], its row "
                f"number words.index({index!r})."
            )
        row = operator.index(index)
        if row < 0:
            row += len(self)
        if not 0 <= row < len(self):
            raise IndexError(f"index {operator.index(index)} is out of range for {len(self)} words")
        return self._words(row, row + 1)[0]

    def _words(self, start: int, stop: int) -> list[str]:
        """Return the words from row ``start`` to ``stop``."""
        ends = self._offsets[start : stop + 1].tolist()
        text = self._text[ends[0] : ends[-1]].tobytes()
        return [text[a - ends[0] : b - ends[0]].decode("utf-8", "surrogateescape") for a, b in pairwise(ends)]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _CHUNK):
            yield from self._words(start, min(start + _CHUNK, len(self)))

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and bool(self.indices([word])[0] >= 0)

    def index(self, word: str, start: int = 0, stop: int | None = None) -> int:
        """Return the row number of a word, or raise ValueError, as a list does.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).words.index("music")
            253

        Args:
            word: The word.
            start: First row to consider.
            stop: End of the rows to consider.
        """
        row = int(self.indices([word])[0])
        if row < 0 or row not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{word!r} is not in the vocabulary")
        return row

    def count(self, word: str) -> int:
        """Return 1 if a word is in the vocabulary, else 0: words are distinct.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).words.count("music")
            1

        Args:
            word: The word.
        """
        return int(word in self)

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self):,} words: {', '.join([*map(repr, self[:3]), '...'])}>"

    def indices(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the row number of each word, -1 for missing words.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).words.indices(["music", "qwxz"]).tolist()
            [253, -1]

        Args:
            words: ``k`` words, in any order, with or without repetitions.

        Returns:
            ``(k,)`` int64.

        Raises:
            TypeError: ``words`` is one string, or contains something other than strings.
        """
        if isinstance(words, (str, bytes)):
            raise TypeError(f"expected several words, got one {type(words).__name__}: {words!r}")
        requested = list(words)
        try:
            encoded = encode_all(requested)
        except TypeError:
            invalid = next(word for word in requested if not isinstance(word, str))
            raise TypeError(
                f"expected words of type str, got {invalid!r} of type {type(invalid).__name__}"
            ) from None
        except UnicodeEncodeError:
            return self._indices_with_surrogates(requested)
        return self._lookup(encoded)

    def _indices_with_surrogates(self, words: list[str]) -> NDArray[np.int64]:
        """Look up words of which some contain lone surrogates; those are never found."""
        rows = np.full(len(words), -1, np.int64)
        # Bytes of a file decode to U+DC80 to U+DCFF only.
        possible = [
            i
            for i, word in enumerate(words)
            if not any("\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff" for c in word)
        ]
        rows[possible] = self._lookup([encode(words[i]) for i in possible])
        return rows

    def _lookup(self, encoded: list[bytes]) -> NDArray[np.int64]:
        hashes = hash_words(encoded)
        rows = np.full(len(encoded), -1, np.int64)
        # In this order, neighbors touch the same pages: 3 ms for 20,000 of 400,000 words, instead of 15 ms.
        order = np.argsort(hashes)
        entries = np.empty(len(encoded), np.int64)
        entries[order] = np.searchsorted(self._hashes, hashes[order])
        pending = np.arange(len(encoded))
        # Words that share a hash are adjacent entries: if the first is another word, try the next one.
        while True:
            pending = pending[entries[pending] < len(self)]
            pending = pending[self._hashes[entries[pending]] == hashes[pending]]
            if not len(pending):
                return rows
            entry_rows = self._rows[entries[pending]]
            same = self._equal(entry_rows, [encoded[i] for i in pending.tolist()])
            rows[pending[same]] = entry_rows[same]
            pending = pending[~same]
            entries[pending] += 1

    def _equal(self, rows: NDArray[np.int64], encoded: list[bytes]) -> NDArray[np.bool_]:
        """Return for each row whether its word has these bytes."""
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


class RowNumbers(Mapping[str, int]):
    """Words and their row numbers as a mapping, which becomes a dict after a thousand look-ups.

    Example:
        >>> rows = RowNumbers(Vocabulary.of(["rain", "storm"]))
        >>> rows["storm"], rows.get("qwxz"), dict(rows)
        (1, None, {'rain': 0, 'storm': 1})

    Args:
        words: The words, in the order of their rows.
    """

    __slots__ = ("_look_ups", "_rows", "_words")

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._rows: dict[str, int] | None = None
        self._look_ups = 0

    def __getitem__(self, word: str) -> int:
        self._look_ups += 1
        if self._rows is None and self._look_ups > _LOOK_UPS:
            self._rows = dict(self.items())
        if self._rows is not None:
            return self._rows[word]
        row = int(self._words.indices([word])[0]) if isinstance(word, str) else -1
        if row < 0:
            raise KeyError(word)
        return row

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def items(self) -> ItemsView[str, int]:
        """Return a view of the words and their row numbers.

        Example:
            >>> list(RowNumbers(Vocabulary.of(["rain", "storm"])).items())
            [('rain', 0), ('storm', 1)]
        """
        return _NumberedWords(self, self._words)

    def __repr__(self) -> str:
        first = ", ".join(f"{word!r}: {row}" for row, word in enumerate(self._words[:3]))
        return f"<row numbers of {len(self):,} words: {first}, ...>"


class _NumberedWords(ItemsView[str, int]):
    def __init__(self, mapping: RowNumbers, words: Vocabulary) -> None:
        super().__init__(mapping)
        self._words = words

    def __iter__(self) -> Iterator[tuple[str, int]]:
        # In order, without a look-up of each word.
        return ((word, row) for row, word in enumerate(self._words))
