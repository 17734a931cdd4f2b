"""Vectors for spaCy, read by spaCy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import embedhub
from embedhub.errors import FormatError

spacy = pytest.importorskip("spacy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 2,000 words of an embedded source, with all others."""
    folder = tmp_path_factory.mktemp("exported") / "vectors"
    embedhub.export("wordnet-ppmi:50", folder, topn=2000, format="spacy")
    return folder


def test_kept_words_have_their_vectors(folder: Path) -> None:
    """Bit for bit, in a pipeline loaded from the folder."""
    vectors, nlp = embedhub.load("wordnet-ppmi:50"), spacy.load(folder)
    assert nlp.vocab.vectors.shape == (2000, 50)
    for word in vectors.words[:2000]:
        np.testing.assert_array_equal(nlp.vocab.get_vector(word), vectors[word])


def test_other_words_have_the_vector_of_the_nearest_kept_word(folder: Path) -> None:
    """The one with the largest cosine among those that were kept."""
    vectors, nlp = embedhub.load("wordnet-ppmi:50"), spacy.load(folder)
    kept = vectors.matrix[:2000].astype(np.float64)
    kept /= np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-30)
    for word in vectors.words[5000::7000]:
        cosines = kept @ vectors[word]
        given = nlp.vocab.get_vector(word).astype(np.float64)
        assert given @ vectors[word] / np.linalg.norm(given) == pytest.approx(cosines.max(), abs=1e-6)


def test_words_of_an_uncased_source_are_found_in_any_case(folder: Path) -> None:
    """A sentence begins with a capital."""
    nlp = spacy.load(folder)
    assert [token.has_vector for token in nlp("The RAIN and qwxz")] == [True, True, True, False]
    np.testing.assert_array_equal(nlp("The")[0].vector, nlp("the")[0].vector)


def test_pipeline_of_a_language_takes_the_vectors(folder: Path) -> None:
    """``spacy.blank("en")`` with the vocabulary of the folder."""
    nlp = spacy.blank("en")
    nlp.vocab.from_disk(folder / "vocab")
    assert nlp("Rain")[0].has_vector


def test_empty_word_is_refused(make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path) -> None:
    """There is no such string in spaCy; the others are written without it."""
    vectors = make_vectors(["", "rain", "wind"])
    with pytest.raises(FormatError, match="is empty, which spaCy's strings cannot be"):
        embedhub.export(vectors, tmp_path / "all", format="spacy")
    embedhub.export(vectors, tmp_path / "one", words=["wind"], format="spacy")
    nlp = spacy.load(tmp_path / "one")
    assert sorted(nlp.vocab.vectors.keys()) == sorted(map(nlp.vocab.strings.__getitem__, ["rain", "wind"]))
