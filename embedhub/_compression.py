"""Uncompressed bytes of a file: plain, gzip, bzip2, xz or a member of a zip or tar archive."""

import bz2
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from gzip import BadGzipFile
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from isal import igzip, isal_zlib

from embedhub._names import shown_names
from embedhub.errors import EmbedhubError, FormatError

DAMAGED_ERRORS: tuple[type[Exception], ...] = (
    EOFError,
    zlib.error,
    cast("Any", isal_zlib.error),
    BadGzipFile,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    struct.error,
    NotImplementedError,
    OverflowError,
    MemoryError,
)
"""Errors of reading damaged or truncated bytes; bz2 raises an OSError without a number."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_XZ = b"\xfd7zXZ\x00"
_BZIP2 = b"BZh"
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")  # after a digit; a word of a text may start with BZh
_TAR, _TAR_MAGIC = b"ustar", slice(257, 262)
MAX_SMALL_BYTES = 1 << 26
_MAX_TAR_HEADER_BYTES = 1 << 20
_MAX_TAR_MEMBERS = 100_000
_SNIFF_BYTES = 512  # the header of a tar archive
INVALID_ARCHIVE_ERRORS: tuple[type[Exception], ...] = (
    *DAMAGED_ERRORS, ValueError, LookupError, OSError, RuntimeError,
)  # fmt: skip
"""Errors of opening an archive: zipfile trusts the numbers in its directory, whatever they are."""


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading its uncompressed bytes.

    The compression is detected from the first bytes: gzip, bzip2, xz, or a member of a zip or tar archive,
    which may itself be compressed. Readers of formats should use this function, since any file may be
    compressed, and members of remote archives are kept as gzip.

    Example:
        >>> import gzip
        >>> _ = Path("mine.bin").write_bytes(gzip.compress(b"BRED"))
        >>> with open_bytes(Path("mine.bin")) as file:
        ...     file.read(4)
        b'BRED'

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.

    Raises:
        FormatError: The compressed bytes are damaged or truncated, or the archive lacks the member.
    """
    file_path, member = split_member(path)
    with file_path.open("rb") as file:
        start = _peek(file)
        if not _is_packed(start):
            if member is not None:
                raise _no_archive(path, member)
            yield file
            return
        try:
            with _open_packed(file, start, path, member) as inner:
                yield inner
        except EmbedhubError:
            raise
        except OSError as error:
            if error.errno is not None:
                raise
            raise _damaged(path, error) from error
        except DAMAGED_ERRORS as error:
            raise _damaged(path, error) from error


def read_small(path: Path) -> bytes:
    """Return the uncompressed bytes of a small file, such as a list of words.

    Raises:
        FormatError: The file is larger than 64 MiB, or as for `open_bytes`.
    """
    with open_bytes(path) as file:
        data = file.read(MAX_SMALL_BYTES + 1)
    if len(data) > MAX_SMALL_BYTES:
        raise FormatError(
            f"{path}: the file has more than {MAX_SMALL_BYTES:,} bytes; expected a small one, such as a list "
            "of words."
        )
    return data


def is_compressed(path: Path) -> bool:
    """Return whether a file's uncompressed bytes differ from its bytes on disk."""
    with split_member(path)[0].open("rb") as file:
        return _is_packed(_peek(file))


def split_member(path: Path) -> tuple[Path, str | None]:
    """Return the file to open, and the archive member that ``archive.zip#member`` names."""
    archive, hash_sign, member = path.as_posix().rpartition("#")  # archives have "/" on Windows too
    if not hash_sign or not member or os.path.exists(path):  # noqa: PTH110 - Path.exists raises for long names
        return path, None
    return Path(archive), member


def open_gzip(file: BinaryIO) -> BinaryIO:
    """Open the uncompressed bytes of a gzip file with ISA-L: 2.1 s for GloVe 6B 300d, zlib takes 4.8 s."""
    # isal's class has no types; its base class fits all uses here.
    return cast("BinaryIO", cast("Any", igzip.IGzipFile)(fileobj=file, mode="rb"))


def _peek(file: BinaryIO) -> bytes:
    start = file.read(_SNIFF_BYTES)
    file.seek(0)
    return start


def _is_packed(start: bytes) -> bool:
    return start.startswith(_ZIP) or start[_TAR_MAGIC] == _TAR or _decompressor(start) is not None


def _decompressor(start: bytes) -> Callable[[BinaryIO], Any] | None:
    """Return the function that opens the uncompressed bytes of a file; None if it is not compressed."""
    if start.startswith(_GZIP):
        return open_gzip
    if start.startswith(_XZ):
        return lzma.LZMAFile
    return bz2.BZ2File if start.startswith(_BZIP2) and start[4:10] in _BZIP2_BLOCKS else None


@contextmanager
def _open_packed(file: BinaryIO, start: bytes, path: Path, member: str | None) -> Iterator[BinaryIO]:
    if start.startswith(_ZIP):
        with _open_member(file, path, member) as inner:
            yield inner
        return
    decompress = _decompressor(start)
    with decompress(file) if decompress else nullcontext(file) as unpacked:
        if _peek(unpacked)[_TAR_MAGIC] == _TAR:
            with _open_tar_member(unpacked, path, member) as inner:
                yield inner
        elif member is not None:
            raise _no_archive(path, member)
        else:
            yield unpacked


def _no_archive(path: Path, member: str) -> FormatError:
    return FormatError(f"{path}: this is not a zip or tar archive, so it has no member {member!r}.")


def _damaged(path: Path, error: Exception) -> FormatError:
    reason = str(error) or type(error).__name__
    return FormatError(f"{path}: the compressed bytes are damaged or truncated ({reason}).")


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
    except INVALID_ARCHIVE_ERRORS as error:
        raise FormatError(
            f"{path}: this zip archive cannot be opened ({error}). It may be truncated, "
            "since its directory is at its end: compare its size with the original's, and download it again."
        ) from error
    if inner is None:
        raise _no_member(path, member, names)
    with archive, inner:
        yield inner


@contextmanager
def _open_tar_member(file: BinaryIO, path: Path, member: str | None) -> Iterator[BinaryIO]:
    """Open a member of a tar archive; all headers are read first, since tar lacks a directory."""
    try:
        headers = _TarHeaders(file)
        archive = tarfile.open(fileobj=cast("BinaryIO", headers), mode="r:")  # noqa: SIM115 - closed below
        members = list(islice(archive, _MAX_TAR_MEMBERS + 1))
        if len(members) > _MAX_TAR_MEMBERS:
            raise tarfile.ReadError(f"it has more than {_MAX_TAR_MEMBERS:,} members")
        headers.limit = None
        # macOS adds a file named ._x for the attributes of x.
        infos = {
            info.name.removeprefix("./"): info
            for info in members
            if info.isfile() and not info.name.rpartition("/")[2].startswith("._")
        }
        names = list(infos)
        name = names[0] if member is None and len(names) == 1 else member
        inner: Any = archive.extractfile(infos[name]) if name in infos else None
    except INVALID_ARCHIVE_ERRORS as error:
        raise FormatError(
            f"{path}: this tar archive cannot be opened ({error}). It may be truncated: compare its size "
            "with the original's, and download it again."
        ) from error
    if inner is None:
        raise _no_member(path, member, names)
    with archive, inner:
        yield inner


class _TarHeaders:
    """The bytes of a tar archive, in which no header is read that says to be large."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell = file.tell
        self.seek = file.seek
        self.limit: int | None = _MAX_TAR_HEADER_BYTES

    def read(self, count: int) -> bytes:
        """Return the next bytes.

        Raises:
            ReadError: They are too many for a header.
        """
        if self.limit is not None and count > self.limit:
            raise tarfile.ReadError(f"a header has {count:,} bytes")
        return self._file.read(count)


def _no_member(path: Path, member: str | None, names: list[str]) -> FormatError:
    problem = f"has no member {member!r}" if member else f"has {len(names)} members, not one"
    if any(name.endswith("data.pkl") for name in names):
        return FormatError(
            f"{path}: this is a file of PyTorch, with a pickle in it, which is never opened, since it "
            "can run any program. In PyTorch, load it and write its words and vectors as lines of text."
        )
    return FormatError(
        f"{path}: the archive {problem}; they are: {shown_names(names)}. Name one after a #, as in "
        "'archive.zip#member.txt'."
    )
