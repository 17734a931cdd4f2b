"""Input of a store: blocks of words and vectors, and further files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Block = tuple[list[str], NDArray[np.float32]]
"""Words and their vectors, in the order of the file: ``k`` words, ``(k, dim)`` float32."""


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
