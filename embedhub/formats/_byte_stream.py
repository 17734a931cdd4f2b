"""Sequential reading of binary formats, with byte offsets for messages and memory maps."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedhub import _cache as cache
from embedhub._compression import is_compressed
from embedhub.errors import FormatError, StoreError

MAX_WORD_BYTES = 1 << 14
_CHUNK = 1 << 18


class ByteStream:
    """The uncompressed bytes of a file, in order.

    Args:
        file: The file, from `open_bytes`.
        path: Its name in messages.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.path = path
        self._file = file
        self._buffer = b""
        self._buffer_offset = 0  # of the buffer in the file
        self._next = 0  # in the buffer

    @property
    def offset(self) -> int:
        """Offset of the next byte."""
        return self._buffer_offset + self._next

    def error(self, message: str, offset: int | None = None) -> FormatError:
        """Return an error that names the file and a byte offset, by default that of the next byte."""
        return FormatError(f"{self.path}: byte {self.offset if offset is None else offset}: {message}")

    def read(self, count: int, /) -> bytes:
        """Return the next bytes, fewer only at the end of the file.

        Memory use depends on the size of the file, not on ``count``, which may be wrong.
        """
        self._fill(count)
        data = self._buffer[self._next : self._next + count]
        self._next += len(data)
        return data

    def read_exactly(self, count: int, label: str) -> bytes:
        """Return the next ``count`` bytes, or raise FormatError."""
        offset = self.offset
        data = self.read(count)
        if len(data) < count:
            raise self.error(
                f"expected {count} bytes of {label}, but the file ends after {len(data)}.", offset
            )
        return data

    def read_until(self, separator: bytes, limit: int = MAX_WORD_BYTES) -> bytes | None:
        """Return the bytes before a separator, and skip it; None if it does not occur within the limit."""
        end = self._buffer.find(separator, self._next)
        if end < 0:
            self._fill(limit + 1)
            end = self._buffer.find(separator, self._next)
        if not 0 <= end - self._next <= limit:
            return None
        data = self._buffer[self._next : end]
        self._next = end + 1
        return data

    def memory_map(self, count: int, label: str) -> NDArray[np.uint8]:
        """Return the next ``count`` bytes as a memory map.

        The bytes are mapped from the file, or from an unnamed copy in the cache if the file is compressed.
        Nothing else can be read afterwards.

        Raises:
            FormatError: The file has fewer bytes.
            StoreError: The copy cannot be written.
        """
        offset = self.offset
        compressed = is_compressed(self.path)
        with self._decompressed(count) if compressed else self.path.open("rb") as file:
            start = 0 if compressed else offset
            size = file.seek(0, os.SEEK_END) - start
            if size < count:
                raise self.error(
                    f"expected {count} bytes of {label}, but the file ends after {size}.", offset
                )
            return np.memmap(file, np.uint8, "r", offset=start, shape=(count,)).view(np.ndarray)

    def _fill(self, count: int) -> None:
        """Read until the buffer has ``count`` more bytes, or the file ends."""
        size = len(self._buffer) - self._next
        if size >= count:
            return
        parts = [self._buffer[self._next :]]
        while size < count and (chunk := self._file.read(_CHUNK)):
            parts.append(chunk)
            size += len(chunk)
        self._buffer_offset += self._next
        self._buffer = b"".join(parts)
        self._next = 0

    @contextmanager
    def _decompressed(self, count: int) -> Iterator[BinaryIO]:
        """Open an unnamed file with the next bytes, at most ``count``.

        The stream is read to its end, which verifies the checksum of the compressed format.
        """
        folder = cache.ensure_folder(cache.downloads_folder())
        with tempfile.TemporaryFile(dir=folder) as file:
            chunk = self._buffer[self._next :]
            while chunk:
                try:
                    file.write(chunk[: count - file.tell()])
                    file.flush()
                except OSError as error:
                    raise StoreError(
                        f"{folder}: {self.path} cannot be decompressed here ({error.strerror}). Free some "
                        "disk space, or set EMBEDHUB_CACHE to a folder with more."
                    ) from error
                chunk = self._file.read(_CHUNK)
            yield file
