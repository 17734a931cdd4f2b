"""NumPy's ``.npz``: the arrays ``matrix``, ``(n, dim)`` float32, and ``words``, ``(n,)`` of str.

The words are an array of fixed width, since NumPy pickles strings of any other kind. The matrix is not
compressed: GloVe 6B 50d would be 8 % smaller, and take four times as long to open (measured).
"""

import math
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from embedhub._compression import INVALID_ARCHIVE_ERRORS, open_bytes, split_member
from embedhub._progress import Advance
from embedhub.errors import FormatError
from embedhub.formats._byte_stream import ByteStream
from embedhub.formats._rows import MAX_DIM
from embedhub.formats.selection import Selection
from embedhub.vectors.blocks import Block

_BLOCK = 1 << 20  # bytes
_ARRAYS = {"words": (1, "U"), "matrix": (2, "f")}  # number of axes, and kind of dtype
_EXPECTED = (
    "expected the arrays 'matrix', (n, dim) of floats, and 'words', (n,) of str, as embedhub.export writes "
    "them, or np.savez(path, matrix=matrix, words=np.array(words, str))"
)


def is_npz(path: Path) -> bool:
    """Return whether a file is a zip archive that contains only arrays."""
    names = _array_names(path)
    return bool(names) and all(name.endswith(".npy") for name in names)


def read_dim(path: Path) -> int:
    """Return the dimension of the vectors in an archive.

    Raises:
        FormatError: The archive has other arrays.
    """
    with ExitStack() as stack:
        return _open_arrays(stack, path)["matrix"][1][1]


def read(path: Path, dim: int) -> Iterator[Block]:
    """Read the arrays of `embedhub.export`; float16 and float64 are converted.

    Example:
        >>> import embedhub
        >>> from embedhub.formats import npz
        >>> result = embedhub.export("wordnet-ppmi", 25, "few.npz", words=["rain", "sun"])
        >>> [words for words, vectors in npz.read(Path("few.npz"), 25)]
        [['sun', 'rain']]

    Args:
        path: The file.
        dim: Dimension of the vectors.

    Yields:
        Words, and their vectors as ``(k, dim)`` float32, in the order of the file.

    Raises:
        FormatError: The archive has other arrays, another dimension, or is truncated.
    """
    with ExitStack() as stack:
        arrays = _open_arrays(stack, path)
        (words, (count,), word_type), (matrix, (_, width), number_type) = arrays["words"], arrays["matrix"]
        if width != dim:
            raise FormatError(f"{path}: the array 'matrix' has {width} columns; expected {dim}.")
        row_size = dim * number_type.itemsize
        step = max(1, _BLOCK // max(row_size, word_type.itemsize))
        for start in range(0, count, step):
            rows = min(step, count - start)
            text = words.read_exactly(rows * word_type.itemsize, "the words")
            data = matrix.read_exactly(rows * row_size, "the matrix")
            try:
                block = np.frombuffer(text, word_type).tolist()
            except ValueError as error:
                raise words.error(f"expected words ({error}).") from error
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # the store rejects infinity, and names the word
                vectors = np.frombuffer(data, number_type).reshape(rows, dim).astype(np.float32)
            yield Block(block, vectors)


def _array_names(path: Path) -> list[str]:
    """Return the names of the members of a zip archive; empty if it cannot be opened."""
    if split_member(path)[1] is not None:
        return []
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return []
        try:
            with zipfile.ZipFile(file) as archive:
                return archive.namelist()
        except INVALID_ARCHIVE_ERRORS:
            return []


def _open_arrays(
    stack: ExitStack, path: Path
) -> dict[str, tuple[ByteStream, tuple[int, ...], np.dtype[Any]]]:
    """Open both arrays at their data; return each with its shape and dtype."""
    names = _array_names(path)
    found = ", ".join(repr(name.removesuffix(".npy")) for name in names[:10]) or "none"
    if not {f"{name}.npy" for name in _ARRAYS} <= set(names):
        raise FormatError(f"{path}: {_EXPECTED}; got {found}.")
    arrays = {}
    for name, (axes, kind) in _ARRAYS.items():
        member = Path(f"{path}#{name}.npy")
        stream = ByteStream(stack.enter_context(open_bytes(member)), member)
        shape, in_columns, dtype = _read_header(stream)
        if (
            len(shape) != axes
            or dtype.kind != kind
            or in_columns
            or not dtype.itemsize
            or not math.prod(shape)
        ):
            order = " in Fortran's order" if in_columns else ""
            raise FormatError(
                f"{path}: {_EXPECTED}; got {name!r} of shape {shape} and dtype {dtype}{order}. Words of "
                "dtype object are a pickle, which is never opened."
            )
        arrays[name] = stream, shape, dtype
    (words, columns) = (arrays[name][1] for name in _ARRAYS)
    if words[0] != columns[0] or columns[1] > MAX_DIM:
        raise FormatError(f"{path}: {_EXPECTED}; got {words[0]} words, and a matrix of shape {columns}.")
    return arrays


def _read_header(stream: ByteStream) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an array, and return its shape, whether columns are contiguous, and its dtype."""
    try:
        file = cast("IO[bytes]", stream)  # it reads as a file does
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        return np.lib.format.read_array_header_2_0(file)
    except (ValueError, TypeError, SyntaxError, EOFError, RecursionError, MemoryError) as error:
        raise stream.error(f"expected an array of NumPy ({error}).", 0) from error


def invalid_reason(word: str) -> str | None:
    """Return why a word cannot be written to this format; None if it can."""
    return "ends with a null character, which a NumPy array drops" if word.endswith("\0") else None


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the two arrays."""
    width = max(max(map(len, words)) for words in selection.words())
    # An array on disk cannot have the dtype U0.
    dtype = np.dtype(f"<U{max(width, 1)}")
    with zipfile.ZipFile(path, "w", compresslevel=1) as archive:
        with _open_array(archive, "words", selection.shape[:1], dtype) as file:
            for words in selection.words():
                file.write(np.array(words, dtype).data)
        with _open_array(archive, "matrix", selection.shape, np.dtype("<f4")) as file:
            for rows in selection.matrix():
                file.write(rows.data)
                advance(len(rows))


@contextmanager
def _open_array(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[IO[bytes]]:
    """Open a member of the archive for the bytes of an array, after its header."""
    info = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, so that equal vectors make equal files
    info.compress_type = zipfile.ZIP_STORED if dtype.kind == "f" else zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": dtype.str, "fortran_order": False, "shape": shape}
        )
        yield file
