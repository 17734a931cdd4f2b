"""Initializers for any layer of Keras that has a table with a row for each index."""

from __future__ import annotations  # so that help() shows types by their names, and Keras is imported late

from typing import TYPE_CHECKING, overload

from embedhub.matrix.arguments import checked
from embedhub.matrix.embedding_matrix import build_matrix, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    import keras

    from embedhub.matrix.oov import OOVPolicy
    from embedhub.matrix.options import MatrixOptions
    from embedhub.matrix.word_index import Vocabulary
    from embedhub.registry.loading import Source
    from embedhub.vectors.fallbacks import Fallback


@overload
def initializer(
    source: Source, dim: int | None, word_index: Vocabulary, **options: Unpack[MatrixOptions]
) -> keras.initializers.Initializer: ...
@overload
def initializer(
    source: Source, word_index: Vocabulary, **options: Unpack[MatrixOptions]
) -> keras.initializers.Initializer: ...
@checked
def initializer(
    source: Source,
    dim: int | None,
    word_index: Vocabulary,
    *,
    oov: OOVPolicy = "zeros",
    seed: int = 0,
    fallbacks: Iterable[Fallback] | None = None,
    num_words: int | None = None,
    counts: Mapping[str, int] | None = None,
    min_coverage: float | None = None,
) -> keras.initializers.Initializer:
    """Return a Keras initializer that fills a table with the source's vectors of a vocabulary.

    It is for layers other than the one of `embedhub.keras_embedding`, such as
    ``keras.layers.ReversibleEmbedding``, whose output layer is tied to its table. The config of a saved layer
    does not contain the vectors, which are its weights, and a saved model loads without embedhub. A clone has
    no vectors, only very large numbers, until it gets the weights.

    Example:
        >>> import embedhub, keras
        >>> table = embedhub.initializer("wordnet-ppmi", 50, {"music": 1, "rain": 2})
        >>> table.shape
        (3, 50)
        >>> layer = keras.layers.ReversibleEmbedding(*table.shape, embeddings_initializer=table)
        >>> layer(keras.ops.array([[1, 2]])).shape
        TensorShape([1, 2, 50])

    Args:
        source: A name, a path, an `EmbeddingSource` or `Vectors`; see `embedhub.load`.
        dim: Dimension; optional if the source has only one. Left out after a source that has it, as in
            ``initializer("glove-6b:50", word_index)``, with all options by name.
        word_index: The vocabulary, as in `embedhub.embedding_matrix`, which also describes the options.
        oov: The policy for missing words.
        seed: Random seed of ``"normal"``.
        fallbacks: Other words to look up for a missing word; None means the source's default.
        num_words: Only words with an index below it are used.
        counts: How often each word occurs.
        min_coverage: Raise an error if a smaller fraction of the words is found.

    Returns:
        The initializer. Its attribute ``shape`` is ``(largest index + 1, dim)``, the only shape that it
        fills: ``input_dim`` and ``output_dim`` of the layer.

    Raises:
        EmbedhubError, ValueError, TypeError: As `embedhub.embedding_matrix`.

    Warns:
        CoverageWarning: Less than 5 % of the words were found.
    """
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
    # Imported late: Keras imports its backend, and TensorFlow takes 10 s.
    from embedhub.layers._matrix_layer import MatrixInitializer

    return MatrixInitializer(build_matrix(request).matrix)
