"""The layer. Only modules of this name import Keras, and nothing else imports them."""

import math
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

from embedhub.matrix.embedding_matrix import embedding_matrix
from embedhub.matrix.oov import Policy
from embedhub.matrix.word_index import read
from embedhub.registry.registry import Source
from embedhub.vectors.fallbacks import Fallback

_ALIGNMENT = 64  # of EIGEN_MAX_ALIGN_BYTES, with AVX-512
_OURS = ("input_dim", "output_dim", "embeddings_initializer", "weights", "input_shape")
_OF_MISSING = {"name", "dtype", "embeddings_regularizer", "embeddings_constraint"}
_HALF = {"float16", "bfloat16"}


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
    trainable: bool | Literal["missing"] = False,
    mask_zero: bool = False,
    **layer_options: Any,
) -> keras.layers.Embedding | keras.Model:
    """Return a Keras Embedding layer that holds the source's rows for a vocabulary.

    It is a stock ``keras.layers.Embedding``, built and filled, on TensorFlow, JAX and PyTorch: a model saved
    with it loads where embedhub is not installed.

    ``trainable="missing"`` freezes the rows that were found and lets those of missing words learn. What comes
    back then is a ``keras.Model`` of stock layers, to be used as a layer; it saves into a ``.keras`` file
    like any other, and loads without embedhub too. One table of all rows is frozen; a second one, with a row
    for each missing word, is all that an optimizer sees; a third says where in the second a word is. Beside
    the frozen layer that costs memory for ``rows + missing words * (dim + 1)`` floats, and in each step two
    look-ups of one column and one of ``dim``.

    Example:
        >>> import embedhub, keras
        >>> layer = embedhub.keras_embedding("wordnet-ppmi", 50, {"music": 1, "rain": 2}, input_length=4)
        >>> model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
        >>> model.output_shape
        (None, 1)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        word_index: The vocabulary: a mapping of word -> index, a sequence of words, a ``TextVectorization``,
            ``StringLookup`` or tokenizer; see `embedhub.embedding_matrix`, also for the next six.
        input_length: Length of the sequences. With it, a ``Sequential`` that starts with the layer is built
            at once. ``Flatten`` needs it if ``trainable`` is ``"missing"`` or ``dtype`` has half precision.
        oov: What missing words get: ``"zeros"``, ``"normal"``, ``"mean"``, ``"subword"``, a row, or
            a function.
        seed: For ``"normal"``.
        fallbacks: What to look for in place of a missing word; None for the source's own default.
        num_words: Only words with an index below it are taken.
        counts: How often each word occurs.
        min_coverage: Least share of words found.
        trainable: Whether the rows change in training; ``"missing"`` for those of missing words only, and
            those that stand for unknown words. They start as ``oov`` says.
        mask_zero: Whether index 0 is padding that later layers skip. No word may have it then.
        **layer_options: Any other option of ``keras.layers.Embedding``, such as ``name`` or ``dtype``.
            ``lora_rank`` wants ``trainable=True``: Keras then freezes the rows and trains the low-rank
            addition to them. With ``trainable="missing"`` there are ``name``, ``dtype``,
            ``embeddings_regularizer`` and ``embeddings_constraint``, the last two for the rows that learn.

    Returns:
        The layer, ``(batch, length)`` integers to ``(batch, length, dim)`` floats, with
        ``largest index + 1`` rows; padding, and row 0 unless a word has it, are zeros. Under a
        ``keras.distribution.ModelParallel`` rows of zeros follow, so that its devices divide them evenly.

    Raises:
        ValueError: ``input_length`` is no positive integer, ``trainable`` an unknown word, or ``dtype`` that
            of a quantized layer.
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
    if isinstance(trainable, str) and trainable != "missing":
        raise ValueError(f"trainable is {trainable!r}; expected True, False or 'missing'.")
    for option in layer_options:
        if option in _OURS:
            raise TypeError(f"{option}= cannot be given: the vectors and the vocabulary decide it.")
        if trainable == "missing" and option not in _OF_MISSING:
            raise TypeError(
                f"{option}= cannot be given with trainable='missing', which takes "
                f"{', '.join(sorted(_OF_MISSING))} only."
            )
    vocabulary = read(word_index, num_words)
    if mask_zero:
        vocabulary.refuse_word_at(0, "mask_zero=True")
    result = embedding_matrix(
        source,
        dim,
        vocabulary,
        oov=oov,
        seed=seed,
        fallbacks=fallbacks,
        counts=counts,
        min_coverage=min_coverage,
    )
    if trainable != "missing":
        return _filled(result.matrix, input_length, mask_zero=mask_zero, trainable=trainable, **layer_options)
    named = np.concatenate([vocabulary.indices, vocabulary.oov_indices])
    learn = np.sort(named[~result.found[named]])
    return _partly_trainable(result.matrix, learn, input_length, mask_zero=mask_zero, **layer_options)


def _filled(
    matrix: NDArray[np.float32], input_length: int | None = None, **options: Any
) -> keras.layers.Embedding:
    """Return an Embedding layer that holds a matrix."""
    if input_length is not None:
        options["input_shape"] = (int(input_length),)
    elif keras.dtype_policies.get(options.get("dtype")).compute_dtype in _HALF:
        # A Sequential without an input shape gives its input the compute dtype of its first layer, and would
        # round indices: float16 has no 2049, bfloat16 no 257. With one, the input is float32.
        options["input_shape"] = (None,)
    distribution = keras.distribution.distribution()
    if isinstance(distribution, keras.distribution.ModelParallel):
        short = -len(matrix) % math.prod(distribution.device_mesh.shape)
        matrix = np.pad(matrix, ((0, short), (0, 0))) if short else matrix
    with warnings.catch_warnings():
        # A Sequential is built at once from a layer with an input shape; Keras advises against it, in favour
        # of an Input that the caller of this function would have to write.
        warnings.filterwarnings("ignore", message="Do not pass an `input_shape`", category=UserWarning)
        layer = keras.layers.Embedding(
            *matrix.shape, embeddings_initializer="zeros" if distribution else _Rows(matrix), **options
        )
    if layer.quantization_mode is not None:
        raise ValueError(
            f"dtype is {layer.dtype_policy.name!r}, a layer that is quantized before it has values; make it "
            f"without, and call layer.quantize({layer.quantization_mode!r})."
        )
    layer.build((None, input_length))
    if distribution:
        # Keras would compile an initializer with the matrix as a constant in the program: on four devices
        # 390 MB took 12 s and 2.4 GB so, and 0.8 s and 0.4 GB in this way.
        variable = next(variable for variable in layer.variables if variable.name == "embeddings")
        layout = distribution.get_variable_layout(variable)
        variable.assign(keras.distribution.distribute_tensor(matrix, layout))
    # What holds the matrix must not stay: it would be written into the config of a saved model.
    layer.embeddings_initializer = keras.initializers.get("zeros")
    return layer


def _partly_trainable(
    matrix: NDArray[np.float32],
    learn: NDArray[np.int64],
    input_length: int | None,
    *,
    mask_zero: bool,
    name: str | None = None,
    dtype: Any = None,
    **options: Any,
) -> keras.Model:
    """Return a model of stock layers that looks up rows, of which only some learn.

    Args:
        matrix: All rows.
        learn: ``(k,)`` the indices of the rows that learn, ascending.
        input_length: Length of the sequences.
        mask_zero: Whether index 0 is padding.
        name: Name of the model.
        dtype: Of all layers whose output is part of the model's.
        **options: For the table that learns.
    """
    # In the small tables row 0 is padding, row 1 stands for all rows that do not learn; the others follow.
    # The look-up cuts the half off again; it is there because quantize("int8") may round a position down.
    position = np.full((len(matrix), 1), 1.5, np.float32)
    position[learn, 0] = np.arange(len(learn)) + 2.5
    if mask_zero:
        position[0] = 0
    learning = np.concatenate([np.zeros((2, matrix.shape[1]), np.float32), matrix[learn]])
    # Rows 0 and 1 are part of each step, but times 0, so that no gradient reaches them.
    gate = np.ones((len(learning), 1), np.float32)
    gate[:2] = 0
    matrix[learn] = 0

    index = keras.Input((input_length,), dtype="int32")
    # Both tables have one mask, that of row 0; a sum has a mask only if all of its terms have.
    frozen = {"mask_zero": mask_zero, "trainable": False, "dtype": dtype}
    where = _filled(position, trainable=False, dtype="float32")(index)
    where = keras.layers.Reshape((-1,), dtype="float32")(where)
    learned = _filled(learning, mask_zero=mask_zero, trainable=len(learn) > 0, dtype=dtype, **options)(where)
    learned = keras.layers.Multiply(dtype=dtype)([learned, _filled(gate, **frozen)(where)])
    rows = keras.layers.Add(dtype=dtype)([_filled(matrix, **frozen)(index), learned])
    model = keras.Model(index, rows, name=name)
    # It gives the input of a Sequential its compute dtype, which must not round indices.
    model.dtype_policy = "float32"
    return model


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
