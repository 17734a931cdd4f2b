"""numpy's ``.npz``: the arrays ``matrix``, ``(n, dim)`` float32, and ``words``, ``(n,)`` of str.

The words are an array of fixed width, since numpy would write any other kind as pickle. The matrix is not
compressed: GloVe 6B 50d would shrink by 8 %, and take four times as long to open (measured).
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from embedhub.formats._selection import Advance, Selection


def refusal(word: str) -> str | None:
    """Say why this form cannot hold a word; None if it can."""
    return "ends with a zero byte, which an array of numpy drops" if word.endswith("\0") else None


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the two arrays."""
    longest = max(max(map(len, words)) for words in selection.words())
    # numpy's U0 is no width of an array on disk.
    dtype = np.dtype(f"<U{max(longest, 1)}")
    with zipfile.ZipFile(path, "w", compresslevel=1) as archive:
        with _array(archive, "words", selection.shape[:1], dtype) as file:
            for words in selection.words():
                file.write(np.array(words, dtype).data)
        with _array(archive, "matrix", selection.shape, np.dtype("<f4")) as file:
            for rows in selection.matrix():
                file.write(rows.data)
                advance(len(rows))


@contextmanager
def _array(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[IO[bytes]]:
    info = zipfile.ZipInfo(f"{name}.npy")  # of 1980, so that equal vectors make equal files
    info.compress_type = zipfile.ZIP_STORED if dtype.kind == "f" else zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": dtype.str, "fortran_order": False, "shape": shape}
        )
        yield file
