"""Members of remote zip archives: locating their bytes, and keeping them as gzip.

A deflated member is kept as a gzip file: the same deflated bytes with 10 bytes before them and 8 after
(RFC 1952), so that anything that reads gzip reads it, and nothing is inflated to disk. One that is stored, or
compressed with bzip2 or LZMA, is made gzip on this machine.
"""

import struct
import zipfile
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast

from isal import isal_zlib

from embedhub._compression import DAMAGED_ERRORS
from embedhub._names import shown_names
from embedhub._sniff import sniff
from embedhub.download.http import CHUNK, ByteSource, FolderBytes, RangeReader, peek
from embedhub.errors import ChecksumError, DownloadError

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time, unknown system
_METHODS = (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_GZIP = 16 + 15  # zlib's number for gzip with a window of any size
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, ..., length of name, of extra field


@dataclass(frozen=True, slots=True)
class Member:
    """Range of the bytes of a member, whether they are deflated, and the size and CRC of its content."""

    start: int
    stop: int
    size: int
    crc: int
    is_deflated: bool

    @property
    def prefix(self) -> bytes:
        """The bytes before the deflated ones in a gzip file."""
        return GZIP_HEADER

    @property
    def suffix(self) -> bytes:
        """The bytes after the deflated ones in a gzip file."""
        return struct.pack("<II", self.crc, self.size & 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a file, which is kept unchanged."""

    start: int
    stop: int
    prefix = suffix = b""

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.stop - self.start


def locate(remote: ByteSource, name: str) -> Member:
    """Return a member's position from the archive's central directory, which is in its last 64 KiB.

    Raises:
        ChecksumError: The file is not a zip archive.
        DownloadError: The archive lacks the member, or the member is not deflated.
    """
    reader = RangeReader(remote)
    try:
        with zipfile.ZipFile(reader) as archive:
            names = archive.namelist()
            info = archive.getinfo(name) if name in names else None
            if info:
                reader.seek(info.header_offset)
                signature, name_length, extra_length = _LOCAL_HEADER.unpack(reader.read(_LOCAL_HEADER.size))
    except DownloadError:
        raise
    except Exception as error:  # zipfile raises all kinds of errors for damaged archives
        identified = sniff(peek(remote)) or "none, or a damaged one"
        raise ChecksumError(
            f"{remote.location}: expected a zip archive, but this is {identified} ({error})."
        ) from error
    if info is None:
        raise DownloadError(
            f"{remote.location}: the archive has no member {name!r}, only {shown_names(names)}."
        )
    if info.flag_bits & 1 or info.compress_type not in _METHODS:
        problem = "encrypted" if info.flag_bits & 1 else f"compressed with method {info.compress_type} of zip"
        raise DownloadError(f"{remote.location}: the member {name!r} is {problem}, which cannot be read.")
    if signature != b"PK\x03\x04":
        raise DownloadError(f"{remote.location}: no local header at the place of {name!r} in the directory.")
    start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    if not 0 <= start <= start + info.compress_size <= (remote.size or 0):
        raise DownloadError(f"{remote.location}: the directory puts {name!r} outside of the archive.")
    return Member(
        start=start,
        stop=start + info.compress_size,
        size=info.file_size,
        crc=info.CRC,
        is_deflated=info.compress_type == zipfile.ZIP_DEFLATED,
    )


class GzippedMember:
    """A member that is not deflated, as the bytes of a gzip file.

    Args:
        archive: The archive, on this machine; its `stat` was called.
        name: The member.
    """

    ranges = False
    size: int | None = None
    validator: str | None = None

    def __init__(self, archive: FolderBytes, name: str) -> None:
        self.location = self.address = f"{archive.location}#{name}"
        self._archive = archive
        self._name = name

    def stat(self) -> None:
        """Do nothing: the size of the gzip file is unknown until it is made."""

    def stream(self, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Yield the gzip file, which has no ranges."""
        del start, stop
        compressor = cast("Any", isal_zlib).compressobj(wbits=_GZIP)
        try:
            with zipfile.ZipFile(RangeReader(self._archive)) as archive, archive.open(self._name) as member:
                while chunk := member.read(CHUNK):
                    yield compressor.compress(chunk)
        except OSError as error:
            if error.errno is not None:  # bz2 raises one without a number
                raise
            raise self._damaged(error) from error
        except DAMAGED_ERRORS as error:
            raise self._damaged(error) from error
        yield compressor.flush()

    def _damaged(self, error: Exception) -> ChecksumError:
        return ChecksumError(f"{self.location}: the compressed bytes are damaged ({error}).")
