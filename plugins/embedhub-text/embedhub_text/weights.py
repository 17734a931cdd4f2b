"""Word weights for pooling: by frequency rank, or fitted to texts and stored on disk.

Fitted weights are a folder ``<cache>/weights/<source>-<dim>d-<pooling>-<key>/``::

    manifest.json           source, dim, words with their XXH3; pooling, number of texts, default weight
    weights.npy             (n,) float64: the weight of each word of the source
    common_component.npy    (dim,) float64: the common component of the texts; only for "sif"
"""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub import _atomic, settings
from embedhub import _cache as cache
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._warn import warn_or_log
from embedhub.errors import EmbedhubError, StoreError, StoreWarning, VocabularyError
from embedhub.vectors.vectors import Vectors
from embedhub_text.word_cache import TextWords

SIF_A = 1e-3
"""The ``a`` of "sif" (S. Arora, Y. Liang, T. Ma, ICLR 2017)."""


@dataclass(frozen=True, slots=True)
class WordWeights:
    """The weight of each word of a source.

    Args:
        weights: ``(n,)`` float64.
        default_weight: Weight of words that are not in the source.
        common_component: ``(dim,)`` float64, the direction that is removed from each text; None for none.
    """

    weights: NDArray[np.float64]
    default_weight: float
    common_component: NDArray[np.float64] | None = None

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weights of words by row; rows are negative for words that are not in the source."""
        return np.where(rows < 0, self.default_weight, np.take(self.weights, rows, mode="clip"))


def zipf_weights(size: int) -> WordWeights:
    """Return the weights of "sif" for a source whose words are in descending order of frequency.

    By Zipf's law the relative frequency of word i is proportional to ``1 / (i + 1)``. A word that is not in
    the source weighs as much as the last one.
    """
    ranks = np.arange(1, size + 1, dtype=np.float64)
    weights = _sif(1 / (ranks * math.fsum(1 / ranks)))
    return WordWeights(weights, float(weights[-1]))


def fit_weights(pooling: str, chunks: Iterable[TextWords], size: int) -> WordWeights:
    """Return the weights of a source's words, fitted to texts.

    For "sif", each occurrence of a word counts; for "idf", each text with the word. Words that are not in the
    source, even by fallbacks, get the weight of a word that does not occur.

    Args:
        pooling: "sif" or "idf".
        chunks: The texts.
        size: Number of words of the source.
    """
    counts = np.zeros(size)
    texts = words = 0
    for chunk in chunks:
        rows = chunk.rows[chunk.words]
        in_source = rows >= 0
        counted = rows[in_source]
        if pooling == "idf":
            counted = np.unique(chunk.texts[in_source] * size + counted) % size
        counts += np.bincount(counted, minlength=size)
        texts += len(chunk)
        words += len(rows)
    if not counts.any():
        raise VocabularyError(f"The source has none of the {words:,} words of the {texts:,} texts to fit.")
    if pooling == "idf":
        weights = np.log((1 + texts) / (1 + counts)) + 1
        return WordWeights(weights, math.log(1 + texts) + 1)
    return WordWeights(_sif(counts / words), 1.0)


def _sif(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    return SIF_A / (SIF_A + frequencies)


def fit_common_component(chunks: Iterable[NDArray[np.float32]], dim: int) -> NDArray[np.float64]:
    """Return the first right singular vector of chunked vectors, ``(dim,)``, normalized."""
    products = np.zeros((dim, dim))
    for chunk in chunks:
        vectors = chunk.astype(np.float64)
        products += vectors.T @ vectors
    direction: NDArray[np.float64] = np.linalg.eigh(products)[1][:, -1]
    return direction


def save_weights(
    vectors: Vectors, pooling: str, weights: WordWeights, texts: int, folder: str | Path | None
) -> Path:
    """Write fitted weights, and return their folder, whose name contains a hash of the content.

    Args:
        vectors: The source of the words.
        pooling: The pooling that uses the weights.
        weights: The weights.
        texts: Number of texts that the weights were fitted to.
        folder: Parent folder; None for the cache.

    Raises:
        StoreError: The folder cannot be written.
    """
    manifest = _identity(vectors, pooling) | {"default_weight": weights.default_weight, "texts": texts}
    arrays = {"weights.npy": weights.weights}
    if weights.common_component is not None:
        arrays["common_component.npy"] = weights.common_component
    key = hashlib.sha256(json.dumps(manifest).encode())
    for array in arrays.values():
        key.update(array.tobytes())
    name = f"{vectors.name}-{vectors.dim}d-{pooling}-{key.hexdigest()[:16]}"
    parent = settings.cache_folder() / "weights" if folder is None else _atomic.absolute(Path(folder))
    path = parent / name
    with cache.lock(name, f"writing {name}"):
        if cache.exists(path):
            try:
                load_weights(path, vectors, pooling)
            except StoreError as error:
                warn_or_log(f"{error} They are written again.", StoreWarning)
            else:
                return path
        try:
            with _atomic.publish(path, replace=True) as temporary:
                for file, array in arrays.items():
                    np.save(temporary / file, array, allow_pickle=False)
                text = json.dumps(manifest, indent=2) + "\n"
                (temporary / "manifest.json").write_text(text, "utf-8", newline="\n")
        except EmbedhubError:
            raise
        except OSError as error:
            raise StoreError(
                f"{path}: the fitted weights could not be written ({error.strerror}); nothing was kept. "
                "Pass another folder: fit(texts, folder=...)."
            ) from error
    return path


def load_weights(folder: Path, vectors: Vectors, pooling: str) -> WordWeights:
    """Open fitted weights, from their folder or from this machine's cache.

    Raises:
        StoreError: The weights are in neither, damaged, or fitted for other vectors or another pooling.
    """
    candidates = (folder, settings.cache_folder() / "weights" / folder.name)
    path = next((candidate for candidate in candidates if cache.exists(candidate)), None)
    if path is None:
        raise StoreError(
            f"{folder}: the fitted weights of pooling={pooling!r} are not there, nor at {candidates[1]}. An "
            "embedder is pickled with the path of its weights only: use a folder on shared storage, "
            f"fit(texts, folder=...), or copy the folder {folder.name} into {candidates[1].parent}."
        )
    try:
        manifest = parse_json((path / "manifest.json").read_text("utf-8"))
        weights = np.load(path / "weights.npy", mmap_mode="r", allow_pickle=False).view(np.ndarray)
        common_component = None
        if pooling == "sif":
            common_component = np.load(path / "common_component.npy", allow_pickle=False)
        expected = _identity(vectors, pooling)
        actual = {name: manifest[name] for name in expected}
        default_weight = float(manifest["default_weight"])
    except (FileNotFoundError, EOFError, *CONTENT_ERRORS) as error:
        raise StoreError(f"{path}: the fitted weights are damaged ({error}). Call fit again.") from error
    except OSError as error:
        raise cache.refusal(path, "the fitted weights cannot be read", error) from error
    if actual != expected:
        raise StoreError(
            f"{path}: the weights were fitted for {actual}; expected {expected}. Call fit again."
        )
    return WordWeights(weights, default_weight, common_component)


def _identity(vectors: Vectors, pooling: str) -> dict[str, Any]:
    """Return the properties that two sets of vectors share if they have the same words in the same order."""
    return {
        "source": vectors.name,
        "dim": vectors.dim,
        "size": len(vectors),
        "words": vectors.manifest["xxh3_128"]["words.utf8"],
        "pooling": pooling,
    }
