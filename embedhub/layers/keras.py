"""Keras Embedding layers from a source and a vocabulary."""

from __future__ import annotations  # so that help() shows types by their names, and Keras is imported late

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from embedhub.matrix.arguments import checked
from embedhub.matrix.embedding_matrix import build_matrix, prepare
from embedhub.matrix.word_index import Vocabulary, check_positive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import keras

    from embedhub.matrix.oov import OOVPolicy
    from embedhub.registry.loading import Source
    from embedhub.vectors.fallbacks import Fallback


@overload
def keras_embedding(
    source: Source,
    dim: int | None,
    word_index: Vocabulary,
    input_length: int | None = None,
    *,
    oov: OOVPolicy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
    trainable: bool | Literal["missing"] = False,
    mask_zero: bool = False,
    **layer_options: Any,
) -> keras.layers.Embedding | keras.Model: ...
@overload
def keras_embedding(
    source: Source,
    word_index: Vocabulary,
    *,
    input_length: int | None = None,
    oov: OOVPolicy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
    trainable: bool | Literal["missing"] = False,
    mask_zero: bool = False,
    **layer_options: Any,
) -> keras.layers.Embedding | keras.Model: ...
@checked
def keras_embedding(
    source: Source,
    dim: int | None,
    word_index: Vocabulary,
    input_length: int | None = None,
    *,
    oov: OOVPolicy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
    trainable: bool | Literal["missing"] = False,
    mask_zero: bool = False,
    **layer_options: Any,
) -> keras.layers.Embedding | keras.Model:
    """Return a Keras Embedding layer with the source's vectors of a vocabulary.

    The layer is a stock ``keras.layers.Embedding``, already built, for the TensorFlow, JAX and PyTorch
    backends. A saved model that contains it loads without embedhub.

    ``trainable="missing"`` trains only the vectors of missing words. The result is then a ``keras.Model`` of
    stock layers, which is used like a layer, and also loads without embedhub. Its ``embeddings`` are all
    vectors as they are now; those of a loaded one are ``model(np.arange(rows)[None])[0]``. If no word is
    missing, the result is the frozen layer.

    The model has four tables: a frozen one of all rows; a trainable one with a row for each missing word and
    two reserved rows, the only one that an optimizer sees; one that maps indices to the rows of the trainable
    table; and one that keeps gradients from the reserved rows. Compared with the frozen layer, it needs
    memory for ``rows + missing words * (dim + 1)`` more floats, and each step looks up two more columns and
    one more vector per index.

    Example:
        >>> import embedhub, keras
        >>> layer = embedhub.keras_embedding("wordnet-ppmi", 50, {"music": 1, "rain": 2}, input_length=4)
        >>> model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
        >>> model.output_shape
        (None, 1)

    Args:
        source: A name, a path, an `EmbeddingSource` or `Vectors`; see `embedhub.load`.
        dim: Dimension; optional if the source has only one. Left out after a source that has it, as in
            ``keras_embedding("glove-6b:50", word_index)``, with all options by name.
        word_index: The vocabulary: a mapping of word -> index, a sequence of words, a ``TextVectorization``,
            ``StringLookup`` or tokenizer; see `embedhub.embedding_matrix`, which also describes the options
            from ``oov`` to ``min_coverage``.
        input_length: Length of the sequences; optional. With it, a ``Sequential`` that starts with the layer
            is built at once. ``Flatten`` needs it if ``trainable`` is ``"missing"`` or ``dtype`` has half
            precision.
        oov: The policy for missing words: ``"zeros"``, ``"normal"``, ``"mean"``, ``"subword"``, a vector,
            or a function.
        seed: Random seed of ``"normal"``.
        fallbacks: Other words to look up for a missing word; None means the source's default.
        num_words: Only words with an index below it are used.
        counts: How often each word occurs.
        min_coverage: Raise an error if a smaller fraction of the words is found.
        trainable: Whether the vectors are trained; ``"missing"`` for those of missing words and of tokens for
            unknown words only, which start as ``oov`` assigns.
        mask_zero: Whether index 0 is padding that later layers skip. It must not be the index of a word.
        **layer_options: Other options of ``keras.layers.Embedding``, such as ``name`` or ``dtype``. The
            default name has the source, the dimension and `Vectors.fingerprint`, which a saved model keeps.
            ``lora_rank`` needs ``trainable=True``: Keras then freezes the vectors and trains a low-rank
            addition. With ``trainable="missing"`` the options are ``name``, ``dtype``,
            ``embeddings_regularizer`` and ``embeddings_constraint``, the last two for the trained vectors.
            LoRA is then an error; ``layer.quantize`` works.

    Returns:
        The layer, from integers of any shape, such as ``(batch, length)``, to floats of that shape and
        ``dim``, with ``largest index + 1`` rows. Padding is zeros, and so is row 0 unless it belongs to a
        word. Under a ``keras.distribution.ModelParallel``, rows of zeros are appended so that the devices
        share the table evenly.

    Raises:
        ValueError: ``input_length`` is not a positive integer, ``trainable`` is a string other than
            ``"missing"``, ``dtype`` is that of a quantized layer, or another option is invalid; see
            `embedhub.embedding_matrix`.
        TypeError: An option of ``layer_options`` is determined by the vectors, such as ``weights``, or cannot
            be combined with ``trainable="missing"``.
        VocabularyError: ``word_index`` is invalid (see `embedhub.embedding_matrix`), or has a word at index 0
            although ``mask_zero`` is true.
        CoverageError: A smaller fraction of the words than ``min_coverage`` was found.
        EmbedhubError: As `embedhub.load`.

    Warns:
        CoverageWarning: Less than 5 % of the words were found.
    """
    check_positive("input_length", input_length)
    if isinstance(trainable, str) and trainable != "missing":
        raise ValueError(f"trainable is {trainable!r}; expected True, False or 'missing'.")
    request = prepare(
        source,
        dim,
        word_index,
        oov=oov,
        seed=seed,
        fallbacks=fallbacks,
        num_words=num_words,
        counts=counts,
        min_coverage=min_coverage,
    )
    vocabulary = request.vocabulary
    if mask_zero:
        vocabulary.check_padding(0, "mask_zero=True")
    # Imported late: Keras imports its backend, and TensorFlow takes 10 s.
    from embedhub.layers._matrix_layer import check_options, embedding_from_matrix, layer_name
    from embedhub.layers._partly_trainable import ALLOWED_OPTIONS, partly_trainable

    for option in layer_options:
        if trainable == "missing" and option not in ALLOWED_OPTIONS:
            raise TypeError(
                f"{option}= cannot be combined with trainable='missing', which takes only "
                f"{', '.join(sorted(ALLOWED_OPTIONS))}."
            )
    check_options(layer_options, trainable=bool(trainable))
    result = build_matrix(request)
    if layer_options.get("name") is None:
        layer_options["name"] = layer_name(request.source.name, request.dim, result.fingerprint)
    indices = np.concatenate([vocabulary.indices, vocabulary.unknown_indices])
    trainable_rows = np.sort(indices[~result.found[indices]])
    if trainable != "missing" or not len(trainable_rows):
        return embedding_from_matrix(
            result.matrix,
            input_length,
            mask_zero=mask_zero,
            trainable=trainable != "missing" and trainable,
            **layer_options,
        )
    return partly_trainable(result.matrix, trainable_rows, input_length, mask_zero=mask_zero, **layer_options)
