"""Fixtures: a cache of their own, and small sources with words in common."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import Block, ComputedSource

RNG = np.random.default_rng(1)
WORDS = {
    "rivers": [f"river{number}" for number in range(700)],
    "hills": [f"river{number}" for number in range(500, 1200)],
}
MATRICES = {
    name: (RNG.normal(size=(700, dim)) @ RNG.normal(size=(dim, dim)) + 3).astype(np.float32)
    for name, dim in (("rivers", 12), ("hills", 5))
}


def compute(name: str, dim: int) -> Iterator[Block]:
    """Yield the vectors of a source in several blocks."""
    for start in range(0, 700, 300):
        rows = slice(start, start + 300)
        yield Block(WORDS[name][rows], MATRICES[name][rows, :dim])


def compute_rivers(dim: int) -> Iterator[Block]:
    """Yield the vectors of rivers."""
    return compute("rivers", dim)


def compute_hills(dim: int) -> Iterator[Block]:
    """Yield the vectors of hills."""
    return compute("hills", dim)


def source(name: str, dim: int, function: Callable[[int], Iterator[Block]], **more: Any) -> ComputedSource:
    """Return a source of vectors in memory."""
    about: dict[str, Any] = {"language": "en", "cased": False, "license": "CC0-1.0"}
    about |= dict.fromkeys(("description", "citation", "homepage"), name)
    return ComputedSource(name=name, dims=(dim,), version=1, compute=function, **(about | more))


@pytest.fixture(autouse=True)
def _sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test an empty cache, and register the sources."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "0")
    embedhub.register(source("rivers", 12, compute_rivers, vocab_size=700, fallbacks=("lower",)))
    embedhub.register(source("hills", 5, compute_hills, license="MIT OR CC0-1.0", language="de"))


@pytest.fixture
def rivers() -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the vectors of rivers in float64, as a formula takes them."""
    return MATRICES["rivers"].astype(np.float64)
