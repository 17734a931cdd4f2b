"""Layers of Keras and keras-rs that start from a source's vectors."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

import embedhub

WORDS = {"music": 1, "qwxz": 2, "rain": 3}
INDICES = np.array([[0, 1, 2, 3]])

needs_current = pytest.mark.skipif(
    not hasattr(keras.layers, "ReversibleEmbedding"), reason="Keras is older than ReversibleEmbedding"
)


def values(tensor: Any) -> NDArray[np.float32]:
    """Return a tensor of any backend as an array."""
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.fixture(scope="module")
def table() -> Any:
    """The initializer of three words."""
    return embedhub.initializer("wordnet-ppmi:25", WORDS, oov=np.ones(25))


@pytest.fixture(scope="module")
def matrix() -> NDArray[np.float32]:
    """The matrix that it fills in."""
    return embedhub.embedding_matrix("wordnet-ppmi:25", WORDS, oov=np.ones(25)).matrix


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Embedding", pytest.param("ReversibleEmbedding", marks=needs_current)])
def test_layer_starts_from_the_vectors(
    table: Any, matrix: NDArray[np.float32], conformance: Callable[..., Any], name: str
) -> None:
    """It trains as any other one, its config has no matrix, and a saved model loads without embedhub."""
    layer = getattr(keras.layers, name)(*table.shape, embeddings_initializer=table)
    layer.build((None, None))
    conformance(matrix=matrix, moves=np.ones(len(matrix), bool), weights=(1, 0))(layer)


@pytest.mark.slow
@needs_current
def test_output_is_tied_to_the_vectors(
    table: Any,
    matrix: NDArray[np.float32],
    predict_without_embedhub: Callable[..., NDArray[np.float32]],
    tmp_path: Path,
) -> None:
    """The scores of all words are products with the same table, in a loaded model too."""
    layer = keras.layers.ReversibleEmbedding(*table.shape, embeddings_initializer=table)
    index = keras.Input((None,), dtype="int32")
    model = keras.Model(index, layer(layer(index), reverse=True))
    assert len(model.weights) == 1
    model.save(tmp_path / "model.keras")
    expected = matrix[INDICES] @ matrix.T
    np.testing.assert_allclose(values(model(INDICES)), expected, rtol=1e-5)
    np.testing.assert_allclose(
        predict_without_embedhub(tmp_path / "model.keras", INDICES), expected, rtol=1e-5
    )


@pytest.mark.slow
@needs_current
def test_table_of_keras_rs_starts_from_the_vectors(table: Any, matrix: NDArray[np.float32]) -> None:
    """``DistributedEmbedding`` of keras-rs, which looks up the mean of each row's words."""
    import keras_rs

    rows, dim = table.shape
    config = keras_rs.layers.TableConfig(
        name="words", vocabulary_size=rows, embedding_dim=dim, initializer=table, combiner="mean"
    )
    layer = keras_rs.layers.DistributedEmbedding(
        keras_rs.layers.FeatureConfig(
            name="words", table=config, input_shape=INDICES.shape, output_shape=(1, dim)
        )
    )
    np.testing.assert_allclose(values(layer(INDICES)), matrix[INDICES].mean(axis=1), rtol=1e-5, atol=1e-6)


def test_longer_vocabulary_keeps_trained_rows_and_fills_new_ones(
    table: Any, matrix: NDArray[np.float32]
) -> None:
    """As the page of parameters shows it: the first rows are the trained ones."""
    trained = keras.layers.Embedding(*table.shape, embeddings_initializer=table)
    trained.build((None, None))
    trained.set_weights([matrix * 2])

    longer = embedhub.initializer("wordnet-ppmi:25", WORDS | {"storm": 4})
    layer = keras.layers.Embedding(*longer.shape, embeddings_initializer=longer)
    layer.build((None, None))
    (rows,) = layer.get_weights()
    rows[: len(matrix)] = trained.get_weights()[0]
    layer.set_weights([rows])
    storm = embedhub.load("wordnet-ppmi:25")["storm"]
    np.testing.assert_array_equal(values(layer.embeddings), [*(matrix * 2), storm])


def test_other_shape_is_an_error(table: Any) -> None:
    """Rows are neither repeated nor left out."""
    layer = keras.layers.Embedding(3, 25, embeddings_initializer=table)
    with pytest.raises(ValueError, match=r"shape \(3, 25\).* input_dim=4 and output_dim=25"):
        layer.build((None, None))


def _unpickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - this test's own bytes


@pytest.mark.parametrize("copied", [copy.deepcopy, _unpickled])
def test_copy_fills_in_the_same(
    table: Any, matrix: NDArray[np.float32], copied: Callable[[Any], Any]
) -> None:
    """Deep copies and pickles, which processes send each other, have the vectors."""
    np.testing.assert_array_equal(values(copied(table)(table.shape)), matrix)
    assert repr(copied(table)) == "<embedhub.initializer (4, 25)>"
