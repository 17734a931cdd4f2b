"""Bytes of a file elsewhere: over HTTP, or in a folder that mirrors the servers."""

import io
import ssl
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

import requests
import urllib3

from embedhub._sniff import HEAD
from embedhub.errors import DownloadError

# What is lost of a download that is killed is at most the chunk in hand.
CHUNK = 1 << 18
CONNECT_SECONDS = 10
READ_SECONDS = 30
_LONGEST_WAIT = 60
_WORTH_ANOTHER_TRY = {429, 500, 502, 503, 504}
_TAIL = 1 << 16


class TransientError(DownloadError):
    """A failure that may be gone in a moment; ``wait`` is how many seconds the server asks for."""

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class RemoteChangedError(DownloadError):
    """The file elsewhere is no longer the one that was begun."""


class Remote(Protocol):
    """A file elsewhere, of which ranges of bytes can be read."""

    address: str
    size: int | None
    """Number of bytes, None where the server does not say."""
    ranges: bool
    """Whether a part can be asked for."""
    validator: str | None
    """What changes when the file changes: an ETag, a date."""

    def probe(self) -> None:
        """Find out size, ranges and validator, or raise DownloadError."""

    def stream(self, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Give the bytes from start up to stop, or to the end; raise DownloadError if they break off."""


class LocalFile:
    """A file in a folder."""

    ranges = True

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self.size: int | None = None
        self.validator: str | None = None
        self._path = path

    def probe(self) -> None:
        """Look at the size and the time of the last change."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise DownloadError(f"{self.address}: {error.strerror}.") from error
        self.size = status.st_size
        self.validator = f"{status.st_size}-{status.st_mtime_ns}"

    def stream(self, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Read the range."""
        left = (self.size or 0) - start if stop is None else stop - start
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                while left > 0 and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise DownloadError(f"{self.address}: {error.strerror}.") from error


class HttpFile:
    """A file on an HTTP server; every range is asked for anew, redirects included."""

    def __init__(self, address: str, session: requests.Session) -> None:
        self.address = address
        self.size: int | None = None
        self.ranges = False
        self.validator: str | None = None
        self._session = session

    def probe(self) -> None:
        """Ask for the first byte; the answer tells the rest."""
        self.validator = None  # of an earlier look: it would make this request a conditional one
        with self._get("bytes=0-0") as response:
            self.ranges = response.status_code == requests.codes.partial_content
            total = (
                response.headers.get("Content-Range", "").rpartition("/")[2]
                if self.ranges
                else response.headers.get("Content-Length", "")
            )
            self.size = int(total) if total.isdigit() else None
            tag = response.headers.get("ETag", "")
            # A weak tag promises an equal meaning, not equal bytes (RFC 9110, 8.8.1).
            self.validator = tag if tag.startswith('"') else response.headers.get("Last-Modified")

    def stream(self, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Ask for the range and give it as it comes."""
        whole = start == 0 and stop in {None, self.size}
        with self._get(None if whole else f"bytes={start}-{'' if stop is None else stop - 1}") as response:
            if not whole and response.status_code != requests.codes.partial_content:
                raise RemoteChangedError(f"{self.address}: the file has changed on the server in between.")
            if not whole and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise TransientError(f"{self.address}: the server sent another range than was asked for.")
            at = start
            try:
                # Not iter_content, which inflates what a server calls gzip: a .gz file may come so labelled.
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    at += len(chunk)
                    yield chunk
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise TransientError(
                    f"{self.address}: broken off at byte {at:,} ({_reason(error)})."
                ) from error
        if stop is not None and at != stop:
            raise TransientError(f"{self.address}: the server sent {at - start:,} bytes of {stop - start:,}.")

    def _get(self, byte_range: str | None) -> requests.Response:
        # identity: a server that compresses on the way would count other bytes.
        headers = {"Accept-Encoding": "identity"}
        if byte_range:
            headers["Range"] = byte_range
            if self.validator:
                headers["If-Range"] = self.validator
        try:
            response = self._session.get(
                self.address, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)
            )
        except (requests.RequestException, OSError) as error:
            if isinstance(error, DownloadError):
                raise
            if isinstance(_root(error), ssl.SSLCertVerificationError):
                raise DownloadError(
                    f"{self.address}: the certificate is not trusted ({_reason(error)})."
                ) from error
            raise TransientError(f"{self.address}: no answer ({_reason(error)}).") from error
        if response.ok:
            return response
        response.close()
        if (
            byte_range == "bytes=0-0"
            and response.status_code == requests.codes.requested_range_not_satisfiable
        ):
            raise DownloadError(f"{self.address}: an empty body.")
        message = f"{self.address}: HTTP {response.status_code} {response.reason}."
        if response.status_code not in _WORTH_ANOTHER_TRY:
            raise DownloadError(message)
        wait = response.headers.get("Retry-After", "")
        seconds = float(wait) if wait.isdigit() else 0.0
        if seconds > _LONGEST_WAIT:
            raise DownloadError(f"{message} It asks to come back in {seconds:.0f} s.")
        raise TransientError(message, seconds)


class SafeSession(requests.Session):
    """A session that never follows a redirect from https to http."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where to go next, or raise DownloadError."""
        target = super().get_redirect_target(resp)
        if target and resp.url.startswith("https:") and not urljoin(resp.url, target).startswith("https:"):
            resp.close()
            raise DownloadError(f"{resp.url}: a redirect to {target}, away from https, was refused.")
        return target


def _root(error: BaseException) -> BaseException:
    """Return the first cause of an error; requests wraps it three deep."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _reason(error: BaseException) -> str:
    """Return the first cause of an error in a few words."""
    error = _root(error)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class RangeReader(io.RawIOBase):
    """A remote as a seekable file, for code that wants one (zipfile); keeps the tail at hand."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._size = remote.size or 0
        self._at = 0
        self._tail_start = max(0, self._size - _TAIL)
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


def head(remote: Remote) -> bytes:
    """Return the first bytes of a remote, for `looks_like`."""
    with closing(remote.stream(0, remote.size)) as chunks:
        return next(chunks, b"")[:HEAD]
