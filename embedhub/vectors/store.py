"""The storage format: opening a published store, which is memory-mapped.

A store is a folder ``<cache>/vectors/<name>-<digest>/<dim>d-<key>/``::

    manifest.json    form, source, dim, rows, provenance, duplicates, XXH3 of each file here
    matrix.npy       float32, C order, (n, dim)
    words.utf8       the bytes of the words, concatenated
    offsets.npy      (n + 1,) int64: where each word starts, and the end
    hashes.npy       (n,) uint64, sorted: XXH3 of each word's bytes
    rows.npy         (n,) int64: the row of each entry of hashes.npy

and the files that a reader adds as `ExtraFile`: ``subwords.npy`` of fastText, ``tokenizer.json`` of token
vectors. `StoreWriter` writes it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub import settings
from embedhub._file_state import xxh3_of_file
from embedhub._names import folder_name
from embedhub.errors import EmbedhubError, PluginError, StoreError
from embedhub.vectors.blocks import Composer, ComposerOpener
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.vectors import Vectors
from embedhub.vectors.vocabulary import Vocabulary

FORMAT_VERSION = 1
"""Version of the storage format. A store of another version is ignored, and built again."""

MANIFEST, MATRIX, WORDS, OFFSETS, HASHES, ROWS = (
    "manifest.json",
    "matrix.npy",
    "words.utf8",
    "offsets.npy",
    "hashes.npy",
    "rows.npy",
)


def store_path(name: str, dim: int, cache_key: str) -> Path:
    """Return the folder of a store.

    Args:
        name: Name of the source.
        dim: Dimension of the vectors.
        cache_key: Identifies the bytes that they are read from.
    """
    key = hashlib.sha256(f"form {FORMAT_VERSION}\n{cache_key}".encode()).hexdigest()[:16]
    return settings.cache_folder() / "vectors" / folder_name(name) / f"{dim}d-{key}"


def open_store(
    folder: Path,
    *,
    fallbacks: tuple[Fallback, ...] = (),
    composer: ComposerOpener | None = None,
    unit: str | None = None,
    tokenization: str | None = None,
    reopen: tuple[Callable[..., Vectors], tuple[Any, ...]] | None = None,
) -> Vectors:
    """Open a published store. Only the manifest and the headers are read.

    Args:
        folder: The store.
        fallbacks: As for `Vectors`.
        composer: Opens the composer of the vectors from the store's further files.
        unit: As for `EmbeddingSource`; by default that of the manifest, which may be older than the source.
        tokenization: Likewise.
        reopen: As for `Vectors`.

    Raises:
        StoreError: A file of the store is missing, or does not have the size that the manifest records.
        PluginError: ``composer`` fails, though its files are intact.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        rows, dim = manifest["rows"], manifest["dim"]
        matrix = _map_npy(folder / MATRIX, np.float32, (rows, dim))
        words = _open_vocabulary(folder, rows)
        metadata = manifest.get("extras", {})
        files = {name: folder / name for name in metadata}
        name = manifest["source"]
        stated = {"unit": unit, "tokenization": tokenization}
        manifest |= {key: value for key, value in stated.items() if value is not None}
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{folder}: this store is damaged ({error}). Remove the folder; it is built again on next use. "
            "Or run: embedhub cache repair."
        ) from error
    return Vectors(
        matrix,
        words,
        name=name,
        manifest=manifest,
        composer=composer and _open_composer(composer, folder, manifest, files, metadata),
        files=files,
        fallbacks=fallbacks,
        reopen=reopen,
    )


def _open_composer(
    opener: ComposerOpener,
    folder: Path,
    manifest: Mapping[str, Any],
    files: Mapping[str, Path],
    metadata: Mapping[str, Mapping[str, Any]],
) -> Composer | None:
    label = f"{manifest['source']} {manifest['dim']}d"
    try:
        composer = opener(files, metadata)
    except (EmbedhubError, MemoryError, Warning):  # a warning is not an error of that code
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".removesuffix(".")
        damages = [
            damage for path in files.values() if (damage := _damage(path, manifest.get("xxh3_128", {})))
        ]
        if damages:
            raise StoreError(
                f"{folder}: the composer of {label} cannot read its files in this store: "
                f"{', '.join(damages)} ({reason}). Remove the folder; it is built again on next use."
            ) from error
        raise PluginError(
            f"{label}: the composer of the source cannot be opened: {reason}. The store is intact: the error "
            "is one of the source's code. Tell its author."
        ) from error
    if composer is not None and not callable(getattr(composer, "compose", None)):
        raise TypeError(
            f"{label}: the composer of the source is {composer!r}; expected an object with a method compose, "
            "or None."
        )
    return composer


def _damage(path: Path, digests: Mapping[str, str]) -> str:
    """Return what is wrong with a file of a store; empty if it has the bytes that were written."""
    try:
        intact = xxh3_of_file(path) == digests.get(path.name)
    except OSError as error:
        return f"{path.name}: {error.strerror}"
    return "" if intact else f"{path.name} is damaged"


def _open_vocabulary(folder: Path, rows: int) -> Vocabulary:
    offsets = _map_npy(folder / OFFSETS, np.int64, (rows + 1,))
    text: NDArray[np.uint8] = np.empty(0, np.uint8)
    if offsets[-1]:
        text = np.memmap(folder / WORDS, np.uint8, "r").view(np.ndarray)
    if len(text) != offsets[-1]:
        raise ValueError(f"{WORDS} has {len(text)} bytes, expected {offsets[-1]}")
    hashes = _map_npy(folder / HASHES, np.uint64, (rows,))
    return Vocabulary(text, offsets, hashes, _map_npy(folder / ROWS, np.int64, (rows,)))


def _map_npy(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}")
    plain: NDArray[Any] = array.view(np.ndarray)
    return plain
