"""Blocks of words and vectors, extra files, and the file formats that they are read from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Block(NamedTuple):
    """Words and their vectors, in the order of the file. A plain ``(words, vectors)`` tuple works as well.

    Example:
        >>> block = Block(["rain", "storm"], np.zeros((2, 3), np.float32))

    Args:
        words: ``k`` words.
        vectors: ``(k, dim)`` float32; vector ``i`` belongs to word ``i``.
    """

    words: list[str]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """An additional file for the store, which a reader yields among or after its blocks.

    Example:
        >>> file = ExtraFile("scales.npy", np.ones(3, np.float32), {"meaning": "a factor for each vector"})

    Args:
        name: Name of the file in the folder of the store.
        content: An array, written as ``.npy``, or a file to copy.
        metadata: Metadata of the file, recorded in the manifest.
    """

    name: str
    content: NDArray[Any] | Path
    metadata: Mapping[str, Any]


Reader = Callable[..., Iterator[Block | ExtraFile]]
"""A function that reads a file of vectors. It takes the path, the dimension and the paths of companion files,
and yields `Block` and `ExtraFile` objects."""


class Detected(NamedTuple):
    """The result of recognizing a file: its dimension and its companion files.

    Example:
        >>> Detected(dim=300)
        Detected(dim=300, companions=())

    Args:
        dim: Dimension of the vectors.
        companions: Paths of other files that the reader needs, in the order of its arguments.
    """

    dim: int
    companions: tuple[Path, ...] = ()


class Composer(Protocol):
    """Composes vectors for out-of-vocabulary words."""

    def compose(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector for each word.

        Args:
            words: ``k`` words, each out of vocabulary.

        Returns:
            ``(k, dim)`` float32; zeros for a word without a vector.
        """


ComposerOpener = Callable[[Mapping[str, Path], Mapping[str, Mapping[str, Any]]], Composer | None]
"""A function that opens the `Composer` of a store. It takes the paths and the metadata of the store's extra
files, both by name, and returns None if they do not belong to a composer."""


@dataclass(frozen=True)
class Format:
    r"""A file format: its reader, and optionally how files of it are recognized.

    Example:
        >>> def read(path, dim):
        ...     yield ["rain"], np.zeros((1, dim), np.float32)
        >>> def detect(start, path):
        ...     return Detected(dim=start[4]) if start[:4] == b"BRED" and start[4:5] > bytes(1) else None
        >>> Format("bread", read, detect=detect).version
        1

    Args:
        name: Name of the format, as used in TOML tables of sources.
        read: Function that yields the blocks of a file. It takes the path, the dimension, and the paths of
            companion files.
        version: Version of the reader. Increase it whenever the reader yields different vectors from the same
            bytes: stores built by an earlier version are then rebuilt.
        detect: Function that recognizes a user's own file. It takes the first bytes of the file, decompressed
            and at most 1 MiB, and its path; it returns a `Detected`, or None for a file of another format.
            Without it, the format is used only by sources that name it.
        composer: Function that opens the `Composer` of a store, which composes vectors for out-of-vocabulary
            words, from the extra files (`ExtraFile`) that the reader yielded. It takes their paths by name,
            and the metadata of each by name.
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
