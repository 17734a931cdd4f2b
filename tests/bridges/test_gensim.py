"""`to_gensim` and `from_gensim`, with the real gensim and its own tests."""

import copy
import json
import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import gensim_tests
import numpy as np
import pytest
from children import PATIENCE
from gensim.models import KeyedVectors, Word2Vec
from gensim.test.utils import datapath

import embedhub
from embedhub import Vectors
from embedhub.bridges import from_gensim, to_gensim
from embedhub.errors import DependencyError

# What gensim's tests use that `Vectors` does not have: these need `to_gensim`.
ABSENT = {
    "test_add_multiple": "no attribute 'vector_size'",
    "test_add_single": "no attribute 'vector_size'",
    "test_closer_than": "no attribute 'closer_than'",
    "test_distance": "no attribute 'distance'",
    "test_get_mean_vector": "no attribute 'get_mean_vector'",
    "test_most_similar_to_given": "no attribute 'most_similar_to_given'",
    "test_most_similar_topn": "topn is None; expected an integer",
    "test_most_similar_vector": "no attribute 'vectors'",
    "test_relative_cosine_similarity": "no attribute 'relative_cosine_similarity'",
    "test_set_item": "no attribute 'vector_size'",
    "test_similar_by_vector": "no attribute 'similar_by_vector'",
    "test_similar_by_word": "no attribute 'similar_by_word'",
    "test_vectors_for_all_list": "no attribute 'vectors_for_all'",
    "test_vectors_for_all_with_copy_vecattrs": "no attribute 'vectors_for_all'",
    "test_vectors_for_all_without_copy_vecattrs": "no attribute 'vectors_for_all'",
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, str]]:
    """Run gensim's own tests in another process, where a warning is not an error, or skip without them."""
    pytest.importorskip("gensim.test.test_keyedvectors")
    if not Path(datapath("euclidean_vectors.bin")).is_file():
        pytest.skip("this gensim has no data for its tests")
    done = subprocess.run(
        [sys.executable, gensim_tests.__file__, "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    results: dict[str, dict[str, str]] = json.loads(done.stdout)
    return results


@pytest.mark.slow
def test_tests_of_gensim_pass(outcomes: dict[str, dict[str, str]]) -> None:
    """All tests that gensim has for its KeyedVectors pass on the result of `to_gensim`."""
    results = outcomes["to_gensim"]
    assert len(results) >= 29
    assert {name: ended for name, ended in results.items() if ended} == {}


@pytest.mark.slow
def test_queries_of_gensim_work_on_vectors(outcomes: dict[str, dict[str, str]]) -> None:
    """Of the same tests, those of queries pass on `Vectors`; the others need what only gensim has."""
    failed = {name: ended for name, ended in outcomes["Vectors"].items() if ended}
    assert failed.keys() == ABSENT.keys()
    for name, reason in ABSENT.items():
        assert reason in failed[name]


def test_matrix_is_not_copied(glove_20k: Vectors) -> None:
    """It is a real KeyedVectors over the same read-only memory, whose words stay in their file."""
    tracemalloc.start()
    try:
        kv = to_gensim(glove_20k)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(kv) is KeyedVectors
    assert np.shares_memory(kv.vectors, glove_20k.matrix)
    assert not kv.vectors.flags.writeable
    assert peak < 16 * len(glove_20k)  # a list and a dict of the words take ten times as much


def test_words_are_as_in_a_file_that_gensim_loads(glove_20k: Vectors, tmp_path: Path) -> None:
    """Keys, rows, counts and answers are those of the exported file, loaded by gensim."""
    embedhub.export(glove_20k, None, tmp_path / "v.bin", topn=2000)
    expected = KeyedVectors.load_word2vec_format(str(tmp_path / "v.bin"), binary=True)
    kv = to_gensim(embedhub.load(tmp_path / "v.bin"))
    assert kv.index_to_key == expected.index_to_key
    assert dict(kv.key_to_index) == expected.key_to_index
    assert [kv.key_to_index[word] for word in expected.index_to_key] == list(range(2000))
    assert np.array_equal(kv.expandos["count"], expected.expandos["count"])
    assert ("The" in kv, "the" in kv, 3 in kv) == ("The" in expected, "the" in expected, 3 in expected)
    for query in (["paris"], ["king", "woman"]):
        ours, theirs = kv.most_similar(query), expected.most_similar(query)
        assert [word for word, _ in ours] == [word for word, _ in theirs]


def test_changes_stay_in_gensim(glove_20k: Vectors) -> None:
    """Vectors that are added or replaced are in a copy; the store and the others keep theirs."""
    before, words = glove_20k["music"].copy(), len(glove_20k)
    kv = to_gensim(glove_20k)
    kv["music"] = np.ones(50, np.float32)
    kv["qwxz"] = np.ones(50, np.float32)
    del kv.index_to_key[-1]
    del kv.key_to_index["qwxz"]
    assert kv["music"].tolist() == [1] * 50
    assert len(kv.index_to_key) == len(kv.key_to_index) == words
    assert np.array_equal(glove_20k["music"], before)
    assert np.array_equal(to_gensim(glove_20k)["music"], before)
    with pytest.raises(ValueError, match="read-only"):
        to_gensim(glove_20k).vectors[0, 0] = 1


def test_files_of_gensim_need_no_embedhub(tmp_path: Path) -> None:
    """What is saved or pickled has a plain list, dict and array, which gensim opens alone."""
    kv = to_gensim(Vectors({"rain": [1, 2], "storm": [3, 4]}))
    assert b"embedhub" not in pickle.dumps(kv)
    kv.save(str(tmp_path / "kv"))
    for again in (KeyedVectors.load(str(tmp_path / "kv")), copy.deepcopy(kv)):
        assert again.index_to_key == ["rain", "storm"]
        assert again.key_to_index == {"rain": 0, "storm": 1}
        assert type(again.index_to_key) is list
        assert type(again.key_to_index) is dict
        again.vectors += 1
        assert again["storm"].tolist() == [4, 5]
    assert kv["storm"].tolist() == [3, 4]


def test_vectors_come_back_from_gensim(glove_20k: Vectors) -> None:
    """Words and numbers survive both directions, without a copy of the matrix."""
    back = from_gensim(to_gensim(glove_20k))
    assert repr(back) == "<Vectors gensim: 20,000 words, dim 50>"
    assert np.shares_memory(back.matrix, glove_20k.matrix)
    assert list(back.words) == list(glove_20k.words)
    assert back.fingerprint == glove_20k.fingerprint


def test_trained_vectors_become_a_layer() -> None:
    """A model that gensim has trained is a source like any other."""
    texts = [["rain", "and", "storm"], ["sun", "and", "rain"]] * 20
    model = Word2Vec(texts, vector_size=8, min_count=1, workers=1, seed=1)
    vectors = from_gensim(model.wv)
    matrix = embedhub.embedding_matrix(vectors, None, {"rain": 1, "hail": 2}).matrix
    assert np.array_equal(matrix[1], model.wv["rain"])
    with pytest.raises(TypeError, match=r"got an object of type Word2Vec; pass model\.wv"):
        from_gensim(model)


def test_keys_that_are_no_words_are_an_error() -> None:
    """Numbers as keys, as of documents, are named."""
    kv = KeyedVectors(2)
    kv.add_vectors([7], np.ones((1, 2)))
    with pytest.raises(TypeError, match="words has 7 of type int; expected strings"):
        from_gensim(kv)


@pytest.mark.parametrize("call", [to_gensim, from_gensim])
def test_without_gensim_the_extra_is_named(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without gensim, both raise an ImportError that says what to install."""
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(DependencyError, match=r'pip install "embedhub\[gensim\]"'):
        call("wordnet-ppmi:25")
