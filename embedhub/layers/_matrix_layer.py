"""A stock Embedding layer that holds a given matrix."""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from embedhub.layers._distribution import assign_to_devices, pad_to_devices

_ALIGNMENT = 64  # bytes: EIGEN_MAX_ALIGN_BYTES with AVX-512
# In a clone: sums of it are infinite, and its results NaN, where zeros would pass for vectors. NaN itself is
# not valid in strict JSON, in which a saved model has it.
_NO_VECTORS = 3e38
_MAX_NAME = 40  # characters of a source's name
_HALF_PRECISION = {"float16", "bfloat16"}


def embedding_from_matrix(
    matrix: NDArray[np.float32], input_length: int | None = None, *, constant: bool = False, **options: Any
) -> keras.layers.Embedding:
    """Return a built Embedding layer that holds a matrix, with other options of that layer.

    With ``constant``, setting ``trainable`` of the layer, or of a model around it, does not make the matrix
    trainable.
    """
    if input_length is not None:
        options["input_shape"] = (int(input_length),)
    elif keras.dtype_policies.get(options.get("dtype")).compute_dtype in _HALF_PRECISION:
        # A Sequential without an input shape casts its input to the compute dtype of its first layer, which
        # rounds indices: float16 has no 2049, bfloat16 no 257. With an input shape, the input is float32.
        options["input_shape"] = (None,)
    distributed = keras.distribution.distribution() is not None
    matrix = pad_to_devices(matrix)
    with warnings.catch_warnings():
        # An input shape lets a Sequential build itself from the layer. Keras recommends an Input instead,
        # which only the caller could add.
        warnings.filterwarnings("ignore", message="Do not pass an `input_shape`", category=UserWarning)
        layer = keras.layers.Embedding(
            *matrix.shape,
            embeddings_initializer="zeros" if distributed else MatrixInitializer(matrix),
            **options,
        )
    if constant:
        # Keras sets `trainable` of the variables that were trainable when they were made, and of no others.
        add_weight = layer.add_weight
        layer.add_weight = lambda **weight: add_weight(**weight | {"trainable": False})
    layer.build((None, input_length))
    if constant:
        del layer.add_weight
    if distributed:
        assign_to_devices(layer, matrix)
    # The initializer holds the matrix, which would otherwise be written into the config of a saved model.
    # keras.models.clone_model copies the config but not the vectors, so that this is what a clone has.
    layer.embeddings_initializer = keras.initializers.Constant(_NO_VECTORS)
    return layer


def layer_name(source: str, dim: int, fingerprint: str) -> str:
    """Return a name for a layer or a model that says which vectors it has, as ``glove_6b_50d_<fingerprint>``.

    A saved model keeps the name, and has no other place for it in a stock layer. A number follows where the
    name is taken, as in all names that Keras gives.

    Args:
        source: Name of the source.
        dim: Dimension of its vectors.
        fingerprint: `Vectors.fingerprint`.
    """
    # TensorFlow takes no other characters.
    words = re.sub("[^a-z0-9]+", "_", source.lower()).strip("_")[:_MAX_NAME].rstrip("_") or "embedding"
    name = f"{words}_{dim}d_{fingerprint}"
    number = keras.backend.get_uid(name) - 1
    return f"{name}_{number}" if number else name


def check_options(options: Mapping[str, Any], *, trainable: bool) -> None:
    """Check options of an Embedding layer, before there is a matrix, by making a layer of one number.

    Raises:
        TypeError, ValueError: The layer does not take one of them, or its value.
    """
    try:
        # The name, because Keras counts the layers that it has to name itself.
        named = {"name": "options", "trainable": trainable, **options}
        quantization = keras.layers.Embedding(1, 1, **named).quantization_mode
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"keras.layers.Embedding does not take these options of keras_embedding, "
            f"{', '.join(f'{name}={value!r}' for name, value in options.items())}: {error}"
        ) from error
    if quantization is not None:
        raise ValueError(
            f"dtype is {keras.dtype_policies.get(options.get('dtype')).name!r}, which quantizes the layer "
            f"before it has weights; create it without this dtype and call layer.quantize({quantization!r})."
        )


class MatrixInitializer(keras.initializers.Initializer):  # type: ignore[misc]  # Keras ships no types
    """Initializer that returns a matrix: one copy, and no random numbers that are overwritten.

    The config of a layer has `keras.initializers.Constant` in its place: without the matrix, and without
    embedhub.

    Args:
        matrix: ``(rows, dim)`` float32.

    Attributes:
        shape: The shape of the matrix: ``input_dim`` and ``output_dim`` of a layer.
    """

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        self.shape = matrix.shape
        self._matrix = matrix

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return the matrix as a tensor of the backend."""
        if tuple(shape) != self.shape:
            raise ValueError(
                f"the layer asks for weights of shape {tuple(shape)}, and the vectors of the vocabulary have "
                f"{self.shape}. Create it with input_dim={self.shape[0]} and output_dim={self.shape[1]}."
            )
        matrix = self._matrix
        tensor = _as_tensorflow(matrix) if keras.backend.backend() == "tensorflow" else matrix
        return keras.ops.convert_to_tensor(tensor, dtype=dtype)

    def __repr__(self) -> str:
        return f"<embedhub.initializer {self.shape}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self._matrix,)  # the name below is that of another class

    def get_config(self) -> dict[str, Any]:
        """Return the config of a `keras.initializers.Constant`."""
        return {"value": _NO_VECTORS}


# Keras writes these names beside a config, and looks them up when it loads a model.
MatrixInitializer.__module__, MatrixInitializer.__name__ = "keras.initializers", "Constant"


def _reopened(matrix: NDArray[np.float32]) -> MatrixInitializer:
    return MatrixInitializer(matrix)


def _as_tensorflow(matrix: NDArray[np.float32]) -> Any:
    """Return a copy of a matrix as a TensorFlow tensor.

    TensorFlow converts an array with two copies alive at once, but adopts memory passed by DLPack. Its
    kernels need that memory to be aligned.
    """
    import tensorflow as tf

    memory = np.empty(matrix.nbytes + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    copy = memory[start : start + matrix.nbytes].view(matrix.dtype).reshape(matrix.shape)
    copy[:] = matrix
    return tf.experimental.dlpack.from_dlpack(copy.__dlpack__())
