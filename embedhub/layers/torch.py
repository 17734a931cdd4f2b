"""PyTorch Embedding layers, without Keras."""

from __future__ import annotations  # so that help() shows types by their names

import operator
from typing import TYPE_CHECKING, Any, overload

from embedhub.errors import missing_dependency
from embedhub.matrix.arguments import checked
from embedhub.matrix.embedding_matrix import build_matrix, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    import torch

    from embedhub.matrix.oov import OOVPolicy
    from embedhub.matrix.options import MatrixOptions
    from embedhub.matrix.word_index import Vocabulary
    from embedhub.registry.loading import Source
    from embedhub.vectors.fallbacks import Fallback


@overload
def torch_embedding(
    source: Source,
    dim: int | None,
    word_index: Vocabulary,
    *,
    trainable: bool = False,
    padding_idx: int | None = None,
    **options: Unpack[MatrixOptions],
) -> torch.nn.Embedding: ...
@overload
def torch_embedding(
    source: Source,
    word_index: Vocabulary,
    *,
    trainable: bool = False,
    padding_idx: int | None = None,
    **options: Unpack[MatrixOptions],
) -> torch.nn.Embedding: ...
@checked
def torch_embedding(
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
    trainable: bool = False,
    padding_idx: int | None = None,
) -> torch.nn.Embedding:
    """Return a PyTorch Embedding layer with the source's vectors of a vocabulary.

    The layer is a stock ``torch.nn.Embedding`` on the CPU, in float32. Its weights are the only copy of the
    matrix.

    Example:
        >>> import embedhub, torch
        >>> layer = embedhub.torch_embedding("wordnet-ppmi", 50, {"music": 1, "rain": 2}, padding_idx=0)
        >>> layer(torch.tensor([[2, 1, 0]])).shape
        torch.Size([1, 3, 50])

    Args:
        source: A name, a path, an `EmbeddingSource` or `Vectors`; see `embedhub.load`.
        dim: Dimension; optional if the source has only one. Left out after a source that has it, as in
            ``torch_embedding("glove-6b:50", word_index)``, with all options by name.
        word_index: The vocabulary, as in `embedhub.embedding_matrix`.
        oov: The policy for missing words; this and the options after it are as in
            `embedhub.embedding_matrix`.
        seed: Random seed of ``"normal"``.
        fallbacks: Other words to look up for a missing word; None means the source's default.
        num_words: Only words with an index below it are used.
        counts: How often each word occurs.
        min_coverage: Raise an error if a smaller fraction of the words is found.
        trainable: Whether the vectors are trained: ``requires_grad`` of the weights.
        padding_idx: Index of padding, whose row is never trained. It must not be the index of a word.

    Returns:
        The layer, with ``largest index + 1`` rows. Padding and indices without a word are zeros. Its
        attribute ``fingerprint`` is that of the vectors; ``torch.save`` of the layer keeps it, a
        ``state_dict`` does not.

    Raises:
        DependencyError: PyTorch is not installed.
        ValueError: ``padding_idx`` is not an index of the layer, ``trainable`` is ``"missing"``, or another
            option is invalid; see `embedhub.embedding_matrix`.
        VocabularyError: ``word_index`` is invalid (see `embedhub.embedding_matrix`), or has a word at
            ``padding_idx``.
        EmbedhubError: As `embedhub.embedding_matrix`.
    """
    if trainable not in {True, False}:
        raise ValueError(
            f"trainable is {trainable!r}; expected True or False. Only embedhub.keras_embedding trains the "
            "vectors of missing words alone."
        )
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
    if padding_idx is not None:
        rows = request.vocabulary.rows
        if not 0 <= operator.index(padding_idx) < rows:
            raise ValueError(f"padding_idx is {padding_idx}; expected an index, 0 to {rows - 1}.")
        request.vocabulary.check_padding(padding_idx, f"padding_idx={padding_idx}")
    try:
        import torch
    except ModuleNotFoundError as error:
        raise missing_dependency("torch_embedding", "PyTorch", "embedhub[torch]") from error
    result = build_matrix(request)
    matrix = torch.from_numpy(result.matrix)
    from_pretrained: Any = torch.nn.Embedding.from_pretrained  # PyTorch does not annotate it
    layer = from_pretrained(matrix, freeze=not trainable, padding_idx=padding_idx)
    layer.fingerprint = result.fingerprint
    embedding: torch.nn.Embedding = layer
    return embedding
