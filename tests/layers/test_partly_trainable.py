"""What must not happen to the layer that trains the vectors of missing words only."""

from pathlib import Path

import keras
import numpy as np
import pytest

import embedhub

WORDS = {"music": 1, "qwxz": 2, "rain": 3, "zzyx": 4}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::embedhub.errors.CoverageWarning")  # missing words, on purpose
@pytest.mark.parametrize("inside", [False, True], ids=["the layer", "a model around it"])
def test_setting_trainable_back_trains_the_same_rows(*, inside: bool) -> None:
    """Frozen and unfrozen again, found vectors stay, and no index points to another row."""
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, WORDS, input_length=4, trainable="missing")
    model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    toggled = model if inside else layer
    toggled.trainable = False
    assert not layer.trainable_weights
    toggled.trainable = True
    assert [tuple(weights.shape) for weights in layer.trainable_weights] == [(4, 25)]

    indices = np.array([[1, 2, 3, 4]] * 8)
    before = keras.ops.convert_to_numpy(layer(indices))[0]
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.5), "mse")
    model.fit(indices, np.ones(8), epochs=5, verbose=0)
    after = keras.ops.convert_to_numpy(layer(indices))[0]
    assert (after == before).all(axis=1).tolist() == [True, False, True, False]


@pytest.mark.filterwarnings("ignore::embedhub.errors.CoverageWarning")  # missing words, on purpose
def test_loaded_table_is_frozen_and_trained_again(tmp_path: Path) -> None:
    """After loading, the layer that has trainable weights is frozen by itself, and the others stay."""
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, WORDS, input_length=4, trainable="missing")
    keras.Sequential([layer, keras.layers.Dense(1)]).save(tmp_path / "model.keras")
    embedding = keras.models.load_model(tmp_path / "model.keras").layers[0]
    (table,) = [inner for inner in embedding.layers if inner.trainable_weights]
    table.trainable = False
    assert not embedding.trainable_weights
    table.trainable = True
    assert [tuple(weights.shape) for weights in embedding.trainable_weights] == [(4, 25)]
