"""What the binary formats share: bytes in order, with the offset that an error names, and maps of them."""

import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedhub import _cache as cache
from embedhub._compression import is_compressed
from embedhub.errors import FormatError, StoreError

LONGEST_WORD = 1 << 14
_CHUNK = 1 << 18


class ByteStream:
    """The uncompressed bytes of a file, one piece after the other.

    Args:
        file: What `open_bytes` gave.
        path: Its name in messages.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.path = path
        self._file = file
        self._before = 0  # bytes of the file in front of the buffer
        self._buffer = b""
        self._next = 0

    @property
    def at(self) -> int:
        """Offset of the next byte."""
        return self._before + self._next

    def error(self, message: str, at: int | None = None) -> FormatError:
        """Return an error that names the file and a byte, by default the next one."""
        return FormatError(f"{self.path}: byte {self.at if at is None else at}: {message}")

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer only at the end of the file.

        No more is taken into memory than there is, whatever the count.
        """
        self._fill(count)
        piece = self._buffer[self._next : self._next + count]
        self._next += len(piece)
        return piece

    def take(self, count: int, what: str) -> bytes:
        """Return exactly so many bytes, or raise FormatError."""
        at = self.at
        piece = self.read(count)
        if len(piece) < count:
            raise self.error(f"expected {count} bytes of {what}, but the file ends after {len(piece)}.", at)
        return piece

    def until(self, mark: bytes, limit: int = LONGEST_WORD) -> bytes | None:
        """Return the bytes up to a mark, which is skipped; None if the file ends or the limit comes first."""
        end = self._buffer.find(mark, self._next)
        if end < 0:
            self._fill(limit + 1)
            end = self._buffer.find(mark, self._next)
        if not 0 <= end - self._next <= limit:
            return None
        piece = self._buffer[self._next : end]
        self._next = end + 1
        return piece

    def map(self, count: int, what: str) -> NDArray[np.uint8]:
        """Return so many of the next bytes for access in any order, in no more memory than is looked at.

        They are those of the file itself, or of a nameless copy in the cache where it is compressed. Nothing
        else can be read afterwards.

        Raises:
            FormatError: There are fewer bytes.
            StoreError: There is no room for the copy.
        """
        at = self.at
        if is_compressed(self.path):
            folder = cache.ensure_folder(cache.downloads())
            with tempfile.TemporaryFile(dir=folder) as copy:
                have = self._copy(copy, count, folder)
                mapped = np.memmap(copy, np.uint8, "r", shape=(have,)) if have else np.empty(0, np.uint8)
        else:
            have = min(count, self.path.stat().st_size - at)
            mapped = (
                np.memmap(self.path, np.uint8, "r", offset=at, shape=(have,))
                if have
                else np.empty(0, np.uint8)
            )
        if have < count:
            raise self.error(f"expected {count} bytes of {what}, but the file ends after {have}.", at)
        return mapped.view(np.ndarray)

    def _fill(self, count: int) -> None:
        """Have so many bytes in the buffer, if the file has them."""
        have = len(self._buffer) - self._next
        if have >= count:
            return
        parts = [self._buffer[self._next :]]
        while have < count and (chunk := self._file.read(_CHUNK)):
            parts.append(chunk)
            have += len(chunk)
        self._before += self._next
        self._buffer = b"".join(parts)
        self._next = 0

    def _copy(self, target: BinaryIO, count: int, folder: Path) -> int:
        """Write the next bytes, return how many there were; read on to the end, where a checksum may be."""
        have = 0
        chunk = self._buffer[self._next :]
        while chunk:
            try:
                target.write(chunk[: count - have])
                target.flush()
            except OSError as error:
                raise StoreError(
                    f"{folder}: {self.path} cannot be unpacked here ({error.strerror}). Free some space, or "
                    "set EMBEDHUB_CACHE to a folder with more."
                ) from error
            have = min(have + len(chunk), count)
            chunk = self._file.read(_CHUNK)
        return have
