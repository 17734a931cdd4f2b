"""From the caller's vocabulary to a matrix: which row belongs to which word, and what is missing."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import VocabularyError
from embedhub.registry import Source, load

_SHOWN = 5
_ALWAYS_ALLOWED = 1_000_000  # rows, whatever the vocabulary: a gap of that size costs 1.2 GB at dim 300
_SPARSEST = 100  # rows for each word
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a vocabulary a source knows.

    Args:
        total: Number of words in the vocabulary.
        missing: The words that were not found, in the order of their indices.
    """

    total: int
    missing: tuple[str, ...]

    @property
    def found(self) -> int:
        """Number of words that were found."""
        return self.total - len(self.missing)

    @property
    def share(self) -> float:
        """Share of words found, between 0 and 1."""
        return self.found / self.total

    def __str__(self) -> str:
        shown = ", ".join(self.missing[:_SHOWN]) + (", ..." if len(self.missing) > _SHOWN else "")
        return f"{self.found:,} of {self.total:,} words found ({self.share:.1%})" + (
            f"; missing: {shown}" if self.missing else ""
        )


@dataclass(frozen=True, slots=True)
class EmbeddingMatrix:
    """Rows for a vocabulary, and how many of its words were found.

    Args:
        matrix: ``(largest index + 1, dim)`` float32; row i belongs to the word with index i.
        coverage: What was found and what is missing.
        found: ``(largest index + 1,)`` bool; whether row i comes from the source.
    """

    matrix: NDArray[np.float32]
    coverage: Coverage
    found: NDArray[np.bool_]


def embedding_matrix(source: Source, dim: int | None, word_index: Mapping[str, int]) -> EmbeddingMatrix:
    """Return the source's rows for a vocabulary.

    Row ``word_index[word]`` is the source's row of the word. All other rows are zeros: those of missing
    words, and those that no word has, which is row 0 where indices start with 1.

    Example:
        >>> import embedhub
        >>> result = embedhub.embedding_matrix("wordnet-ppmi", 50, {"music": 1, "qwxz": 2})
        >>> result.matrix.shape
        (3, 50)
        >>> print(result.coverage)
        1 of 2 words found (50.0%); missing: qwxz

    Args:
        source: A registered name, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        word_index: Word -> index, as ``Tokenizer.word_index`` of Keras has it. Indices are integers from 0;
            gaps are allowed.

    Raises:
        VocabularyError: The vocabulary is empty, inverted, or has indices that cannot be rows.
        EmbedhubError: What `embedhub.load` raises.
    """
    words, indices = _checked(word_index)
    if indices.max() >= _SPARSEST * len(words) + _ALWAYS_ALLOWED:
        raise VocabularyError(
            f"word_index has {len(words):,} words, but the largest index is {indices.max():,}: a matrix of "
            "so many rows would be nearly all zeros. Number the words anew."
        )
    vectors = load(source, dim)
    rows = vectors.indices(words)
    known = rows >= 0
    matrix = np.zeros((int(indices.max()) + 1, vectors.dim), np.float32)
    matrix[indices[known]] = vectors.matrix[rows[known]]
    found = np.zeros(len(matrix), np.bool_)
    found[indices[known]] = True
    absent = np.flatnonzero(~known)
    absent = absent[np.argsort(indices[absent], kind="stable")]
    coverage = Coverage(len(words), tuple(words[i] for i in absent.tolist()))
    return EmbeddingMatrix(matrix, coverage, found)


def _checked(word_index: Mapping[str, int]) -> tuple[list[str], NDArray[np.int64]]:
    """Return words and their indices, or say what is wrong with them."""
    expected = "expected word -> index, like {'the': 1, 'cat': 2}"
    if not isinstance(word_index, Mapping):
        raise VocabularyError(f"word_index is of type {type(word_index).__name__}; {expected}.")
    if not word_index:
        raise VocabularyError(f"word_index is empty; {expected}. Was the tokenizer fitted?")
    words = list(word_index)
    odd_word = next((word for word in words if not isinstance(word, str)), None)
    if odd_word is not None:
        inverted = " It looks inverted: pass {word: index for index, word in ...}."
        raise VocabularyError(
            f"word_index has the key {odd_word!r} with the value {word_index[odd_word]!r}; {expected}."
            f"{inverted if isinstance(word_index[odd_word], str) else ''}"
        )
    indices = np.fromiter((_index(word, word_index[word], expected) for word in words), np.int64, len(words))
    order = np.argsort(indices, kind="stable")
    twins = np.flatnonzero(np.diff(indices[order]) == 0)
    if len(twins):
        first, second = order[twins[0]], order[twins[0] + 1]
        raise VocabularyError(
            f"word_index gives {words[first]!r} and {words[second]!r} the same index {indices[first]}; "
            "one row cannot belong to two words."
        )
    return words, indices


def _index(word: str, index: Any, expected: str) -> int:
    try:
        if isinstance(index, bool):
            raise TypeError
        number = operator.index(index)
    except TypeError:
        raise VocabularyError(
            f"word_index has {word!r}: {index!r} of type {type(index).__name__}; {expected}, integers from 0."
        ) from None
    if not 0 <= number <= _INT64_MAX:
        raise VocabularyError(f"word_index has {word!r}: {number}; {expected}, integers from 0.")
    return number
