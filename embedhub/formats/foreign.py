"""Recognition of file types that embedhub does not read, with advice for each."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from embedhub._compression import open_bytes, split_member
from embedhub._sniff import sniff
from embedhub.errors import FormatError, UnexpectedEndError

_SAVE = "save_word2vec_format('vectors.bin', binary=True)"


class Foreign(NamedTuple):
    """A file type, and advice on it."""

    content: str
    advice: str


_PICKLE = Foreign(
    "a pickle, as gensim's .kv and .model files are, which is never opened, since it can run any program",
    f"In gensim, load it and write the vectors with {_SAVE} (of a model: model.wv.{_SAVE}); pass that file.",
)
_PYTORCH = Foreign(
    "a file of PyTorch, with a pickle in it, which is never opened, since it can run any program",
    "In PyTorch, load it and write its words and vectors as lines of text.",
)
_UTF16 = Foreign("text in UTF-16", "Convert it to UTF-8 with: iconv -f UTF-16 -t UTF-8 FILE.")
_DOWNLOAD = "Download the file of vectors itself."
_UNPACK = "Unpack it, and pass the file of vectors in it."

_BY_MAGIC = {
    **{b"\x80" + bytes([protocol]): _PICKLE for protocol in range(2, 6)},
    b"FiFu\0\0\0\0": Foreign(
        "a finalfusion file (.fifu)", "Convert it with: finalfusion convert -t word2vec FILE vectors.bin."
    ),
    b"\x89HDF\r\n\x1a\n": Foreign(
        "an HDF5 file", "Read it with h5py, and write its words and vectors as lines of text."
    ),
    b"SQLite format 3\0": Foreign(
        "an SQLite database (.magnitude files are one)", "Use the file of vectors that it was made from."
    ),
    b"\x93NUMPY": Foreign(
        "a NumPy array (.npy), which has no words",
        "Write each word and its row as a line of text. An array beside a gensim file belongs to it: "
        f"load that in gensim, and use {_SAVE}.",
    ),
    b"PAR1": Foreign("a Parquet file", "Write its words and vectors as lines of text."),
    b"ARROW1\0\0": Foreign("an Arrow file", "Write its words and vectors as lines of text."),
    b"(\xb5/\xfd": Foreign("compressed with Zstandard", "Decompress it with: zstd -d FILE."),
    b"7z\xbc\xaf'\x1c": Foreign("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": Foreign("a RAR archive", _UNPACK),
    b"%PDF-": Foreign("a PDF document", _DOWNLOAD),
    b"PK\x03\x04": Foreign("a zip archive inside of another file", _UNPACK),
    b"\xff\xfe": _UTF16,
    b"\xfe\xff": _UTF16,
}
_TAR = Foreign("a tar archive inside of another", _UNPACK)
_TAR_MAGIC = slice(257, 262)
_OLD_FASTTEXT = Foreign(
    "a fastText model of before 2017, which has no magic number",
    "Use the .vec file that was published with it, or write its vectors as text with fastText of its time.",
)
_START_BYTES = 512
_ZIP = b"PK\x03\x04"
_PICKLE_NAME = b"/data.pkl"  # of the first member
_EMPTY = Foreign("an empty file", "Download or write it again.")


def recognize(start: bytes, *, sent: bool = False) -> Foreign | None:
    r"""Recognize a file that embedhub does not read by its first 512 bytes; return None for others.

    Example:
        >>> recognize(b"SQLite format 3\0").content
        'an SQLite database (.magnitude files are one)'

    Args:
        start: The first bytes, decompressed.
        sent: Whether to recognize also web pages and other answers that servers send instead of a file. Text
            vectors may start like these, so this is for files that could not be read.
    """
    if not start:
        return _EMPTY
    for magic, foreign in _BY_MAGIC.items():
        if start.startswith(magic):
            return foreign
    if start[_TAR_MAGIC] == b"ustar":
        return _TAR
    if _is_old_fasttext(start):
        return _OLD_FASTTEXT
    content = sniff(start) if sent else None
    return Foreign(content, _DOWNLOAD) if content else None


def _is_old_fasttext(start: bytes) -> bool:
    """Return whether a file starts with training arguments; text does not contain null bytes."""
    if len(start) < struct.calcsize("<12i"):
        return False
    dim, window, epochs, _, _, _, loss, kind, buckets, min_n, max_n, _ = struct.unpack_from("<12i", start)
    small = all(0 < value < 1 << 16 for value in (dim, window, epochs))
    return small and loss in {1, 2, 3} and kind in {1, 2, 3} and buckets >= 0 and 0 <= min_n <= max_n < 100  # noqa: PLR2004


def foreign_error(path: Path, foreign: Foreign, advice: str = "") -> FormatError:
    """Return the error for a file that embedhub does not read.

    Args:
        path: The file.
        foreign: The type of the file.
        advice: A further sentence.
    """
    return FormatError(
        f"{path}: expected vectors, got {foreign.content}. {foreign.advice}{advice and ' '}{advice}"
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Name the type of a file on which a reader failed, if embedhub does not read it.

    The file is examined only after a failure.

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.

    Raises:
        FormatError: The error of `foreign_error`, or that of the reader.
    """
    try:
        yield
    except UnexpectedEndError:
        raise
    except FormatError as error:
        foreign = recognize_file(path)
        if foreign is None:
            raise
        raise foreign_error(path, foreign) from error


def recognize_file(path: Path) -> Foreign | None:
    """Recognize a file that embedhub does not read, and that could not be read, by its first bytes.

    Args:
        path: The file, or its beginning; ``archive.zip#member`` for one of several in an archive.
    """
    from embedhub.formats.npz import is_npz

    with suppress(FormatError, OSError):
        with split_member(path)[0].open("rb") as file:
            if (start := file.read(_START_BYTES)).startswith(_ZIP) and _PICKLE_NAME in start:
                return _PYTORCH
        if not is_npz(path):
            with open_bytes(path) as file:
                return recognize(file.read(_START_BYTES), sent=True)
    return None
