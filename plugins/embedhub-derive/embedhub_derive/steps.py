"""The steps of this distribution; each is applied in float64, and only what is stored is rounded."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from embedhub.errors import VocabularyError
from embedhub_derive.moments import mean_of, principal_directions
from embedhub_derive.table import Step, Table


@dataclass(frozen=True)
class Unit(Step):
    """Divide each vector by its Euclidean length: ``v / |v|``; a vector of zeros stays.

    Cosines do not change, and the dot product becomes the cosine (Levy, Goldberg and Dagan 2015, Improving
    Distributional Similarity with Lessons Learned from Word Embeddings). Cost: no pass of its own.
    """

    def apply(self, table: Table) -> Table:
        """Return the table with vectors of length 1."""

        def unit(vectors: np.ndarray) -> np.ndarray:
            lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
            return vectors / np.where(lengths == 0, 1, lengths)[:, np.newaxis]

        return table.map(unit, table.dim)


@dataclass(frozen=True)
class Center(Step):
    """Subtract the mean of all vectors: ``v - m``.

    The mean is not weighted by the frequency of the words (Mu and Viswanath 2018, All-but-the-Top: Simple and
    Effective Postprocessing for Word Representations, step 1). Cost: one pass for the mean.
    """

    def apply(self, table: Table) -> Table:
        """Return the centered table."""
        mean = mean_of(table)
        return table.map(lambda vectors: vectors - mean, table.dim)


@dataclass(frozen=True)
class AllButTheTop(Step):
    """Subtract the mean and the ``k`` most common directions: ``c - (c u1) u1 - ... - (c uk) uk, c = v - m``.

    ``u1, ..., uk`` are the first principal components of the centered vectors (Mu and Viswanath 2018,
    All-but-the-Top: Simple and Effective Postprocessing for Word Representations). Their rule of thumb for
    ``k`` is the dimension divided by 100. Cost: one pass for mean and covariance, ``n dim^2`` products.

    Args:
        k: Number of directions.
    """

    k: int

    def __post_init__(self) -> None:
        _check_positive(self.k, "directions, as in all-but-the-top(3)")

    def output_dim(self, dim: int) -> int:
        """Return the same dimension."""
        if self.k >= dim:
            raise ValueError(f"vectors of dim {dim} have no {self.k} directions to remove; expected fewer")
        return dim

    def apply(self, table: Table) -> Table:
        """Return the table without the common directions."""
        mean, directions = principal_directions(table, self.k, f"all-but-the-top({self.k})")

        def without(vectors: np.ndarray) -> np.ndarray:
            centered = vectors - mean
            return centered - (centered @ directions) @ directions.T

        return table.map(without, table.dim)


@dataclass(frozen=True)
class Pca(Step):
    """Project the centered vectors onto their first ``dim`` principal components: ``((v - m) u1, ...)``.

    Raunak, Gupta and Metze 2019, Effective Dimensionality Reduction for Word Embeddings, have
    ``all-but-the-top(7) | pca(dim) | all-but-the-top(7)``. Cost: one pass for mean and covariance,
    ``n d^2`` products for vectors of dimension ``d``, and ``n d dim`` for the projection.

    Args:
        dim: Dimension of the result.
    """

    dim: int

    def __post_init__(self) -> None:
        _check_positive(self.dim, "dimensions, as in pca(100)")

    def output_dim(self, dim: int) -> int:
        """Return the dimension of the result."""
        return _smaller(self.dim, dim)

    def apply(self, table: Table) -> Table:
        """Return the projected table."""
        mean, directions = principal_directions(table, self.dim, f"pca({self.dim})")
        return table.map(lambda vectors: (vectors - mean) @ directions, self.dim)


@dataclass(frozen=True)
class Truncate(Step):
    """Keep the first ``dim`` numbers of each vector: ``(v1, ..., vdim)``.

    For vectors that were trained for that, so that their first numbers matter most (Kusupati et al. 2022,
    Matryoshka Representation Learning), and for the result of ``pca``. Cost: no pass of its own.

    Args:
        dim: Dimension of the result.
    """

    dim: int

    def __post_init__(self) -> None:
        _check_positive(self.dim, "dimensions, as in truncate(128)")

    def output_dim(self, dim: int) -> int:
        """Return the dimension of the result."""
        return _smaller(self.dim, dim)

    def apply(self, table: Table) -> Table:
        """Return the truncated table."""
        return table.map(lambda vectors: vectors[:, : self.dim], self.dim)


@dataclass(frozen=True)
class _WordsOfFile(Step):
    """Keep the words of a file, and those that the fallbacks of the source look up in place of them.

    Args:
        file: Path of the file.
    """

    kind: ClassVar[Literal["text", "vocabulary"]]
    selects_words: ClassVar[bool] = True

    file: str

    def __post_init__(self) -> None:
        # A store is found again from each folder.
        object.__setattr__(self, "file", Path(str(self.file)).expanduser().absolute().as_posix())

    @property
    def files(self) -> tuple[Path, ...]:
        """The file."""
        return (Path(self.file),)

    def apply(self, table: Table) -> Table:
        """Return the table of these words, in their order there."""
        from embedhub.matrix.word_counts import read_counts
        from embedhub.vectors.fallbacks import alternatives

        counts = read_counts(self.file, kind=self.kind, tokenize=table.tokenization)
        wanted = alternatives(counts, table.fallbacks)
        selected = table.select(
            lambda words: np.fromiter((word in wanted for word in words), bool, len(words))
        )
        if next(selected.blocks(), None) is None:
            raise VocabularyError(f"{self.file}: the vectors have none of its {len(counts):,} words.")
        return selected


class Words(_WordsOfFile):
    """Keep the words of a vocabulary, a file with one word per line, in the order of the source.

    The file may have a count after each word, or be a JSON list. A word that the source has only in another
    spelling is kept in that one, if the fallbacks of the source find it. Cost: no pass of its own; memory
    grows with the words of the file.

    Args:
        file: Path of the file.
    """

    kind = "vocabulary"


class Text(_WordsOfFile):
    """Keep the words of a text, which is tokenized as the source states, in the order of the source.

    A word that the source has only in another spelling is kept in that one, if the fallbacks of the source
    find it. Cost: one pass over the text; memory grows with its different words.

    Args:
        file: Path of the file.
    """

    kind = "text"


def _check_positive(number: object, what: str) -> None:
    if type(number) is not int or number < 1:
        raise ValueError(f"expected a positive number of {what}, got {number}")


def _smaller(wanted: int, dim: int) -> int:
    if wanted > dim:
        raise ValueError(f"vectors of dim {dim} have no {wanted} dimensions; expected at most {dim}")
    return wanted
