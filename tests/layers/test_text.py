"""Layers from strings to vectors."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import embedhub
from embedhub import RemoteFile, VocabularyError
from embedhub.download.remote_file import Fetched
from embedhub.errors import BackendError
from embedhub.matrix.tokenizers import treebank_tokenize
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
    words = [word for word in embedhub.load("wordnet-ppmi", 25).words[:4000] if word.isalnum()][:3000]
    vocabulary = text.vectorize.get_vocabulary()
    assert vocabulary[:3002] == ["", "[UNK]", *words]
    assert vocabulary[-1] == "qwxz"
    assert {"cant", "dont", "theyll", "it\u2019s"} <= set(vocabulary[3002:])


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


@pytest.mark.slow
@only_tensorflow
def test_model_of_strings_is_the_first_layer_of_another(text: embedhub.TextLayers, tmp_path: Path) -> None:
    """A Sequential around it takes strings; around a loaded one, with an Input of that dtype."""
    pool = keras.layers.GlobalAveragePooling1D
    strings = np.array(TEXTS, dtype=object)
    model = keras.Sequential([text.model, pool(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(strings, np.zeros(2), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.predict(strings, verbose=0) == model.predict(strings, verbose=0)).all()
    text.model.save(tmp_path / "text.keras")
    part = keras.models.load_model(tmp_path / "text.keras")
    again = keras.Sequential([keras.Input((), dtype="string"), part, pool()])
    assert again.predict(strings, verbose=0).shape == (2, 25)


@pytest.mark.slow
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


SENTENCES = [
    "I can't say they'll like it; don't you?",
    "The film\u2019s hero isn\u2019t here: he\u2019s gone, and it\u2019s late.",
    "Anna's left-handed brother wouldn't (or couldn't) stay!",
    "What's the 2,000-year-old story about, Europe's well-known town?",
]


@pytest.mark.slow
@pytest.mark.parametrize(("source", "dim"), [("wordnet-ppmi", 25), ("glove-6b-20k", 50)])
def test_each_word_has_the_vector_that_a_text_embedder_gives_it(source: str, dim: int) -> None:
    """The vector of a word in a layer is that of the same word as a text, so contractions have their mean."""
    from embedhub_text import TextEmbedder

    text = embedhub.keras_text_embedding(source, dim, include=SENTENCES)
    embed = TextEmbedder(source, dim)
    for sentence in SENTENCES:
        words = [word.strip(".,;:!?()") for word in sentence.split()]
        output = numpy(text.embedding(text.vectorize([sentence])))[0]
        assert len(output) == len(words)
        for word, vector, expected in zip(words, output, embed(words), strict=True):
            # A word of which the source lacks a piece is a missing word of the layer.
            if vector.any():
                np.testing.assert_allclose(vector, expected, rtol=1e-6, atol=1e-7, err_msg=word)
            else:
                pieces = treebank_tokenize(word)
                own = embedhub.load(source, dim)
                assert any(piece.lower() not in own for piece in pieces), word


@pytest.mark.slow
def test_words_with_two_readings_keep_their_own_vector_and_are_listed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The word "its" is not "it's". Since most English texts have such words, there is no warning."""
    caplog.set_level(logging.INFO, logger="embedhub")
    text = embedhub.keras_text_embedding("glove-6b-20k", 50, max_tokens=20_000, include=["Re-sign it"])
    assert "keras_text_embedding: 11 words have two readings" in caplog.text
    assert len(text.ambiguous) == 11
    assert text.ambiguous["its"] == "it's"
    assert text.ambiguous["resign"] == "Re-sign"
    own = embedhub.load("glove-6b-20k", 50)
    output = numpy(text.embedding(text.vectorize(["its were well ill"])))[0]
    assert (output == own.lookup(["its", "were", "well", "ill"])).all()


def test_include_takes_columns_of_every_package() -> None:
    """Missing texts have no words, and texts that are lists of words are those words."""
    import pandas as pd
    import pyarrow as pa

    pl = pytest.importorskip("polars")
    texts = ["the rain", None, "qwxz"]
    for include in (
        tuple(texts),
        iter(texts),
        np.array(["the rain", "qwxz"]),
        np.array([b"the rain", b"qwxz"])[:, None],
        tf.constant(["the rain", "qwxz"]),
        pd.Series(texts),
        pd.Series(texts, dtype="string"),
        pl.Series(texts),
        pa.array(texts),
        pa.chunked_array([texts]).dictionary_encode(),
        pa.table({"text": texts})["text"],
        [["the", "rain"], [], ["qwxz"]],
    ):
        text = embedhub.keras_text_embedding("wordnet-ppmi", 25, max_tokens=0, include=include)
        assert text.vectorize.get_vocabulary() == ["", "[UNK]", "the", "rain", "qwxz"], type(include)


TOKENS = ["[UNK]", "rain", "##ing", "music", "left", "-", "'", "s", "it", ","]


@pytest.fixture
def of_tokens(tmp_path: Path) -> embedhub.Vectors:
    """Return vectors of the tokens of a tokenizer: one, two, ..."""
    model = models.WordPiece({token: i for i, token in enumerate(TOKENS)}, unk_token="[UNK]")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return embedhub.Vectors(
        np.arange(1, len(TOKENS) + 1, dtype=np.float32)[:, None],
        TOKENS,
        manifest={"unit": "token"},
        files={"tokenizer.json": tmp_path / "tokenizer.json"},
    )


def test_words_of_a_source_of_tokens_are_its_whole_words(of_tokens: embedhub.Vectors) -> None:
    """Others of ``include`` are the mean of their tokens; parts of words and [UNK] are dropped."""
    text = embedhub.keras_text_embedding(of_tokens, None, include=["Raining, it's left-rain qwxz"])
    words = text.vectorize.get_vocabulary()[2:]
    assert set(words) >= {"rain", "music", "left", "s", "it", "raining", "its", "leftrain"}
    assert not {"##ing", "ing", "[UNK]", "-"} & set(words)
    output = numpy(text.embedding(text.vectorize(["Rain raining it's left-rain"])))
    np.testing.assert_allclose(output[0, :, 0], [2, 2.5, (9 + 7 + 8) / 3, (5 + 6 + 2) / 3])


def test_words_of_a_source_of_tokens_are_whole_for_a_function_too(of_tokens: embedhub.Vectors) -> None:
    """What a function does to words is not known, but the source's words are the same."""
    text = embedhub.keras_text_embedding(of_tokens, None, standardize=tf.strings.lower)
    assert text.vectorize.get_vocabulary()[2:] == ["rain", "music", "left", "-", "'", "s", "it", ","]
    assert numpy(text.embedding(text.vectorize(["IT"]))).tolist() == [[[9.0]]]


def test_no_word_is_made_that_no_text_can_have() -> None:
    """Marks, endings and numbers with points are dropped, and the number of words is used on others."""
    text = embedhub.keras_text_embedding("glove-6b-20k", 50, max_tokens=5000)
    vocabulary = text.vectorize.get_vocabulary()[2:]
    assert len(vocabulary) >= 5000
    output = numpy(text.vectorize([" ".join(vocabulary)]))[0]
    assert output.tolist() == list(range(2, len(vocabulary) + 2))
