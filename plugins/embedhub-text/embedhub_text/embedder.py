"""Embedding of texts by pooling the vectors of their words."""

import operator
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub._progress import progress_bar
from embedhub.matrix import oov as policies
from embedhub.matrix.oov import OOVPolicy
from embedhub.matrix.texts import as_list
from embedhub.matrix.tokenizers import get_tokenizer, splits_at_spaces, tokenizer_of, tokens_of
from embedhub.registry import loading
from embedhub.registry.loading import Source
from embedhub.registry.local_file import LocalSource
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.tokens import default_fallbacks
from embedhub.vectors.vectors import Vectors
from embedhub_text.inputs import are_tokenized, iter_chunks
from embedhub_text.pooling import pad, pool_max, pool_mean
from embedhub_text.weights import (
    WordWeights,
    fit_common_component,
    fit_weights,
    load_weights,
    save_weights,
    zipf_weights,
)
from embedhub_text.word_cache import TextWords, WordCache

_POOLINGS = ("mean", "max", "sif", "idf", None)
_CHUNK = 1 << 17  # characters of a chunk of texts; with four times as many, texts took 1.8 times as long


@dataclass(slots=True)
class TextStats:
    """Counts of the texts and words that a `TextEmbedder` has embedded in this process.

    Args:
        texts: Number of texts.
        empty: Number of texts without words: None, NaN, ``""``, spaces.
        unknown: Number of texts whose words are all out of vocabulary.
        tokens: Number of words in all texts.
        tokens_found: Number of words found in the source, directly or by a fallback.
    """

    texts: int = 0
    empty: int = 0
    unknown: int = 0
    tokens: int = 0
    tokens_found: int = 0


class TextEmbedder:
    """Turns texts into vectors by pooling the vectors of their words.

    An embedder pickles as a name and options, never with the matrix, so it is cheap to send to the workers of
    an engine. Each worker opens the store on its own machine, where the first one builds it; all processes of
    a machine share its memory. The vector of a text depends only on the text: it is bit-identical in every
    batch and process.

    Example:
        >>> import embedhub_text
        >>> embed = embedhub_text.TextEmbedder("wordnet-ppmi", 50)
        >>> vectors = embed(["a stirring , funny film", "qwxz", None])
        >>> vectors.shape, vectors.dtype
        ((3, 50), dtype('float32'))
        >>> vectors.any(axis=1).tolist()
        [True, False, False]
        >>> embed.stats
        TextStats(texts=3, empty=1, unknown=1, tokens=6, tokens_found=4)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`. A name is opened when the first
            text is embedded. A path is opened immediately, since the embedder pickles with the hash of the
            file, which is checked when it is unpickled.
        dim: Dimension; optional if the source has only one.
        pooling: ``"mean"``; ``"max"``: the maximum of each column; ``"sif"``: smooth inverse frequency (S.
            Arora, Y. Liang, T. Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017),
            the mean of vectors weighted by ``0.001 / (0.001 + p)``, where ``p`` is the relative frequency of
            the word in the texts passed to `fit`, or, without `fit`, estimated by Zipf's law from the order
            of the source's words; `fit` also finds the first principal direction of its texts, which is then
            removed from each vector; ``"idf"``: the mean of vectors weighted by ``ln((1 + texts) / (1 + texts
            with the word)) + 1``, divided by the sum of the weights, which requires `fit`; or None for the
            vectors of all words, padded.
        tokenize: How texts are split into words: one of the names in `embedhub.matrix.tokenizers`, such as
            ``"words"`` (much like the Penn Treebank) or ``"whitespace"``; a function ``text -> list of
            words``; or a tokenizer of Hugging Face or KerasHub, which is pickled by value. None uses the
            tokenization of the source, `embedhub.Vectors.tokenization`. Texts that are lists of words are not
            tokenized.
        fallbacks: Fallbacks for OOV words, as in `embedhub.embedding_matrix`; None means the source's
            default.
        oov: Policy for words that are still OOV. None skips them. With a policy of
            `embedhub.embedding_matrix` they count like other words; ``"normal"`` and ``"mean"`` use the
            statistics of the source's first 100,000 words, since those of a batch would differ between
            batches. A function must always return the same vector for a word.
        seed: Random seed of ``"normal"``.
        input_length: With ``pooling=None``, number of words to keep of each text; None keeps as many as the
            longest text of a call has.
        weights: Folder of fitted weights: the attribute `weights` of an embedder after `fit`.

    Attributes:
        stats: A `TextStats` with the counts of this object in this process, over all threads.
        weights: Folder of the fitted weights, None without.

    Raises:
        SourceNotFoundError: No source has that name.
        DimNotFoundError: The source does not have that dimension.
        ValueError: An option has an invalid value.
        EmbedhubError: Any error of `embedhub.load`: for a path immediately, for a name in the first call.
    """

    def __init__(
        self,
        source: Source,
        dim: int | None = None,
        *,
        pooling: str | None = "mean",
        tokenize: Any = None,
        fallbacks: Iterable[Fallback] | None = None,
        oov: OOVPolicy | None = None,
        seed: int = 0,
        input_length: int | None = None,
        weights: str | Path | None = None,
    ) -> None:
        if pooling not in _POOLINGS:
            raise ValueError(f"pooling is {pooling!r}; expected one of {', '.join(map(repr, _POOLINGS))}.")
        if input_length is not None and (pooling is not None or operator.index(input_length) < 1):
            raise ValueError(
                f"input_length is {input_length!r}; expected 1 or more, and only with pooling=None."
            )
        if weights is not None and pooling not in {"sif", "idf"}:
            raise ValueError(f"weights is {weights!r}; only pooling='sif' and 'idf' use fitted weights.")
        if tokenize is not None:
            get_tokenizer(tokenize)
        if oov is not None:
            policies.validate_policy(oov, seed)
        self.source: str | EmbeddingSource | Vectors
        self.source, self.dim = _reference(source, dim)
        self.pooling = pooling
        self.tokenize = tokenize
        self.fallbacks = None if fallbacks is None else chains.validate_fallbacks(fallbacks)
        self.oov = oov
        self.seed = seed
        self.input_length = input_length
        self.weights = None if weights is None else Path(weights).expanduser().absolute()
        self.stats = TextStats()
        self._lock = threading.Lock()
        self._vectors: Vectors | None = None
        self._words: WordCache | None = None
        self._word_weights: WordWeights | None = None
        self._column_stats: policies.ColumnStats | None = None

    def __reduce__(self) -> tuple[Callable[..., "TextEmbedder"], tuple[Any, ...]]:
        if isinstance(self.source, EmbeddingSource):
            raise TypeError(
                f"this TextEmbedder of {self.source.name!r} cannot be pickled, since its source is not "
                "registered and would be pickled as a name. Register the source with embedhub.register, here "
                "and in each process that unpickles the embedder, or provide it in a plugin."
            )
        defaults: dict[str, Any] = self.__init__.__kwdefaults__  # type: ignore[misc]  # of this very class
        options = {name: getattr(self, name) for name in defaults}
        options = {name: value for name, value in options.items() if value is not defaults[name]}
        if self.weights is not None:
            options["weights"] = str(self.weights)
        return partial(type(self), **options), (self.source, self.dim)

    def __repr__(self) -> str:
        name = self.source if isinstance(self.source, str) else self.source.name
        return f"<TextEmbedder {name} {self.dim}d, pooling {self.pooling!r}>"

    @property
    def vectors(self) -> Vectors:
        """The vectors of the source, opened on first use."""
        if self._vectors is None:
            self._vectors = loading.load(self.source, self.dim)
        return self._vectors

    def __call__(self, texts: Iterable[Any]) -> Any:
        """Return the vector of each text.

        Args:
            texts: A list, array or column of texts. A text is a str, bytes of UTF-8, or a list of words.
                None, NaN and pandas' NA are texts without words. All words of a long text count.

        Returns:
            ``(n, dim)`` float32, zeros for texts without a known word. With ``pooling=None`` a named tuple:
            ``vectors``, ``(n, length, dim)`` float32, and ``mask``, ``(n, length)`` bool, False for padding.

        Raises:
            TypeError: ``texts`` is one text or a table, or a text is of another type.
            ValueError: ``pooling="idf"`` has no fitted weights.
            EmbedhubError: Any error of `embedhub.load`.
        """
        texts = as_list(texts)
        if self._word_weights is None:
            self._word_weights = self._load_weights()
        chunks = self._chunks(texts)
        if self.pooling is None:
            everything = list(chunks)
            for chunk in everything:
                self._count(chunk)
            return pad(everything, self.vectors.dim, self.input_length)
        pooled = np.empty((len(texts), self.vectors.dim), np.float32)
        start = 0
        for chunk in chunks:
            pooled[start : start + len(chunk)] = self._pool(chunk, self._word_weights)
            self._count(chunk)
            start += len(chunk)
        return pooled

    def encode(self, texts: str | Iterable[Any], *, normalize: bool = False) -> NDArray[np.float32]:
        """Return the vector of a text, or of each of several texts.

        Example:
            >>> import embedhub_text
            >>> embed = embedhub_text.TextEmbedder("wordnet-ppmi", 50)
            >>> embed.encode("a quiet film").shape, embed.encode(["a film", "rain"], normalize=True).shape
            ((50,), (2, 50))

        Args:
            texts: One text, or several as for a call of this object.
            normalize: Whether the vectors get length 1; those of texts without a known word stay zeros.

        Returns:
            ``(dim,)`` float32 for one text, ``(n, dim)`` for several.

        Raises:
            ValueError: The pooling is None, which has no vector of a text.
            TypeError: As for a call of this object.
            EmbedhubError: Any error of `embedhub.load`.
        """
        if self.pooling is None:
            raise ValueError(
                "pooling=None gives the vectors of words; encode needs a pooling, such as 'mean'."
            )
        is_single = isinstance(texts, str | bytes)
        vectors: NDArray[np.float32] = self([texts] if is_single else texts)
        if normalize:
            lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
            vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return vectors[0] if is_single else vectors

    def fit(self, texts: Iterable[Any], folder: str | Path | None = None) -> "TextEmbedder":
        """Fit the weights of "sif" or "idf" to texts, and store them on disk.

        The embedder pickles with the path of the weights. On machines without shared storage, copy the folder
        `weights` into ``weights/`` of their cache (``EMBEDHUB_CACHE``).

        Example:
            >>> import embedhub_text
            >>> embed = embedhub_text.TextEmbedder("wordnet-ppmi", 50, pooling="idf")
            >>> _ = embed.fit(["the rain fell", "the sun shone"])
            >>> bool((embed(["the rain"]) != embed(["rain"])).any())
            True

        Args:
            texts: Texts similar to those to be embedded. All are kept in memory; pass a sample of a large
                corpus.
            folder: Where to store the weights, for example on shared storage; None for the cache.

        Returns:
            This object.

        Raises:
            ValueError: The pooling is neither "sif" nor "idf".
            VocabularyError: None of the words of the texts is in the source.
            StoreError: The weights cannot be written.
        """
        if self.pooling not in {"sif", "idf"}:
            raise ValueError(f"pooling={self.pooling!r} has no weights to fit; 'sif' and 'idf' have.")
        texts = as_list(texts)
        with progress_bar(f"Fitting {self.pooling}", len(texts), in_bytes=False) as advance:
            weights = fit_weights(self.pooling, self._chunks(texts, advance), len(self.vectors))
        if self.pooling == "sif":
            with progress_bar("Finding the common component", len(texts), in_bytes=False) as advance:
                pooled = (self._pool(chunk, weights) for chunk in self._chunks(texts, advance))
                component = fit_common_component(pooled, self.vectors.dim)
            weights = replace(weights, common_component=component)
        self.weights = save_weights(self.vectors, self.pooling, weights, len(texts), folder)
        self._word_weights = weights
        return self

    def _chunks(
        self, texts: list[Any], advance: Callable[[int], None] = lambda _: None
    ) -> Iterator[TextWords]:
        if self._words is None:
            self._words = WordCache(
                self.vectors,
                tokenizer_of(self.vectors) if self.tokenize is None else get_tokenizer(self.tokenize),
                default_fallbacks(self.vectors, tokens_of(self.tokenize))
                if self.fallbacks is None
                else self.fallbacks,
                None if self.oov is None else self._oov_vectors,
            )
        tokenize = self.vectors.tokenization if self.tokenize is None else self.tokenize
        by_piece = splits_at_spaces(tokenize) and not are_tokenized(texts)
        for chunk in iter_chunks(texts, _CHUNK):
            yield self._words.read(chunk, by_piece=by_piece)
            advance(len(chunk))

    def _pool(self, chunk: TextWords, weights: WordWeights) -> NDArray[np.float32]:
        if self.pooling == "max":
            return pool_max(chunk)
        factors = weights.of(chunk.rows)
        divisors = factors if self.pooling == "idf" else np.ones_like(factors)
        return pool_mean(chunk, factors, divisors, weights.common_component)

    def _oov_vectors(self, words: list[str]) -> NDArray[np.float32]:
        return policies.oov_vectors(self.oov, words, self.vectors, stats=self._frequent_stats, seed=self.seed)

    def _frequent_stats(self) -> policies.ColumnStats:
        if self._column_stats is None:
            self._column_stats = policies.source_stats(self.vectors)
        return self._column_stats

    def _load_weights(self) -> WordWeights:
        if self.weights is not None and self.pooling is not None:
            return load_weights(self.weights, self.vectors, self.pooling)
        if self.pooling == "idf":
            raise ValueError(
                "pooling='idf' weights words by how many texts contain them: call fit(texts) first, or pass "
                "weights=, the folder of an earlier fit."
            )
        return zipf_weights(len(self.vectors)) if self.pooling == "sif" else WordWeights(np.ones(1), 1.0)

    def _count(self, chunk: TextWords) -> None:
        tokens_found = chunk.count(chunk.is_known)
        with self._lock:
            self.stats.texts += len(chunk)
            self.stats.empty += int(np.count_nonzero(chunk.lengths == 0))
            self.stats.unknown += int(np.count_nonzero((chunk.lengths > 0) & (tokens_found == 0)))
            self.stats.tokens += len(chunk.words)
            self.stats.tokens_found += int(tokens_found.sum())


def _reference(source: Source, dim: int | None) -> tuple[str | EmbeddingSource | Vectors, int]:
    """Return what an embedder is pickled with for a source, and its dimension."""
    if not isinstance(source, Vectors):
        resolved, dim = loading.resolve(source, dim)
        if not isinstance(resolved, LocalSource):
            return resolved.name if loading.is_registered(resolved) else resolved, dim
    vectors = loading.load(source, dim)
    return vectors, vectors.dim
