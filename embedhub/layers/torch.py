"""PyTorch Embedding layers, without Keras. The only module that imports torch."""

from typing import TYPE_CHECKING, Any

from embedhub.errors import missing_dependency
from embedhub.matrix.embedding_matrix import embedding_matrix
from embedhub.matrix.word_index import parse_vocabulary
from embedhub.registry.registry import Source

if TYPE_CHECKING:
    import torch


def torch_embedding(
    source: Source,
    dim: int | None,
    word_index: Any,
    *,
    num_words: int | None = None,
    trainable: bool = False,
    padding_idx: int | None = None,
    **matrix_options: Any,
) -> "torch.nn.Embedding":
    """Return a PyTorch Embedding layer with the source's vectors of a vocabulary.

    It is a stock ``torch.nn.Embedding`` on the CPU, in float32. Its weights are the only copy of the matrix.

    Example:
        >>> import embedhub, torch
        >>> layer = embedhub.torch_embedding("wordnet-ppmi", 50, {"music": 1, "rain": 2}, padding_idx=0)
        >>> layer(torch.tensor([[2, 1, 0]])).shape
        torch.Size([1, 3, 50])

    Args:
        source: A name, a path, an `EmbeddingSource` or `Vectors`; see `embedhub.load`.
        dim: Dimension; optional if the source has only one.
        word_index: The vocabulary, as in `embedhub.embedding_matrix`.
        num_words: Only words with an index below it are used.
        trainable: Whether the vectors are trained: ``requires_grad`` of the weights.
        padding_idx: Index of padding, whose row is never trained. It must not be the index of a word.
        **matrix_options: Other options of `embedhub.embedding_matrix`.

    Returns:
        The layer, with ``largest index + 1`` rows. Padding and indices without a word are zeros.

    Raises:
        DependencyError: PyTorch is not installed.
        ValueError: ``padding_idx`` is not an index of the layer, or an option is one that
            `embedhub.embedding_matrix` refuses.
        VocabularyError: ``word_index`` is one that `embedhub.embedding_matrix` refuses, or has a word at
            ``padding_idx``.
        EmbedhubError: As `embedhub.embedding_matrix`.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise missing_dependency("torch_embedding", "PyTorch", "embedhub[torch]") from error
    vocabulary = parse_vocabulary(word_index, num_words)
    if padding_idx is not None:
        if not 0 <= padding_idx < vocabulary.rows:
            raise ValueError(f"padding_idx is {padding_idx}; expected an index, 0 to {vocabulary.rows - 1}.")
        vocabulary.check_padding(padding_idx, f"padding_idx={padding_idx}")
    matrix = embedding_matrix(source, dim, vocabulary, **matrix_options).matrix
    # On the device "meta" no random weights are drawn, which would be replaced at once.
    rows, width = matrix.shape
    layer = torch.nn.Embedding(rows, width, padding_idx=padding_idx, device="meta")
    layer.weight = torch.nn.Parameter(torch.from_numpy(matrix), requires_grad=trainable)
    return layer
