"""From the caller's vocabulary to a matrix: which row belongs to which word, and what is missing."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub._warn import warn
from embedhub.errors import CoverageError, CoverageWarning
from embedhub.matrix import coverage as report
from embedhub.matrix import oov as policies
from embedhub.matrix.coverage import Coverage
from embedhub.matrix.oov import Policy
from embedhub.matrix.word_index import WordIndex, read
from embedhub.registry.registry import Source, load
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.fallbacks import Fallback, Match
from embedhub.vectors.vectors import Vectors

_ALMOST_NOTHING = 0.05
_SHOWN = 20

_log = logging.getLogger("embedhub")


@dataclass(frozen=True, slots=True)
class EmbeddingMatrix:
    """Rows for a vocabulary, and how many of its words were found.

    Example:
        >>> import embedhub
        >>> result = embedhub.embedding_matrix("wordnet-ppmi", 25, {"music": 1, "qwxz": 2})
        >>> result.matrix.shape, result.found.tolist(), result.coverage.missing
        ((3, 25), [False, True, False], ('qwxz',))

    Args:
        matrix: ``(largest index + 1, dim)`` float32; row i belongs to the word with index i.
        coverage: What was found and what is missing.
        found: ``(largest index + 1,)`` bool; whether row i comes from the source, by a fallback too. It does
            not where a word is missing, and not for padding, gaps and rows for unknown words.
    """

    matrix: NDArray[np.float32]
    coverage: Coverage
    found: NDArray[np.bool_]


def embedding_matrix(
    source: Source,
    dim: int | None,
    word_index: Any,
    *,
    oov: Policy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
) -> EmbeddingMatrix:
    """Return the source's rows for a vocabulary.

    Row i is the source's row of the word with index i. Where the source does not have the word, it is that
    of the first fallback that is found; else it is what the policy ``oov`` says. Padding is always zeros:
    ``""``, ``"[PAD]"``, ``"<pad>"``, a layer's mask token, a tokenizer's padding token, and rows that no word
    has, such as row 0 where indices start with 1. Rows that stand for unknown words (``"[UNK]"``, all those
    of a ``StringLookup``, a tokenizer's own token) follow the policy, and are not looked up.

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
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        word_index: The vocabulary: a mapping of word -> index, as ``Tokenizer.word_index`` of Keras has it;
            a sequence or array of words, whose positions are the indices, as ``get_vocabulary()`` of a Keras
            layer gives it; a ``TextVectorization``, ``StringLookup`` or ``Tokenizer`` of Keras; a tokenizer
            of Hugging Face, of ``tokenizers`` or ``transformers``. Words are str, or bytes of UTF-8. Indices
            are integers from 0; gaps are allowed; a word may stand at several positions.
        oov: What missing words get. ``"zeros"``; ``"normal"``: random numbers with the mean and standard
            deviation that each column has over the rows that were found; ``"mean"``: that mean; a row
            of shape ``(dim,)``; a function that takes ``k`` words and the dim and returns ``(k, dim)`` finite
            numbers; ``"subword"``: composed by the source from parts of the word, if it can.
        seed: For ``"normal"``. The noise of a word depends on it and on the word alone, so that other words
            may come and go; numpy's global random state is neither used nor changed.
        fallbacks: What to look for in place of a missing word, in order: ``"lower"``; ``"unaccent"``, without
            accents; ``"title"``, as ``str.title`` has it; ``"digits"``, each digit a ``#`` if two of
            them stand together, which is what word2vec's Google News and ConceptNet Numberbatch have made
            of numbers; ``"hyphen"``, the mean of the parts between hyphens, if all are found; or a function
            from a word to another one, or None. Each is tried on the word, and then on what those before it
            have made of it. None stands for the source's own default, ``()`` for no fallbacks.
        num_words: Only words with an index below it are taken, as Keras' ``Tokenizer(num_words=...)`` does;
            a ``Tokenizer`` says it itself.
        counts: How often each word occurs, such as a ``Counter`` or ``Tokenizer.word_counts``. With it, the
            coverage also says which share of the tokens is found, and names the most frequent missing
            words first.
        min_coverage: Least share of words found, between 0 and 1.

    Raises:
        VocabularyError: The vocabulary is empty, inverted, never adapted, has two words for one row, or
            indices that cannot be rows; or ``"normal"`` or ``"mean"`` has no found row to go by.
        CoverageError: Fewer words than ``min_coverage`` were found.
        ValueError: An option has not the form described here.
        EmbedhubError: What `embedhub.load` raises.

    Warns:
        CoverageWarning: Under 5 % of the words were found.
    """
    policies.check(oov, seed)
    if min_coverage is not None and not 0 <= min_coverage <= 1:
        raise ValueError(f"min_coverage is {min_coverage!r}; expected a share between 0 and 1.")
    vocabulary = read(word_index, num_words)
    vectors, match, coverage = _matched(
        source, dim, vocabulary, fallbacks=fallbacks, counts=counts, least=min_coverage or 0
    )
    _log.info("%s %dd: %s", vectors.name, vectors.dim, coverage)
    exact = match.rows >= 0
    wanted = np.full(vocabulary.rows, -1, np.int64)
    wanted[vocabulary.indices[exact]] = match.rows[exact]
    # One pass and no second matrix: "clip" reads row 0 for -1, and lets numpy write where the rows belong.
    matrix = np.take(vectors.matrix, wanted, axis=0, mode="clip")
    matrix[wanted < 0] = 0
    for position, rows in match.means.items():
        matrix[vocabulary.indices[position]] = vectors.matrix[rows].mean(axis=0, dtype=np.float64)
    found = np.zeros(vocabulary.rows, np.bool_)
    found[vocabulary.indices[~match.missing]] = True
    absent = np.flatnonzero(match.missing)
    indices = np.concatenate([vocabulary.indices[absent], vocabulary.oov_indices])
    words = [*(vocabulary.words[i] for i in absent.tolist()), *vocabulary.oov]
    # A function that draws gives the same rows however the same dict was put together.
    order = np.argsort(indices)
    if words:
        matrix[indices[order]] = policies.rows_for(
            oov,
            [words[i] for i in order.tolist()],
            vectors,
            moments=lambda: policies.moments_of(matrix, found),
            seed=int(seed),
        )
    return EmbeddingMatrix(matrix, coverage, found)


def coverage(
    source: Source,
    dim: int | None,
    word_index: Any,
    *,
    fallbacks: Iterable[Fallback] | None = None,
    counts: Mapping[str, int] | None = None,
    num_words: int | None = None,
) -> Coverage:
    """Return how much of a vocabulary a source knows, without making a matrix.

    Example:
        >>> import embedhub
        >>> coverage = embedhub.coverage("wordnet-ppmi", 25, {"music": 1, "rain": 2, "qwxz": 3})
        >>> coverage.missing
        ('qwxz',)
        >>> round(coverage.ratio, 3)
        0.667

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Any dim of the source; None where it has only one.
        word_index: The vocabulary, as in `embedhub.embedding_matrix`; so are the options.
        fallbacks: What to look for in place of a missing word.
        counts: How often each word occurs.
        num_words: Only words with an index below it are taken.

    Raises:
        VocabularyError: The vocabulary cannot be turned into rows.
        EmbedhubError: What `embedhub.load` raises.

    Warns:
        CoverageWarning: Under 5 % of the words were found.
    """
    return _matched(source, dim, read(word_index, num_words), fallbacks=fallbacks, counts=counts, least=0)[-1]


def _matched(
    source: Source,
    dim: int | None,
    vocabulary: WordIndex,
    *,
    fallbacks: Iterable[Fallback] | None,
    counts: Mapping[str, int] | None,
    least: float,
) -> tuple[Vectors, Match, Coverage]:
    """Look a vocabulary up, and judge what was found."""
    # What is wrong with the arguments should be heard before a download, not after it.
    chain = None if fallbacks is None else chains.check(fallbacks)
    tokens = report.tokens_of(vocabulary.words, counts)
    vectors = load(source, dim)
    match = chains.find(vectors, vocabulary.words, vectors.fallbacks if chain is None else chain)
    covered = report.measure(vocabulary.words, vocabulary.indices, match, tokens)
    if covered.ratio < least:
        first = "most frequent" if counts is not None else "first"
        shown = ", ".join(map(repr, covered.missing[:_SHOWN]))
        raise CoverageError(
            f"{vectors.name} {vectors.dim}d has {covered.found:,} of the {covered.total:,} words of "
            f"word_index ({covered.ratio:.1%}); min_coverage asks for {least:.1%}. "
            f"Missing, the {first} ones: {shown}. "
            f"{report.causes(vectors, covered.missing)} embedhub.coverage(...) tells more; fallbacks= finds "
            "more; another source, or a smaller min_coverage, may do."
        )
    if covered.ratio < _ALMOST_NOTHING:
        warn(
            f"{vectors.name} {vectors.dim}d: {covered}. {report.causes(vectors, covered.missing)}",
            CoverageWarning,
        )
    return vectors, match, covered
