"""Connections that give up servers that send too little, or only headers.

requests limits the wait for the next byte, so a server can send single bytes for ever. These connections
count the bytes of the file in a period. They do so at the socket, so that waits of the layers above count
too.
"""

import http.client
import io
import time
from typing import Any

import requests.adapters
import urllib3.connection

SLOW_SECONDS: float = 60
SLOW_BYTES = 1 << 14
"""Bytes of a file that must arrive in that time; a modem of 1990 had ten times as many."""

_MAX_OVERHEAD = 1 << 20  # consecutive bytes outside of the file: headers, answers 100, chunk extensions


class _WatchedSocket(io.RawIOBase):
    """The bytes of a socket; raises an OSError if too few of them belong to the file."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._waited = 0.0
        self._received = 0
        self._overhead = 0

    def receive(self, count: int) -> None:
        """Count bytes of the file."""
        self._received += count
        self._overhead = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, target: Any) -> int | None:
        """Read the available bytes. Only this time counts, not that of a busy disk or a stopped process."""
        began = time.monotonic()
        count = self._raw.readinto(target)
        self._waited += time.monotonic() - began
        self._overhead += count or 0
        if self._waited > SLOW_SECONDS:
            if self._received < SLOW_BYTES:
                raise TimeoutError(
                    f"too slow: {self._received:,} bytes of the file in {self._waited:.0f} s, expected at "
                    f"least {SLOW_BYTES:,}"
                )
            self._waited = self._received = 0
        if self._overhead > _MAX_OVERHEAD:
            raise OSError(f"{self._overhead:,} bytes came in a row that are not of the file")
        return count

    def close(self) -> None:
        """Close the socket's file."""
        super().close()
        self._raw.close()


class _Response(http.client.HTTPResponse):
    """An answer; `read1` reads its body."""

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self._watched = _WatchedSocket(self.fp.detach())
        self.fp = io.BufferedReader(self._watched)

    def read1(self, n: int = -1) -> bytes:
        """Read the available bytes of the body."""
        data = super().read1(n)
        self._watched.receive(len(data))
        return data


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class WatchedAdapter(requests.adapters.HTTPAdapter):
    """Makes requests over such connections, also through a proxy."""

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """Return a pool of connections."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pool.ConnectionCls = _HTTPSConnection if pool.scheme == "https" else _HTTPConnection
        return pool
