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


def test_words_with_one_vector_are_one_answer() -> None:
    """The first stands for all, and none that has the vector of the query word is an answer."""
    rows = {"rain": [1, 0], "rains": [1, 0], "storm": [1, 1], "storms": [1, 1], "sun": [0, 1], "hail": [2, 0]}
    vectors = Vectors(list(rows.values()), rows)
    assert [word for word, _ in vectors.most_similar("rains")] == ["hail", "storm", "sun"]
    assert [word for word, _ in vectors.most_similar("rain", topn=2)] == ["hail", "storm"]
    assert [word for word, _ in vectors.most_similar(vectors["storms"])] == ["storm", "rain", "sun", "hail"]
    assert [word for word, _ in vectors.analogy("rain", "storm", "sun")] == ["hail"]


INFLECTIONS = {
    "beautiful": set(),
    "child": {"children"},
    "city": {"cities"},
    "computer": {"computers"},
    "doctor": {"doctors", "doctored", "doctoring"},
    "dog": {"dogs", "dogged", "dogging"},
    "foot": {"feet", "foots"},
    "go": {"goes", "went", "gone"},
    "good": {"goods"},
    "happy": {"happier", "happiest"},
    "king": {"kings"},
    "love": {"loves"},
    "money": {"moneys", "monies"},
    "mouse": {"mice", "moused"},
    "music": {"musics"},
    "ocean": {"oceans"},
    "red": {"reds", "redder", "reddest"},
    "run": {"ran", "runs"},
    "water": {"waters", "watered"},
    "woman": {"women"},
}


def test_inflections_of_a_word_are_not_its_neighbors() -> None:
    """In wordnet-ppmi the forms of a word have its vector: ten neighbors are ten others, the nearest ones."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    different = np.unique(vectors.matrix, axis=0)
    unit = different / np.maximum(np.linalg.norm(different, axis=1, keepdims=True), 1e-9)
    for word, inflections in INFLECTIONS.items():
        neighbors = dict(vectors.most_similar(word))
        assert len(neighbors) == 10
        assert not neighbors.keys() & (inflections | {word})
        cosines = np.sort(unit @ vectors[word] / np.linalg.norm(vectors[word]))[::-1]
        assert list(neighbors.values()) == pytest.approx(cosines[1:11], abs=1e-5)


def test_vectors_without_fallbacks_know_their_own_spelling_only() -> None:
    """Vectors of arrays have no fallbacks unless they are given."""
    assert "Rain" not in Vectors(np.eye(1), ["rain"])


@pytest.mark.slow
def test_cosines_are_at_most_1() -> None:
    """Rounding does not take a cosine beyond 1."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(200, 1, 47)), 3, axis=1) * [[[1], [-3], [7]]]
    vectors = Vectors(rows.reshape(600, 47), map(str, range(600)))
    scores = [score for i in range(600) for _, score in vectors.most_similar(vectors.matrix[i], topn=600)]
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
