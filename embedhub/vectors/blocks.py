"""What a store is written from: blocks of words and vectors, and further files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Block = tuple[list[str], NDArray[np.float32]]
"""Some words, and as many rows: ``(k,)`` words, ``(k, dim)`` float32."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A file that a reader adds to the store, among or after its blocks.

    Example:
        >>> extra = Extra("scales.npy", np.ones(3, np.float32), {"what": "a scale for each row"})

    Args:
        name: Name of the file in the folder of the store.
        content: An array, written as ``.npy``, or a file to copy.
        facts: What the manifest says of it.
    """

    name: str
    content: NDArray[Any] | Path
    facts: Mapping[str, Any]


Reader = Callable[..., Iterator[Any]]
"""Reads a file. One of vectors is called with the path, the dim, and the paths of its companion files, and
yields each `Block` and `Extra`; one of a benchmark is called with the path, and yields each pair or
question."""
