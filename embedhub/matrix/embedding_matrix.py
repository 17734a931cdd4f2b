"""Embedding matrices: the vectors of a vocabulary in the order of its indices."""

from __future__ import annotations  # so that help() shows types by their names

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from embedhub._warn import warn
from embedhub.errors import CoverageError, CoverageWarning, VocabularyError
from embedhub.matrix.arguments import checked
from embedhub.matrix.coverage import Coverage, compute_coverage, diagnose, is_phrase, occurrences
from embedhub.matrix.oov import (
    MIN_FOUND,
    ColumnStats,
    OOVPolicy,
    column_stats,
    oov_vectors,
    source_stats,
    validate_policy,
)
from embedhub.matrix.word_index import Vocabulary, WordIndex, parse_vocabulary
from embedhub.registry.loading import Source, find, find_any_dim, load
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.tokens import default_fallbacks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from numpy.typing import NDArray

    from embedhub.matrix.options import CoverageOptions, MatrixOptions
    from embedhub.registry.source import EmbeddingSource
    from embedhub.vectors.fallbacks import Fallback, Match
    from embedhub.vectors.vectors import Vectors

_LOW_COVERAGE = 0.05
_MAX_LISTED = 20

_log = logging.getLogger("embedhub")


@dataclass(frozen=True, slots=True, repr=False)
class EmbeddingMatrix:
    """An embedding matrix with the coverage of its vocabulary.

    Example:
        >>> import embedhub
        >>> result = embedhub.embedding_matrix("wordnet-ppmi", 25, {"music": 1, "qwxz": 2})
        >>> result.matrix.shape, result.found.tolist(), result.coverage.missing
        ((3, 25), [False, True, False], ('qwxz',))

    Args:
        matrix: ``(largest index + 1, dim)`` float32; row ``i`` is the vector of the word with index ``i``.
        coverage: Coverage of the vocabulary: the words found, and the words missing.
        found: ``(largest index + 1,)`` bool: True if row ``i`` comes from the source, directly or by a
            fallback; False for missing words, padding, gaps and tokens for unknown words.
        fingerprint: Fingerprint of the source's vectors; see `Vectors.fingerprint`.
    """

    matrix: NDArray[np.float32]
    coverage: Coverage
    found: NDArray[np.bool_]
    fingerprint: str

    def __repr__(self) -> str:
        return f"<EmbeddingMatrix {self.matrix.shape} {self.matrix.dtype}: {self.coverage}>"


@overload
def embedding_matrix(
    source: Source, dim: int | None, word_index: Vocabulary, **options: Unpack[MatrixOptions]
) -> EmbeddingMatrix: ...
@overload
def embedding_matrix(
    source: Source, word_index: Vocabulary, **options: Unpack[MatrixOptions]
) -> EmbeddingMatrix: ...
@checked
def embedding_matrix(
    source: Source,
    dim: int | None,
    word_index: Vocabulary,
    *,
    oov: OOVPolicy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
) -> EmbeddingMatrix:
    """Return the embedding matrix of a vocabulary.

    Row ``i`` is the source's vector of the word with index ``i``. If the word is out of vocabulary, its
    fallbacks are looked up; if they are missing too, the policy ``oov`` assigns a vector.

    Padding is always zeros: ``""``, ``"[PAD]"``, ``"<pad>"``, the mask token of a layer, the padding token of
    a tokenizer, and indices without a word, such as 0 if words start at 1. Tokens for unknown words
    (``"[UNK]"``, all OOV indices of a ``StringLookup``, the unknown token of a tokenizer) are not looked up
    and follow the policy. Other control tokens, such as ``"[CLS]"``, are looked up; if the source does not
    have them, they follow the policy and are not counted in the coverage.

    Example:
        >>> import embedhub
        >>> result = embedhub.embedding_matrix("wordnet-ppmi", 50, {"Music": 1, "qwxz": 2})
        >>> result.matrix.shape
        (3, 50)
        >>> print(result.coverage)
        1 of 2 words found (50.0%; 1 by lower); missing: qwxz
        >>> result = embedhub.embedding_matrix(
        ...     "wordnet-ppmi", 50, ["", "[UNK]", "rain-music"], oov="mean", fallbacks=("lower", "hyphen")
        ... )
        >>> result.found.tolist()
        [False, False, True]

    Args:
        source: A name, a path, an `EmbeddingSource` or `Vectors`; see `embedhub.load`.
        dim: Dimension; optional if the source has only one. Left out after a source that has it, as in
            ``embedding_matrix("glove-6b:50", word_index)``, with all options by name.
        word_index: The vocabulary: a mapping of word -> index; a sequence or array of words in the order of
            their indices, like ``get_vocabulary()`` of a Keras layer; a ``TextVectorization`` or
            ``StringLookup`` of Keras; a tokenizer of Hugging Face (``tokenizers`` or ``transformers``) or
            KerasHub, or another object with its methods ``get_vocabulary()`` and ``token_to_id(token)``; or a
            ``tf.keras.preprocessing.text.Tokenizer``. Words are str, or bytes in UTF-8. Indices are integers
            from 0 and may have gaps. In a sequence, a word may occur several times.
        oov: The policy for missing words. ``"zeros"``; ``"normal"``: random numbers with the mean and
            standard deviation of each column over the rows that were found, or, if fewer than 10 words were
            found, over the source's first 100,000 rows; ``"mean"``: the mean of the rows that were found;
            ``"subword"``: composed by the source, if it can (`Vectors.composer`); a vector of shape
            ``(dim,)``; or a function from ``k`` words and the dimension to ``(k, dim)`` finite numbers.
        seed: Random seed of ``"normal"``, from 0 to 2**64 - 1. The noise of a word depends only on the seed
            and the word, not on the rest of the vocabulary. numpy's global random state is not used.
        fallbacks: Other words to look up for a missing word, tried in order. ``"lower"``; ``"unaccent"``:
            without accents; ``"title"``: as ``str.title``; ``"digits"``: each digit as ``#`` if two are
            adjacent, as in the vocabularies of word2vec's Google News and of ConceptNet Numberbatch;
            ``"hyphen"``: the mean of the parts between hyphens, if all are found; ``"word-start"``: without
            the mark that a tokenizer puts at the start of a word, ``▁`` or ``Ġ``; or a function
            from a word to another word or None. Each is applied to the word and to the results of those
            before it. None means the source's default, after ``"word-start"`` if such a mark is itself in the
            vocabulary and the source has vectors of words; ``()`` means no fallbacks.
        num_words: Only words with an index below it are used, as in ``Tokenizer(num_words=...)`` of
            ``tf.keras.preprocessing.text``; such a tokenizer's own ``num_words`` applies by default.
        counts: How often each word occurs, such as a ``Counter`` or ``Tokenizer.word_counts``. With counts,
            the coverage includes the fraction of tokens found, and lists the most frequent missing words
            first.
        min_coverage: Raise an error if a smaller fraction of the words is found; between 0 and 1.

    Raises:
        VocabularyError: ``word_index`` is empty, inverted or not adapted, has two words at one index, or has
            indices that cannot be rows; ``counts`` is not a mapping of words to integers, or has none of the
            words; ``oov`` is ``"normal"`` or ``"mean"``, and no word was found; or it is ``"zeros"``, none
            was found, and all have spaces, as texts do.
        CoverageError: A smaller fraction of the words than ``min_coverage`` was found.
        ValueError: ``oov`` is an unknown name or has the wrong shape, ``seed``, ``num_words`` or
            ``min_coverage`` is out of range, or ``fallbacks`` has an unknown name.
        TypeError: ``fallbacks`` is not a sequence, or a fallback returned neither a word nor None.
        EmbedhubError: As `embedhub.load`.

    Warns:
        CoverageWarning: Less than 5 % of the words were found; or ``oov`` is ``"normal"``, and fewer than 10.
    """
    return build_matrix(
        prepare(
            source,
            dim,
            word_index,
            oov=oov,
            seed=seed,
            fallbacks=fallbacks,
            num_words=num_words,
            counts=counts,
            min_coverage=min_coverage,
        )
    )


def build_matrix(request: Request) -> EmbeddingMatrix:
    """Return the embedding matrix of a request; the source is downloaded on first use."""
    vocabulary = request.vocabulary
    # Any other policy may have vectors for phrases.
    refuse_texts = isinstance(request.oov, str) and request.oov == "zeros"
    vectors, match, coverage = _lookup_vocabulary(request, refuse_texts=refuse_texts)
    _log.info("%s %dd: %s", vectors.name, vectors.dim, coverage)
    exact = match.rows >= 0
    source_rows = np.full(vocabulary.rows, -1, np.int64)
    source_rows[vocabulary.indices[exact]] = match.rows[exact]
    # mode="clip" reads row 0 for -1 without a temporary copy of the matrix; those rows are overwritten below.
    matrix = np.take(vectors.matrix, source_rows, axis=0, mode="clip")
    matrix[source_rows < 0] = 0
    for position, mean in match.mean_vectors(vectors):
        matrix[vocabulary.indices[position]] = mean
    found = np.zeros(vocabulary.rows, np.bool_)
    found[vocabulary.indices[~match.missing]] = True
    missing = np.flatnonzero(match.missing)
    indices = np.concatenate([vocabulary.indices[missing], vocabulary.unknown_indices])
    words = [*(vocabulary.words[i] for i in missing.tolist()), *vocabulary.unknown_tokens]
    # In the order of indices, so that random vectors do not depend on the order of a dict.
    order = np.argsort(indices)
    if words:
        matrix[indices[order]] = oov_vectors(
            request.oov,
            [words[i] for i in order.tolist()],
            vectors,
            stats=lambda: _stats(request, vectors, match, matrix, found),
            seed=request.seed,
        )
    return EmbeddingMatrix(matrix, coverage, found, vectors.fingerprint)


@overload
def coverage(
    source: Source, dim: int | None, word_index: Vocabulary, **options: Unpack[CoverageOptions]
) -> Coverage: ...
@overload
def coverage(source: Source, word_index: Vocabulary, **options: Unpack[CoverageOptions]) -> Coverage: ...
@checked
def coverage(
    source: Source,
    dim: int | None,
    word_index: Vocabulary,
    *,
    fallbacks: Iterable[Fallback] | None = None,
    counts: Mapping[str, int] | None = None,
    num_words: int | None = None,
) -> Coverage:
    """Return the coverage of a vocabulary by a source, without building a matrix.

    Example:
        >>> import embedhub
        >>> coverage = embedhub.coverage("wordnet-ppmi", 25, {"music": 1, "rain": 2, "qwxz": 3})
        >>> coverage.missing
        ('qwxz',)
        >>> round(coverage.ratio, 3)
        0.667

    Args:
        source: A name, a path, an `EmbeddingSource` or `Vectors`; see `embedhub.load`.
        dim: Any dimension of the source; optional if its number of words is known, which all dimensions
            share. Then it is one in the cache, or else the smallest.
        word_index: The vocabulary; this and the options are as in `embedhub.embedding_matrix`.
        fallbacks: Other words to look up for a missing word.
        counts: How often each word occurs.
        num_words: Only words with an index below it are used.

    Raises:
        VocabularyError: ``word_index`` or ``counts`` is invalid; see `embedhub.embedding_matrix`.
        ValueError: ``num_words`` is out of range, or ``fallbacks`` has an unknown name.
        TypeError: ``fallbacks`` is not a sequence, or a fallback returned neither a word nor None.
        EmbedhubError: As `embedhub.load`.

    Warns:
        CoverageWarning: Less than 5 % of the words were found.
    """
    source, dim = find_any_dim(source, dim)
    request = prepare(source, dim, word_index, fallbacks=fallbacks, counts=counts, num_words=num_words)
    return _lookup_vocabulary(request)[-1]


@dataclass(frozen=True, slots=True)
class Request:
    """The checked arguments of `embedding_matrix`.

    Args:
        source: The source, or opened vectors.
        dim: One of its dimensions.
        vocabulary: The words and their indices.
        oov: The policy for missing words.
        seed: Of ``"normal"``.
        fallbacks: A chain of fallbacks; None means the source's default.
        tokens: How often each word occurs; None without counts.
        min_coverage: The least fraction of words to find.
    """

    source: EmbeddingSource | Vectors
    dim: int
    vocabulary: WordIndex
    oov: OOVPolicy
    seed: int
    fallbacks: tuple[Fallback, ...] | None
    tokens: NDArray[np.signedinteger[Any]] | None
    min_coverage: float


def prepare(
    source: Source,
    dim: int | None,
    word_index: Vocabulary,
    *,
    oov: OOVPolicy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
) -> Request:
    """Check all arguments of `embedding_matrix`, before anything is downloaded or Keras is imported.

    Raises:
        EmbedhubError, ValueError, TypeError: As `embedding_matrix`.
    """
    chain = None if fallbacks is None else chains.validate_fallbacks(fallbacks)
    if min_coverage is not None and not 0 <= min_coverage <= 1:
        raise ValueError(f"min_coverage is {min_coverage!r}; expected a fraction between 0 and 1.")
    validate_policy(oov, seed)
    source, dim = find(source, dim)
    validate_policy(oov, seed, dim)
    vocabulary = parse_vocabulary(word_index, num_words)
    tokens = occurrences(vocabulary.words, counts)
    return Request(source, dim, vocabulary, oov, int(seed), chain, tokens, min_coverage or 0)


def _stats(
    request: Request,
    vectors: Vectors,
    match: Match,
    matrix: NDArray[np.float32],
    found: NDArray[np.bool_],
) -> ColumnStats | None:
    """Return mean and standard deviation of the vectors found; for noise, if too few, of the source's."""
    words = request.vocabulary.words  # of which a sequence may have one several times
    count = len({words[i] for i in np.flatnonzero(~match.missing).tolist()})
    if request.oov == "mean" or count == 0 or count >= min(MIN_FOUND, len(vectors)):
        return column_stats(matrix, found)
    warn(
        f"oov='normal': the vectors of {count} found words are too few for a mean and a standard "
        f"deviation, so those of the first words of {vectors.name} {vectors.dim}d were used. "
        "embedhub.coverage(...) returns the missing words.",
        CoverageWarning,
    )
    return source_stats(vectors)


def _lookup_vocabulary(request: Request, *, refuse_texts: bool = False) -> tuple[Vectors, Match, Coverage]:
    """Look up the words of a vocabulary, and check its coverage.

    Args:
        request: The checked arguments.
        refuse_texts: Whether it is an error if no entry was found and all have spaces.
    """
    vocabulary, chain, tokens = request.vocabulary, request.fallbacks, request.tokens
    vectors = load(request.source, request.dim)
    chain = default_fallbacks(vectors, vocabulary.words) if chain is None else chain
    match = chains.lookup(vectors, vocabulary.words, chain)
    coverage = compute_coverage(vocabulary, match, tokens)
    if coverage.ratio < request.min_coverage:
        first = "most frequent" if tokens is not None else "first"
        listed = ", ".join(map(repr, coverage.missing[:_MAX_LISTED]))
        raise CoverageError(
            f"{vectors.name} {vectors.dim}d has {coverage.found:,} of the {coverage.total:,} words of "
            f"word_index ({coverage.ratio:.1%}); min_coverage requires {request.min_coverage:.1%}. "
            f"The {first} missing words: {listed}. {diagnose(vectors, coverage.missing)} "
            "Try fallbacks=, another source, or a smaller min_coverage; embedhub.coverage(...) returns all "
            "missing words."
        )
    if coverage.ratio < _LOW_COVERAGE:
        message = f"{vectors.name} {vectors.dim}d: {coverage}. {diagnose(vectors, coverage.missing)}"
        if refuse_texts and not coverage.found and all(map(is_phrase, coverage.missing)):
            raise VocabularyError(message)
        warn(message, CoverageWarning)
    return vectors, match, coverage
