"""`Table`, words and vectors in blocks, and `Step`, which makes another table of one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from embedhub.vectors.fallbacks import Fallback

BLOCK = 8192  # words

DoubleBlock = tuple[list[str], NDArray[np.float64]]
"""Words and their vectors, ``(k, dim)`` float64."""


@dataclass(frozen=True)
class Table:
    """Words and their vectors, which are read in blocks as often as needed.

    Args:
        dim: Dimension of the vectors.
        blocks: Returns an iterator of blocks, each time from the first one, in the same order.
        tokenization: Name of the tokenization of the texts that the vectors were trained on.
        fallbacks: Fallbacks of the source for out-of-vocabulary words.
    """

    dim: int
    blocks: Callable[[], Iterator[DoubleBlock]]
    tokenization: str = "words"
    fallbacks: tuple[Fallback, ...] = ()

    def map(self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]], dim: int) -> "Table":
        """Return a table of the same words with other vectors.

        Args:
            function: Takes the vectors of a block, and returns ``(k, dim)`` float64.
            dim: Dimension of the result.
        """
        return replace(
            self, dim=dim, blocks=lambda: ((words, function(rows)) for words, rows in self.blocks())
        )

    def select(self, keep: Callable[[list[str]], NDArray[np.bool_]]) -> "Table":
        """Return a table of some of the words.

        Args:
            keep: Takes the words of a block, and returns whether to keep each.
        """

        def blocks() -> Iterator[DoubleBlock]:
            for words, rows in self.blocks():
                kept = keep(words)
                if kept.any():
                    yield [word for word, is_kept in zip(words, kept, strict=True) if is_kept], rows[kept]

        return replace(self, blocks=blocks)


class Step(ABC):
    """A step of an expression, such as ``pca(100)``: a frozen dataclass, whose fields are the arguments.

    A distribution adds its class to the entry-point group ``embedhub.steps``; the name of the entry point is
    that of the step. The arguments are whole numbers and texts.
    """

    version: ClassVar[int] = 1
    """Increase it whenever the step makes other vectors of the same ones: stores are then built again."""

    selects_words: ClassVar[bool] = False
    """Whether the result may have fewer words."""

    @abstractmethod
    def apply(self, table: Table) -> Table:
        """Return the derived table. It may read ``table.blocks()`` first, once or more often.

        Args:
            table: The table so far.
        """

    def output_dim(self, dim: int) -> int:
        """Return the dimension of the result, or raise ValueError if the step is not possible.

        Args:
            dim: Dimension of the table so far.
        """
        return dim

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the step reads; the vectors are derived again when one of them changes."""
        return ()

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The arguments, as the canonical form of an expression has them."""
        return tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]  # a dataclass
