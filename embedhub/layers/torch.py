"""A layer for PyTorch itself, without Keras. The only module that imports torch."""

from typing import TYPE_CHECKING, Any

from embedhub.errors import missing_dependency
from embedhub.matrix.embedding_matrix import embedding_matrix
from embedhub.matrix.word_index import read
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
    """Return a PyTorch Embedding layer that holds the source's rows for a vocabulary.

    It is a stock ``torch.nn.Embedding`` on the CPU, in float32; its weights are the only copy of the rows.

    Example:
        >>> import embedhub, torch
        >>> layer = embedhub.torch_embedding("wordnet-ppmi", 50, {"music": 1, "rain": 2}, padding_idx=0)
        >>> layer(torch.tensor([[2, 1, 0]])).shape
        torch.Size([1, 3, 50])

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        word_index: The vocabulary, as in `embedhub.embedding_matrix`.
        num_words: Only words with an index below it are taken.
        trainable: Whether the rows change in training; it is ``requires_grad`` of the weights.
        padding_idx: Index of padding, whose row never changes. No word may have it.
        **matrix_options: Any option of `embedhub.embedding_matrix`.

    Returns:
        The layer, with ``largest index + 1`` rows; padding, and rows that no word has, are zeros.

    Raises:
        DependencyError: PyTorch is not installed.
        ValueError: ``padding_idx`` is no row.
        VocabularyError: The vocabulary cannot be turned into rows, or a word has the index of padding.
        EmbedhubError: What `embedhub.load` raises.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise missing_dependency("torch_embedding", "PyTorch", "torch") from error
    vocabulary = read(word_index, num_words)
    if padding_idx is not None:
        if not 0 <= padding_idx < vocabulary.rows:
            raise ValueError(f"padding_idx is {padding_idx}; expected a row, 0 to {vocabulary.rows - 1}.")
        vocabulary.refuse_word_at(padding_idx, f"padding_idx={padding_idx}")
    matrix = embedding_matrix(source, dim, vocabulary, **matrix_options).matrix
    # On the device "meta" it has no values, so that none are drawn at random for nothing.
    rows, width = matrix.shape
    layer = torch.nn.Embedding(rows, width, padding_idx=padding_idx, device="meta")
    layer.weight = torch.nn.Parameter(torch.from_numpy(matrix), requires_grad=trainable)
    return layer
