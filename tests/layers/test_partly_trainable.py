"""What must not happen to the layer that trains the vectors of missing words only."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from packaging.version import Version

import embedhub

WORDS = {"music": 1, "qwxz": 2, "rain": 3, "zzyx": 4}
needs_int4 = pytest.mark.skipif(
    Version(keras.__version__).release < (3, 11), reason="Keras is older than int4"
)


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


@pytest.fixture
def layer() -> Any:
    """The layer of two words that the source has, and two that it does not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", embedhub.errors.CoverageWarning)
        return embedhub.keras_embedding("wordnet-ppmi", 25, WORDS, input_length=4, trainable="missing")


def test_attributes_are_those_of_an_embedding_layer(layer: Any) -> None:
    """Its size, its length, and its vectors as they are now, trained ones included."""
    assert layer.name.startswith("wordnet_ppmi_")
    assert (layer.input_dim, layer.output_dim, layer.input_shape) == (5, 25, (None, 4))
    before = keras.ops.convert_to_numpy(layer.embeddings)
    np.testing.assert_array_equal(before[1], embedhub.load("wordnet-ppmi", 25)["music"])
    layer.trainable_weights[0].assign(np.ones((4, 25)))
    after = keras.ops.convert_to_numpy(layer.embeddings)
    np.testing.assert_array_equal(after[[2, 4]], np.ones((2, 25)))
    np.testing.assert_array_equal(after[[0, 1, 3]], before[[0, 1, 3]])


@pytest.mark.parametrize("shape", [(4,), (1, 2), (2, 9), (2, 3, 4), (2, 1, 3, 2)], ids=str)
def test_indices_have_any_shape(layer: Any, shape: tuple[int, ...]) -> None:
    """As in a plain layer: any number of dimensions, and other lengths than ``input_length``."""
    indices = np.arange(np.prod(shape)).reshape(shape) % 5
    table = keras.ops.convert_to_numpy(layer.embeddings)
    vectors = keras.ops.convert_to_numpy(layer(indices))
    np.testing.assert_array_equal(vectors, table[indices])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(indices.tolist())), table[indices])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="ragged tensors are TensorFlow's")
def test_ragged_indices_have_ragged_vectors(layer: Any) -> None:
    """Texts of different lengths, without padding."""
    import tensorflow as tf

    vectors = layer(tf.ragged.constant([[1, 2], [], [3]]))
    table = keras.ops.convert_to_numpy(layer.embeddings)
    assert isinstance(vectors, tf.RaggedTensor)
    np.testing.assert_array_equal(vectors.flat_values, table[[1, 2, 3]])
    assert vectors.row_lengths().numpy().tolist() == [2, 0, 1]


@pytest.mark.slow
def test_saved_model_takes_the_same_shapes(
    layer: Any, predict_without_embedhub: Callable[..., NDArray[np.float32]], tmp_path: Path
) -> None:
    """A model with indices of three dimensions has them when it is loaded without embedhub, too."""
    index = keras.Input((3, None), dtype="int32")
    keras.Model(index, layer(index)).save(tmp_path / "model.keras")
    indices = np.arange(24).reshape(2, 3, 4) % 5
    loaded = predict_without_embedhub(tmp_path / "model.keras", indices)
    np.testing.assert_array_equal(loaded, keras.ops.convert_to_numpy(layer(indices)))


@pytest.mark.filterwarnings("ignore::embedhub.errors.CoverageWarning")  # missing words, on purpose
def test_padding_needs_sequences() -> None:
    """The mask of other shapes would be lost."""
    masked = embedhub.keras_embedding("wordnet-ppmi", 25, WORDS, trainable="missing", mask_zero=True)
    with pytest.raises(ValueError, match=r"shape \(4,\); expected \(batch, length\) for mask_zero=True"):
        masked(np.arange(4))


def test_lora_is_refused(layer: Any) -> None:
    """It trains an addition to all vectors."""
    with pytest.raises(ValueError, match="trainable=True and lora_rank="):
        layer.enable_lora(2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning")  # by Keras
@pytest.mark.parametrize(
    ("mode", "steps"),
    [("int8", 127), pytest.param("int4", 7, marks=needs_int4)],
)
def test_quantized_layer_looks_up_the_same_rows(layer: Any, mode: str, steps: int) -> None:
    """Each vector is near its own, by half a step of its largest number, and rounding loses no position."""
    before = keras.ops.convert_to_numpy(layer.embeddings)
    layer.quantize(mode)
    difference = np.abs(keras.ops.convert_to_numpy(layer.embeddings) - before).max(axis=1)
    assert (difference <= np.abs(before).max(axis=1) / steps).all()
