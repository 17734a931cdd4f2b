"""The layer. The only module that imports Keras, and nothing imports it."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from embedhub.align import embedding_matrix
from embedhub.fallbacks import Fallback
from embedhub.oov import Policy
from embedhub.registry import Source
from embedhub.word_index import read

_ALIGNMENT = 64  # of EIGEN_MAX_ALIGN_BYTES, with AVX-512
_OURS = ("input_dim", "output_dim", "embeddings_initializer", "weights", "input_shape")


def keras_embedding(
    source: Source,
    dim: int | None,
    word_index: Any,
    input_length: int | None = None,
    *,
    oov: Policy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
    trainable: bool = False,
    mask_zero: bool = False,
    **layer_options: Any,
) -> keras.layers.Embedding:
    """Return a Keras Embedding layer that holds the source's rows for a vocabulary.

    It is a stock ``keras.layers.Embedding``, built and filled: a model saved with it loads where embedhub is
    not installed.

    Example:
        >>> import embedhub, keras
        >>> layer = embedhub.keras_embedding("wordnet-ppmi", 50, {"music": 1, "rain": 2}, input_length=4)
        >>> model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
        >>> model.output_shape
        (None, 1)

    Args:
        source: A registered name, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        word_index: The vocabulary: a mapping of word -> index, a sequence of words, a ``TextVectorization``,
            ``StringLookup`` or tokenizer; see `embedhub.embedding_matrix`, also for the next six.
        input_length: Length of the sequences. With it, a ``Sequential`` that starts with the layer is built
            at once.
        oov: What missing words get: ``"zeros"``, ``"normal"``, ``"mean"``, ``"subword"``, a row, or
            a function.
        seed: For ``"normal"``.
        fallbacks: What to look for in place of a missing word; None for the source's own default.
        num_words: Only words with an index below it are taken.
        counts: How often each word occurs.
        min_coverage: Least share of words found.
        trainable: Whether the rows change in training.
        mask_zero: Whether index 0 is padding that later layers skip. No word may have it then.
        **layer_options: Any other option of ``keras.layers.Embedding``, such as ``name`` or ``dtype``.

    Returns:
        The layer, ``(batch, length)`` integers to ``(batch, length, dim)`` floats, with
        ``largest index + 1`` rows; padding, and row 0 unless a word has it, are zeros.

    Raises:
        ValueError: ``input_length`` is no positive integer.
        TypeError: An option is given that follows from the vectors, such as ``weights``.
        VocabularyError: The vocabulary cannot be turned into rows.
        CoverageError: Fewer words than ``min_coverage`` were found.
        EmbedhubError: What `embedhub.load` raises.
    """
    if input_length is not None and (
        isinstance(input_length, bool) or not isinstance(input_length, int | np.integer) or input_length < 1
    ):
        raise ValueError(
            f"input_length is {input_length!r}; expected the length of the sequences, 1 or more, or None."
        )
    for option in _OURS:
        if option in layer_options:
            raise TypeError(f"{option}= cannot be given: the vectors and the vocabulary decide it.")
    vocabulary = read(word_index, num_words)
    if mask_zero:
        vocabulary.refuse_word_at_zero()
    matrix = embedding_matrix(
        source,
        dim,
        vocabulary,
        oov=oov,
        seed=seed,
        fallbacks=fallbacks,
        counts=counts,
        min_coverage=min_coverage,
    ).matrix
    if input_length is not None:
        layer_options["input_shape"] = (int(input_length),)
    with warnings.catch_warnings():
        # A Sequential is built at once from a layer with an input shape; Keras advises against it, in favour
        # of an Input that the caller of this function would have to write.
        warnings.filterwarnings("ignore", message="Do not pass an `input_shape`", category=UserWarning)
        layer = keras.layers.Embedding(
            *matrix.shape,
            embeddings_initializer=_Rows(matrix),
            mask_zero=mask_zero,
            trainable=trainable,
            **layer_options,
        )
    layer.build((None, input_length))
    # What holds the matrix must not stay: it would be written into the config of a saved model.
    layer.embeddings_initializer = keras.initializers.get("zeros")
    return layer


class _Rows(keras.initializers.Initializer):  # type: ignore[misc]  # Keras ships no types
    """Hands a matrix over when the layer is built: one copy, and no random numbers drawn for nothing."""

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        self._matrix = matrix

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return the matrix as a tensor of the backend."""
        if tuple(shape) != self._matrix.shape:
            raise ValueError(f"Keras asks for rows of shape {shape}, the matrix has {self._matrix.shape}.")
        tensor = _tensorflow(self._matrix) if keras.backend.backend() == "tensorflow" else self._matrix
        return keras.ops.convert_to_tensor(tensor, dtype=dtype)


def _tensorflow(matrix: NDArray[np.float32]) -> Any:
    """Return a copy of a matrix as a tensor of TensorFlow.

    Of an array TensorFlow makes two copies that live at once; the memory behind DLPack it takes as it is. Its
    kernels want it aligned.
    """
    import tensorflow as tf

    memory = np.empty(matrix.nbytes + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    copy = memory[start : start + matrix.nbytes].view(matrix.dtype).reshape(matrix.shape)
    copy[:] = matrix
    return tf.experimental.dlpack.from_dlpack(copy.__dlpack__())
