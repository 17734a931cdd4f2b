"""Input of a store: blocks of words and vectors, further files, and the formats that they are read from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Block(NamedTuple):
    """Some words and their vectors, in the order of the file. A plain tuple of the two serves as well.

    Example:
        >>> block = Block(["rain", "storm"], np.zeros((2, 3), np.float32))

    Args:
        words: ``k`` words.
        vectors: ``(k, dim)`` float32; vector ``i`` is that of word ``i``.
    """

    words: list[str]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """A file that a reader adds to the store, among or after its blocks.

    Example:
        >>> file = ExtraFile("scales.npy", np.ones(3, np.float32), {"meaning": "a factor for each vector"})

    Args:
        name: Name of the file in the folder of the store.
        content: An array, written as ``.npy``, or a file to copy.
        metadata: What the manifest records about it.
    """

    name: str
    content: NDArray[Any] | Path
    metadata: Mapping[str, Any]


Reader = Callable[..., Iterator[Block | ExtraFile]]
"""Reads a file of vectors: called with the path, the dimension, and the paths of its companion files, it
yields each `Block` and `ExtraFile`."""


class Detected(NamedTuple):
    """What the recognition of a format found out about a file.

    Example:
        >>> Detected(dim=300)
        Detected(dim=300, companions=())

    Args:
        dim: Dimension of the vectors.
        companions: Further files that the reader needs, in the order of its arguments.
    """

    dim: int
    companions: tuple[Path, ...] = ()


class Composer(Protocol):
    """Makes vectors for words that a source does not have."""

    def compose(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector for each word.

        Args:
            words: ``k`` words, each out of vocabulary.

        Returns:
            ``(k, dim)`` float32; zeros for a word without a vector.
        """


ComposerOpener = Callable[[Mapping[str, Path], Mapping[str, Mapping[str, Any]]], Composer | None]
"""Makes a `Composer` of the further files of a store: it takes their paths by name, and the metadata of each
by name, and returns None if they are not those of a composer."""


@dataclass(frozen=True)
class Format:
    r"""A file format: how to read it, and how to recognize it.

    Example:
        >>> def read(path, dim):
        ...     yield ["rain"], np.zeros((1, dim), np.float32)
        >>> def detect(start, path):
        ...     return Detected(dim=start[4]) if start[:4] == b"BRED" and start[4:5] > bytes(1) else None
        >>> Format("bread", read, detect=detect).version
        1

    Args:
        name: Its name, as the tables of sources have it.
        read: Yields the blocks of a file. It takes the path, the dimension, and the paths of companion files.
        version: Increase it whenever the reader yields other vectors from the same bytes than before: all
            stores that the earlier one wrote are then built again.
        detect: Recognizes a user's own file: it takes the first bytes of the file, decompressed and at most
            1 MiB, and its path; it returns a `Detected`, or None for a file of another format. Without it the
            format is only for sources that name it.
        composer: Opens the `Composer` of a store, which makes vectors for words that it does not have, from
            the further files (`ExtraFile`) that the reader yielded: it takes their paths by name, and the
            metadata of each by name.
    """

    name: str
    read: Reader
    version: int = field(default=1, kw_only=True)
    detect: Callable[[bytes, Path], Detected | None] | None = field(default=None, kw_only=True)
    composer: ComposerOpener | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"name is {self.name!r}; expected the name of a format.")
        if not callable(self.read):
            raise TypeError(
                f"The format {self.name!r} has the reader {self.read!r}; expected a function that takes a "
                "path and a dimension, and yields blocks."
            )
        if type(self.version) is not int or self.version < 1:
            raise ValueError(
                f"The format {self.name!r} has the version {self.version!r}; expected 1 or a larger int."
            )
