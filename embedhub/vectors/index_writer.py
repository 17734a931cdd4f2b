"""Writing the index of a store: hashes are sorted on disk, and the rows of repeated words removed.

At any time, only one chunk of hashes or of rows is in memory, whatever the words are.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import FormatError
from embedhub.vectors.npy import NPY_HEADER
from embedhub.vectors.store import HASHES, MATRIX, OFFSETS, ROWS, WORDS

UNSORTED = "hashes.unsorted"  # in the order of the rows; this and those below are removed before publication
_SORTED_HASHES, _SORTED_ROWS, _REPEATED, _NEW_ROWS = "hashes.runs", "rows.runs", "repeated", "rows.new"
TEMPORARY = frozenset({UNSORTED, _SORTED_HASHES, _SORTED_ROWS, _REPEATED, _NEW_ROWS})
_AT_ONCE = 1 << 18  # hashes or rows
_BYTES_AT_ONCE = 1 << 22
_MAX_COLLISIONS = 1000  # XXH3 has a collision in 5 billion words; a file can be made to have more

Index = tuple[NDArray[np.uint64], NDArray[np.int64]]


def write_index(folder: Path, rows: int, dim: int) -> int:
    """Write the index, remove the rows of repeated words, and return how many these are.

    Args:
        folder: Where the hashes are, in the order of the rows, with the words and the matrix.
        rows: Number of rows.
        dim: Dimension of the vectors.

    Raises:
        FormatError: More different words than could be by chance have the same hash.
    """
    _sort_runs(folder, rows)
    (folder / UNSORTED).unlink()  # the disk may be nearly full
    first, count = _merge_runs(folder, rows)
    if count:
        _remove_rows(folder, rows, dim, first)
    for name in TEMPORARY:
        (folder / name).unlink(missing_ok=True)
    return count


def _sort_runs(folder: Path, rows: int) -> None:
    """Sort each chunk of hashes by itself; of equal ones the row decides."""
    with (folder / _SORTED_HASHES).open("wb") as hash_file, (folder / _SORTED_ROWS).open("wb") as row_file:
        for start in range(0, rows, _AT_ONCE):
            hashes = np.fromfile(folder / UNSORTED, np.uint64, _AT_ONCE, offset=8 * start)
            order = np.argsort(hashes, kind="stable")
            hash_file.write(hashes[order].data)
            row_file.write((order + start).data)


def _merge_runs(folder: Path, rows: int) -> tuple[int, int]:
    """Merge the sorted chunks into the index, mark repeated words; return their first row and number."""
    words = _Repetitions(folder)
    first, count = rows, 0
    repeated = np.memmap(folder / _REPEATED, np.bool_, "w+", shape=(rows,))
    with (folder / HASHES).open("wb") as hash_file, (folder / ROWS).open("wb") as row_file:
        hash_file.write(bytes(NPY_HEADER))
        row_file.write(bytes(NPY_HEADER))
        for hashes, order in _merged(folder, rows):
            marks = words.find(hashes, order)
            hash_file.write(hashes[~marks].data)
            row_file.write(order[~marks].data)
            if marks.any():
                repeated[order[marks]] = True
                first, count = min(first, int(order[marks].min())), count + int(marks.sum())
    return first, count


def _merged(folder: Path, rows: int) -> Iterator[Index]:
    """Yield the merged chunks in parts of _AT_ONCE entries, or one of each chunk; equal hashes by row."""
    hashes = np.memmap(folder / _SORTED_HASHES, np.uint64, "r")
    order = np.memmap(folder / _SORTED_ROWS, np.int64, "r")
    next_of = {start: min(start + _AT_ONCE, rows) for start in range(0, rows, _AT_ONCE)}  # position: end
    while next_of:
        step = max(1, _AT_ONCE // len(next_of))
        # Each chunk has at most so many hashes up to this one, but for those that equal it.
        last = min(hashes[min(start + step, end) - 1] for start, end in next_of.items())
        parts: list[Index] = []
        equal: list[slice] = []
        remaining: dict[int, int] = {}
        for start, end in next_of.items():
            near = hashes[start : min(start + step, end)]
            below = start + int(np.searchsorted(near, last, "left"))
            above = below + int(np.searchsorted(hashes[below:end], last, "right"))
            parts.append((hashes[start:below], order[start:below]))
            equal += [slice(at, min(at + _AT_ONCE, above)) for at in range(below, above, _AT_ONCE)]
            if above < end:
                remaining[above] = end
        next_of = remaining
        merged = np.concatenate([part for part, _ in parts])
        if len(merged):
            by_hash = np.argsort(merged, kind="stable")
            yield merged[by_hash], np.concatenate([part for _, part in parts])[by_hash]
        for part in equal:
            yield np.array(hashes[part]), np.array(order[part])


class _Repetitions:
    """The words of a store, compared where their hashes are equal.

    Args:
        folder: Where the words are.
    """

    def __init__(self, folder: Path) -> None:
        self._offsets = np.memmap(folder / OFFSETS, np.int64, "r", offset=NPY_HEADER).view(np.ndarray)
        size = (folder / WORDS).stat().st_size
        text = np.memmap(folder / WORDS, np.uint8, "r") if size else np.empty(0, np.uint8)
        self._text = text.view(np.ndarray)
        self._hash: int | None = None
        self._words: set[bytes] = set()  # of that hash

    def find(self, hashes: NDArray[np.uint64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask of the next entries of the index whose word has occurred before.

        Raises:
            FormatError: More different words than could be by chance have the same hash.
        """
        several = np.concatenate([[int(hashes[0]) == self._hash], hashes[1:] == hashes[:-1]])
        several[:-1] |= several[1:]
        several[-1] = True  # the next entries may have the same hash
        places = np.flatnonzero(several)
        marks = np.zeros(len(hashes), np.bool_)
        starts, stops = self._offsets[rows[places]], self._offsets[rows[places] + 1]
        columns = (places, hashes[places], starts, stops)
        for place, value, start, stop in zip(*(column.tolist() for column in columns), strict=True):
            word = self._text[start:stop].tobytes()
            if value != self._hash:
                self._hash, self._words = value, {word}
            elif word in self._words:
                marks[place] = True
            else:
                self._words.add(word)
                if len(self._words) > _MAX_COLLISIONS:
                    raise FormatError(
                        f"more than {_MAX_COLLISIONS} different words have one hash, so the file was made "
                        "for that. Nothing was published."
                    )
        return marks


def _remove_rows(folder: Path, rows: int, dim: int, first: int) -> None:
    """Remove the marked rows in place by moving the later rows up."""
    repeated = np.memmap(folder / _REPEATED, np.bool_, "r")
    matrix = np.memmap(folder / MATRIX, np.float32, "r+", offset=NPY_HEADER, shape=(rows, dim))
    offsets = np.memmap(folder / OFFSETS, np.int64, "r+", offset=NPY_HEADER)
    text = np.memmap(folder / WORDS, np.uint8, "r+") if offsets[-1] else np.empty(0, np.uint8)
    new_rows = np.memmap(folder / _NEW_ROWS, np.int64, "w+", shape=(rows,))
    for at in range(0, first, _AT_ONCE):
        new_rows[at : at + _AT_ONCE] = np.arange(at, min(at + _AT_ONCE, rows))
    start = kept = first
    end = int(offsets[first])
    while start < rows:
        stop = min(start + max(1, min(_AT_ONCE, _BYTES_AT_ONCE // (4 * dim))), rows)
        within = int(np.searchsorted(offsets[start : stop + 1], offsets[start] + _BYTES_AT_ONCE, "right"))
        stop = start + max(1, within - 1)
        keep = ~repeated[start:stop]
        bounds = np.array(offsets[start : stop + 1])
        lengths = np.diff(bounds)
        ends = end + np.cumsum(lengths[keep])
        moved = matrix[start:stop][keep]
        matrix[kept : kept + len(moved)] = moved
        moved_text = text[bounds[0] : bounds[-1]][np.repeat(keep, lengths)]
        text[end : end + len(moved_text)] = moved_text
        new_rows[start:stop] = kept + np.cumsum(keep) - 1
        offsets[kept + 1 : kept + 1 + len(ends)] = ends
        start, kept, end = stop, kept + len(moved), end + len(moved_text)
    order = np.memmap(folder / ROWS, np.int64, "r+", offset=NPY_HEADER)
    for at in range(0, len(order), _AT_ONCE):
        order[at : at + _AT_ONCE] = new_rows[order[at : at + _AT_ONCE]]
    for mapped in (matrix, offsets, order):
        mapped.flush()
    del matrix, offsets, text, order, mapped  # Windows shortens no file that is mapped
    os.truncate(folder / MATRIX, NPY_HEADER + kept * 4 * dim)
    os.truncate(folder / OFFSETS, NPY_HEADER + (kept + 1) * 8)
    os.truncate(folder / WORDS, end)
