"""Bytes of a file elsewhere: over HTTP, or in a folder that mirrors the servers."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import requests

from embedhub.errors import DownloadError

CHUNK = 1 << 20
_CONNECT_AND_READ_SECONDS = (10, 60)


class Remote(Protocol):
    """A file elsewhere, of which ranges of bytes can be read."""

    address: str

    def size(self) -> int:
        """Return the number of bytes of the whole file, or raise DownloadError."""

    def stream(self, start: int, stop: int) -> Iterator[bytes]:
        """Give the bytes from start up to stop in chunks."""


class LocalFile:
    """A file in a folder."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._path = path

    def size(self) -> int:
        """Return the size on disk."""
        try:
            return self._path.stat().st_size
        except OSError as error:
            raise DownloadError(f"{self.address}: {error.strerror}.") from error

    def stream(self, start: int, stop: int) -> Iterator[bytes]:
        """Read the range."""
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                while start < stop and (chunk := file.read(min(CHUNK, stop - start))):
                    start += len(chunk)
                    yield chunk
        except OSError as error:
            raise DownloadError(f"{self.address}: {error.strerror}.") from error


class HttpFile:
    """A file on an HTTP server; every range is asked for anew, redirects included."""

    def __init__(self, address: str, session: requests.Session) -> None:
        self.address = address
        self._session = session
        self._size: int | None = None

    def size(self) -> int:
        """Ask for one byte; the answer says how many there are."""
        if self._size is None:
            with self._get("bytes=0-0") as response:
                self._size = self._total(response)
        return self._size

    def stream(self, start: int, stop: int) -> Iterator[bytes]:
        """Ask for the range and give it as it comes."""
        with self._get(f"bytes={start}-{stop - 1}") as response:
            if response.status_code != requests.codes.partial_content and (start, stop) != (0, self.size()):
                raise DownloadError(f"{self.address}: the server sends no byte ranges.")
            try:
                for chunk in response.iter_content(CHUNK):
                    start += len(chunk)
                    yield chunk
            except (requests.RequestException, OSError) as error:
                raise DownloadError(
                    f"{self.address}: broken off at byte {start} of {stop} ({error})."
                ) from error
        if start != stop:
            raise DownloadError(f"{self.address}: sent bytes up to {start}; expected up to {stop}.")

    def _get(self, byte_range: str) -> requests.Response:
        # identity: a server that compresses on the way would make the range one of other bytes.
        headers = {"Range": byte_range, "Accept-Encoding": "identity"}
        try:
            response = self._session.get(
                self.address, headers=headers, stream=True, timeout=_CONNECT_AND_READ_SECONDS
            )
        except requests.RequestException as error:
            raise DownloadError(f"{self.address}: no answer ({error}).") from error
        if not response.ok:
            response.close()
            raise DownloadError(f"{self.address}: HTTP {response.status_code} {response.reason}.")
        return response

    def _total(self, response: requests.Response) -> int:
        """Return the size of the whole file, whether the server heeded the range or not."""
        if response.status_code == requests.codes.partial_content:
            text = response.headers.get("Content-Range", "").rpartition("/")[2]
        else:
            text = response.headers.get("Content-Length", "")
        if not text.isdigit():
            raise DownloadError(f"{self.address}: the server does not say how long the file is.")
        return int(text)


class RangeReader(io.RawIOBase):
    """A remote as a seekable file, for code that wants one (zipfile); keeps the tail at hand."""

    def __init__(self, remote: Remote, tail: int = 1 << 16) -> None:
        self._remote = remote
        self._size = remote.size()
        self._at = 0
        self._tail_start = max(0, self._size - tail)
        self._tail = b"".join(remote.stream(self._tail_start, self._size))

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's buffer type has no len
        """Read from the tail where it reaches, else ask the remote."""
        stop = min(self._at + len(target), self._size)
        if stop <= self._at:
            return 0
        if self._at >= self._tail_start:
            data = self._tail[self._at - self._tail_start : stop - self._tail_start]
        else:
            data = b"".join(self._remote.stream(self._at, stop))
        target[: len(data)] = data
        self._at += len(data)
        return len(data)
