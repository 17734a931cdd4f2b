"""Strings in, vectors out."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import embedhub
from embedhub import BackendError, RemoteFile, VocabularyError
from embedhub.download.remote_file import Fetched
from embedhub.vectors.blocks import Block

BACKEND = keras.backend.backend()
TEXTS = ["Music, in the rain!", "qwxz: it's MUSIC, zxqw"]
only_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason=f"models of the backend {BACKEND} cannot take strings"
)


@pytest.fixture(scope="module")
def text() -> embedhub.TextLayers:
    """Return layers over the embedded vectors, with one word that these do not have."""
    return embedhub.keras_text_embedding("wordnet-ppmi", 25, words=3000, include=["Qwxz!"], sequence_length=5)


def rows(words: list[str]) -> Any:
    """Return the embedded vectors' rows of words, zeros where they have none."""
    return embedhub.load("wordnet-ppmi", 25).lookup(words, missing="zeros")


def numpy(tensor: Any) -> Any:
    """Return a tensor of any backend as an array."""
    return keras.ops.convert_to_numpy(tensor)


def test_strings_become_the_vectors_of_their_words(text: embedhub.TextLayers) -> None:
    """Words known to the source have its rows, without any training; all others and padding have zeros."""
    found = numpy(text.embedding(text.vectorize(TEXTS)))
    assert found.shape == (2, 5, 25)
    assert (found[0] == rows(["music", "in", "the", "rain", ""])).all()
    assert (found[1] == rows(["qwxz", "its", "music", "", ""])).all()


def test_the_vocabulary_is_the_sources_first_words_and_ones_own(text: embedhub.TextLayers) -> None:
    """The source's most frequent words come first, then the caller's, standardized as texts are."""
    words = embedhub.load("wordnet-ppmi", 25).words[:3000]
    assert text.vectorize.get_vocabulary() == ["", "[UNK]", *words, "qwxz"]


def test_own_words_may_be_whole_texts() -> None:
    """Texts are split, and words that are there already, or mean padding, are not there twice."""
    text = embedhub.keras_text_embedding(
        "wordnet-ppmi", 25, words=0, include=["the cat", "the [UNK] ", ""], standardize=None
    )
    assert text.vectorize.get_vocabulary() == ["", "[UNK]", "the", "cat"]
    assert (numpy(text.embedding.weights[0])[2:] == rows(["the", "cat"])).all()


@pytest.mark.filterwarnings("ignore::embedhub.CoverageWarning")  # a word of its own making
def test_options_reach_their_layers() -> None:
    """Options of TextVectorization and of the layer go where they belong."""
    text = embedhub.keras_text_embedding(
        "wordnet-ppmi", 25, words=0, include=["a-b,c"], standardize="lower", split=None, trainable=True
    )
    assert text.vectorize.get_vocabulary()[2:] == ["a-b,c"]
    assert text.embedding.trainable


def test_own_missing_words_can_learn() -> None:
    """With trainable="missing" words that the source does not know have rows that learn, and [UNK] too."""
    text = embedhub.keras_text_embedding("wordnet-ppmi", 25, words=9, include=["qwxz"], trainable="missing")
    (learning,) = text.embedding.trainable_weights
    assert learning.shape == (2 + 2, 25)  # two rows that never learn come first
    assert numpy(text.embedding(text.vectorize(["qwxz the"]))).shape == (1, 2, 25)


def test_capitals_stay_where_the_source_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cased source gets texts as they are, but for punctuation; bytes that are no text are left out."""
    folder = tmp_path / "mirror" / "example.org"
    folder.mkdir(parents=True)
    (folder / "cased").write_bytes(b"read by the function below")
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    words = ["The", "the", "Paris", b"\xff".decode("utf-8", "surrogateescape"), "[UNK]"]

    class Cased(embedhub.RemoteSource):
        def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:  # noqa: ARG002 - the interface's
            yield words, np.arange(1, 6, dtype=np.float32)[:, None]

    source = Cased(
        name="cased",
        files={1: (RemoteFile(url="https://example.org/cased"),)},
        description="",
        language="en",
        cased=True,
        license="",
        citation="",
        homepage="",
    )
    with pytest.warns(embedhub.UnverifiedWarning):
        text = embedhub.keras_text_embedding(source, None)
    assert text.vectorize.get_vocabulary() == ["", "[UNK]", "The", "the", "Paris"]
    found = numpy(text.embedding(text.vectorize(["The, PARIS, Paris!"])))
    assert found[..., 0].tolist() == [[1, 0, 3]]


def test_wrong_words_are_refused() -> None:
    """No words at all, a negative number of them, and one string in place of several are errors."""
    with pytest.raises(VocabularyError, match="leave a vocabulary of no words"):
        embedhub.keras_text_embedding("wordnet-ppmi", 25, words=0, include=["..."])
    with pytest.raises(ValueError, match="words is -1; expected"):
        embedhub.keras_text_embedding("wordnet-ppmi", 25, words=-1)
    with pytest.raises(TypeError, match="include is one string, 'music'; expected several"):
        embedhub.keras_text_embedding("wordnet-ppmi", 25, include="music")


def test_tf_data_carries_strings_to_every_backend(text: embedhub.TextLayers) -> None:
    """In a tf.data pipeline strings become indices, and a model of any backend trains on them."""
    model = keras.Sequential([text.embedding, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    texts = tf.data.Dataset.from_tensor_slices((TEXTS, [[0.0], [1.0]])).batch(2)
    model.fit(
        texts.map(lambda strings, targets: (text.vectorize(strings), targets)), verbose=0, shuffle=False
    )
    assert model.predict(numpy(text.vectorize(TEXTS)), verbose=0).shape == (2, 1)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow's models take strings")
def test_other_backends_say_that_they_take_no_strings(text: embedhub.TextLayers) -> None:
    """Where a model cannot take strings, the error names the two ways that work."""
    with pytest.raises(BackendError, match=r"cannot take strings.*\.embedding\(\.vectorize\(texts\)\)"):
        _ = text.model


@only_tensorflow
def test_the_model_takes_raw_strings(text: embedhub.TextLayers) -> None:
    """The Sequential gives the vectors of strings: arrays, tensors, pipelines; it is always the same one."""
    expected = numpy(text.embedding(text.vectorize(TEXTS)))
    assert text.model.output_shape == (None, 5, 25)
    assert text.model is text.model
    assert (numpy(text.model(np.array(TEXTS))) == expected).all()
    for strings in (
        np.array(TEXTS, dtype=object),
        tf.constant(TEXTS),
        tf.data.Dataset.from_tensor_slices(TEXTS).batch(2),
    ):
        assert (text.model.predict(strings, verbose=0) == expected).all()


@only_tensorflow
def test_it_is_served_on_raw_strings(
    text: embedhub.TextLayers, stranger: Callable[..., Any], tmp_path: Path
) -> None:
    """Saved or exported, the model takes strings without embedhub; the SavedModel also without Keras."""
    expected = numpy(text.embedding(text.vectorize(TEXTS)))
    text.model.save(tmp_path / "text.keras")
    assert (stranger(tmp_path / "text.keras", np.array(TEXTS)) == expected).all()
    text.model.export(tmp_path / "exported")
    served = tf.saved_model.load(tmp_path / "exported")
    assert (served.serve(tf.constant(TEXTS)).numpy() == expected).all()
