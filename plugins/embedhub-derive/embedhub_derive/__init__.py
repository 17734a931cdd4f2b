"""Vectors derived from others, for embedhub: ``"glove-6b:300 | all-but-the-top(3) | pca(100) | unit"``."""

from typing import TYPE_CHECKING

from embedhub_derive.table import Step, Table

if TYPE_CHECKING:
    from embedhub import EmbeddingSource

__all__ = ["Step", "Table", "open_derived"]


def open_derived(location: str, dim: int | None = None) -> "EmbeddingSource":
    """Return the source of an expression.

    embedhub calls this function. Nothing is downloaded or computed before the vectors are opened.

    Example::

        embedhub.load("glove-6b:300 + wordnet-ppmi:100 | unit")

    Args:
        location: The canonical form of the expression.
        dim: The dimension that the caller asks for; the source has only that of the expression.

    Raises:
        SourceNotFoundError: There is no such source or step, or a step does not take these arguments.
        DimNotFoundError: A source has several dimensions, and none is named.
        VocabularyError: A step or a sum is not possible for such vectors.
    """
    del dim
    from embedhub_derive.source import open_expression

    return open_expression(location)
