"""A member of a remote zip archive: the location of its bytes, and how to keep them.

A deflated member is kept as a gzip file: the same deflated bytes with 10 bytes before them and 8 after
(RFC 1952), so that anything that reads gzip reads it, and nothing is inflated to disk.
"""

import struct
import zipfile
from dataclasses import dataclass

from embedhub._sniff import sniff
from embedhub.download.http import ByteSource, RangeReader, peek
from embedhub.errors import ChecksumError, DownloadError

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time, unknown system
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, ..., length of name, of extra field


@dataclass(frozen=True, slots=True)
class Member:
    """Range of a member's deflated bytes in its archive; size and CRC of the inflated bytes."""

    start: int
    stop: int
    size: int
    crc: int

    @property
    def gzip_trailer(self) -> bytes:
        """The bytes after the deflated ones in a gzip file."""
        return struct.pack("<II", self.crc, self.size & 0xFFFFFFFF)


def locate(remote: ByteSource, name: str) -> Member:
    """Return a member's place by the archive's central directory, which is in its last 64 KiB.

    Raises:
        ChecksumError: It is not a zip archive.
        DownloadError: It has no such deflated member.
    """
    reader = RangeReader(remote)
    try:
        with zipfile.ZipFile(reader) as archive:
            info = archive.getinfo(name)
    except zipfile.BadZipFile as error:
        identified = sniff(peek(remote)) or "none"
        raise ChecksumError(
            f"{remote.location}: expected a zip archive, but this is {identified} ({error})."
        ) from error
    except KeyError as error:
        raise DownloadError(
            f"{remote.location}: the archive has no member {name!r}, only {', '.join(archive.namelist())}."
        ) from error
    if info.compress_type != zipfile.ZIP_DEFLATED or info.flag_bits & 1:
        raise DownloadError(f"{remote.location}: the member {name!r} is not a plain deflated one.")
    reader.seek(info.header_offset)
    signature, name_length, extra_length = _LOCAL_HEADER.unpack(reader.read(_LOCAL_HEADER.size))
    if signature != b"PK\x03\x04":
        raise DownloadError(f"{remote.location}: no local header at the place of {name!r} in the directory.")
    start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    return Member(start=start, stop=start + info.compress_size, size=info.file_size, crc=info.CRC)
