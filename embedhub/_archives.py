"""Compressed files other than gzip: bzip2, xz, and a member of a zip archive."""

import bz2
import lzma
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from embedhub.errors import FormatError

DAMAGED: tuple[type[Exception], ...] = (lzma.LZMAError, zipfile.BadZipFile)
"""Errors of reading damaged bytes, besides those of gzip; bz2 raises an OSError without a number."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_XZ = b"\xfd7zXZ\x00"
_BZIP2 = b"BZh"
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")  # after a digit; a word of a text may start with BZh
_MAX_MAGIC_BYTES = 10
# zipfile trusts the numbers of an archive's directory, and fails in many ways where they are wrong.
_NO_ARCHIVE = (
    EOFError,
    ValueError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
)


def split_member(path: Path) -> tuple[Path, str | None]:
    """Return the file to open, and the archive member that ``archive.zip#member`` names."""
    archive, hash_sign, member = path.as_posix().rpartition("#")  # archives have "/" on Windows too
    if not hash_sign or not member or os.path.exists(path):  # noqa: PTH110 - Path.exists raises for long names
        return path, None
    return Path(archive), member


def opener(file: BinaryIO, path: Path, member: str | None) -> Callable[[BinaryIO], Any] | None:
    """Return the function that opens the uncompressed bytes of a file; None if it is not of these kinds.

    Raises:
        FormatError: A member is named, and the file is not an archive.
    """
    start = file.read(_MAX_MAGIC_BYTES)
    file.seek(0)
    if start.startswith(_ZIP):
        return lambda file: _open_member(file, path, member)
    if member is not None:
        raise FormatError(f"{path}: this is not a zip archive, so it has no member {member!r}.")
    if start.startswith(_XZ):
        return lzma.LZMAFile
    return bz2.BZ2File if start.startswith(_BZIP2) and start.endswith(_BZIP2_BLOCKS) else None


@contextmanager
def _open_member(file: BinaryIO, path: Path, member: str | None) -> Iterator[BinaryIO]:
    try:
        archive = zipfile.ZipFile(file)
        names = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        name = names[0] if member is None and len(names) == 1 else member
        inner: Any = archive.open(name) if name in names else None
    except _NO_ARCHIVE as error:
        raise FormatError(f"{path}: this zip archive cannot be opened ({error}).") from error
    if inner is None:
        wanted = f"has no member {member!r}" if member else f"has {len(names)} members, not one"
        raise FormatError(
            f"{path}: the archive {wanted}; they are: {', '.join(names)}. Name one after a #, as in "
            "'archive.zip#member.txt'."
        )
    with archive, inner:
        yield inner
