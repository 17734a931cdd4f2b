"""Layers from strings to vectors."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import embedhub
from embedhub import RemoteFile, VocabularyError
from embedhub.download.remote_file import Fetched
from embedhub.errors import BackendError
from embedhub.vectors.blocks import Block

BACKEND = keras.backend.backend()
TEXTS = ["Music, in the rain!", "qwxz: it's MUSIC, zxqw"]
only_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason=f"models of the backend {BACKEND} cannot take strings"
)


@pytest.fixture(scope="module")
def text() -> embedhub.TextLayers:
    """Return layers over the built-in vectors, with one word that they do not have."""
    return embedhub.keras_text_embedding(
        "wordnet-ppmi", 25, max_tokens=3000, include=["Qwxz!"], input_length=5
    )


def vectors_of(words: list[str]) -> Any:
    """Return the built-in vectors of words, zeros for missing words."""
    return embedhub.load("wordnet-ppmi", 25).lookup(words, missing="zeros")


def numpy(tensor: Any) -> Any:
    """Return a tensor of any backend as an array."""
    return keras.ops.convert_to_numpy(tensor)


def test_strings_become_vectors(text: embedhub.TextLayers) -> None:
    """Words have their vectors without ``adapt``; missing words and padding are zeros."""
    output = numpy(text.embedding(text.vectorize(TEXTS)))
    assert output.shape == (2, 5, 25)
    assert (output[0] == vectors_of(["music", "in", "the", "rain", ""])).all()
    assert (output[1] == vectors_of(["qwxz", "its", "music", "", ""])).all()


def test_vocabulary_is_the_first_words_of_the_source_and_of_include(text: embedhub.TextLayers) -> None:
    """The source's most frequent words come first, then those of ``include``, standardized like texts."""
    words = embedhub.load("wordnet-ppmi", 25).words[:3000]
    assert text.vectorize.get_vocabulary() == ["", "[UNK]", *words, "qwxz"]


def test_include_takes_whole_texts() -> None:
    """Texts in ``include`` are split; duplicates and special tokens are dropped."""
    text = embedhub.keras_text_embedding(
        "wordnet-ppmi", 25, max_tokens=0, include=["the cat", "the [UNK] ", ""], standardize=None
    )
    assert text.vectorize.get_vocabulary() == ["", "[UNK]", "the", "cat"]
    assert (numpy(text.embedding.weights[0])[2:] == vectors_of(["the", "cat"])).all()


@pytest.mark.filterwarnings("ignore::embedhub.errors.CoverageWarning")  # the only word is missing, on purpose
def test_options_reach_both_layers() -> None:
    """Options of TextVectorization and of ``keras_embedding`` are passed on."""
    text = embedhub.keras_text_embedding(
        "wordnet-ppmi", 25, max_tokens=0, include=["a-b,c"], standardize="lower", split=None, trainable=True
    )
    assert text.vectorize.get_vocabulary()[2:] == ["a-b,c"]
    assert text.embedding.trainable


def test_missing_words_of_include_can_be_trained() -> None:
    """With ``trainable="missing"``, words that the source does not have are trained, and [UNK] too."""
    text = embedhub.keras_text_embedding(
        "wordnet-ppmi", 25, max_tokens=9, include=["qwxz"], trainable="missing"
    )
    (trainable,) = text.embedding.trainable_weights
    assert trainable.shape == (2 + 2, 25)  # two reserved rows come first
    assert numpy(text.embedding(text.vectorize(["qwxz the"]))).shape == (1, 2, 25)


def test_case_is_kept_for_a_cased_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a cased source only punctuation is stripped; words that are not UTF-8 are skipped."""
    folder = tmp_path / "mirror" / "example.org"
    folder.mkdir(parents=True)
    (folder / "cased").write_bytes(b"read by the function below")
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    words = ["The", "the", "Paris", b"\xff".decode("utf-8", "surrogateescape"), "[UNK]"]

    class Cased(embedhub.RemoteSource):
        def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:  # noqa: ARG002 - the interface's
            yield Block(words, np.arange(1, 6, dtype=np.float32)[:, None])

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
    with pytest.warns(embedhub.errors.UnverifiedWarning):
        text = embedhub.keras_text_embedding(source, None)
    assert text.vectorize.get_vocabulary() == ["", "[UNK]", "The", "the", "Paris"]
    output = numpy(text.embedding(text.vectorize(["The, PARIS, Paris!"])))
    assert output[..., 0].tolist() == [[1, 0, 3]]


def test_invalid_max_tokens_and_include_are_rejected() -> None:
    """An empty vocabulary, a negative ``max_tokens``, and a single string as ``include`` are errors."""
    with pytest.raises(VocabularyError, match="leave no words"):
        embedhub.keras_text_embedding("wordnet-ppmi", 25, max_tokens=0, include=["..."])
    with pytest.raises(ValueError, match="max_tokens is -1; expected"):
        embedhub.keras_text_embedding("wordnet-ppmi", 25, max_tokens=-1)
    with pytest.raises(TypeError, match="include is a single string, 'music'; expected several"):
        embedhub.keras_text_embedding("wordnet-ppmi", 25, include="music")


def test_tf_data_vectorizes_strings_for_every_backend(text: embedhub.TextLayers) -> None:
    """A tf.data pipeline turns strings into indices, on which a model of any backend is trained."""
    model = keras.Sequential([text.embedding, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    texts = tf.data.Dataset.from_tensor_slices((TEXTS, [[0.0], [1.0]])).batch(2)
    model.fit(
        texts.map(lambda strings, targets: (text.vectorize(strings), targets)), verbose=0, shuffle=False
    )
    assert model.predict(numpy(text.vectorize(TEXTS)), verbose=0).shape == (2, 1)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow's models take strings")
def test_model_of_strings_needs_tensorflow(text: embedhub.TextLayers) -> None:
    """On other backends the error names the two ways that work."""
    with pytest.raises(BackendError, match=r"cannot take strings.*\.embedding\(\.vectorize\(texts\)\)"):
        _ = text.model


@only_tensorflow
def test_model_takes_raw_strings(text: embedhub.TextLayers) -> None:
    """The model takes arrays, tensors and pipelines of strings, and is created once."""
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
def test_saved_and_exported_models_take_raw_strings(
    text: embedhub.TextLayers, predict_without_embedhub: Callable[..., Any], tmp_path: Path
) -> None:
    """A saved model takes strings without embedhub; an exported one without Keras too."""
    expected = numpy(text.embedding(text.vectorize(TEXTS)))
    text.model.save(tmp_path / "text.keras")
    assert (predict_without_embedhub(tmp_path / "text.keras", np.array(TEXTS)) == expected).all()
    text.model.export(tmp_path / "exported")
    served = tf.saved_model.load(tmp_path / "exported")
    assert (served.serve(tf.constant(TEXTS)).numpy() == expected).all()
