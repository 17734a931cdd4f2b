"""Keras Embedding layers."""

import json
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from children import PATIENCE

import embedhub

WORD_INDEX = {"music": 1, "rain": 2, "qwxz": 3, "walk": 4}


NAMES_WITHOUT_EMBEDHUB = """
import sys
sys.modules["embedhub"] = None
import keras
print(*(layer.name for layer in keras.models.load_model(sys.argv[1]).layers))
"""


def values(tensor: Any) -> Any:
    """Return a tensor of any backend as float32."""
    return keras.ops.convert_to_numpy(tensor).astype(np.float32)


def make(*arguments: Any, **options: Any) -> keras.layers.Embedding:
    """Return a layer over the built-in vectors."""
    return embedhub.keras_embedding("wordnet-ppmi", 25, WORD_INDEX, *arguments, **options)


def test_layer_is_a_stock_embedding_with_the_matrix() -> None:
    """The layer is a built, frozen ``keras.layers.Embedding`` that holds the embedding matrix."""
    layer = make(name="words")
    assert type(layer) is keras.layers.Embedding
    assert layer.built
    assert (layer.name, layer.trainable, layer.mask_zero) == ("words", False, False)
    (matrix,) = layer.get_weights()
    assert (matrix == embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX).matrix).all()
    assert (values(layer(np.array([[2, 0]])))[0] == matrix[[2, 0]]).all()
    assert len(json.dumps(keras.layers.serialize(layer))) < 1000


def test_input_length_builds_a_sequential() -> None:
    """With ``input_length`` a ``Sequential`` is built at once, and ``Flatten`` has a size."""
    model = keras.Sequential([make(6), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")])
    assert model.built
    assert model.output_shape == (None, 1)
    assert model.predict(np.ones((2, 6)), verbose=0).shape == (2, 1)


@pytest.mark.parametrize("input_length", [0, -1, "50", 50.0, True])
def test_invalid_input_length_is_rejected(input_length: Any) -> None:
    """``input_length`` is a positive integer or None."""
    with pytest.raises(
        ValueError, match=re.escape(f"input_length is {input_length!r}; expected an integer of 1")
    ):
        make(input_length)


def test_layer_options_are_passed_on() -> None:
    """Options reach the Embedding layer; those that the vectors determine are errors."""
    layer = make(
        trainable=True,
        mask_zero=True,
        dtype="mixed_float16",
        embeddings_regularizer="l2",
        embeddings_constraint="unit_norm",
    )
    assert layer.trainable
    assert layer.mask_zero
    assert layer.compute_dtype == "float16"
    assert isinstance(layer.embeddings_regularizer, keras.regularizers.L2)
    assert isinstance(layer.embeddings_constraint, keras.constraints.UnitNorm)
    for option in ("weights", "embeddings_initializer", "input_dim", "output_dim", "input_shape"):
        with pytest.raises(TypeError, match=f"{option}= is not an option"):
            make(**{option: 3})


@pytest.mark.parametrize("dtype", ["mixed_float16", "bfloat16"])
@pytest.mark.parametrize("trainable", [False, "missing"])
def test_half_precision_does_not_round_indices(dtype: str, trainable: Any) -> None:
    """A Sequential looks up the right rows although its dtype cannot represent the indices."""
    index = {word: 1000 + 2 * i + 1 for i, word in enumerate(embedhub.load("wordnet-ppmi", 25).words[:1100])}
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, index, dtype=dtype, trainable=trainable)
    model = keras.Sequential([layer, keras.layers.Activation("linear", dtype="float32")])
    indices = np.array([[1001, 2049, 2051, 3199]])
    assert (values(model(indices)) == values(layer(indices))).all()
    assert len(np.unique(values(model(indices))[0], axis=0)) == 4


def test_quantized_dtype_is_rejected() -> None:
    """The layer would be quantized before it has weights, so the error says how to quantize it."""
    with pytest.raises(ValueError, match=re.escape("call layer.quantize('int8')")):
        make(dtype="int8_from_float32")


def test_invalid_trainable_and_its_options_are_rejected() -> None:
    """A misspelled ``trainable``, and options without meaning for ``"missing"``, are errors."""
    with pytest.raises(ValueError, match="trainable is 'Missing'; expected True, False or 'missing'"):
        make(trainable="Missing")
    with pytest.raises(TypeError, match="lora_rank= cannot be combined with trainable='missing'"):
        make(trainable="missing", lora_rank=2)


def test_layer_options_are_checked_before_a_download() -> None:
    """An option that Keras refuses is an error at once, in which Keras' own reason stands."""
    for options, words in (
        ({"embeddings_regulariser": "l2"}, r"embeddings_regulariser='l2': Unrecognized keyword"),
        ({"embeddings_constraint": "unit"}, "does not take these options of keras_embedding"),
        ({"dtype": "float61"}, "does not take these options of keras_embedding"),
    ):
        with pytest.raises(ValueError, match=words):
            embedhub.keras_embedding("glove-6b", 50, WORD_INDEX, **options)  # type: ignore[call-overload]  # the point


@pytest.mark.slow
@pytest.mark.parametrize("trainable", [False, True, "missing"])
def test_saved_model_tells_its_vectors_without_embedhub(trainable: Any, tmp_path: Path) -> None:
    """The name of the layer has the fingerprint, also in a process without embedhub."""
    fingerprint = embedhub.load("wordnet-ppmi", 25).fingerprint
    layer = make(3, trainable=trainable)
    keras.Sequential([layer, keras.layers.GlobalAveragePooling1D()]).save(tmp_path / "model.keras")
    done = subprocess.run(
        [sys.executable, "-c", NAMES_WITHOUT_EMBEDHUB, tmp_path / "model.keras"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert layer.name in done.stdout.split()
    assert re.fullmatch(rf"wordnet_ppmi_25d_{fingerprint}(_[0-9]+)?", layer.name)


def test_two_layers_of_one_source_fit_in_one_model(tmp_path: Path) -> None:
    """Their names differ by a number, as all names that Keras gives; a name of the caller is kept."""
    first, second, named = make(), make(), make(name="words")
    assert first.name.split("_")[3] == second.name.split("_")[3]
    assert first.name != second.name
    assert named.name == "words"
    inputs = keras.Input((3,), dtype="int32")
    model = keras.Model(inputs, keras.layers.Concatenate()([first(inputs), second(inputs), named(inputs)]))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    indices = np.array([[1, 2, 3]])
    assert (values(loaded(indices)) == values(model(indices))).all()


def test_name_of_any_source_is_valid() -> None:
    """Letters that TensorFlow refuses in a name become underscores."""
    for source, start in {
        "Вода (1).vec": "1_vec_2d_",
        "水": "embedding_2d_",
        "x" * 90: "x" * 40 + "_2d_",
    }.items():
        vectors = embedhub.Vectors(np.eye(2), ["rain", "snow"], name=source)
        layer = embedhub.keras_embedding(vectors, ["rain", "snow"])
        assert layer.name.startswith(start + vectors.fingerprint)
        assert tuple(keras.Sequential([layer])(np.array([[0, 1]])).shape) == (1, 2, 2)


def test_trainable_missing_trains_only_missing_words() -> None:
    """The only trainable weights are the vectors of missing words, and layer options apply to them."""
    layer = make(4, trainable="missing", name="words", embeddings_regularizer="l2")
    (trainable,) = layer.trainable_weights
    assert trainable.shape == (3, 25)  # two reserved rows, one missing word
    assert layer.name == "words"
    model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert len(model.losses) == 1


def test_trainable_missing_without_missing_words_is_frozen() -> None:
    """If all words are found, the result is the frozen layer."""
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, {"music": 1, "rain": 2}, trainable="missing")
    assert type(layer) is keras.layers.Embedding
    assert layer.trainable_weights == []
    expected = embedhub.embedding_matrix("wordnet-ppmi", 25, {"music": 1, "rain": 2}).matrix
    assert (values(layer(np.arange(3)[None]))[0] == expected).all()


@pytest.mark.slow
def test_missing_word_at_index_0_is_trained() -> None:
    """Without ``mask_zero``, a missing word at index 0 is trained like any other."""
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, {"qwxz": 0, "music": 1}, 2, trainable="missing")
    before = values(layer(np.array([[0, 1]])))
    model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.array([[0, 1]]), np.array([[9.0]]), verbose=0)
    assert (values(layer(np.array([[0, 1]]))) != before).any(axis=-1).tolist() == [[True, False]]


@pytest.mark.slow
def test_training_does_not_change_the_source() -> None:
    """A layer shares memory neither with the source nor with a second layer."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    before = np.array(vectors["music"])
    layers = [embedhub.keras_embedding(vectors, 25, WORD_INDEX, trainable=True) for _ in range(2)]
    model = keras.Sequential([layers[0], keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.array([[1, 2, 3, 4]]), np.array([[9.0]]), verbose=0)
    assert (values(layers[0](np.array([[1]])))[0, 0] != before).any()
    assert (values(layers[1](np.array([[1]])))[0, 0] == before).all()
    assert (embedhub.load("wordnet-ppmi", 25)["music"] == before).all()
    assert (vectors["music"] == before).all()


def test_creating_a_layer_needs_two_copies_of_the_matrix() -> None:
    """At no time do Python and numpy hold more than the matrix, the weights, and 20 % of the matrix."""
    vectors = embedhub.load("wordnet-ppmi", 100)
    index = {word: i for i, word in enumerate(vectors.words)}
    size = embedhub.embedding_matrix(vectors, 100, index).matrix.nbytes
    embedhub.keras_embedding(vectors, 100, {"music": 1})  # late imports do not count
    tracemalloc.start()
    try:
        layer = embedhub.keras_embedding(vectors, 100, index)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert layer.built
    # With TensorFlow the weights are numpy's memory. Memory that a backend allocates itself is not counted
    # here; benchmarks/tasks.py measures the peak of the process.
    assert 0.9 < peak / size < 2.2
    assert left / size < 1.1


def test_torch_embedding_without_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyTorch, ``torch_embedding`` raises an ImportError that names what to install."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(embedhub.errors.DependencyError, match=r'pip install "embedhub\[torch\]"') as caught:
        embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    assert isinstance(caught.value, ImportError)
