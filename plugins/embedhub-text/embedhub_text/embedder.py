"""`TextEmbedder`: batches of texts in, pooled rows out, in this process or carried to any other."""

import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from embedhub._progress import progress_bar
from embedhub.matrix import oov as policies
from embedhub.matrix.oov import Policy
from embedhub.matrix.tokenizers import get_tokenizer, splits_at_spaces
from embedhub.registry import registry
from embedhub.registry.local_file import LocalSource
from embedhub.registry.registry import Source
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.vectors import Vectors
from embedhub_text.adapters import EngineForms
from embedhub_text.inputs import are_cut, in_chunks, texts_of
from embedhub_text.weights import NOTHING, Weights, by_rank, by_texts, common_direction, open_weights, save
from embedhub_text.word_cache import Lexicon, TextWords

_POOLINGS = ("mean", "max", "sif", "idf", None)
_CHUNK = 1 << 17  # characters of a chunk of texts; with four times as many, texts took 1.8 times as long
_FREQUENT = 100_000  # rows whose moments stand for the source's, in the policies that go by them


@dataclass(slots=True)
class TextStats:
    """What a `TextEmbedder` has met in this process.

    Args:
        texts: Texts.
        empty: Texts without words: None, NaN, ``""``, blanks.
        unknown: Texts with words of which the source has none.
        tokens: Words of all texts.
        tokens_found: Words that the source has, by a fallback too.
    """

    texts: int = 0
    empty: int = 0
    unknown: int = 0
    tokens: int = 0
    tokens_found: int = 0


class TextEmbedder(EngineForms):
    """Turns texts into rows: one pooled row for each text.

    What is pickled is how to make it again: names and options, never the matrix, so that it costs nothing to
    send to the workers of any engine. A worker opens the store of its own machine; the first one builds it,
    and all processes of a machine share its pages. The row of a text depends on nothing but the text: it is
    the same, bit for bit, in every engine and every batch.

    Example:
        >>> import embedhub, embedhub_text
        >>> embed = embedhub_text.TextEmbedder("wordnet-ppmi", 50)
        >>> rows = embed(["a stirring , funny film", "qwxz", None])
        >>> rows.shape, rows.dtype
        ((3, 50), dtype('float32'))
        >>> rows.any(axis=1).tolist()
        [True, False, False]
        >>> embed.stats
        TextStats(texts=3, empty=1, unknown=1, tokens=6, tokens_found=4)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`. A name is opened when the first
            text comes; a path at once, because the file's bytes are what is meant, and they are checked
            again where the embedder arrives.
        dim: Width of a row; None where the source has only one.
        pooling: ``"mean"``; ``"max"``, of each column; ``"sif"``, smooth inverse frequency: the mean of rows
            weighed by ``0.001 / (0.001 + p)``, where ``p`` is the word's share of the tokens of the texts
            that were given to `fit`, or without that ``1 / rank`` by the order of the source's rows (Zipf's
            law), scaled to the sum 1; `fit` also finds the first principal direction of its texts, which is
            then taken out of each row (S. Arora, Y. Liang, T. Ma, "A simple but tough-to-beat baseline for
            sentence embeddings", ICLR 2017); ``"idf"``: the mean of rows weighed by
            ``ln((1 + texts) / (1 + texts with the word)) + 1``, over the sum of the weights, which needs
            `fit`; or None for the rows of all words, padded.
        tokenize: How a text is cut: ``"words"``, near to the Penn Treebank's way; ``"whitespace"``; a
            function ``text -> list of words``; a tokenizer of Hugging Face. An object travels by value. Texts
            that are lists of words already are not cut.
        fallbacks: What to look for in place of a missing word, as in `embedhub.embedding_matrix`. None stands
            for the source's own default.
        oov: What words get that are still missing. None: they are left out. Else a policy of
            `embedhub.embedding_matrix`, and they count like other words; ``"normal"`` and ``"mean"`` go by
            the first 100,000 rows of the source, because the words of a batch would give each batch its own.
            Functions must give each word the same row in any company.
        seed: For ``"normal"``.
        length: With ``pooling=None``, how many words of each text to keep; None for as many as the longest
            text of a call has.
        fitted: A folder of learnt weights, as the attribute says it after `fit`.

    Attributes:
        stats: What this object has met in this process, a `TextStats`; sharing threads add up.
        fitted: Folder of what `fit` has learnt, None without.

    Raises:
        SourceNotFoundError: No source has that name.
        DimNotFoundError: The source has no such dim.
        ValueError: An option has not the form described here.
        EmbedhubError: For a path, what `embedhub.load` raises; for a name the first call does.
    """

    def __init__(
        self,
        source: Source,
        dim: int | None = None,
        *,
        pooling: str | None = "mean",
        tokenize: Any = "words",
        fallbacks: Iterable[Fallback] | None = None,
        oov: Policy | None = None,
        seed: int = 0,
        length: int | None = None,
        fitted: str | Path | None = None,
    ) -> None:
        if pooling not in _POOLINGS:
            raise ValueError(f"pooling is {pooling!r}; expected one of {', '.join(map(repr, _POOLINGS))}.")
        if length is not None and (pooling is not None or operator.index(length) < 1):
            raise ValueError(f"length is {length!r}; expected 1 or more, and that only with pooling=None.")
        if fitted is not None and pooling not in {"sif", "idf"}:
            raise ValueError(f"fitted is {fitted!r}; pooling={pooling!r} learns nothing.")
        self._cut = get_tokenizer(tokenize)
        if oov is not None:
            policies.validate_policy(oov, seed)
        self.source: str | EmbeddingSource | Vectors
        self.source, self.dim = _reference(source, dim)
        self.pooling = pooling
        self.tokenize = tokenize
        self.fallbacks = None if fallbacks is None else chains.validate_fallbacks(fallbacks)
        self.oov = oov
        self.seed = seed
        self.length = length
        self.fitted = None if fitted is None else Path(fitted).expanduser().absolute()
        self.stats = TextStats()
        self._lock = threading.Lock()
        self._vectors: Vectors | None = None
        self._lexicon: Lexicon | None = None
        self._common = NOTHING
        self._stats: policies.ColumnStats | None = None

    def __reduce__(self) -> tuple[Callable[..., "TextEmbedder"], tuple[Any, ...]]:
        if isinstance(self.source, EmbeddingSource):
            raise TypeError(
                f"this TextEmbedder of {self.source.name!r} cannot be pickled: only the name of its source "
                "would travel, and it has no registered one. Register the source with embedhub.register, "
                "here and in each process that the embedder travels to, or offer it as a plugin."
            )
        defaults: dict[str, Any] = self.__init__.__kwdefaults__  # type: ignore[misc]  # of this very class
        options = {name: getattr(self, name) for name in defaults}
        options = {name: value for name, value in options.items() if value is not defaults[name]}
        if self.fitted is not None:
            options["fitted"] = str(self.fitted)
        return partial(type(self), **options), (self.source, self.dim)

    def __repr__(self) -> str:
        name = self.source if isinstance(self.source, str) else self.source.name
        return f"<TextEmbedder {name} {self.dim}d, pooling {self.pooling!r}>"

    @property
    def vectors(self) -> Vectors:
        """The vectors of the source, opened when they are first asked for."""
        if self._vectors is None:
            self._vectors = registry.load(self.source, self.dim)
        return self._vectors

    @overload
    def __call__(
        self, texts: Mapping[str, Any], column: str = "text", out: str = "vector"
    ) -> dict[str, Any]: ...
    @overload
    def __call__(self, texts: Iterable[Any]) -> Any: ...
    def __call__(self, texts: Any, column: str = "text", out: str = "vector") -> Any:
        """Return one row for each text.

        Args:
            texts: A list, array or column of texts; or a batch of Ray Data, a mapping of columns; or a pandas
                DataFrame. A text is a str, bytes of UTF-8, or a list of words that is cut already. None, NaN
                and pandas' NA are texts without words. Of a long text all words count.
            column: Of a mapping, which column has the texts.
            out: Of a mapping, the name of the new column.

        Returns:
            ``(n, dim)`` float32, zeros for texts of which no word is known. With ``pooling=None`` a named
            tuple: ``vectors``, ``(n, length, dim)`` float32, and ``mask``, ``(n, length)`` bool, False for
            padding. For a mapping, a dict of its columns and the new one.

        Raises:
            TypeError: This is no list of texts.
            ValueError: The mapping has no such column, or has the new one already.
            EmbedhubError: What `embedhub.load` raises.
        """
        if isinstance(texts, Mapping):
            return {**texts, out: self._rows_of_column(texts, list(texts), column, out)}
        if isinstance(getattr(texts, "columns", None), Iterable):
            return self.frame(texts, column=column, out=out)
        return self._embed(texts_of(texts))

    def fit(self, texts: Iterable[Any], folder: str | Path | None = None) -> "TextEmbedder":
        """Learn the weights of "sif" or "idf" from texts, and keep them on disk.

        They are too large to travel: their place does. On machines that do not see the same disk, the folder
        `fitted` is to be copied into their cache (``EMBEDHUB_CACHE``), below ``fitted``.

        Example:
            >>> import embedhub, embedhub_text
            >>> embed = embedhub_text.TextEmbedder("wordnet-ppmi", 50, pooling="idf")
            >>> _ = embed.fit(["the rain fell", "the sun shone"])
            >>> bool((embed(["the rain"]) != embed(["rain"])).any())
            True

        Args:
            texts: Texts like those that will come. All are held in memory: of a large corpus, pass a sample.
            folder: Where to keep what is learnt; None for the cache. Name a disk that all workers see.

        Returns:
            This object.

        Raises:
            ValueError: The pooling learns nothing.
            VocabularyError: The source has none of the words of the texts.
            StoreError: The disk refuses the bytes.
        """
        if self.pooling not in {"sif", "idf"}:
            raise ValueError(f"pooling={self.pooling!r} learns nothing from texts; 'sif' and 'idf' do.")
        texts = texts_of(texts)
        with progress_bar(f"Learning {self.pooling}", len(texts), in_bytes=False) as advance:
            chunks = self._chunks(texts, self._lexicon_with(None), advance)
            counted = ((chunk.words["row"][chunk.places], chunk.lengths()) for chunk in chunks)
            weights = by_texts(self.pooling, counted, len(self.vectors))
        if self.pooling == "sif":
            with progress_bar("Finding the common direction", len(texts), in_bytes=False) as advance:
                chunks = self._chunks(texts, self._lexicon_with(weights), advance)
                pooled = (self._pool(chunk, NOTHING) for chunk in chunks)
                weights = replace(weights, common=common_direction(pooled, self.vectors.dim))
        self.fitted = save(self.vectors, self.pooling, weights, len(texts), folder)
        self._lexicon = None
        return self

    def _embed(self, texts: list[Any]) -> Any:
        if self._lexicon is None:
            weights = self._opened_weights()
            self._common = NOTHING if weights is None else weights.common
            self._lexicon = self._lexicon_with(weights)
        chunks = self._chunks(texts, self._lexicon)
        if self.pooling is None:
            from embedhub_text.pooling import pad

            every = list(chunks)
            for chunk in every:
                self._note(chunk)
            return pad(every, self.vectors.dim, self.length)
        out = np.empty((len(texts), self.vectors.dim), np.float32)
        start = 0
        for chunk in chunks:
            stop = start + len(chunk.ends)
            out[start:stop] = self._pool(chunk, self._common)
            self._note(chunk)
            start = stop
        return out

    def _pool(self, chunk: TextWords, common: NDArray[np.float64]) -> NDArray[np.float32]:
        from embedhub_text.pooling import (
            pool,  # which imports Numba, and that takes longer than all the rest
        )

        rows = np.empty((len(chunk.ends), self.vectors.dim), np.float32)
        pool(chunk, str(self.pooling), common, rows)
        return rows

    def _chunks(
        self, texts: list[Any], lexicon: Lexicon, advance: Callable[[int], None] = lambda _: None
    ) -> Iterator[TextWords]:
        """Give texts as words with rows, some at a time."""
        piecewise = splits_at_spaces(self.tokenize) and not are_cut(texts)
        cut = str.split if piecewise else self._cut
        for pieces, ends in in_chunks(texts, cut, _CHUNK):
            yield lexicon.read(pieces, ends, are_words=not piecewise)
            advance(len(ends))

    def _lexicon_with(self, weights: Weights | None) -> Lexicon:
        return Lexicon(
            self.vectors,
            self._cut,
            self.vectors.fallbacks if self.fallbacks is None else self.fallbacks,
            rows_for=None if self.oov is None else self._rows_for,
            weights=weights,
            weighted_shares=self.pooling == "idf",
        )

    def _rows_for(self, words: list[str]) -> NDArray[np.float32]:
        return policies.oov_vectors(self.oov, words, self.vectors, stats=self._frequent_stats, seed=self.seed)

    def _frequent_stats(self) -> policies.ColumnStats | None:
        if self._stats is None:
            rows = self.vectors.matrix[:_FREQUENT]
            self._stats = policies.column_stats(rows, np.ones(len(rows), np.bool_))
        return self._stats

    def _opened_weights(self) -> Weights | None:
        """Return what words weigh; None where all weigh the same."""
        if self.fitted is not None and self.pooling is not None:
            return open_weights(self.fitted, self.vectors, self.pooling)
        if self.pooling == "idf":
            raise ValueError(
                "pooling='idf' weighs words by how many texts have them: call fit(texts) first, or pass "
                "fitted=, the folder of what an earlier fit has learnt."
            )
        return by_rank(len(self.vectors)) if self.pooling == "sif" else None

    def _note(self, chunk: TextWords) -> None:
        """Add some texts to the statistics."""
        found, lengths = chunk.per_text(chunk.words["known"]), chunk.lengths()
        with self._lock:
            self.stats.texts += len(lengths)
            self.stats.empty += int(np.count_nonzero(lengths == 0))
            self.stats.unknown += int(np.count_nonzero((lengths > 0) & (found == 0)))
            self.stats.tokens += len(chunk.places)
            self.stats.tokens_found += int(found.sum())


def _reference(source: Source, dim: int | None) -> tuple[str | EmbeddingSource | Vectors, int]:
    """Return what can travel for a source, and its dim."""
    if not isinstance(source, Vectors):
        named, dim = registry.find(source, dim)
        if not isinstance(named, LocalSource):
            return named.name if registry.is_registered(named) else named, dim
    vectors = registry.load(source, dim)
    return vectors, vectors.dim
