"""The form on disk: written once, published by one rename, memory-mapped ever after.

A store is a folder ``<cache>/vectors/<name>/<dim>d-<key>/``::

    manifest.json    form, source, dim, rows, provenance, duplicates, XXH3 of each file here
    matrix.npy       float32, C order, (n, dim)
    words.utf8       the words' bytes, one after the other
    offsets.npy      (n + 1,) int64: where each word starts, and the end
    hashes.npy       (n,) uint64, sorted: XXH3 of each word's bytes
    rows.npy         (n,) int64: the row of each entry of hashes.npy
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xxhash
from numpy.typing import NDArray

from embedhub import cache, settings
from embedhub.errors import EmbedhubError, FormatError, StoreError
from embedhub.files import Block
from embedhub.vectors import Vectors, Vocabulary, encode_all, hash_words

FORM = 1
"""Version of the form on disk. A store of another form is not seen, and is built anew."""

_MATRIX, _WORDS, _OFFSETS, _HASHES, _ROWS = (
    "matrix.npy",
    "words.utf8",
    "offsets.npy",
    "hashes.npy",
    "rows.npy",
)
_NPY_HEADER = 128
_CHUNK = 8192


def folder_for(name: str, dim: int, fingerprint: str) -> Path:
    """Return the place of a store; ``fingerprint`` names the input file, by its hash where it has one."""
    key = hashlib.sha256(f"form {FORM}\n{fingerprint}".encode()).hexdigest()[:16]
    return settings.cache_folder() / "vectors" / name / f"{dim}d-{key}"


def build(
    folder: Path,
    blocks: Iterable[Block],
    *,
    name: str,
    dim: int,
    provenance: Mapping[str, Any],
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Write blocks as a store and publish it as ``folder``. The caller holds the lock.

    Args:
        folder: Where the store appears, whole or not at all.
        blocks: Words and rows in the order of the file. Of duplicate words the first wins.
        name: Name of the source.
        dim: Width of a row.
        provenance: What else the manifest says (address, licence, citation, ...).
        advance: Called with the number of rows of each block.

    Raises:
        FormatError: A block is malformed, holds a number that is not finite, or there are no rows.
        StoreError: The disk refuses the bytes.
    """
    with cache.publish(folder) as fresh:
        try:
            lengths, hashes = _write_blocks(fresh, blocks, dim, advance)
            order = np.argsort(hashes, kind="stable")
            duplicates = _duplicates(fresh, lengths, hashes, order)
            if len(duplicates):
                _drop(fresh, duplicates, lengths, dim)
                lengths, hashes = np.delete(lengths, duplicates), np.delete(hashes, duplicates)
                order = np.argsort(hashes, kind="stable")
            np.save(fresh / _OFFSETS, _offsets(lengths))
            np.save(fresh / _HASHES, hashes[order])
            np.save(fresh / _ROWS, order.astype(np.int64, copy=False))
            manifest = {
                "form": FORM,
                "source": name,
                "dim": dim,
                "rows": len(hashes),
                "duplicates": len(duplicates),
                **provenance,
                "xxh3_128": {file.name: _digest(file) for file in sorted(fresh.iterdir())},
            }
            (fresh / "manifest.json").write_text(
                json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8"
            )
        except EmbedhubError:
            raise
        except OSError as error:
            raise StoreError(
                f"{folder}: the store could not be written ({error.strerror}); nothing was kept of it. "
                "Free some space, or set EMBEDHUB_CACHE to a folder with more."
            ) from error


def open_store(folder: Path) -> Vectors:
    """Open a published store. Nothing is read but the manifest and the headers.

    Raises:
        StoreError: A file of the store is absent or has not the size that the manifest says.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        rows, dim = manifest["rows"], manifest["dim"]
        matrix = _map_npy(folder / _MATRIX, np.float32, (rows, dim))
        offsets = _map_npy(folder / _OFFSETS, np.int64, (rows + 1,))
        text: NDArray[np.uint8] = np.empty(0, np.uint8)
        if offsets[-1]:
            text = np.memmap(folder / _WORDS, np.uint8, "r").view(np.ndarray)
        if len(text) != offsets[-1]:
            raise ValueError(f"{_WORDS} has {len(text)} bytes, expected {offsets[-1]}")
        hashes = _map_npy(folder / _HASHES, np.uint64, (rows,))
        order = _map_npy(folder / _ROWS, np.int64, (rows,))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{folder}: this store is damaged ({error}). Remove the folder; it is built again on next use."
        ) from error
    return Vectors(
        matrix, Vocabulary(text, offsets, hashes, order), name=manifest["source"], manifest=manifest
    )


def _map_npy(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}")
    plain: NDArray[Any] = array.view(np.ndarray)
    return plain


def _write_blocks(
    folder: Path, blocks: Iterable[Block], dim: int, advance: Callable[[int], None]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Write matrix and words as they come; return each word's length and hash."""
    all_lengths: list[NDArray[np.int64]] = []
    all_hashes: list[NDArray[np.uint64]] = []
    total = 0
    with (folder / _MATRIX).open("wb") as matrix, (folder / _WORDS).open("wb") as text:
        matrix.write(bytes(_NPY_HEADER))
        for words, rows in _readable(blocks):
            _check_block(words, rows, dim, total)
            encoded = encode_all(words)
            matrix.write(np.ascontiguousarray(rows).data)
            text.write(b"".join(encoded))
            all_lengths.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
            all_hashes.append(hash_words(encoded))
            total += len(words)
            advance(len(words))
        if not total:
            raise FormatError("The file holds no vectors at all; nothing was published.")
        _write_header(matrix, total, dim)
    return np.concatenate(all_lengths), np.concatenate(all_hashes)


def _readable(blocks: Iterable[Block]) -> Iterator[Block]:
    """Give the blocks; an input that cannot be read is not a store that cannot be written."""
    try:
        yield from blocks
    except EmbedhubError:
        raise
    except OSError as error:
        raise StoreError(f"The input of the store cannot be read: {error}. Nothing was published.") from error


def _check_block(words: list[str], rows: NDArray[np.float32], dim: int, before: int) -> None:
    if rows.shape != (len(words), dim) or rows.dtype != np.float32:
        raise FormatError(
            f"After {before} rows a reader gave {len(words)} words with rows of shape {rows.shape} and dtype "
            f"{rows.dtype}; expected shape {(len(words), dim)} and float32. Nothing was published."
        )
    if not np.isfinite(rows).all():
        odd = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise FormatError(
            f"Row {before + odd} (word {words[odd]!r}) holds a number that is not finite in float32. "
            "One such row spoils a whole training, so nothing was published."
        )


def _write_header(file: BinaryIO, rows: int, dim: int) -> None:
    """Write the .npy header into the room that was left for it, now that the rows are counted."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)})
    if file.tell() != _NPY_HEADER:  # numpy pads to a multiple of 64; only a shape of 40 digits leaves 128
        raise StoreError(
            f"The header of a {rows} x {dim} matrix takes {file.tell()} bytes, not {_NPY_HEADER}."
        )


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _duplicates(
    folder: Path, lengths: NDArray[np.int64], hashes: NDArray[np.uint64], order: NDArray[np.int64]
) -> list[int]:
    """Return the rows whose word has come before; ``order`` sorts the hashes."""
    twins = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]])
    offsets = _offsets(lengths)
    text = np.fromfile(folder / _WORDS, np.uint8) if len(twins) else np.empty(0, np.uint8)
    seen: set[bytes] = set()
    duplicates = []
    for row in sorted({*order[twins].tolist(), *order[twins + 1].tolist()}):
        word = text[offsets[row] : offsets[row + 1]].tobytes()
        if word in seen:
            duplicates.append(row)
        seen.add(word)
    return duplicates


def _drop(folder: Path, rows: list[int], lengths: NDArray[np.int64], dim: int) -> None:
    """Take rows out of the matrix and their words out of the text."""
    keep = np.ones(len(lengths), np.bool_)
    keep[rows] = False
    text = np.fromfile(folder / _WORDS, np.uint8)
    text[np.repeat(keep, lengths)].tofile(folder / _WORDS)
    old = np.memmap(folder / _MATRIX, np.float32, "r", offset=_NPY_HEADER, shape=(len(lengths), dim))
    smaller = folder / "matrix.smaller"
    with smaller.open("wb") as file:
        file.write(bytes(_NPY_HEADER))
        for start in range(0, len(old), _CHUNK):
            part = slice(start, start + _CHUNK)
            file.write(old[part][keep[part]].data)
        _write_header(file, int(keep.sum()), dim)
    del old  # Windows replaces no file that is mapped
    smaller.replace(folder / _MATRIX)


def _digest(path: Path) -> str:
    """Return the 128-bit XXH3 of a file, against decay. It is no seal: for that the input has its own hash.

    Measured on a core without SHA instructions: sha256 203 MB/s, XXH3 23,000 MB/s. Of a store of GloVe 300d,
    sha256 would take longer than all the rest of the build.
    """
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
