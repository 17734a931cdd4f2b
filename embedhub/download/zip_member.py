"""One member of a zip archive that lies elsewhere: where its bytes are, and how to keep them.

A deflated member is kept as a gzip file: the same deflated bytes with 10 bytes before them and 8 after
(RFC 1952), so that whatever reads gzip reads it, and nothing is inflated to disk.
"""

import struct
import zipfile
from dataclasses import dataclass

from embedhub._sniff import looks_like
from embedhub.download.http import RangeReader, Remote, head
from embedhub.errors import DownloadError

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time, unknown system
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, ..., length of name, of extra field


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member's deflated bytes lie in its archive, and what they inflate to."""

    start: int
    stop: int
    size: int
    crc: int

    @property
    def gzip_trailer(self) -> bytes:
        """What follows the deflated bytes in a gzip file."""
        return struct.pack("<II", self.crc, self.size & 0xFFFFFFFF)


def locate(remote: Remote, name: str) -> Member:
    """Find a member by the archive's central directory, which costs its last 64 KiB.

    Raises:
        DownloadError: This is no zip archive, or it has no such deflated member.
    """
    reader = RangeReader(remote)
    try:
        with zipfile.ZipFile(reader) as archive:
            info = archive.getinfo(name)
    except zipfile.BadZipFile as error:
        seen = looks_like(head(remote)) or "none"
        raise DownloadError(
            f"{remote.address}: expected a zip archive, but this is {seen} ({error})."
        ) from error
    except KeyError as error:
        raise DownloadError(
            f"{remote.address}: the archive has no member {name!r}, only {', '.join(archive.namelist())}."
        ) from error
    if info.compress_type != zipfile.ZIP_DEFLATED or info.flag_bits & 1:
        raise DownloadError(f"{remote.address}: the member {name!r} is not a plain deflated one.")
    reader.seek(info.header_offset)
    signature, name_length, extra_length = _LOCAL_HEADER.unpack(reader.read(_LOCAL_HEADER.size))
    if signature != b"PK\x03\x04":
        raise DownloadError(f"{remote.address}: no local header where the directory says {name!r} is.")
    start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    return Member(start=start, stop=start + info.compress_size, size=info.file_size, crc=info.CRC)
