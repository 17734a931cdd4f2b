"""`Vectors`: the matrix of a source and the words of its rows, both views of memory-mapped files."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedhub.errors import WordNotFoundError
from embedhub.vectors.blocks import Composer
from embedhub.vectors.vocabulary import Vocabulary

_CHUNK = 8192
_T = TypeVar("_T")

Fallback = str | Callable[[str], str | None]
"""The name of a fallback, or a function that returns another word to look up, or None."""


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
        manifest: What the store records about itself.
        composer: Makes vectors for out-of-vocabulary words, such as fastText's from their n-grams.
        files: Files that came with the vectors, by name, such as ``tokenizer.json``.
        fallbacks: The source's default for `embedhub.embedding_matrix`: what is tried for out-of-vocabulary
            words. Look-ups here do not use it.
        reopen: A function and its arguments that open the same vectors in another process. They are what is
            pickled; without them the vectors cannot be pickled.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        words: Vocabulary,
        *,
        name: str,
        manifest: dict[str, Any] | None = None,
        composer: Composer | None = None,
        files: Mapping[str, Path] | None = None,
        fallbacks: tuple[Fallback, ...] = (),
        reopen: "tuple[Callable[..., Vectors], tuple[Any, ...]] | None" = None,
    ) -> None:
        self.matrix = matrix
        self.words = words
        self.name = name
        self.manifest = manifest or {}
        self.composer = composer
        self.files = files or {}
        self.fallbacks = fallbacks
        self._reopen = reopen
        self._norms: NDArray[np.float32] | None = None

    @property
    def dim(self) -> int:
        """Width of a row."""
        return int(self.matrix.shape[1])

    @property
    def unit(self) -> Literal["word", "token"]:
        """What the rows are: ``"word"``, or ``"token"`` for tokens of a tokenizer, such as ``##ing``.

        All methods look up rows by their exact spelling, tokens too.
        """
        return "token" if self.manifest.get("unit") == "token" else "word"

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.words

    def __repr__(self) -> str:
        return f"<Vectors {self.name}: {len(self):,} words, dim {self.dim}>"

    def __reduce__(self) -> tuple[Callable[..., "Vectors"], tuple[Any, ...]]:
        if self._reopen is None:
            raise TypeError(
                f"{self!r} cannot be pickled: its matrix stays on disk, and it does not know how to open it "
                "again. Open it with embedhub.load, or with the method vectors of its source."
            )
        return self._reopen

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        """Return the vector of a word, ``(dim,)`` and read-only, or raise WordNotFoundError."""
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
        """Return the vector of a word, or ``default`` if it is missing.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).get("qwxz", "none")
            'none'

        Args:
            word: The word.
            default: The result for a missing word.

        Returns:
            ``(dim,)`` float32, read-only.
        """
        row = self.indices([word])[0]
        return default if row < 0 else self.matrix[row]

    def indices(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the row number of each word, -1 for missing words.

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
        """Return the vectors of many words at once.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 25)
            >>> vectors.lookup(["music", "qwxz"], missing="zeros").any(axis=1).tolist()
            [True, False]

        Args:
            words: ``k`` words.
            missing: ``"raise"``, or ``"zeros"`` for zeros as the vector of a missing word.

        Returns:
            A new ``(k, dim)`` float32 array.

        Raises:
            WordNotFoundError: A word is missing, and ``missing`` is ``"raise"``.
        """
        if missing not in {"raise", "zeros"}:
            raise ValueError(f"missing is {missing!r}; expected 'raise' or 'zeros'.")
        requested = words if isinstance(words, (str, bytes)) else list(words)
        rows = self.indices(requested)
        absent = np.flatnonzero(rows < 0)
        if len(absent) and missing == "raise":
            examples = ", ".join(repr(requested[i]) for i in absent[:5])
            raise WordNotFoundError(
                f"{self.name} {self.dim}d: {len(absent)} of {len(rows)} words are missing: {examples}"
                f"{', ...' if len(absent) > 5 else ''}. "  # noqa: PLR2004 - as many as are listed
                "Use .get(word), or .lookup(words, missing='zeros')."
            )
        matrix = self.matrix[rows]
        matrix[absent] = 0
        return matrix

    def most_similar(self, query: str | ArrayLike, topn: int = 10) -> list[tuple[str, float]]:
        """Return the words with the largest cosine similarity to a word or vector.

        Example:
            >>> import embedhub
            >>> [word for word, _ in embedhub.load("wordnet-ppmi", 100).most_similar("cello", topn=3)]
            ['cellos', 'violoncello', 'lutanist']

        Args:
            query: A word, which is excluded from the result, or a vector of shape ``(dim,)``.
            topn: Number of words, fewer if the vocabulary is smaller.

        Returns:
            Pairs of word and cosine, largest first. A vector of zeros has cosine 0 with all others.

        Raises:
            WordNotFoundError: The query is a missing word.
        """
        _check_topn(topn)
        if isinstance(query, str):
            vector, excluded = self[query], int(self.indices([query])[0])
        else:
            vector, excluded = np.asarray(query, np.float32), -1
            if vector.shape != (self.dim,):
                raise ValueError(
                    f"query has shape {vector.shape}; expected a word or a vector of shape ({self.dim},)."
                )
        scores = self.matrix @ vector
        scores /= self._vector_norms() * (np.linalg.norm(vector) or 1)
        if excluded >= 0:
            scores[excluded] = -np.inf
        topn = min(topn, len(self) - (excluded >= 0))
        if topn == 0:
            return []
        # Equal scores are in the order of the rows, so that the result is the same everywhere.
        best = np.flatnonzero(scores >= np.partition(scores, -topn)[-topn])
        best = best[np.argsort(-scores[best], kind="stable")][:topn]
        return [(self.words[i], float(scores[i])) for i in best.tolist()]

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
            topn: Number of words, fewer if the vocabulary is smaller.

        Returns:
            Pairs of word and cosine, largest first.

        Raises:
            WordNotFoundError: One of the three words is missing.
        """
        _check_topn(topn)
        three = self.lookup([a, b, c])
        three /= np.maximum(np.linalg.norm(three, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        similar = self.most_similar(three[1] - three[0] + three[2], topn + 3)
        return [(word, score) for word, score in similar if word not in {a, b, c}][:topn]

    def _vector_norms(self) -> NDArray[np.float32]:
        """Return the Euclidean norm of each vector, 1 for vectors of zeros; computed once."""
        if self._norms is None:
            norms = np.empty(len(self), np.float32)
            for start in range(0, len(self), _CHUNK):
                rows = self.matrix[start : start + _CHUNK]
                norms[start : start + _CHUNK] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            norms[norms == 0] = 1
            self._norms = norms
        return self._norms


def _check_topn(topn: int) -> None:
    if topn < 1:
        raise ValueError(f"topn is {topn}; expected 1 or more.")
