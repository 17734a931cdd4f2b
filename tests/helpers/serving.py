"""A small HTTP server with byte ranges, which fails in the ways that a test asks for."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SOCKET_BUFFER = 1 << 16


@dataclass
class Serving:
    """A folder that is being served, what was asked and sent, and what is to go wrong."""

    base: str = ""
    ranges: bool = True
    etag: str | None = '"1"'
    length: bool = True
    """Whether the size is sent before a file; else the end of the connection is its end."""
    rate: float | None = None
    """Bytes per second, None for all at once."""
    faults: list[dict[str, Any]] = field(default_factory=list)
    """For each coming request what goes wrong: status, headers, cut (bytes, then the socket closes), stall
    (seconds after the headers), promise (a false Content-Length), etag (from now on), or nothing."""
    headers: dict[str, str] = field(default_factory=dict)
    needs: dict[str, str] = field(default_factory=dict)
    """Headers without which a request is answered 401, and with other values 403."""
    sent: int = 0
    asked: list[str] = field(default_factory=list)
    received: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request, their names in lower case."""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder with byte ranges, badly when asked to."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, serving: Serving, **options: Any) -> None:
        self.serving = serving
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Send a file or a range of it."""
        serving = self.serving
        self.path = urlsplit(self.path).path  # a proxy is asked for whole addresses
        byte_range = self.headers.get("Range", "")
        serving.asked.append(f"{self.path} {byte_range}".strip())
        received = {name.lower(): value for name, value in self.headers.items()}
        serving.received.append(received)
        fault = serving.faults.pop(0) if serving.faults else self._refusal(received)
        serving.etag = fault.get("etag", serving.etag)
        path = Path(self.translate_path(self.path))
        status = fault.get("status") or (HTTPStatus.OK if path.is_file() else HTTPStatus.NOT_FOUND)
        if status != HTTPStatus.OK:
            self.send_response(status)
            for name, value in fault.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = path.stat().st_size
        start, stop = 0, size
        changed = self.headers.get("If-Range", serving.etag) != serving.etag
        if byte_range and serving.ranges and not changed:
            first, _, last = byte_range.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else size, size)
            self.send_response(HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        else:
            self.send_response(HTTPStatus.OK)
        if serving.etag:
            self.send_header("ETag", serving.etag)
        for name, value in serving.headers.items():
            self.send_header(name, value)
        if serving.length:
            self.send_header("Content-Length", str(fault.get("promise", stop - start)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        time.sleep(fault.get("stall", 0))
        self._send(path, start, min(stop, start + fault.get("cut", size)))
        if "cut" in fault or "promise" in fault:
            self.close_connection = True

    def do_CONNECT(self) -> None:
        """Refuse a tunnel, as a proxy that asks for a password does."""
        self.send_response(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refusal(self, received: dict[str, str]) -> dict[str, Any]:
        for name, value in self.serving.needs.items():
            if received.get(name) != value:
                return {"status": HTTPStatus.FORBIDDEN if name in received else HTTPStatus.UNAUTHORIZED}
        return {}

    def _send(self, path: Path, start: int, stop: int) -> None:
        began = time.monotonic()
        with path.open("rb") as file, suppress(ConnectionError):
            file.seek(start)
            for at in range(start, stop, 1 << 16):
                data = file.read(min(1 << 16, stop - at))
                self.serving.sent += len(data)  # before the client has it, and its test looks
                self.wfile.write(data)
                if self.serving.rate:
                    due = (at + len(data) - start) / self.serving.rate
                    time.sleep(max(0, began + due - time.monotonic()))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Keep little in the socket, so that what was sent is what went out."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        super().server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that were killed."""


@contextmanager
def serving_folder(folder: Path, *, tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[Serving]:
    """Serve a folder on a free loopback port."""
    serving = Serving(**options)
    server = _Server(("127.0.0.1", 0), partial(Handler, directory=str(folder), serving=serving))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    # By its number where that will do: Windows tries localhost as ::1 first, for two seconds.
    serving.base = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield serving
    finally:
        server.shutdown()
        server.server_close()
