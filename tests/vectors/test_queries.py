"""Queries of `Vectors`: neighbors of several words, 3CosMul, ranks, and the odd one out."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

import embedhub
from embedhub import Vectors

keyedvectors = pytest.importorskip("gensim.models.keyedvectors")


def kv_of(vectors: Vectors) -> Any:
    """Return gensim's vectors with the same numbers."""
    kv = keyedvectors.KeyedVectors(vectors.dim)
    kv.add_vectors(list(vectors.words), np.array(vectors.matrix))
    return kv


QUESTIONS = [
    ("paris", "italy", "france"),
    ("king", "woman", "man"),
    ("walking", "swam", "walked"),
    ("bigger", "small", "big"),
    ("berlin", "japan", "germany"),
]


@pytest.fixture(scope="module")
def glove(_glove_20k_cache: object) -> Iterator[Vectors]:
    """Open real GloVe vectors once for this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDHUB_CACHE", str(_glove_20k_cache))
        yield embedhub.load("glove-6b-20k")


@pytest.fixture(scope="module")
def kv(glove: Vectors) -> Any:
    """Return gensim's object of the same vectors."""
    return kv_of(glove)


def assert_same(ours: list[tuple[str, float]], theirs: list[tuple[str, float]]) -> None:
    """Compare two answers: the same words with the same scores."""
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=1e-5)


@pytest.mark.parametrize("restrict_vocab", [None, 5000])
@pytest.mark.parametrize("question", QUESTIONS)
def test_neighbors_of_several_words_are_those_of_gensim(
    glove: Vectors,
    kv: Any,
    question: tuple[str, str, str],
    restrict_vocab: int | None,
) -> None:
    """Positive and negative words give the words and cosines of gensim 4, also among the first words only."""
    b, c, a = question
    for positive, negative in (([b, c], [a]), ([b, c, a], []), (b, a), ([], [a, b])):
        assert_same(
            glove.most_similar(positive, negative, topn=7, restrict_vocab=restrict_vocab),
            kv.most_similar(positive, negative, topn=7, restrict_vocab=restrict_vocab),
        )
    assert glove.analogy(a, b, c, topn=7) == glove.most_similar([b, c], [a], topn=7)


@pytest.mark.parametrize("question", QUESTIONS)
def test_products_are_those_of_the_paper(glove: Vectors, question: tuple[str, str, str]) -> None:
    """3CosMul is equation 4 of Levy and Goldberg, computed here in plain NumPy."""
    unit = glove.matrix / np.linalg.norm(glove.matrix, axis=1, keepdims=True)
    b, c, a = (((unit @ unit[glove.words.index(word)]) + 1) / 2 for word in question)
    scores = b * c / (a + 0.001)
    scores[glove.indices(question)] = -np.inf
    expected = [(glove.words[row], float(scores[row])) for row in np.argsort(-scores)[:7].tolist()]
    assert_same(glove.most_similar_cosmul(question[:2], question[2:], topn=7), expected)
    scores[3000:] = -np.inf
    expected = [(glove.words[row], float(scores[row])) for row in np.argsort(-scores)[:7].tolist()]
    assert_same(glove.most_similar_cosmul(question[:2], question[2:], topn=7, restrict_vocab=3000), expected)


def test_pairs_and_ranks_are_those_of_gensim(glove: Vectors, kv: Any) -> None:
    """Similarity, rank and the odd one out agree with gensim 4."""
    words = ["music", "violin", "rain", "the", "paris", "seven"]
    for a in words:
        for b in words:
            assert glove.similarity(a, b) == pytest.approx(float(kv.similarity(a, b)), abs=1e-5)
            assert glove.rank(a, b) == (1 if a == b else kv.rank(a, b))
    for odd in (["breakfast", "cereal", "dinner", "lunch"], ["rain", "snow", "violin"], words):
        assert glove.doesnt_match(odd) == kv.doesnt_match(odd)


def test_rank_is_the_place_among_the_neighbors(glove: Vectors) -> None:
    """The nearest words have the ranks 1, 2, 3 and so on."""
    for place, (word, _) in enumerate(glove.most_similar("music", topn=20), 1):
        assert glove.rank("music", word) == place


def test_words_that_share_the_vector_of_a_word_have_no_rank_before_others() -> None:
    """In wordnet-ppmi "cellos" has the vector of "cello", and does not count."""
    vectors = embedhub.load("wordnet-ppmi", 50)
    assert vectors.similarity("cello", "cellos") == 1
    assert vectors.rank("cello", vectors.most_similar("cello", topn=1)[0][0]) == 1
    assert vectors.rank("cello", "cellos") == 1


def test_many_queries_equal_single_ones(glove: Vectors) -> None:
    """Of words and of vectors, many at once have the answers of each alone, over several blocks."""
    words = glove.words[:3000:2]
    many = glove.most_similar_many(words, topn=4)
    assert len(many) == len(words) > 1024
    for i in range(0, len(words), 100):
        assert many[i] == glove.most_similar(words[i], topn=4)
    vectors = glove.matrix[:5]
    assert glove.most_similar_many(vectors, restrict_vocab=50) == [
        glove.most_similar(vector, restrict_vocab=50) for vector in vectors
    ]
    assert glove.most_similar_many([]) == []


def test_queries_of_words_use_fallbacks(glove: Vectors) -> None:
    """Each query finds a word that the source has in another spelling."""
    assert glove.most_similar(["Paris", "Italy"], ["France"]) == glove.analogy("france", "paris", "italy")
    assert glove.most_similar_many(["Paris"]) == [glove.most_similar("paris")]
    assert glove.most_similar_cosmul("Paris") == glove.most_similar_cosmul("paris")
    assert glove.rank("Paris", "London") == glove.rank("paris", "london")
    assert glove.doesnt_match(["Rain", "snow", "Violin"]) == "Violin"


def test_words_and_vectors_mix(glove: Vectors) -> None:
    """A vector in place of a word counts as the word, but its word may be an answer."""
    mixed = glove.most_similar(["paris", glove["italy"] * 3], [glove["france"]], topn=3)
    exact = dict(glove.most_similar(["paris", "italy"], ["france"], topn=3))
    assert {"italy", "rome"} <= dict(mixed).keys()
    assert dict(mixed)["rome"] == pytest.approx(exact["rome"], abs=1e-6)


def answers(matrix: NDArray[np.float32], query: NDArray[np.float32], topn: int) -> list[tuple[str, float]]:
    """Return the neighbors by the definition, in float64, each distinct vector once."""
    rows, wide = matrix.astype(np.float64), query.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(wide)
    scores = np.clip(rows @ wide / np.where(norms == 0, 1, norms), -1, 1)
    seen, best = set(), []
    for row in np.lexsort((np.arange(len(rows)), -np.round(scores, 12))).tolist():
        if matrix[row].tobytes() not in seen:
            seen.add(matrix[row].tobytes())
            best.append((str(row), float(scores[row])))
    return best[:topn]


NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-30, -1e30, 2e38, 1e-44])


@given(arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=NUMBERS), st.data())
@settings(max_examples=80)
def test_neighbors_follow_the_definition(matrix: NDArray[np.float32], data: st.DataObject) -> None:
    """With ties, equal vectors, zeros, and numbers at the ends of float32, each neighbor is the right one."""
    vectors = Vectors(matrix, map(str, range(len(matrix))))
    topn = data.draw(st.integers(1, len(matrix) + 1))
    row = data.draw(st.integers(0, len(matrix) - 1))
    found = vectors.most_similar(matrix[row], topn=topn)
    expected = answers(matrix, matrix[row], topn)
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-9)
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert all(-1 <= score <= 1 for _, score in found)


@pytest.mark.slow
def test_equal_answers_fill_no_places_over_blocks() -> None:
    """Many words with one vector are one answer, however the words are divided."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(20_000, 4)).astype(np.float32)
    matrix[::100] = matrix[0]
    vectors = Vectors(matrix, map(str, range(len(matrix))))
    queries = np.repeat(matrix[:1], 1000, axis=0)
    many = vectors.most_similar_many(queries, topn=3)
    assert many[0] == vectors.most_similar(matrix[0], topn=3)
    assert many[0] == many[-1]
    assert [word for word, _ in many[0]] == [word for word, _ in answers(matrix, matrix[0], 3)]


def test_keys_have_the_names_of_gensim(glove: Vectors) -> None:
    """The words and their rows are there by gensim's names, as a sequence and a mapping."""
    assert glove.index_to_key[253] == glove.words[253]
    rows = glove.key_to_index
    assert rows[glove.words[253]] == 253
    assert ("music" in rows, "Music" in rows, len(rows)) == (True, False, 20_000)
    assert rows.get("qwxz", -1) == -1
    assert dict(rows) == {word: row for row, word in enumerate(glove.words)}
    assert list(rows.items()) == list(dict(rows).items())
    assert repr(rows) == "<row numbers of 20,000 words: 'the': 0, ',': 1, '.': 2, ...>"
    assert embedhub.embedding_matrix(glove, None, rows, oov="zeros").matrix.shape == (20_000, 50)


def test_a_dict_of_arrays_is_vectors() -> None:
    """The keys of a mapping are the words, its values the vectors."""
    mine = Vectors({"rain": np.array([1, 2]), "storm": [3, 4]}, name="mine")
    assert list(mine) == ["rain", "storm"]
    assert np.asarray(mine).tolist() == [[1, 2], [3, 4]]
    aligned = embedhub.embedding_matrix(mine, None, {"storm": 1, "rain": 2})
    assert aligned.matrix.tolist() == [[0, 0], [3, 4], [1, 2]]
