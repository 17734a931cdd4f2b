"""Sources whose vectors are computed by a function."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from embedhub.download.remote_file import Fetched
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.blocks import Block, ExtraFile


@dataclass(frozen=True, kw_only=True)
class ComputedSource(EmbeddingSource):
    """A named set of word vectors that a function computes on first use.

    Example:
        >>> import numpy as np
        >>> def letters(dim):
        ...     words = list("abcdefgh")
        ...     yield Block(words, np.eye(len(words), dim, dtype=np.float32))
        >>> source = ComputedSource(
        ...     name="letters",
        ...     dims=(4, 8),
        ...     version=1,
        ...     compute=letters,
        ...     description="A one-hot vector for each letter",
        ...     language="und",
        ...     cased=False,
        ...     license="CC0-1.0",
        ...     citation="Me (2026)",
        ...     homepage="https://example.org",
        ... )
        >>> source.vectors(4)["b"].tolist()
        [0.0, 1.0, 0.0, 0.0]

    Args:
        name: Name of the source; this and all arguments but the last three are as in `EmbeddingSource`.
        description: Description in one line.
        language: BCP 47 code.
        cased: Whether ``The`` and ``the`` are different words in it.
        vocab_size: Number of words; None if unknown.
        license: SPDX expression, or the name of the license.
        citation: Citation in one line.
        bibtex: Citation in BibTeX.
        homepage: URL with more information.
        unit: Unit of the vocabulary, ``"word"`` or ``"token"``.
        frequent_first: Whether the words are sorted by frequency, most frequent first.
        tokenization: Tokenization of the training texts; None if unknown.
        fallbacks: Default fallbacks for out-of-vocabulary words.
        dims: The available dimensions.
        version: Version of the vectors. Change it whenever ``compute`` yields other vectors: stores are then
            rebuilt.
        compute: Function that takes a dimension and yields blocks. It must be defined in a module, so that
            the source can be pickled, and should import large packages itself.

    Raises:
        ValueError: ``dims`` is empty or contains something other than positive integers; or as for
            `EmbeddingSource`.
        TypeError: ``compute`` is not a function.
    """

    dims: tuple[int, ...] = ()  # without a value, the property of the base class would remain abstract
    version: int | str
    compute: Callable[[int], Iterable[Block | ExtraFile]]

    def __post_init__(self) -> None:
        super().__post_init__()
        dims = tuple(sorted(set(self.dims)))
        if not dims or not all(type(dim) is int and dim > 0 for dim in dims):
            raise ValueError(f"{self.name}: dims is {self.dims!r}; expected positive ints in a tuple.")
        object.__setattr__(self, "dims", dims)
        if not callable(self.compute):
            raise TypeError(
                f"{self.name}: compute is {self.compute!r}; expected a function that takes a dimension "
                "and yields blocks."
            )

    def cache_key(self, dim: int) -> str:  # noqa: ARG002 - the interface's argument
        """Identify the vectors by the version of the function.

        Example:
            >>> about = dict.fromkeys(("description", "language", "license", "citation", "homepage"), "")
            >>> def compute(dim):
            ...     yield ["rain"], np.ones((1, dim), np.float32)
            >>> source = ComputedSource(
            ...     name="ones", dims=(4,), version=1, compute=compute, cased=False, **about
            ... )
            >>> source.cache_key(4)
            'computed, version 1'

        Args:
            dim: One of `dims`.
        """
        return f"computed, version {self.version}"

    def fetch(self, dim: int) -> None:
        """Return None: a computed source does not have a file.

        Example:
            >>> about = dict.fromkeys(("description", "language", "license", "citation", "homepage"), "")
            >>> def compute(dim):
            ...     yield ["rain"], np.ones((1, dim), np.float32)
            >>> source = ComputedSource(
            ...     name="ones", dims=(4,), version=1, compute=compute, cased=False, **about
            ... )
            >>> source.fetch(4) is None
            True

        Args:
            dim: One of `dims`.

        Raises:
            DimNotFoundError: The source does not have this dimension.
        """
        self.check_dim(dim)

    def parse(self, fetched: Fetched | None, dim: int) -> Iterator[Block | ExtraFile]:  # noqa: ARG002 - no file
        """Return the blocks that the function yields.

        Example:
            >>> import numpy as np
            >>> about = dict.fromkeys(("description", "language", "license", "citation", "homepage"), "")
            >>> def compute(dim):
            ...     yield ["rain"], np.ones((1, dim), np.float32)
            >>> source = ComputedSource(
            ...     name="ones", dims=(4,), version=1, compute=compute, cased=False, **about
            ... )
            >>> next(source.parse(None, 4))[0]
            ['rain']

        Args:
            fetched: None.
            dim: Dimension of the vectors.
        """
        # Mostly a generator, so an iterator; of anything else the error is that of the store.
        return cast("Iterator[Block | ExtraFile]", self.compute(dim))
