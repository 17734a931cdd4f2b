"""The layer."""

import json
import re
import sys
import tracemalloc
from typing import Any

import keras
import numpy as np
import pytest

import embedhub

WORD_INDEX = {"music": 1, "rain": 2, "qwxz": 3, "walk": 4}


def values(tensor: Any) -> Any:
    """Return a tensor of any backend as float32."""
    return keras.ops.convert_to_numpy(tensor).astype(np.float32)


def make(*arguments: Any, **options: Any) -> keras.layers.Embedding:
    """Return a layer over the embedded vectors."""
    return embedhub.keras_embedding("wordnet-ppmi", 25, WORD_INDEX, *arguments, **options)


def test_it_is_a_stock_layer_that_holds_the_rows() -> None:
    """The layer is Keras' own, built, frozen, and row i is that of the word with index i."""
    layer = make(name="words")
    assert type(layer) is keras.layers.Embedding
    assert layer.built
    assert (layer.name, layer.trainable, layer.mask_zero) == ("words", False, False)
    (matrix,) = layer.get_weights()
    assert (matrix == embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX).matrix).all()
    assert (values(layer(np.array([[2, 0]])))[0] == matrix[[2, 0]]).all()
    assert len(json.dumps(keras.layers.serialize(layer))) < 1000


def test_a_sequential_is_built_at_once_by_input_length() -> None:
    """With input_length the Keras 2 idiom works: Flatten knows its size before any data."""
    model = keras.Sequential([make(6), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")])
    assert model.built
    assert model.output_shape == (None, 1)
    assert model.predict(np.ones((2, 6)), verbose=0).shape == (2, 1)


@pytest.mark.parametrize("input_length", [0, -1, "50", 50.0, True])
def test_a_wrong_input_length_is_refused(input_length: Any) -> None:
    """What is no length of a sequence is an error, not a surprise at training time."""
    with pytest.raises(ValueError, match=re.escape(f"input_length is {input_length!r}; expected the length")):
        make(input_length)


def test_options_are_passed_through() -> None:
    """Every option of Embedding reaches it, but those that follow from the vectors."""
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
        with pytest.raises(TypeError, match=f"{option}= cannot be given"):
            make(**{option: 3})


@pytest.mark.parametrize("dtype", ["mixed_float16", "bfloat16"])
@pytest.mark.parametrize("trainable", [False, "missing"])
def test_half_precision_does_not_round_indices(dtype: str, trainable: Any) -> None:
    """A Sequential gives each index its own row, also where its dtype cannot hold the index."""
    index = {word: 1000 + 2 * i + 1 for i, word in enumerate(embedhub.load("wordnet-ppmi", 25).words[:1100])}
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, index, dtype=dtype, trainable=trainable)
    model = keras.Sequential([layer, keras.layers.Activation("linear", dtype="float32")])
    some = np.array([[1001, 2049, 2051, 3199]])
    assert (values(model(some)) == values(layer(some))).all()
    assert len(np.unique(values(model(some))[0], axis=0)) == 4


def test_a_quantized_dtype_is_refused() -> None:
    """A layer that would be made of 8-bit zeros is an error that says how to quantize."""
    with pytest.raises(ValueError, match=re.escape("call layer.quantize('int8')")):
        make(dtype="int8_from_float32")


def test_trainable_is_checked() -> None:
    """A misspelt trainable, and options that say nothing of rows that learn alone, are errors."""
    with pytest.raises(ValueError, match="trainable is 'Missing'; expected True, False or 'missing'"):
        make(trainable="Missing")
    with pytest.raises(TypeError, match="lora_rank= cannot be given with trainable='missing'"):
        make(trainable="missing", lora_rank=2)


def test_rows_of_missing_words_learn_alone() -> None:
    """The optimizer sees only the missing words' rows; options for what learns reach them."""
    layer = make(4, trainable="missing", name="words", embeddings_regularizer="l2")
    (learning,) = layer.trainable_weights
    assert learning.shape == (3, 25)  # one missing word; two rows never learn
    assert layer.name == "words"
    model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert len(model.losses) == 1


def test_without_missing_words_nothing_learns() -> None:
    """Where all words are found the same kind of layer comes back, all of it frozen."""
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, {"music": 1, "rain": 2}, trainable="missing")
    assert isinstance(layer, keras.Model)
    assert layer.trainable_weights == []
    expected = embedhub.embedding_matrix("wordnet-ppmi", 25, {"music": 1, "rain": 2}).matrix
    assert (values(layer(np.arange(3)[None]))[0] == expected).all()


def test_a_missing_word_at_row_0_learns() -> None:
    """Row 0 is a word's if the vocabulary says so, and learns with the other missing ones."""
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, {"qwxz": 0, "music": 1}, 2, trainable="missing")
    before = values(layer(np.array([[0, 1]])))
    model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.array([[0, 1]]), np.array([[9.0]]), verbose=0)
    assert (values(layer(np.array([[0, 1]]))) != before).any(axis=-1).tolist() == [[True, False]]


def test_training_never_reaches_the_source() -> None:
    """The layer shares no memory with the source's vectors, nor with a second layer."""
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


def test_making_a_layer_takes_few_copies() -> None:
    """Python and numpy hold at no time more than the matrix, the layer's weights, and a fifth of that."""
    vectors = embedhub.load("wordnet-ppmi", 100)
    index = {word: i for i, word in enumerate(vectors.words)}
    size = embedhub.embedding_matrix(vectors, 100, index).matrix.nbytes
    embedhub.keras_embedding(vectors, 100, {"music": 1})  # what is imported late does not count
    tracemalloc.start()
    try:
        layer = embedhub.keras_embedding(vectors, 100, index)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert layer.built
    # Under TensorFlow the weights are memory of numpy. What a backend allocates by itself is not seen here:
    # benchmarks/tasks.py measures the peak of the process.
    assert 0.9 < peak / size < 2.2
    assert left / size < 1.1


def test_torch_embedding_without_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch is optional: without it torch_embedding raises an ImportError that names the extra."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(embedhub.errors.DependencyError, match=r"pip install embedhub\[torch\]") as caught:
        embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    assert isinstance(caught.value, ImportError)
