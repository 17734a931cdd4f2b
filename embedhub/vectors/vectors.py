"""Opened vectors of a source: a matrix and its vocabulary, memory-mapped."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from embedhub._html import html_table
from embedhub.errors import WordNotFoundError
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.arguments import checked_matrix, matrix_and_words
from embedhub.vectors.blocks import Composer
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.fingerprint import digests_in_memory, fingerprint, stored_digests
from embedhub.vectors.queries import Queries
from embedhub.vectors.vocabulary import RowNumbers, Vocabulary

Tokenization = Literal[
    "words", "google-news", "europarl", "europarl-fr", "fasttext", "whitespace", "tokenizer.json", "model2vec"
]
"""Name of the tokenization of the training texts of vectors; see `embedhub.matrix.tokenizers`."""

_T = TypeVar("_T")
_MAX_ROWS, _MAX_COLUMNS = 5, 6  # in a notebook


class Vectors(Queries):
    """The opened vectors of a source: a read-only matrix, and the word of each row.

    Opening vectors takes milliseconds, since the matrix is memory-mapped. Look-ups of words use the source's
    fallbacks, as in `embedhub.embedding_matrix` and `embedhub.coverage`: if ``the`` is in the vocabulary and
    ``The`` is not, ``vectors["The"]`` is the vector of ``the``. `words` and `indices` require the exact
    spelling. ``numpy.asarray(vectors)`` is the matrix.

    Example:
        >>> import embedhub
        >>> vectors = embedhub.load("wordnet-ppmi", 25)
        >>> vectors["music"].shape
        (25,)
        >>> vectors.get("qwxz") is None
        True
        >>> vectors.lookup(["music", "qwxz"], missing="zeros").shape
        (2, 25)

        Your own arrays become vectors, which every function that takes a source accepts:

        >>> import numpy as np
        >>> mine = embedhub.Vectors(np.eye(2), ["rain", "storm"])
        >>> mine["storm"].tolist()
        [0.0, 1.0]
        >>> embedhub.Vectors({"rain": [1, 0], "storm": [0, 1]}).similarity("rain", "storm")
        0.0

    Args:
        matrix: ``(n, dim)``; float32, or converted to it. Or a mapping of words to vectors.
        words: The word of each row; None for a mapping.
        name: Name of the source.
        manifest: Manifest of the store: the origin and license of the vectors, and more.
        composer: Composes vectors for out-of-vocabulary words, such as fastText's from character n-grams.
        files: Extra files of the vectors, such as ``tokenizer.json``, by name.
        fallbacks: Fallbacks for out-of-vocabulary words, used here and by default in
            `embedhub.embedding_matrix`.
        reopen: A function and its arguments that open the same vectors in another process. Pickling stores
            only these; without them, the vectors cannot be pickled.

    Raises:
        ValueError: The matrix does not have one row of finite numbers for each word, or a word occurs twice.
        TypeError: A word is not a string, the matrix does not consist of numbers, or ``words`` is missing.
    """

    def __init__(
        self,
        matrix: ArrayLike | Mapping[str, ArrayLike],
        words: Iterable[str] | None = None,
        *,
        name: str = "vectors",
        manifest: dict[str, Any] | None = None,
        composer: Composer | None = None,
        files: Mapping[str, Path] | None = None,
        fallbacks: tuple[Fallback, ...] = (),
        reopen: "tuple[Callable[..., Vectors], tuple[Any, ...]] | None" = None,
    ) -> None:
        rows, words = matrix_and_words(matrix, words)
        if isinstance(words, Vocabulary):  # of a store, whose parts are checked
            self.matrix, self.words = np.asanyarray(rows, np.float32), words
        else:
            self.words = Vocabulary.of(words)
            self.matrix = checked_matrix(rows, len(self.words))
        self.name = name
        self.manifest = manifest or {}
        self.composer = composer
        self.files = files or {}
        self.fallbacks = fallbacks
        self._reopen = reopen
        # Of a store, or made from vectors of one. Words of the caller may be others than the manifest's.
        self._has_digests = isinstance(words, Vocabulary) and "xxh3_128" in self.manifest
        self._digests: dict[str, str] | None = None

    @property
    def dim(self) -> int:
        """Dimension of the vectors."""
        return int(self.matrix.shape[1])

    @property
    def index_to_key(self) -> Vocabulary:
        """The words in the order of the rows, by gensim's name: the same as `words`."""
        return self.words

    @cached_property
    def key_to_index(self) -> RowNumbers:
        """A read-only mapping of each word to its row number, by gensim's name."""
        return RowNumbers(self.words)

    @property
    def unit(self) -> Literal["word", "token"]:
        """Unit of the vocabulary: ``"word"``, or ``"token"`` for tokens of a tokenizer, such as ``##ing``.

        Look-ups do not split words into tokens.
        """
        return "token" if self.manifest.get("unit") == "token" else "word"

    @property
    def tokenization(self) -> Tokenization:
        """Tokenization of the training texts of the vectors, which other texts should follow.

        The value is the one stated by the source. Without one it is ``"words"``; for vectors of tokens that
        come with a tokenizer it is ``"tokenizer.json"``, or ``"model2vec"`` if that package saved them.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).tokenization
            'words'
        """
        stated: Tokenization | None = self.manifest.get("tokenization")
        if stated is not None or self.unit == "word" or "tokenizer.json" not in self.files:
            return stated or "words"
        saved_by = self.manifest.get("files", {}).get("tokenizer.json", {}).get("saved_by")
        return "model2vec" if saved_by == "model2vec" else "tokenizer.json"

    @property
    def digests(self) -> dict[str, str]:
        """The 128-bit XXH3 of the vectors' files in a store: ``matrix.npy``, the words, and extra files."""
        if self._digests is None:
            if self._has_digests:
                self._digests = stored_digests(self.manifest["xxh3_128"])
            else:
                self._digests = digests_in_memory(self.matrix, self.words, self.files)
        return self._digests

    @property
    def fingerprint(self) -> str:
        """Short digest of the words and vectors, and of a tokenizer or n-grams that come with them.

        The same vectors have the same fingerprint under each name, in each cache and on each machine. It is
        derived from the digests in the manifest, so that it costs no time; vectors of your own arrays are
        read once. The layers of `embedhub.keras_embedding` have it in their name.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).fingerprint
            '975971fec4d91436'
        """
        return fingerprint(self.digests)

    @property
    def limit_note(self) -> str:
        """Sentence for messages about missing words; empty unless only the first words are loaded."""
        limit = self.manifest.get("limit")
        return f" Only its first {limit:,} words are loaded (limit={limit})." if limit else ""

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and not self._find([word]).missing[0]

    def __array__(self, dtype: DTypeLike | None = None, *, copy: bool | None = None) -> NDArray[Any]:
        if copy is None:  # which np.array of NumPy 1 does not know
            return np.asarray(self.matrix, dtype)
        return np.array(self.matrix, dtype, copy=copy, subok=False)

    def __repr__(self) -> str:
        return f"<Vectors {self.name}: {len(self):,} words, dim {self.dim}>"

    def _repr_html_(self) -> str:
        shown = min(_MAX_COLUMNS, self.dim)
        numbers = [*map(str, range(shown)), *(["..."] if shown < self.dim else [])]
        about = [str(self.manifest[key]) for key in ("license", "homepage") if self.manifest.get(key)]
        rows = (
            [word, *(f"{number:.3f}" for number in vector[:shown].tolist()), *["..."] * (shown < self.dim)]
            for word, vector in zip(self.words[:_MAX_ROWS], self.matrix, strict=False)
        )
        title = ", ".join([f"{self.name}: {len(self):,} {self.unit}s, dim {self.dim}", *about])
        return html_table(title, [self.unit, *numbers], rows, right_aligned=numbers)

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
                f"{self.limit_note}"
            )
        return row

    @overload
    def get(self, word: str) -> NDArray[np.float32] | None: ...
    @overload
    def get(self, word: str, default: _T) -> NDArray[np.float32] | _T: ...
    def get(self, word: str, default: Any = None) -> Any:
        """Return the vector of a word, or ``default`` if the word is out of vocabulary.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25).get("qwxz", "none")
            'none'

        Args:
            word: The word.
            default: The result for an out-of-vocabulary word.

        Returns:
            ``(dim,)`` float32, read-only.
        """
        match = self._find([word])
        if match.missing[0]:
            return default
        row = match.rows[0]
        return self.matrix[row] if row >= 0 else match.vectors(self)[0]

    def indices(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the row number of each word, -1 for words not in the vocabulary.

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
            missing: What to do for an out-of-vocabulary word: ``"raise"`` an error, or return ``"zeros"``.

        Returns:
            A new ``(k, dim)`` float32 array.

        Raises:
            WordNotFoundError: A word is out of vocabulary, and ``missing`` is ``"raise"``.
        """
        if missing not in {"raise", "zeros"}:
            raise ValueError(f"missing is {missing!r}; expected 'raise' or 'zeros'.")
        if isinstance(words, str | bytes):
            raise TypeError(
                f"expected several words, got {words!r}; the vector of one is vectors[{words!r}]."
            )
        requested = list(words)
        match = self._find(requested)
        absent = np.flatnonzero(match.missing)
        if len(absent) and missing == "raise":
            examples = ", ".join(repr(requested[i]) for i in absent[:5])
            raise WordNotFoundError(
                f"{self.name} {self.dim}d: {len(absent)} of {len(requested)} words are missing: {examples}"
                f"{', ...' if len(absent) > 5 else ''}.{self.limit_note} "  # noqa: PLR2004 - as many as are listed
                "Use .get(word), or .lookup(words, missing='zeros')."
            )
        return match.vectors(self)

    def _find(self, words: list[str]) -> chains.Match:
        """Find the rows of words, with fallbacks for missing ones."""
        return chains.lookup(self, words, self.fallbacks)

    def _require(self, words: list[str]) -> tuple[NDArray[np.float32], list[NDArray[np.int64]]]:
        """Return the vectors of words, and the rows that each comes from."""
        match = self._find(words)
        if match.missing.any():
            missing = list(dict.fromkeys(words[i] for i in np.flatnonzero(match.missing)))
            raise WordNotFoundError(
                f"{self.name} {self.dim}d has no word {', '.join(map(repr, missing[:5]))}"
                f"{', ...' if len(missing) > 5 else ''}; see `word in vectors`."  # noqa: PLR2004 - as many as are listed
                f"{self.limit_note}"
            )
        rows = [match.averaged.get(i, row) for i, row in enumerate(match.rows.reshape(-1, 1))]
        return match.vectors(self), rows
