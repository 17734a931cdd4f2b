"""`ComputedSource`: vectors from a function, computed once and stored."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import Block, ComputedSource, ExtraFile
from embedhub.errors import DimNotFoundError, FormatError
from embedhub.registry.catalog import describe
from embedhub.registry.inventory import list_stores, repair, verify

calls: list[int] = []


def compute(dim: int) -> Iterator[Block | ExtraFile]:
    """Yield two blocks, and a file."""
    calls.append(dim)
    yield Block(["a", "b"], np.arange(2 * dim, dtype=np.float32).reshape(2, dim))
    yield ExtraFile("scale.npy", np.ones(dim, np.float32), {"factor": 1})
    yield Block(["c"], np.full((1, dim), 9, np.float32))


def compute_wrong(dim: int) -> Iterator[Block]:
    """Yield vectors of another width, after some that are right."""
    yield Block(["a"], np.ones((1, dim), np.float32))
    yield Block(["b"], np.ones((1, dim + 1), np.float32))


def computed(**changes: Any) -> ComputedSource:
    """Return a source."""
    arguments: dict[str, Any] = {
        "name": "letters",
        "dims": (4, 2),
        "version": 1,
        "compute": compute,
        "description": "Letters",
        "language": "und",
        "cased": False,
        "license": "CC0-1.0",
        "citation": "Me (2026)",
        "homepage": "https://example.org",
    }
    return ComputedSource(**(arguments | changes))


@pytest.fixture(autouse=True)
def _no_calls(cache: Path) -> None:
    calls.clear()


def test_vectors_are_computed_once() -> None:
    """The second use opens the store; blocks and extra files are all in it."""
    source = computed()
    assert source.dims == (2, 4)
    vectors = source.vectors(2)
    assert list(vectors) == ["a", "b", "c"]
    assert vectors.matrix.tolist() == [[0, 1], [2, 3], [9, 9]]
    assert vectors.files["scale.npy"].exists()
    assert source.vectors(2).matrix.tolist() == vectors.matrix.tolist()
    assert calls == [2]


def test_new_version_is_computed_again() -> None:
    """A corrected function reaches everybody, since its version is part of the cache key."""
    computed().vectors(2)
    computed(version=2).vectors(2)
    computed(version="2b").vectors(2)
    assert calls == [2, 2, 2]
    assert len(list_stores("letters", 2)) == 3


def test_fetch_returns_no_file() -> None:
    """There is nothing to download and no path; an absent dimension is an error as for every source."""
    source = computed()
    source.fetch(2)
    assert source.download_size(2) == 0
    for method in (source.fetch, source.vectors):
        with pytest.raises(DimNotFoundError, match="its dims are 2, 4"):
            method(3)
    assert not calls


def test_wrong_blocks_publish_nothing(cache: Path) -> None:
    """A block of another width is an error that names the source, and there is no store."""
    with pytest.raises(FormatError, match="letters 2d"):
        computed(compute=compute_wrong).vectors(2)
    assert not list(cache.glob("vectors/*/*d-*"))


def test_source_is_a_value() -> None:
    """Equal sources have equal hashes, and a pickled one opens the same store."""
    source = computed()
    assert source == computed()
    assert source != computed(version=2)
    assert len({source, computed(), computed(version=2)}) == 2
    assert pickle.loads(pickle.dumps(source)) == source  # noqa: S301 - our own bytes
    assert replace(source, name="others").name == "others"
    vectors = pickle.loads(pickle.dumps(source.vectors(2)))  # noqa: S301 - our own bytes
    assert list(vectors) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dims": ()}, "dims is"),
        ({"dims": (0,)}, "expected positive ints"),
        ({"dims": ("2",)}, "expected positive ints"),
        ({"compute": [1]}, "compute is"),
        ({"unit": "piece"}, "expected 'word' or 'token'"),
    ],
)
def test_invalid_arguments_are_refused(changes: dict[str, Any], message: str) -> None:
    """A wrong argument is an error when the source is made."""
    with pytest.raises((TypeError, ValueError), match=message):
        computed(**changes)


def test_layer_listing_and_cache_work_as_for_files() -> None:
    """A layer, the catalog and the inventory treat a computed source like any other."""
    source = computed(name="letters-registered")
    embedhub.register(source)
    matrix = embedhub.embedding_matrix("letters-registered", 2, {"b": 1}).matrix
    assert matrix.tolist() == [[0, 0], [2, 3]]
    assert describe("letters-registered")["dims"][0]["store"] is not None
    (store,) = list_stores("letters-registered")
    assert store.state() == "current"
    (store.folder / "matrix.npy").write_bytes(b"damaged")
    damages = verify([store])[store]
    repair(store, damages)
    assert embedhub.load("letters-registered", 2)["b"].tolist() == [2, 3]
