"""Embedding matrices."""

import re
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import VocabularyError
from embedhub.errors import CoverageWarning


def test_row_i_is_the_vector_of_the_word_with_index_i() -> None:
    """Row i is the source's vector of the word with index i; all other rows are zeros."""
    vectors = embedhub.load("wordnet-ppmi", 50)
    word_index: dict[str, Any] = {"music": 5, "qwxz": 2, "rain": np.int32(1)}
    result = embedhub.embedding_matrix(vectors, None, word_index)
    matrix, coverage = result.matrix, result.coverage
    assert matrix.shape == (6, 50)
    assert matrix.dtype == np.float32
    assert (matrix[5] == vectors["music"]).all()
    assert (matrix[1] == vectors["rain"]).all()
    assert not matrix[[0, 2, 3, 4]].any()
    assert (coverage.total, coverage.found, coverage.missing) == (3, 2, ("qwxz",))
    assert str(coverage) == "2 of 3 words found (66.7%); missing: qwxz"


def test_missing_words_are_in_the_order_of_their_indices() -> None:
    """Keras numbers words by frequency, so the most frequent missing word comes first."""
    with pytest.warns(CoverageWarning):
        result = embedhub.embedding_matrix("wordnet-ppmi", 25, {f"qwxz{i}": 9 - i for i in range(7)})
    assert result.coverage.missing == tuple(f"qwxz{i}" for i in reversed(range(7)))
    assert str(result.coverage).endswith("(0.0%); missing: qwxz6, qwxz5, qwxz4, qwxz3, qwxz2, ...")


def test_index_0_may_be_a_word() -> None:
    """In a vocabulary that starts at 0, row 0 is the vector of its first word."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    assert (embedhub.embedding_matrix(vectors, 25, {"music": 0}).matrix[0] == vectors["music"]).all()


@pytest.mark.parametrize(
    ("word_index", "words"),
    [
        ({}, "word_index is empty; expected a mapping of word -> index, like {'the': 1, 'cat': 2}"),
        ({1: "the"}, "has the key 1 with the value 'the'; expected a mapping of word -> index"),
        ({1: "the"}, "It looks inverted; pass {word: index for index, word in ...}"),
        ({"the": "1"}, "has 'the': '1' of type str"),
        ({"the": 1.0}, "has 'the': 1.0 of type float"),
        ({"the": True}, "has 'the': True of type bool"),
        (
            {"the": -1},
            "like {'the': 1, 'cat': 2}, with integers from 0",
        ),
        ({"the": 2**63}, "has 'the': 9223372036854775808 of type int; expected"),
        ({"a": 1, "the": np.int8(-1)}, "of type int8; expected a mapping of word -> index"),
        ({"a": 1, "the": None}, "has 'the': None of type NoneType; expected"),
        ({"the": 10**9, "a": 2}, "has 2 words, but its largest index is 1,000,000,000"),
        ({"the": 1, "a": 2, "cat": 1}, "has 'the' and 'cat' at the same index 1"),
    ],
)
def test_invalid_word_index_is_rejected(word_index: Any, words: str) -> None:
    """The error shows what was passed and what is expected."""
    with pytest.raises(VocabularyError, match=re.escape(words)):
        embedhub.embedding_matrix("wordnet-ppmi", 25, word_index)
