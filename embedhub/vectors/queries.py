"""Queries of vectors by cosine: similar words, ranks, analogies, and the odd one out."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedhub.vectors.arguments import check_restriction, check_topn, parse_terms
from embedhub.vectors.neighbors import (
    Floats,
    Norms,
    Rows,
    cosines,
    count_closer,
    nearest,
    nearest_by_product,
    normalized,
    norms_of,
)
from embedhub.vectors.vocabulary import Vocabulary

Terms = str | ArrayLike | Sequence[Any]
"""A word or a vector, or several of them."""


class _Parsed(NamedTuple):
    """Normalized vectors of terms, ``(k, dim)``, and the numbers of the rows of their words."""

    positive: Floats
    negative: Floats
    rows: Rows


class Queries(Collection[str]):
    """Queries of a matrix with a word for each row, the base of `Vectors`."""

    matrix: NDArray[np.float32]
    words: Vocabulary
    _norms: Norms | None = None

    @abstractmethod
    def _require(self, words: list[str]) -> tuple[NDArray[np.float32], list[Rows]]:
        """Return the vectors of words, and the rows that each comes from; raise WordNotFoundError."""

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine similarity of two words, from -1 to 1; 0 if one of their vectors is zeros.

        Example:
            >>> import embedhub
            >>> round(embedhub.load("wordnet-ppmi", 100).similarity("cello", "violin"), 2)
            0.92

        Args:
            a: A word.
            b: Another word.

        Raises:
            WordNotFoundError: One of the words is out of vocabulary.
        """
        first, second = normalized(self._require([a, b])[0])
        return float(cosines(first[None], second)[0])

    def rank(self, a: str, b: str) -> int:
        """Return the rank of a word among the neighbors of another: 1 if no word is more similar to ``a``.

        Every word with a larger cosine similarity counts, except those that share the vector of ``a``.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 100)
            >>> vectors.most_similar("cello", topn=1)[0][0]
            'violoncello'
            >>> vectors.rank("cello", "violoncello")
            1

        Args:
            a: The word whose neighbors are ranked.
            b: The word whose rank to return.

        Raises:
            WordNotFoundError: One of the words is out of vocabulary.
        """
        vectors, rows = self._require([a, b])
        query, other = normalized(vectors)
        cosine = float(cosines(other[None], query)[0])
        return count_closer(np.asarray(self.matrix), self._matrix_norms(), query, cosine, rows[0]) + 1

    def most_similar(
        self,
        positive: Terms = (),
        negative: Terms = (),
        topn: int = 10,
        *,
        restrict_vocab: int | None = None,
    ) -> list[tuple[str, float]]:
        """Return the words with the largest cosine similarity to a word, a vector, or a mean of several.

        Each of several vectors is normalized, negated if it is in ``negative``, and they are averaged. This
        is 3CosAdd for two positive words and a negative one; see `analogy`.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 100)
            >>> [word for word, _ in vectors.most_similar("cello", topn=3)]
            ['violoncello', 'lutanist', 'harpist']
            >>> vectors.most_similar(positive=["woman", "king"], negative=["man"], topn=1)[0][0]
            'queen'

        Args:
            positive: A word, which is excluded from the result, or a vector of shape ``(dim,)``; or several
                of them.
            negative: Likewise; the result is to be different from these.
            topn: Number of words to return.
            restrict_vocab: Number of words to search, the first ones of the vocabulary; by default all.

        Returns:
            Pairs of word and cosine similarity, largest first. A vector of zeros has similarity 0 with all
            others. Of several words with the same vector, only the first is returned, and none that shares
            the vector of a query word: in ``wordnet-ppmi``, inflected forms such as "cello" and "cellos"
            share one vector. Equal similarities are in the order of the vocabulary.

        Raises:
            WordNotFoundError: A word is out of vocabulary.
            TypeError: The query consists of something other than words and numeric vectors.
            ValueError: A vector has the wrong shape or is not finite, there is no word or vector, or ``topn``
                or ``restrict_vocab`` is less than 1.
        """
        parsed = self._parse(positive, negative)
        query = normalized(np.concatenate([parsed.positive, -parsed.negative]).mean(axis=0))
        return next(self._nearest(query[None], [parsed.rows], topn, restrict_vocab))

    def most_similar_cosmul(
        self,
        positive: Terms = (),
        negative: Terms = (),
        topn: int = 10,
        *,
        restrict_vocab: int | None = None,
    ) -> list[tuple[str, float]]:
        """Return the words with the largest product of similarities, 3CosMul.

        The score of a word is the product of its similarities to the positive words, divided by the product
        of those to the negative words plus 0.001; similarities are cosines mapped to 0 to 1 by (cos + 1) / 2.
        O. Levy and Y. Goldberg, "Linguistic regularities in sparse and explicit word representations", 2014,
        equation 4.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 100)
            >>> vectors.most_similar_cosmul(positive=["woman", "king"], negative=["man"], topn=1)[0][0]
            'queen'

        Args:
            positive: As for `most_similar`; at least one.
            negative: Likewise, or none.
            topn: Number of words to return.
            restrict_vocab: As for `most_similar`.

        Returns:
            Pairs of word and score, largest first; otherwise as `most_similar`.

        Raises:
            WordNotFoundError: A word is out of vocabulary.
            TypeError: As for `most_similar`.
            ValueError: As for `most_similar`, or ``positive`` is empty.
        """
        topn, count = check_topn(topn), check_restriction(restrict_vocab, len(self))
        parsed = self._parse(positive, negative)
        if not len(parsed.positive):
            raise ValueError(
                "positive is empty; expected a word or vector, as in most_similar_cosmul('king')."
            )
        matrix = np.asarray(self.matrix[:count])
        return self._named(
            *nearest_by_product(
                matrix, parsed.positive, parsed.negative, parsed.rows[parsed.rows < count], topn
            )
        )

    def most_similar_many(
        self, queries: Iterable[str] | ArrayLike, topn: int = 10, *, restrict_vocab: int | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return the result of `most_similar` for each of many words or vectors, by one product in blocks.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 100)
            >>> [nearest[0][0] for nearest in vectors.most_similar_many(["cello", "rain"], topn=1)]
            ['violoncello', 'rainfall']

        Args:
            queries: ``k`` words, or vectors of shape ``(k, dim)``.
            topn: Number of words to return for each.
            restrict_vocab: As for `most_similar`.

        Raises:
            WordNotFoundError: A word is out of vocabulary.
            TypeError: As for `most_similar`.
            ValueError: As for `most_similar`.
        """
        terms = parse_terms(queries, self._dim, "queries", several=True)
        vectors, rows = self._vectors_of(terms)
        return list(self._nearest(vectors, rows, topn, restrict_vocab))

    def analogy(self, a: str, b: str, c: str, topn: int = 10) -> list[tuple[str, float]]:
        """Return the words that are to ``c`` as ``b`` is to ``a``.

        They have the largest cosine similarity to b - a + c. The three vectors are normalized first, and the
        three words are excluded from the result. This is 3CosAdd: T. Mikolov, W. Yih and G. Zweig,
        "Linguistic regularities in continuous space word representations", 2013, section 4; O. Levy and
        Y. Goldberg, "Linguistic regularities in sparse and explicit word representations", 2014, equation 1.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 100).analogy("man", "king", "woman", topn=1)[0][0]
            'queen'

        Args:
            a: A word, such as ``"man"``.
            b: The word that ``a`` is related to, such as ``"king"``.
            c: A word of the kind of ``a``, such as ``"woman"``.
            topn: Number of words to return.

        Returns:
            Pairs of word and cosine similarity, largest first.

        Raises:
            WordNotFoundError: One of the three words is out of vocabulary.
        """
        return self.most_similar([b, c], [a], topn)

    def doesnt_match(self, words: Iterable[str]) -> str:
        """Return the word that is least similar to the others.

        It is the word with the smallest cosine similarity to the mean of all normalized vectors.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 100)
            >>> vectors.doesnt_match(["cello", "violin", "harp", "window"])
            'window'

        Args:
            words: The words. Of several that are equally dissimilar, the first is returned.

        Raises:
            WordNotFoundError: A word is out of vocabulary.
            TypeError: ``words`` is one string, or contains something other than words.
            ValueError: ``words`` is empty.
        """
        terms = list(words)
        if isinstance(words, str) or not all(isinstance(word, str) for word in terms):
            raise TypeError(f"words is {words!r:.60}; expected several words.")
        if not terms:
            raise ValueError("words is empty; expected several words.")
        vectors = normalized(self._require(terms)[0])
        return terms[int(cosines(vectors, normalized(vectors.mean(axis=0))).argmin())]

    @property
    def _dim(self) -> int:
        return int(self.matrix.shape[1])

    def _parse(self, positive: Terms, negative: Terms) -> _Parsed:
        """Return the vectors of terms, normalized."""
        added = parse_terms(positive, self._dim, "positive")
        subtracted = parse_terms(negative, self._dim, "negative")
        if not added and not subtracted:
            raise ValueError(f"expected a word, or a vector of shape ({self._dim},); got none.")
        vectors, rows = self._vectors_of([*added, *subtracted])
        return _Parsed(vectors[: len(added)], vectors[len(added) :], np.unique(np.concatenate(rows)))

    def _vectors_of(self, terms: Sequence[str | NDArray[np.float64]]) -> tuple[Floats, list[Rows]]:
        """Return the normalized vectors of terms, and the rows of each that is a word."""
        vectors = np.empty((len(terms), self._dim))
        rows = [np.empty(0, np.int64) for _ in terms]
        places = [i for i, term in enumerate(terms) if isinstance(term, str)]
        found, rows_found = self._require([term for term in terms if isinstance(term, str)])
        vectors[places] = found
        for i, own in zip(places, rows_found, strict=True):
            rows[i] = own
        for i, term in enumerate(terms):
            if not isinstance(term, str):
                vectors[i] = term
        return normalized(vectors), rows

    def _nearest(
        self, queries: Floats, rows: Sequence[Rows], topn: int, restrict_vocab: int | None
    ) -> Iterator[list[tuple[str, float]]]:
        """Yield the nearest words of each normalized query, without the given rows."""
        topn, count = check_topn(topn), check_restriction(restrict_vocab, len(self))
        excluded = [own[own < count] for own in rows]
        matrix = np.asarray(self.matrix[:count])
        for answers, scores in nearest(matrix, self._matrix_norms(), queries, excluded, topn):
            yield self._named(answers, scores)

    def _named(self, rows: Rows, scores: Floats) -> list[tuple[str, float]]:
        return [(self.words[row], score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)]

    def _matrix_norms(self) -> Norms:
        """Return the norm of each vector; computed once."""
        if self._norms is None:
            self._norms = norms_of(np.asarray(self.matrix))
        return self._norms
