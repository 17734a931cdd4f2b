"""Character n-grams of fastText: vectors for words that are in no vocabulary.

P. Bojanowski, E. Grave, A. Joulin, T. Mikolov, "Enriching Word Vectors with Subword Information", TACL 2017.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

FILE = "subwords.npy"
"""Name of the table in a store."""

_NO_NGRAMS = b"</s>"  # fastText's end of a sentence is the one word that is not taken apart
_FNV_START, _FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)
_BATCH_WORDS, _BATCH_BYTES = 4096, 1 << 16


class Subwords:
    """The n-gram vectors of a fastText model: `compose` makes a vector for any word.

    A word is framed in ``<`` and ``>``; each run of ``shortest`` to ``longest`` of its characters has a row
    of the table, which it shares with all runs of the same hash.

    Example:
        >>> import numpy as np
        >>> subwords = Subwords(np.ones((7, 2), np.float32), shortest=3, longest=6)
        >>> subwords.compose(["unheardof", ""]).tolist()
        [[1.0, 1.0], [0.0, 0.0]]

    Args:
        rows: ``(buckets, dim)`` float32.
        shortest: Characters of the shortest n-grams, fastText's ``minn``.
        longest: Characters of the longest, fastText's ``maxn``.
    """

    def __init__(self, rows: NDArray[np.float32], *, shortest: int, longest: int) -> None:
        self.rows = rows
        self.shortest = shortest
        self.longest = longest

    def __repr__(self) -> str:
        return (
            f"<Subwords: n-grams of {self.shortest} to {self.longest} characters in {len(self.rows):,} rows>"
        )

    def compose(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return for each word the mean of its n-grams' rows, bit for bit what fastText gives.

        That is what fastText has for words outside of its vocabulary; whether a word is inside is not looked
        at.

        Example:
            >>> subwords = Subwords(np.ones((7, 2), np.float32), shortest=3, longest=6)
            >>> subwords.compose(["unheardof"]).shape
            (1, 2)

        Args:
            words: ``k`` words.

        Returns:
            ``(k, dim)`` float32; zeros for a word without any n-gram, such as ``""``.
        """
        return self.average([_encoded(word) for word in words])

    def average(self, words: Sequence[bytes], own: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return for each word the mean of its own row, if there are such, and of its n-grams' rows.

        The sums are float32, in the order of fastText: the own row, then by the n-gram's first character,
        then by its length.

        Example:
            >>> subwords = Subwords(np.zeros((7, 2), np.float32), shortest=9, longest=9)
            >>> subwords.average([b"rain"], np.ones((1, 2), np.float32)).tolist()
            [[1.0, 1.0]]

        Args:
            words: ``k`` words as UTF-8.
            own: ``(k, dim)`` float32.
        """
        means = np.empty((len(words), self.rows.shape[1]), np.float32)
        for part in _batches(words):
            means[part] = self._average(words[part], None if own is None else own[part])
        return means

    def _average(self, words: Sequence[bytes], own: NDArray[np.float32] | None) -> NDArray[np.float32]:
        ngrams, counts = self._ngrams(words)
        begins = np.cumsum(counts) - counts
        # Words with many n-grams first: those that have a next one are always the first few.
        order = np.argsort(-counts, kind="stable")
        fewer = -counts[order]
        sums = np.zeros((len(words), self.rows.shape[1]), np.float32)
        if own is not None:
            sums += own[order]
        for step in range(int(counts.max(initial=0))):
            some = order[: np.searchsorted(fewer, -step)]
            sums[: len(some)] += self.rows[ngrams[begins[some] + step]]
        totals = np.maximum(counts[order] + (own is not None), 1)
        sums *= (1 / totals).astype(np.float32)[:, None]
        means = np.empty_like(sums)
        means[order] = sums
        return means

    def _ngrams(self, words: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of all n-grams, word after word, and how many each word has.

        The hash is FNV-1a of 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/), but for bytes from 128 on,
        which fastText takes for negative numbers.
        """
        framed = [b"" if word == _NO_NGRAMS else b"<" + word + b">" for word in words]
        text = np.frombuffer(b"".join(framed), np.uint8)
        signed = text.view(np.int8).astype(np.int32).view(np.uint32)
        # A character is a byte and the continuation bytes of UTF-8 after it, however many there are.
        starts = np.flatnonzero((text & 0xC0) != 0x80)  # noqa: PLR2004 - 10xxxxxx
        bounds = np.append(starts, len(text))
        owner = np.repeat(np.arange(len(words)), [len(word) for word in framed])[starts]
        characters = np.bincount(owner, minlength=len(words))
        place = np.arange(len(starts)) - (np.cumsum(characters) - characters)[owner]
        left = characters[owner] - place  # from this character to the end of its word
        longest = min(self.longest, int(left.max(initial=0)))
        rows = np.full((len(starts), max(longest - self.shortest + 1, 0)), -1, np.int64)
        hashes = np.full(len(starts), _FNV_START, np.uint32)
        for n in range(1, longest + 1):
            some = np.flatnonzero(left >= n)
            begin, end = bounds[some + n - 1], bounds[some + n]
            for byte in range(int((end - begin).max(initial=0))):
                more = begin + byte < end
                hashes[some[more]] = (hashes[some[more]] ^ signed[begin[more] + byte]) * _FNV_PRIME
            if n == 1:  # the frame itself is no n-gram
                some = some[(place[some] > 0) & (left[some] > 1)]
            if n >= self.shortest:
                rows[some, n - self.shortest] = hashes[some] % np.uint32(len(self.rows))
        found = rows >= 0
        counts = np.zeros(len(words), np.int64)
        np.add.at(counts, owner, found.sum(axis=1))
        return rows[found], counts


def _encoded(word: str) -> bytes:
    """Return the bytes of a word; none for one with a lone surrogate, which no file can hold."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _NO_NGRAMS


def _batches(words: Sequence[bytes]) -> Iterator[slice]:
    """Cut words into runs of a few thousand, fewer where they are long."""
    start = size = 0
    for stop, word in enumerate(words):
        if stop > start and (stop - start >= _BATCH_WORDS or size + len(word) > _BATCH_BYTES):
            yield slice(start, stop)
            start, size = stop, 0
        size += len(word)
    if words:
        yield slice(start, len(words))
