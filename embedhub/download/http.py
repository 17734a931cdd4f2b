"""Byte ranges of a file on an HTTP server, or in a mirror folder."""

import io
import re
import socket
import ssl
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from embedhub._sniff import SNIFF_BYTES
from embedhub._url import shown_url
from embedhub.download.connections import WatchedAdapter
from embedhub.download.headers import OwnHeaders, origin, proxy_hint, refusal_hint
from embedhub.download.remote_file import Headers
from embedhub.errors import DownloadError

# A download that is killed loses at most one chunk.
CHUNK = 1 << 18
CONNECT_SECONDS: float = 10
READ_SECONDS: float = 30
_MAX_RETRY_AFTER = 60  # seconds
_RETRYABLE_STATUS_CODES = {429, 500, 502, 503, 504}
_TAIL_BYTES = 1 << 16
_MAX_READ = 1 << 26  # bytes of an archive, such as its directory, to request at once
_NUMBER = re.compile("[0-9]{1,18}")
_PROXY_REFUSAL = "407"  # HTTP status; requests gives only its text


_ANSWER_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)
"""Errors of requests and urllib3 for an answer or a redirect that cannot be parsed."""


class UnavailableError(DownloadError):
    """A file is not available now, but may be later."""


class TransientError(UnavailableError):
    """A failure that may be temporary; ``wait`` is the number of seconds that the server asks for."""

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class RemoteChangedError(UnavailableError):
    """The remote file changed during its download."""


class ByteSource(Protocol):
    """A file whose byte ranges can be read."""

    location: str
    """Its URL or path, as messages show it."""
    address: str
    """The complete URL or path, which may contain a password."""
    size: int | None
    """Number of bytes; None if the server does not report it."""
    ranges: bool
    """Whether parts of it can be requested."""
    validator: str | None
    """Validator that changes with the file: an ETag or a date."""

    def stat(self) -> None:
        """Determine size, range support and validator, or raise DownloadError."""

    def stream(self, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Yield the bytes from start up to stop, or to the end; raise DownloadError if they break off."""


class FolderBytes:
    """A file in a folder."""

    ranges = True

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self.location = shown_url(self.address)
        self.size: int | None = None
        self.validator: str | None = None
        self._path = path

    def stat(self) -> None:
        """Determine the size and the time of the last change."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise DownloadError(f"{self.location}: {error.strerror}.") from error
        self.size = status.st_size
        self.validator = f"{status.st_size}-{status.st_mtime_ns}"

    def stream(self, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Yield the range."""
        left = (self.size or 0) - start if stop is None else stop - start
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                while left > 0 and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise DownloadError(f"{self.location}: {error.strerror}.") from error


class HttpBytes:
    """A file on an HTTP server; each range is a separate request, including redirects.

    Args:
        address: Its URL.
        session: Session for the requests.
        headers: Function that returns headers for this host, called once before the first request.
    """

    def __init__(self, address: str, session: "SafeSession", headers: Headers | None = None) -> None:
        self.address = address
        self.location = shown_url(address)
        self.size: int | None = None
        self.ranges = False
        self.validator: str | None = None
        self._session = session
        self._make_headers = headers
        self._own_headers: OwnHeaders | None = None

    def stat(self) -> None:
        """Request the first byte, to learn the size, the validator and whether ranges are supported."""
        self.validator = None  # of an earlier request: it would make this one conditional
        with self._get("bytes=0-0") as response:
            self.ranges = response.status_code == requests.codes.partial_content
            total = (
                response.headers.get("Content-Range", "").rpartition("/")[2]
                if self.ranges
                else response.headers.get("Content-Length", "")
            )
            self.size = _number(total)
            tag = response.headers.get("ETag", "")
            # A weak tag promises an equal meaning, not equal bytes (RFC 9110, 8.8.1).
            self.validator = tag if tag.startswith('"') else response.headers.get("Last-Modified")

    def stream(self, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Request the range and yield it as it arrives."""
        whole = start == 0 and stop in {None, self.size}
        with self._get(None if whole else f"bytes={start}-{'' if stop is None else stop - 1}") as response:
            is_part = response.status_code == requests.codes.partial_content
            if not whole and not is_part:
                raise RemoteChangedError(
                    f"{self.location}: the file on the server has changed during the download."
                )
            if whole and is_part:
                raise TransientError(f"{self.location}: the server sent a part, but all was requested.")
            if not whole and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise TransientError(
                    f"{self.location}: the server sent another range than the requested one."
                )
            offset = start
            try:
                # Not iter_content, which inflates what a server labels as gzip: a .gz file may be labeled so.
                while chunk := response.raw.read1(CHUNK, decode_content=False):
                    offset += len(chunk)
                    if stop is not None and offset > stop:
                        raise DownloadError(
                            f"{self.location}: the server sent more than the {stop - start:,} bytes that it "
                            "had announced."
                        )
                    yield chunk
            except DownloadError:
                raise
            except _ANSWER_ERRORS as error:
                raise TransientError(
                    f"{self.location}: broken off at byte {offset:,} ({_reason(error)})."
                ) from error
        if stop is not None and offset != stop:
            raise TransientError(
                f"{self.location}: the server sent {offset - start:,} bytes of {stop - start:,}."
            )

    def _get(self, byte_range: str | None) -> requests.Response:
        silent_hosts = self._session.silent_hosts
        if silent_hosts is None:
            return self._request(byte_range)
        host = urlsplit(self.address).netloc.rpartition("@")[2]
        if host in silent_hosts:
            raise UnavailableError(f"{self.location}: not requested, since {host} has just failed to answer.")
        try:
            return self._request(byte_range)
        except UnavailableError as error:
            silent_hosts.add(host)
            raise UnavailableError(f"{error} It was asked once.") from error

    def _request(self, byte_range: str | None) -> requests.Response:
        if self._make_headers and self._own_headers is None:
            self._own_headers = OwnHeaders(self._make_headers, self.location)
        # identity: a server that compresses in transit would count other bytes.
        headers = {"Accept-Encoding": "identity"}
        if byte_range:
            headers["Range"] = byte_range
            if self.validator:
                headers["If-Range"] = self.validator
        try:
            response = self._session.get(
                self.address,
                headers=headers,
                auth=self._own_headers,
                stream=True,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
        except DownloadError:
            raise
        except _ANSWER_ERRORS as error:
            root = _root(error)
            if isinstance(root, ssl.SSLCertVerificationError):
                raise DownloadError(
                    f"{self.location}: the certificate is not trusted ({_reason(error)}). If a proxy or a "
                    "server of yours signs it, name the file of its certificates in REQUESTS_CA_BUNDLE."
                ) from error
            is_of_proxy = isinstance(error, requests.exceptions.ProxyError)
            if is_of_proxy and _PROXY_REFUSAL in str(error):
                raise DownloadError(f"{self.location}: no answer.{proxy_hint(self.address)}") from error
            if isinstance(root, socket.gaierror) and not is_of_proxy:
                kind = TransientError if root.errno == socket.EAI_AGAIN else DownloadError
                raise kind(
                    f"{self.location}: {urlsplit(self.address).hostname} has no address ({_reason(error)}). "
                    "Check the name of the host, and the connection of this machine."
                ) from error
            source = " from the proxy" if is_of_proxy else ""
            raise TransientError(f"{self.location}: no answer{source} ({_reason(error)}).") from error
        if response.ok:
            return response
        response.close()
        raise self._refusal(response, byte_range)

    def _refusal(self, response: requests.Response, byte_range: str | None) -> DownloadError:
        """Return the error for an answer that is not a file."""
        if (
            byte_range == "bytes=0-0"
            and response.status_code == requests.codes.requested_range_not_satisfiable
        ):
            return DownloadError(f"{self.location}: an empty body.")
        message = f"{self.location}: HTTP {response.status_code} {response.reason}."
        if response.status_code not in _RETRYABLE_STATUS_CODES:
            return DownloadError(message + refusal_hint(response, self.address, self._own_headers))
        seconds = float(_number(response.headers.get("Retry-After", "")) or 0)
        if seconds > _MAX_RETRY_AFTER:
            return UnavailableError(f"{message} It asks to wait for {seconds:.0f} s.")
        return TransientError(message, seconds)


class SafeSession(requests.Session):
    """A session that refuses redirects from https to http, and keeps `OwnHeaders` at their origin.

    Args:
        silent_hosts: Hosts to skip. One that does not answer, or asks to come back later, is
            added. None to ask each host whatever it did.
    """

    def __init__(self, silent_hosts: set[str] | None = None) -> None:
        super().__init__()
        self.silent_hosts = silent_hosts
        for scheme in ("https://", "http://"):
            self.mount(scheme, WatchedAdapter())

    _own_headers: OwnHeaders | None = None
    """The headers of the request in progress, until it is redirected to another origin."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare the first request of a chain of redirects."""
        self._own_headers = request.auth if isinstance(request.auth, OwnHeaders) else None
        return super().prepare_request(request)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Set the credentials of a redirected request; requests itself removes only one header."""
        if self._own_headers is None:
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]  # typeshed's gap
        elif origin(str(prepared_request.url)) == origin(str(response.request.url)):
            self._own_headers(prepared_request)  # requests has removed a Cookie
        else:
            self._own_headers.remove(prepared_request, self.headers)
            self._own_headers = None  # permanently, even if a further redirect leads back
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]  # typeshed's gap

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return the URL of a redirect, or raise DownloadError."""
        if resp.is_redirect:
            resp.close()  # requests would read its body, which may have no end
        target = super().get_redirect_target(resp)
        if target and resp.url.startswith("https:") and not urljoin(resp.url, target).startswith("https:"):
            here, there = (shown_url(url, query=False) for url in (resp.url, target))
            raise DownloadError(f"{here}: a redirect to {there}, away from https, was refused.")
        return target


def _number(text: str) -> int | None:
    """Return the number in a header, None if it is not a valid size."""
    return int(text) if _NUMBER.fullmatch(text) else None


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
    """A `ByteSource` as a seekable file for zipfile; the end of the file is read in advance."""

    def __init__(self, remote: ByteSource) -> None:
        self._remote = remote
        self._size = remote.size or 0
        self._position = 0
        self._tail_start = max(0, self._size - _TAIL_BYTES)
        self._tail = b"".join(remote.stream(self._tail_start, self._size))

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's buffer type has no len
        """Read bytes from the tail if it has them, otherwise request them."""
        stop = min(self._position + len(target), self._size)
        if stop <= self._position:
            return 0
        if stop - self._position > _MAX_READ:
            raise DownloadError(
                f"{self._remote.location}: a part of the archive's directory takes "
                f"{stop - self._position:,} bytes; expected at most {_MAX_READ:,}."
            )
        if self._position >= self._tail_start:
            data = self._tail[self._position - self._tail_start : stop - self._tail_start]
        else:
            data = b"".join(self._remote.stream(self._position, stop))
        target[: len(data)] = data
        self._position += len(data)
        return len(data)


def peek(remote: ByteSource) -> bytes:
    """Return the first bytes of a remote file, for `sniff`."""
    with closing(remote.stream(0, remote.size)) as chunks:
        return next(chunks, b"")[:SNIFF_BYTES]
