"""Look-ups of words in `Vectors`, and vectors that are made of arrays."""

import numpy as np
import pytest

import embedhub
from embedhub import Vectors
from embedhub.errors import WordNotFoundError

COMPASS = {"north": [0, 2], "east": [1, 0], "south": [0, -3], "nowhere": [0, 0]}


@pytest.fixture
def compass() -> Vectors:
    """Return vectors with fallbacks."""
    return Vectors(list(COMPASS.values()), COMPASS, fallbacks=("lower", "hyphen"))


def test_words_are_found_by_the_fallbacks_of_the_source(compass: Vectors) -> None:
    """All look-ups agree, and know another case, or the parts of a word; indices are exact."""
    assert compass["NORTH"].tolist() == compass["north"].tolist() == [0, 2]
    assert compass["North-East"].tolist() == compass["north-east"].tolist() == [0.5, 1]
    assert compass.get("North-West") is None
    assert compass.lookup(["East", "West", "north-east"], missing="zeros").tolist() == [
        [1, 0],
        [0, 0],
        [0.5, 1],
    ]
    assert [word in compass for word in ("North", "north-east", "west", 1)] == [True, True, False, False]
    assert compass.indices(["North", "north"]).tolist() == [-1, 0]
    with pytest.raises(WordNotFoundError, match="1 of 2 words are missing: 'West'"):
        compass.lookup(["North", "West"])


def test_words_of_a_query_are_no_answers_however_they_are_spelled(compass: Vectors) -> None:
    """Neighbors of another case, or of several parts, leave out the words that were found."""
    assert compass.most_similar("North") == compass.most_similar("north")
    assert [word for word, _ in compass.most_similar("north-east")] == ["nowhere", "south"]
    assert [word for word, _ in compass.analogy("North", "East", "South")] == ["nowhere"]


def test_vectors_without_fallbacks_know_their_own_spelling_only() -> None:
    """Vectors of one's own have no fallbacks unless they are given."""
    assert "Rain" not in Vectors(np.eye(1), ["rain"])


def test_cosines_are_at_most_1() -> None:
    """Rounding does not take a cosine beyond 1."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(200, 1, 47)), 3, axis=1) * [[[1], [-3], [7]]]
    vectors = Vectors(rows.reshape(600, 47), map(str, range(600)))
    scores = [score for i in range(600) for _, score in vectors.most_similar(vectors.matrix[i], 600)]
    assert (min(scores), max(scores)) == (-1, 1)


@pytest.mark.parametrize(
    ("a", "b", "expected"), [("north", "South", -1), ("east", "north", 0), ("east", "nowhere", 0)]
)
def test_similarity_is_the_cosine(compass: Vectors, a: str, b: str, expected: float) -> None:
    """It is the same both ways, and 0 for vectors of zeros."""
    assert compass.similarity(a, b) == compass.similarity(b, a) == expected


def test_array_of_vectors_is_the_matrix(compass: Vectors) -> None:
    """NumPy sees the matrix: without a copy where that is possible, in another dtype with one."""
    assert np.shares_memory(np.asarray(compass), compass.matrix)
    assert not np.shares_memory(np.array(compass), compass.matrix)
    assert np.asarray(compass, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        np.asarray(compass, np.float64, copy=False)


def test_arrays_of_the_user_are_a_source(compass: Vectors) -> None:
    """Vectors of a matrix and words align with a vocabulary as those of any source, without a copy."""
    matrix = np.array([[1, 2], [3, 4]], np.float32)
    mine = Vectors(matrix, ["rain", "storm"], name="mine")
    assert np.shares_memory(mine.matrix, matrix)
    with pytest.raises(ValueError, match="read-only"):
        mine["rain"][0] = 5
    matrix *= 1  # the array of the user is writable as before
    assert repr(mine) == "<Vectors mine: 2 words, dim 2>"
    aligned = embedhub.embedding_matrix(mine, None, {"storm": 1, "rain": 2})
    assert aligned.matrix.tolist() == [[0, 0], [3, 4], [1, 2]]
