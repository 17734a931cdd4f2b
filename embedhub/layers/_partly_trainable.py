"""A model of stock Keras layers that looks up vectors, of which only some are trained."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from embedhub.layers._matrix_layer import embedding_from_matrix

ALLOWED_OPTIONS = frozenset({"name", "dtype", "embeddings_regularizer", "embeddings_constraint"})
"""Layer options that `partly_trainable` takes; the last two apply to the rows that are trained."""

_RESERVED_ROWS = 2  # of the trainable table: row 0 is padding, row 1 stands for all frozen rows


def partly_trainable(
    matrix: NDArray[np.float32],
    trainable_rows: NDArray[np.int64],
    input_length: int | None,
    *,
    mask_zero: bool,
    name: str | None = None,
    dtype: Any = None,
    **options: Any,
) -> keras.Model:
    """Return a model that looks up the rows of a matrix and trains only some of them.

    It adds the outputs of two tables: a frozen one of all rows, zeros where rows are trained; and a small
    trainable one. A third table maps an index to its position in the small one, and a fourth one keeps
    gradients from the reserved rows of the small one. ``matrix`` is changed in place, ``trainable_rows`` is
    ascending, and ``options`` are those of the trainable table.
    """
    position = np.ones((len(matrix), 1), np.float32)
    position[trainable_rows, 0] = np.arange(len(trainable_rows)) + _RESERVED_ROWS
    # Layers truncate positions to integers, and quantize("int8") turns 8 % of the positions below a million
    # into a number just below them, 27 first. A Rescaling layer that adds the half would unmask padding, and
    # keras.ops.round would write a private class of Keras into saved models.
    position += 0.5
    if mask_zero:
        position[0] = 0
    reserved = np.zeros((_RESERVED_ROWS, matrix.shape[1]), np.float32)
    trainable_table = np.concatenate([reserved, matrix[trainable_rows]])
    # The reserved rows are multiplied by 0, so that no gradient reaches them.
    gradient_gate = np.ones((len(trainable_table), 1), np.float32)
    gradient_gate[:_RESERVED_ROWS] = 0
    matrix[trainable_rows] = 0

    index = keras.Input((input_length,), dtype="int32")
    # All tables get the same mask, that of padding: a sum has a mask only if all of its terms have one.
    frozen = {"mask_zero": mask_zero, "trainable": False, "constant": True, "dtype": dtype}
    position_layer = embedding_from_matrix(position, trainable=False, constant=True, dtype="float32")
    position_layer.embeddings_initializer = keras.initializers.get("zeros")  # a valid row, in a clone too
    positions = keras.layers.Reshape((-1,), dtype="float32")(position_layer(index))
    trainable_layer = embedding_from_matrix(
        trainable_table, mask_zero=mask_zero, trainable=len(trainable_rows) > 0, dtype=dtype, **options
    )
    gate = embedding_from_matrix(gradient_gate, **frozen)(positions)
    trainable_vectors = keras.layers.Multiply(dtype=dtype)([trainable_layer(positions), gate])
    frozen_vectors = embedding_from_matrix(matrix, **frozen)(index)
    vectors = keras.layers.Add(dtype=dtype)([frozen_vectors, trainable_vectors])
    model = keras.Model(index, vectors, name=name)
    # A Sequential casts its input to the compute dtype of its first layer, which must not round indices.
    model.dtype_policy = "float32"
    return model
