"""A model of stock Keras layers that looks up vectors, of which only some are trained."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from embedhub.layers._matrix_layer import embedding_from_matrix

ALLOWED_OPTIONS = frozenset({"name", "dtype", "embeddings_regularizer", "embeddings_constraint"})
"""Layer options that `partly_trainable` takes; the last two apply to the rows that are trained."""

_RESERVED_ROWS = 2  # of the trainable table: row 0 is padding, row 1 stands for all frozen rows


class PartlyTrainable(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """The model that `partly_trainable` returns, with the attributes of an Embedding layer.

    A saved model has a plain ``keras.Model`` in its place.

    Attributes:
        input_dim: Number of rows.
        output_dim: Dimension of the vectors.
        input_length: Length of the sequences; None if unknown.
        mask_zero: Whether index 0 is padding.
    """

    input_dim: int
    output_dim: int
    input_length: int | None
    mask_zero: bool

    def __call__(self, inputs: Any, *args: Any, **options: Any) -> Any:
        """Look up the vectors of indices of any shape, ragged ones of TensorFlow among them."""
        if hasattr(inputs, "with_flat_values"):
            return inputs.with_flat_values(self(inputs.flat_values, *args, **options))
        if not hasattr(inputs, "shape"):
            inputs = np.asarray(inputs)
        shape = tuple(inputs.shape)
        if len(shape) == 2:  # noqa: PLR2004 - (batch, length), as the model takes it
            return super().__call__(inputs, *args, **options)
        if not shape or self.mask_zero:
            expected = "(batch, length) for mask_zero=True" if self.mask_zero else "at least one dimension"
            raise ValueError(f"the indices have the shape {shape}; expected {expected}.")
        # Layers of their own, so that a model around this one is saved with them.
        flat = keras.layers.Reshape((-1,), dtype="int32")(inputs)
        vectors = super().__call__(flat, *args, **options)
        inner = (-1 if length is None else length for length in shape[1:])
        return keras.layers.Reshape((*inner, self.output_dim), dtype=vectors.dtype)(vectors)

    @property
    def input_shape(self) -> tuple[None, int | None]:
        """The shape with which a Sequential that starts with the model is built."""
        return (None, self.input_length)

    @property
    def embeddings(self) -> Any:
        """All vectors as they are now, ``(input_dim, output_dim)``."""
        return self(np.arange(self.input_dim)[None])[0]

    def enable_lora(self, *_: Any, **__: Any) -> None:
        """Raise an error: there is nothing left to add."""
        raise ValueError(
            "trainable='missing' trains the vectors of missing words as they are, and LoRA trains an "
            "addition to all vectors. Call keras_embedding with trainable=True and lora_rank= instead."
        )


# Keras writes these names beside a config, and looks them up when it loads a model.
PartlyTrainable.__module__, PartlyTrainable.__name__ = "keras.src.models.functional", "Functional"


def partly_trainable(
    matrix: NDArray[np.float32],
    trainable_rows: NDArray[np.int64],
    input_length: int | None,
    *,
    mask_zero: bool,
    name: str,
    dtype: Any = None,
    **options: Any,
) -> "PartlyTrainable":
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

    index = keras.Input((None,), dtype="int32")
    # All tables get the same mask, that of padding: a sum has a mask only if all of its terms have one.
    frozen = {"mask_zero": mask_zero, "trainable": False, "constant": True, "dtype": dtype}
    position_layer = embedding_from_matrix(position, trainable=False, constant=True, dtype="float32")
    position_layer.embeddings_initializer = keras.initializers.get("zeros")  # a valid row, in a clone too
    positions = keras.layers.Reshape((-1,), dtype="float32")(position_layer(index))
    trainable_layer = embedding_from_matrix(
        trainable_table, mask_zero=mask_zero, trainable=True, dtype=dtype, **options
    )
    gate = embedding_from_matrix(gradient_gate, **frozen)(positions)
    trainable_vectors = keras.layers.Multiply(dtype=dtype)([trainable_layer(positions), gate])
    frozen_vectors = embedding_from_matrix(matrix, **frozen)(index)
    vectors = keras.layers.Add(dtype=dtype)([frozen_vectors, trainable_vectors])
    model = PartlyTrainable(index, vectors, name=name)
    model.input_dim, model.output_dim = matrix.shape
    model.input_length, model.mask_zero = input_length, mask_zero
    # A Sequential casts its input to the compute dtype of its first layer, which must not round indices.
    model.dtype_policy = "float32"
    return model
