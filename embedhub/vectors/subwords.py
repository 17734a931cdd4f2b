"""Character n-grams of fastText: vectors for out-of-vocabulary words.

P. Bojanowski, E. Grave, A. Joulin, T. Mikolov, "Enriching Word Vectors with Subword Information", TACL 2017.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "subwords.npy"
"""Name of the table in a store."""

_END_OF_SENTENCE = b"</s>"  # fastText does not split the end-of-sentence token
_FNV_OFFSET, _FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)
_MANY_NGRAMS = 4096  # of a word, which is then added up by itself
_BATCH_WORDS, _BATCH_BYTES = 4096, 1 << 16


class Subwords:
    """The n-gram vectors of a fastText model, from which `compose` computes a vector for any word.

    A word is enclosed in ``<`` and ``>``. Each of its n-grams, of ``min_n`` to ``max_n`` characters, has a
    row of the table, which it shares with all n-grams of the same hash.

    Example:
        >>> import numpy as np
        >>> subwords = Subwords(np.ones((7, 2), np.float32), min_n=3, max_n=6)
        >>> subwords.compose(["unheardof", ""]).tolist()
        [[1.0, 1.0], [0.0, 0.0]]

    Args:
        rows: The table, ``(buckets, dim)`` float32.
        min_n: Length of the shortest n-grams in characters, fastText's ``minn``.
        max_n: Length of the longest n-grams in characters, fastText's ``maxn``.
    """

    def __init__(self, rows: NDArray[np.float32], *, min_n: int, max_n: int) -> None:
        self.rows = rows
        self.min_n = min_n
        self.max_n = max_n

    def __repr__(self) -> str:
        return f"<Subwords: n-grams of {self.min_n} to {self.max_n} characters in {len(self.rows):,} buckets>"

    def compose(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean of the n-gram vectors of each word, bit-identical to fastText's.

        fastText does this for out-of-vocabulary words only; this method does not consult the vocabulary.

        Example:
            >>> subwords = Subwords(np.ones((7, 2), np.float32), min_n=3, max_n=6)
            >>> subwords.compose(["unheardof"]).shape
            (1, 2)

        Args:
            words: ``k`` words.

        Returns:
            ``(k, dim)`` float32; zeros for a word without any n-gram, such as ``""``.
        """
        return self.average([_encode(word) for word in words])

    def average(
        self, words: Sequence[bytes], word_vectors: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the mean of each word's n-gram vectors, and of its own vector if given.

        Sums are float32, in fastText's order: the word's own vector, then the n-grams by start position, then
        by length.

        Example:
            >>> subwords = Subwords(np.zeros((7, 2), np.float32), min_n=9, max_n=9)
            >>> subwords.average([b"rain"], np.ones((1, 2), np.float32)).tolist()
            [[1.0, 1.0]]

        Args:
            words: ``k`` words in UTF-8.
            word_vectors: Own vectors of the words, ``(k, dim)`` float32.
        """
        means = np.empty((len(words), self.rows.shape[1]), np.float32)
        for batch in _batches(words):
            means[batch] = self._average(words[batch], None if word_vectors is None else word_vectors[batch])
        return means

    def _average(
        self, words: Sequence[bytes], word_vectors: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        ngrams, counts = self._ngrams(words)
        first = np.cumsum(counts) - counts
        # Words with many n-grams first, so that those with another one are always a prefix.
        order = np.argsort(-counts, kind="stable")
        descending = -counts[order]
        sums = np.zeros((len(words), self.rows.shape[1]), np.float32)
        if word_vectors is not None:
            sums += word_vectors[order]
        for step in range(min(int(counts.max(initial=0)), _MANY_NGRAMS)):
            current = order[: np.searchsorted(descending, -step)]
            sums[: len(current)] += self.rows[ngrams[first[current] + step]]
        for place in range(int(np.searchsorted(descending, -_MANY_NGRAMS))):
            word = order[place]
            rest = ngrams[first[word] + _MANY_NGRAMS : first[word] + counts[word]]
            for at in range(0, len(rest), _MANY_NGRAMS):
                rows = np.concatenate([sums[[place]], self.rows[rest[at : at + _MANY_NGRAMS]]])
                sums[place] = np.add.accumulate(rows)[-1]  # in this order, unlike np.sum
        totals = np.maximum(counts[order] + (word_vectors is not None), 1)
        sums *= (1 / totals).astype(np.float32)[:, None]
        means = np.empty_like(sums)
        means[order] = sums
        return means

    def _ngrams(self, words: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the row of each n-gram of all words in turn, and the number of n-grams of each word.

        The hash is 32-bit FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), except that fastText takes
        bytes from 128 on for negative numbers.
        """
        enclosed = [b"" if word == _END_OF_SENTENCE else b"<" + word + b">" for word in words]
        text = np.frombuffer(b"".join(enclosed), np.uint8)
        signed = text.view(np.int8).astype(np.int32).view(np.uint32)
        # A character is a byte and all continuation bytes of UTF-8 after it, however many there are.
        starts = np.flatnonzero((text & 0xC0) != 0x80)  # noqa: PLR2004 - 10xxxxxx
        bounds = np.append(starts, len(text))
        owner = np.repeat(np.arange(len(words)), [len(word) for word in enclosed])[starts]
        characters = np.bincount(owner, minlength=len(words))
        place = np.arange(len(starts)) - (np.cumsum(characters) - characters)[owner]
        remaining = characters[owner] - place  # characters from this one to the end of its word
        max_n = min(self.max_n, int(remaining.max(initial=0)))
        rows = np.full((len(starts), max(max_n - self.min_n + 1, 0)), -1, np.int64)
        hashes = np.full(len(starts), _FNV_OFFSET, np.uint32)
        for n in range(1, max_n + 1):
            long = np.flatnonzero(remaining >= n)
            begin, end = bounds[long + n - 1], bounds[long + n]
            for byte in range(int((end - begin).max(initial=0))):
                more = begin + byte < end
                hashes[long[more]] = (hashes[long[more]] ^ signed[begin[more] + byte]) * _FNV_PRIME
            if n == 1:  # "<" and ">" alone are not n-grams
                long = long[(place[long] > 0) & (remaining[long] > 1)]
            if n >= self.min_n:
                rows[long, n - self.min_n] = hashes[long] % np.uint32(len(self.rows))
        exists = rows >= 0
        counts = np.zeros(len(words), np.int64)
        np.add.at(counts, owner, exists.sum(axis=1))
        return rows[exists], counts


def open_subwords(files: Mapping[str, Path], metadata: Mapping[str, Mapping[str, Any]]) -> Subwords | None:
    """Open the n-gram vectors of a store, if it has any; they are memory-mapped.

    Example:
        >>> open_subwords({}, {}) is None
        True

    Args:
        files: Paths of the extra files in the store, by name.
        metadata: Metadata of each extra file, by name.

    Raises:
        ValueError: The file is not the one that the manifest describes.
    """
    if FILE not in files:
        return None
    described = metadata[FILE]
    rows: NDArray[np.float32] = np.load(files[FILE], mmap_mode="r", allow_pickle=False).view(np.ndarray)
    if rows.dtype != np.float32 or rows.ndim != 2 or len(rows) != described["buckets"]:  # noqa: PLR2004 - buckets, dim
        raise ValueError(f"{FILE} holds {rows.dtype} {rows.shape}, expected {described['buckets']} buckets")
    return Subwords(rows, min_n=described["min_n"], max_n=described["max_n"])


def _encode(word: str) -> bytes:
    """Return the bytes of a word; for one with a lone surrogate, which has none, a word without n-grams."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _END_OF_SENTENCE


def _batches(words: Sequence[bytes]) -> Iterator[slice]:
    """Yield slices of a few thousand words, fewer where they are long."""
    start = size = 0
    for stop, word in enumerate(words):
        if stop > start and (stop - start >= _BATCH_WORDS or size + len(word) > _BATCH_BYTES):
            yield slice(start, stop)
            start, size = stop, 0
        size += len(word)
    if words:
        yield slice(start, len(words))
