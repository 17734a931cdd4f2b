"""What poolings weigh words by: the order of a source's rows, or what was learnt from texts and is on disk.

Learnt weights are a folder ``<cache>/fitted/<source>-<dim>d-<pooling>-<key>/``::

    manifest.json    source, dim, rows, XXH3 of the words; pooling, number of texts, weight of other words
    weights.npy      (n,) float64: the weight of each row of the source
    common.npy       (dim,) float64: for "sif" the common direction of the texts; else (0,)
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from embedhub import _atomic, settings
from embedhub import _cache as cache
from embedhub.errors import EmbedhubError, StoreError, VocabularyError
from embedhub.vectors.vectors import Vectors

SIF_A = 1e-3
"""The ``a`` of "sif" (S. Arora, Y. Liang, T. Ma, ICLR 2017)."""

NOTHING: NDArray[np.float64] = np.empty(0)
"""The direction that is taken out where there is none."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight of each row of a source.

    Args:
        rows: ``(n,)`` float64.
        other: Weight of a word that has no row of its own.
        common: ``(dim,)`` float64, the direction that is taken out of each text; ``(0,)`` for none.
    """

    rows: NDArray[np.float64]
    other: float
    common: NDArray[np.float64]


def by_rank(rows: int) -> Weights:
    """Return the weights of "sif" for a source whose rows stand in the order of their frequency.

    Zipf's law gives the shares of tokens: that of row i is proportional to ``1 / (i + 1)``. A word without a
    row of its own weighs as the last row does.
    """
    ranks = np.arange(1, rows + 1, dtype=np.float64)
    weights = _sif(1 / (ranks * math.fsum(1 / ranks)))
    return Weights(weights, float(weights[-1]), NOTHING)


def by_texts(
    pooling: str, chunks: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]], rows: int
) -> Weights:
    """Return the weights that texts give to the rows of a source.

    For "sif" a row counts as often as its words occur, as a share of all words; for "idf" once for each text
    with one of them. Words without a row of their own count for none, and weigh like one that never occurs.

    Args:
        pooling: "sif" or "idf".
        chunks: For some texts at a time the row of each word, negative or from ``rows`` on for words without
            one of their own, and how many words each text has.
        rows: How many rows the source has.
    """
    counts = np.zeros(rows)
    texts = words = 0
    for index, lengths in chunks:
        own = (index >= 0) & (index < rows)
        counted = index[own]
        if pooling == "idf":
            owners = np.repeat(np.arange(len(lengths)), lengths)[own]
            counted = np.unique(owners * rows + counted) % rows
        counts += np.bincount(counted, minlength=rows)
        texts += len(lengths)
        words += len(index)
    if not counts.any():
        raise VocabularyError(
            f"The source has none of the {words:,} words of the {texts:,} texts to learn from."
        )
    if pooling == "idf":
        weights = np.log((1 + texts) / (1 + counts)) + 1
        return Weights(weights, math.log(1 + texts) + 1, NOTHING)
    return Weights(_sif(counts / words), 1.0, NOTHING)


def _sif(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return SIF_A / (SIF_A + shares)


def common_direction(chunks: Iterable[NDArray[np.float32]], dim: int) -> NDArray[np.float64]:
    """Return the first right singular vector of rows that come in chunks, ``(dim,)`` of length 1."""
    products = np.zeros((dim, dim))
    for chunk in chunks:
        rows = chunk.astype(np.float64)
        products += rows.T @ rows
    direction: NDArray[np.float64] = np.linalg.eigh(products)[1][:, -1]
    return direction


def save(vectors: Vectors, pooling: str, weights: Weights, texts: int, folder: str | Path | None) -> Path:
    """Write learnt weights, and return the folder, whose name says what is in it.

    Args:
        vectors: The source whose rows they weigh.
        pooling: What they are for.
        weights: What was learnt.
        texts: From how many texts.
        folder: Where the folder is made; None for the cache.

    Raises:
        StoreError: The disk refuses the bytes.
    """
    manifest = _identity(vectors, pooling) | {"other": weights.other, "texts": texts}
    content = [weights.rows.tobytes(), weights.common.tobytes(), json.dumps(manifest).encode()]
    name = f"{vectors.name}-{vectors.dim}d-{pooling}-{xxhash.xxh3_64_hexdigest(b''.join(content))}"
    place = (
        settings.cache_folder() / "fitted" if folder is None else Path(folder).expanduser().absolute()
    ) / name
    with cache.lock(name, f"writing {name}"):
        if place.exists():
            return place
        try:
            with _atomic.publish(place) as fresh:
                np.save(fresh / "weights.npy", weights.rows, allow_pickle=False)
                np.save(fresh / "common.npy", weights.common, allow_pickle=False)
                (fresh / "manifest.json").write_text(
                    json.dumps(manifest, indent=2) + "\n", "utf-8", newline="\n"
                )
        except EmbedhubError:
            raise
        except OSError as error:
            raise StoreError(
                f"{place}: the learnt weights could not be written ({error.strerror}); nothing was kept. "
                "Name another folder in fit(texts, folder=...)."
            ) from error
    return place


def open_weights(place: Path, vectors: Vectors, pooling: str) -> Weights:
    """Open learnt weights: at their place, or else in this machine's cache.

    Raises:
        StoreError: They are in neither, or damaged, or belong to other vectors or to another pooling.
    """
    places = (place, settings.cache_folder() / "fitted" / place.name)
    found = next((folder for folder in places if folder.exists()), None)
    if found is None:
        raise StoreError(
            f"{place}: the weights that {pooling!r} has learnt are not here, nor at {places[1]}. Only their "
            "place travels to other machines: name a folder that all see in fit(texts, folder=...), or copy "
            f"the folder {place.name} there."
        )
    try:
        manifest = json.loads((found / "manifest.json").read_text("utf-8"))
        rows = np.load(found / "weights.npy", mmap_mode="r", allow_pickle=False).view(np.ndarray)
        common = np.load(found / "common.npy", allow_pickle=False)
        expected = _identity(vectors, pooling)
        got = {name: manifest[name] for name in expected}
        other = float(manifest["other"])
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{found}: these weights are damaged ({error}). Fit anew.") from error
    if got != expected:
        raise StoreError(f"{found}: these weights were learnt for {got}; expected {expected}. Fit anew.")
    return Weights(rows, other, common)


def _identity(vectors: Vectors, pooling: str) -> dict[str, Any]:
    """Return what the vectors must be for the weights to be theirs: the same words in the same rows."""
    return {
        "source": vectors.name,
        "dim": vectors.dim,
        "rows": len(vectors),
        "words": vectors.manifest["xxh3_128"]["words.utf8"],
        "pooling": pooling,
    }
