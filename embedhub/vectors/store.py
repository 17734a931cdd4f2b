"""Storage format of a store, and opening a published one as memory-mapped arrays.

A store is a folder ``<cache>/vectors/<name>-<digest>/<dim>d-<key>/``::

    manifest.json    format_version, source, dim, rows, provenance, duplicates, XXH3 of each file here
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
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from embedhub import _cache as cache
from embedhub import settings
from embedhub._file_state import file_state, xxh3_of_file
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import folder_name
from embedhub.errors import EmbedhubError, PluginError, StoreError
from embedhub.vectors.blocks import Composer, ComposerOpener
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.npy import NPY_HEADER, npy_header
from embedhub.vectors.vectors import Vectors
from embedhub.vectors.vocabulary import Vocabulary

FORMAT_VERSION = 2
"""Version of the storage format. A store of another version is ignored, and the source is built again."""

MANIFEST, MATRIX, WORDS, OFFSETS, HASHES, ROWS = (
    "manifest.json",
    "matrix.npy",
    "words.utf8",
    "offsets.npy",
    "hashes.npy",
    "rows.npy",
)
_OWN_DIGEST = "manifest_xxh3_128"
_verified: set[tuple[Any, ...]] = set()  # files of stores that this process has read and found intact


def store_path(name: str, dim: int, cache_key: str) -> Path:
    """Return the folder of a store.

    Args:
        name: Name of the source.
        dim: Dimension of the vectors.
        cache_key: Identifies the bytes that they are read from.
    """
    key = hashlib.sha256(f"form {FORMAT_VERSION}\n{cache_key}".encode()).hexdigest()[:16]
    return settings.cache_folder() / "vectors" / folder_name(name) / f"{dim}d-{key}"


class DamagedStoreError(StoreError):
    """A file of a store does not have the bytes that were written."""


def open_store(
    folder: Path,
    *,
    fallbacks: tuple[Fallback, ...] = (),
    composer: ComposerOpener | None = None,
    unit: str | None = None,
    tokenization: str | None = None,
    reopen: tuple[Callable[..., Vectors], tuple[Any, ...]] | None = None,
) -> Vectors:
    """Open a published store, and verify everything except the arrays of vectors.

    Words and index are read once in a process. Of the matrix only the header and the size are verified, of
    further arrays nothing; ``embedhub cache verify`` reads them.

    Args:
        folder: The store.
        fallbacks: As for `Vectors`.
        composer: Opens the composer of the vectors from the store's extra files.
        unit: As for `EmbeddingSource`; by default that of the manifest, which may be older than the source.
        tokenization: Likewise.
        reopen: As for `Vectors`.

    Raises:
        DamagedStoreError: A file of the store is missing, or does not have the bytes that were written.
        StoreError: The system refuses to read a file.
        PluginError: ``composer`` fails, though its files are intact.
    """
    try:
        manifest = read_manifest(folder)
        rows, dim, digests = manifest["rows"], manifest["dim"], manifest["xxh3_128"]
        matrix = _map_matrix(folder / MATRIX, (rows, dim))
        words = _open_vocabulary(folder, rows, digests)
        metadata = manifest["files"]
        files = {name: folder / name for name in metadata}
        for path in files.values():
            if path.suffix != ".npy":  # large arrays of vectors
                _map_verified(path, digests[path.name])
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise DamagedStoreError(
            f"{folder}: this store is damaged ({error}). Run: embedhub cache repair."
        ) from error
    except OSError as error:
        raise _unreadable(Path(error.filename or folder), error) from error
    stated = {"unit": unit, "tokenization": tokenization}
    manifest |= {key: value for key, value in stated.items() if value is not None}
    return Vectors(
        matrix,
        words,
        name=manifest["source"],
        manifest=manifest,
        composer=composer and _open_composer(composer, folder, manifest, files, metadata),
        files=files,
        fallbacks=fallbacks,
        reopen=reopen,
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a store.

    Raises:
        OSError: It cannot be read.
        ValueError: It does not have the bytes that were written.
    """
    try:
        manifest: dict[str, Any] = parse_json((folder / MANIFEST).read_bytes())
        digest = manifest.pop(_OWN_DIGEST)
    except CONTENT_ERRORS as error:
        raise ValueError(f"{MANIFEST} cannot be read: {error}") from error
    if digest != _digest_of(manifest):
        raise ValueError(f"{MANIFEST} was changed")
    return manifest


def encode_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Return the bytes of a manifest, with a digest of its own.

    Raises:
        TypeError: A value cannot be represented in JSON.
        ValueError: Likewise.
        RecursionError: Likewise.
    """
    content = json.loads(json.dumps(manifest, allow_nan=False))  # as it will be read: all keys are strings
    content[_OWN_DIGEST] = _digest_of(content)
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _digest_of(manifest: Mapping[str, Any]) -> str:
    """Return the 128-bit XXH3 of the content of a manifest, regardless of its JSON layout."""
    return xxhash.xxh3_128_hexdigest(json.dumps(manifest, sort_keys=True).encode())


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
            raise DamagedStoreError(
                f"{folder}: the composer of {label} cannot read its files in this store: "
                f"{', '.join(damages)} ({reason}). Run: embedhub cache repair."
            ) from error
        raise PluginError(
            f"{label}: the composer of the source cannot be opened: {reason}. The store is intact: the error "
            "is in the source's code. Tell its author."
        ) from error
    if composer is not None and not callable(getattr(composer, "compose", None)):
        raise TypeError(
            f"{label}: the composer of the source is {composer!r}; expected an object with a method compose, "
            "or None."
        )
    return composer


def _unreadable(path: Path, error: OSError) -> StoreError:
    """Return the error for a file that the system refuses to read, which may be intact."""
    return StoreError(str(cache.refusal(path, "this file of the store cannot be read", error)))


def _damage(path: Path, digests: Mapping[str, str]) -> str:
    """Return a description of the damage to a file of a store; empty if the file is intact."""
    try:
        intact = xxh3_of_file(path) == digests.get(path.name)
    except FileNotFoundError:
        return f"{path.name} is absent"
    except OSError as error:
        raise _unreadable(path, error) from error
    return "" if intact else f"{path.name} is damaged"


def _map_matrix(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    data = _map(path)
    # The header is compared, not parsed: a damaged one cannot raise anything but this error.
    if data[:NPY_HEADER].tobytes() != npy_header(np.float32, shape):
        raise ValueError(f"{path.name} does not begin as an array of float32 {shape}")
    return _view(data, path, np.float32, shape)


def _open_vocabulary(folder: Path, rows: int, digests: Mapping[str, str]) -> Vocabulary:
    text, offsets, hashes, order = (
        _map_verified(folder / name, digests[name]) for name in (WORDS, OFFSETS, HASHES, ROWS)
    )
    return Vocabulary(
        text,
        _view(offsets, folder / OFFSETS, np.int64, (rows + 1,)),
        _view(hashes, folder / HASHES, np.uint64, (rows,)),
        _view(order, folder / ROWS, np.int64, (rows,)),
    )


def _map_verified(path: Path, digest: str) -> NDArray[np.uint8]:
    """Map a file, and compare its digest unless this process has already verified it."""
    data = _map(path)
    key = (path, *file_state(path), digest)
    if key not in _verified:
        if xxhash.xxh3_128_hexdigest(data.data) != digest:
            raise ValueError(f"{path.name} does not have the bytes that were written")
        _verified.add(key)
    return data


def _map(path: Path) -> NDArray[np.uint8]:
    if not path.stat().st_size:  # which cannot be mapped
        return np.empty(0, np.uint8)
    return np.memmap(path, np.uint8, "r").view(np.ndarray)


def _view(
    data: NDArray[np.uint8], path: Path, dtype: type[np.generic], shape: tuple[int, ...]
) -> NDArray[Any]:
    expected = NPY_HEADER + math.prod(shape) * np.dtype(dtype).itemsize
    if len(data) != expected:
        raise ValueError(f"{path.name} has {len(data):,} bytes, expected {expected:,}")
    array: NDArray[Any] = data[NPY_HEADER:].view(dtype).reshape(shape)
    return array
