"""From the caller's vocabulary to a matrix."""

import re
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import VocabularyError
from embedhub.errors import CoverageWarning


def test_each_row_belongs_to_its_word() -> None:
    """Row i is the source's row of the word with index i; all other rows are zeros."""
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


def test_missing_words_come_in_the_order_of_their_indices() -> None:
    """Keras indices go by frequency, so the most frequent missing word is named first."""
    with pytest.warns(CoverageWarning):
        result = embedhub.embedding_matrix("wordnet-ppmi", 25, {f"qwxz{i}": 9 - i for i in range(7)})
    assert result.coverage.missing == tuple(f"qwxz{i}" for i in reversed(range(7)))
    assert str(result.coverage).endswith("(0.0%); missing: qwxz6, qwxz5, qwxz4, qwxz3, qwxz2, ...")


def test_a_word_may_have_index_0() -> None:
    """A vocabulary that counts from 0 gets the word's row at 0."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    assert (embedhub.embedding_matrix(vectors, 25, {"music": 0}).matrix[0] == vectors["music"]).all()


@pytest.mark.parametrize(
    ("word_index", "words"),
    [
        ({}, "word_index is empty; expected word -> index, like {'the': 1, 'cat': 2}"),
        ({1: "the"}, "has the key 1 with the value 'the'; expected word -> index"),
        ({1: "the"}, "It looks inverted: pass {word: index for index, word in ...}"),
        ({"the": "1"}, "has 'the': '1' of type str"),
        ({"the": 1.0}, "has 'the': 1.0 of type float"),
        ({"the": True}, "has 'the': True of type bool"),
        (
            {"the": -1},
            "has 'the': -1 of type int; expected word -> index, like {'the': 1, 'cat': 2}, integers",
        ),
        ({"the": 2**63}, "has 'the': 9223372036854775808 of type int; expected"),
        ({"a": 1, "the": np.int8(-1)}, "of type int8; expected word -> index"),
        ({"a": 1, "the": None}, "has 'the': None of type NoneType; expected"),
        ({"the": 10**9, "a": 2}, "has 2 words, but the largest index is 1,000,000,000"),
        ({"the": 1, "a": 2, "cat": 1}, "gives 'the' and 'cat' the same index 1"),
    ],
)
def test_a_vocabulary_that_cannot_be_rows_is_refused(word_index: Any, words: str) -> None:
    """The error says what was passed and what is expected."""
    with pytest.raises(VocabularyError, match=re.escape(words)):
        embedhub.embedding_matrix("wordnet-ppmi", 25, word_index)
