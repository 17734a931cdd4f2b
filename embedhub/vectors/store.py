"""The storage format: written once, published by one rename, memory-mapped from then on.

A store is a folder ``<cache>/vectors/<name>/<dim>d-<key>/``::

    manifest.json    form, source, dim, rows, provenance, duplicates, XXH3 of each file here
    matrix.npy       float32, C order, (n, dim)
    words.utf8       the words' bytes, one after the other
    offsets.npy      (n + 1,) int64: where each word starts, and the end
    hashes.npy       (n,) uint64, sorted: XXH3 of each word's bytes
    rows.npy         (n,) int64: the row of each entry of hashes.npy

and what the reader adds as `Extra`: ``subwords.npy`` of fastText, ``tokenizer.json`` of token vectors.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from embedhub import _cache as cache
from embedhub import settings
from embedhub.errors import EmbedhubError, FormatError, StoreError
from embedhub.vectors.blocks import Block, Extra
from embedhub.vectors.subwords import FILE as _SUBWORDS
from embedhub.vectors.subwords import Subwords
from embedhub.vectors.vectors import Vectors
from embedhub.vectors.vocabulary import Vocabulary, encode_all, hash_words

FORM = 1
"""Version of the form on disk. A store of another form is not seen, and is built anew."""

MANIFEST = "manifest.json"

_MATRIX, _WORDS, _OFFSETS, _HASHES, _ROWS = (
    "matrix.npy",
    "words.utf8",
    "offsets.npy",
    "hashes.npy",
    "rows.npy",
)
_NPY_HEADER = 128
_UNSORTED = "hashes.unsorted"  # in the order of the rows, and gone when the store appears
_HASH_SIZE = 8
_SORTED_AT_ONCE = 1 << 18
_CHUNK = 8192
_OPEN = 8  # stores; to unmap one after each use costs as much as a look-up of 10,000 words


def folder_for(name: str, dim: int, fingerprint: str) -> Path:
    """Return the place of a store; ``fingerprint`` names the input file, by its hash where it has one."""
    key = hashlib.sha256(f"form {FORM}\n{fingerprint}".encode()).hexdigest()[:16]
    return settings.cache_folder() / "vectors" / name / f"{dim}d-{key}"


def build(
    folder: Path,
    blocks: Iterable[Block | Extra],
    *,
    name: str,
    dim: int,
    provenance: Mapping[str, Any],
    advance: Callable[[int], None] = lambda _: None,
    accept: Callable[[], None] = lambda: None,
) -> None:
    """Write blocks as a store and publish it as ``folder``. The caller holds the lock.

    The memory that it takes does not grow with the number of rows.

    Args:
        folder: Where the store appears, whole or not at all.
        blocks: Words and rows in the order of the file, and extra files. Of duplicate words the first wins.
        name: Name of the source.
        dim: Width of a row.
        provenance: What else the manifest says (address, licence, citation, ...).
        advance: Called with the number of rows of each block.
        accept: Called when all is written, before the store appears; what it raises is raised, and nothing
            appears.

    Raises:
        FormatError: A block is malformed, holds a number that is not finite, or there are no rows.
        StoreError: The disk refuses the bytes.
    """
    with cache.publish(folder) as fresh:
        try:
            extras: dict[str, Mapping[str, Any]] = {}
            rows = _write_blocks(fresh, _without_extras(fresh, _readable(blocks), extras), dim, advance)
            duplicates = _write_index(fresh, rows)
            if duplicates:
                rows = _drop(fresh, duplicates, dim)
                _write_index(fresh, rows)
            (fresh / _UNSORTED).unlink()
            manifest = {
                "form": FORM,
                "source": name,
                "dim": dim,
                "rows": rows,
                "duplicates": len(duplicates),
                **provenance,
                "extras": extras,
                "xxh3_128": {file.name: digest(file) for file in sorted(fresh.iterdir())},
            }
            text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
            (fresh / MANIFEST).write_text(text, "utf-8", newline="\n")
        except EmbedhubError:
            raise
        except OSError as error:
            raise StoreError(
                f"{folder}: the store could not be written ({error.strerror}); nothing was kept of it. "
                "Free some space, or set EMBEDHUB_CACHE to a folder with more."
            ) from error
        accept()


def open_store(folder: Path) -> Vectors:
    """Open a published store. Nothing is read but the manifest and the headers.

    The maps of the last stores stay open: what is opened again costs a look at its files, and finds the pages
    that it has touched.

    Raises:
        StoreError: A file of the store is absent or has not the size that the manifest says.
    """
    try:
        parts = _maps(folder, _identity(folder))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{folder}: this store is damaged ({error}). Remove the folder; it is built again on next use. "
            "Or run: embedhub cache repair."
        ) from error
    return Vectors(
        parts.matrix,
        parts.words,
        name=parts.manifest["source"],
        manifest=dict(parts.manifest),
        subwords=parts.subwords,
        extras=dict(parts.extras),
    )


def forget() -> None:
    """Unmap the stores that are kept open: Windows renames no folder that has a mapped file in it."""
    _maps.cache_clear()


class _Maps(NamedTuple):
    """What is open of a store; nothing changes it, so all who open the store share it."""

    matrix: NDArray[np.float32]
    words: Vocabulary
    manifest: dict[str, Any]
    subwords: Subwords | None
    extras: dict[str, Path]


def _identity(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return what tells a store from another one, or a damaged one, in the same place."""
    with os.scandir(folder) as files:
        stats = [(file.name, file.stat()) for file in files]
    return tuple(sorted((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats))


@lru_cache(_OPEN)
def _maps(folder: Path, _: tuple[tuple[str, int, int, int], ...]) -> _Maps:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
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
    extras = {name: folder / name for name in manifest.get("extras", ())}
    subwords = _open_subwords(extras[_SUBWORDS], manifest) if _SUBWORDS in extras else None
    return _Maps(matrix, Vocabulary(text, offsets, hashes, order), manifest, subwords, extras)


def _open_subwords(path: Path, manifest: Mapping[str, Any]) -> Subwords:
    facts = manifest["extras"][path.name]
    rows = _map_npy(path, np.float32, (facts["buckets"], manifest["dim"]))
    return Subwords(rows, min_n=facts["min_n"], max_n=facts["max_n"])


def _map_npy(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}")
    plain: NDArray[Any] = array.view(np.ndarray)
    return plain


def _write_blocks(
    folder: Path, blocks: Iterable[Block], dim: int, advance: Callable[[int], None] = lambda _: None
) -> int:
    """Write matrix, words, offsets and unsorted hashes as they come; return how many rows."""
    total = 0
    with ExitStack() as stack:
        matrix, text, offsets, hashes = (
            stack.enter_context((folder / name).open("wb")) for name in (_MATRIX, _WORDS, _OFFSETS, _UNSORTED)
        )
        matrix.write(bytes(_NPY_HEADER))
        offsets.write(bytes(_NPY_HEADER))
        offsets.write(np.zeros(1, np.int64).data)
        for words, rows in blocks:
            _check_block(words, rows, dim, total)
            encoded = encode_all(words)
            ends = np.fromiter(accumulate(map(len, encoded), initial=text.tell()), np.int64, len(encoded) + 1)
            matrix.write(np.ascontiguousarray(rows).data)
            text.write(b"".join(encoded))
            offsets.write(ends[1:].data)
            hashes.write(hash_words(encoded).data)
            total += len(words)
            advance(len(words))
        if not total:
            raise FormatError("The file holds no vectors at all; nothing was published.")
        _write_header(matrix, np.float32, (total, dim))
        _write_header(offsets, np.int64, (total + 1,))
    return total


def _without_extras(
    folder: Path, blocks: Iterable[Block | Extra], extras: dict[str, Mapping[str, Any]]
) -> Iterator[Block]:
    """Give the blocks; write the extra files as they come, and note their facts."""
    for block in blocks:
        if not isinstance(block, Extra):
            yield block
            continue
        if isinstance(block.content, Path):
            shutil.copyfile(block.content, folder / block.name)
        else:
            np.save(folder / block.name, block.content, allow_pickle=False)
        extras[block.name] = block.facts


def _readable(blocks: Iterable[Block | Extra]) -> Iterator[Block | Extra]:
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


def _write_header(file: BinaryIO, dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    """Write the .npy header into the room that was left for it, now that the rows are counted."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    )
    if file.tell() != _NPY_HEADER:  # numpy pads to a multiple of 64; only a shape of 40 digits leaves 128
        raise StoreError(f"The header of an array {shape} takes {file.tell()} bytes, not {_NPY_HEADER}.")


def _write_index(folder: Path, rows: int) -> list[int]:
    """Sort the hashes with their rows; return the rows whose word has come before.

    They are sorted range by range, a range being about as many hashes as _SORTED_AT_ONCE whatever the size of
    the file: XXH3 spreads them evenly.
    """
    duplicates: list[int] = []
    ranges = -(-rows // _SORTED_AT_ONCE)
    bounds = [2**64 * i // ranges for i in range(ranges + 1)]
    with (folder / _HASHES).open("wb") as hashes, (folder / _ROWS).open("wb") as order:
        hashes.write(bytes(_NPY_HEADER))
        order.write(bytes(_NPY_HEADER))
        for low, high in pairwise(bounds):
            some_hashes, some_rows = _between(folder / _UNSORTED, low, high - 1)
            by_hash = np.argsort(some_hashes, kind="stable")
            some_hashes, some_rows = some_hashes[by_hash], some_rows[by_hash]
            hashes.write(some_hashes.data)
            order.write(some_rows.data)
            twins = np.flatnonzero(some_hashes[1:] == some_hashes[:-1])
            if len(twins):
                duplicates += _repeated(folder, sorted({*some_rows[twins], *some_rows[twins + 1]}))
        _write_header(hashes, np.uint64, (rows,))
        _write_header(order, np.int64, (rows,))
    return duplicates


def _between(path: Path, first: int, last: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hashes of a file that lie in a range, and where in the file they are."""
    found, places, start = [], [], 0
    while len(hashes := np.fromfile(path, np.uint64, _SORTED_AT_ONCE, offset=start * _HASH_SIZE)):
        place = np.flatnonzero((hashes >= np.uint64(first)) & (hashes <= np.uint64(last)))
        found.append(hashes[place])
        places.append(place + start)
        start += len(hashes)
    return np.concatenate(found), np.concatenate(places)


def _repeated(folder: Path, rows: list[int]) -> list[int]:
    """Return those of some rows, in ascending order, whose word an earlier one of them has."""
    seen: set[str] = set()
    repeated = []
    for row, word in zip(rows, _words(folder, rows), strict=True):
        if word in seen:
            repeated.append(row)
        seen.add(word)
    return repeated


def _drop(folder: Path, rows: list[int], dim: int) -> int:
    """Write all anew without some rows; return how many are left."""
    before = folder / "before"
    before.mkdir()
    for name in (_MATRIX, _WORDS, _OFFSETS):
        (folder / name).rename(before / name)
    left = _write_blocks(folder, _blocks_without(before, set(rows)), dim)
    shutil.rmtree(before)
    return left


def _blocks_without(folder: Path, rows: set[int]) -> Iterator[Block]:
    matrix = np.load(folder / _MATRIX, mmap_mode="r", allow_pickle=False)
    for start in range(0, len(matrix), _CHUNK):
        kept = [row for row in range(start, min(start + _CHUNK, len(matrix))) if row not in rows]
        yield _words(folder, kept), np.asarray(matrix[kept])


def _words(folder: Path, rows: list[int]) -> list[str]:
    """Return the words of some rows of a store that is being written."""
    offsets = np.load(folder / _OFFSETS, mmap_mode="r", allow_pickle=False)
    with (folder / _WORDS).open("rb") as file:
        words = []
        for row in rows:
            start, stop = offsets[row : row + 2].tolist()
            file.seek(start)
            words.append(file.read(stop - start).decode("utf-8", "surrogateescape"))
    return words


def digest(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """Return the 128-bit XXH3 of a file, against decay. It is no seal: for that the input has its own hash.

    Measured on a core without SHA instructions: sha256 203 MB/s, XXH3 23,000 MB/s. Of a store of GloVe 300d,
    sha256 would take longer than all the rest of the build.
    """
    hashed = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hashed.update(chunk)
            advance(len(chunk))
    return hashed.hexdigest()
