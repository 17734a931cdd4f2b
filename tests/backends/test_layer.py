"""The layer."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import embedhub
from embedhub import VocabularyError

WORD_INDEX = {"music": 1, "rain": 2, "qwxz": 3, "walk": 4}


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
    assert (np.asarray(layer(np.array([[2, 0]])))[0] == matrix[[2, 0]]).all()
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


def test_padding_cannot_be_a_word() -> None:
    """With mask_zero a word at index 0 would be skipped silently, so it is refused."""
    with pytest.raises(
        VocabularyError, match="gives 'music' the index 0, which mask_zero=True makes padding"
    ):
        embedhub.keras_embedding("wordnet-ppmi", 25, {"music": 0}, mask_zero=True)
    with pytest.raises(VocabularyError, match="word_index is of type list"):
        embedhub.keras_embedding("wordnet-ppmi", 25, ["music"], mask_zero=True)  # type: ignore[arg-type]  # the point


def test_training_moves_only_trainable_rows() -> None:
    """Frozen rows are equal after training; trainable ones have moved."""
    for trainable in (False, True):
        layer = make(4, trainable=trainable)
        before = layer.get_weights()[0].copy()
        model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.array([[1, 2, 3, 4]]), np.array([[9.0]]), verbose=0)
        assert (layer.get_weights()[0] == before).all() != trainable


def test_a_saved_model_loads_without_embedhub(tmp_path: Path) -> None:
    """A .keras file gives the same predictions in a process that cannot import embedhub."""
    model = keras.Sequential([make(3), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    expected = model.predict(np.array([[1, 2, 3]]), verbose=0).tolist()
    code = f"""
import sys
sys.modules["embedhub"] = None
import keras, numpy as np
model = keras.models.load_model({str(tmp_path / "model.keras")!r})
print(model.predict(np.array([[1, 2, 3]]), verbose=0).tolist())
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert json.loads(run.stdout.splitlines()[-1]) == expected
