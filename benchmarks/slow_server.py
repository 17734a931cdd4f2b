"""A server on loopback that sends files at a given rate."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class SlowServer(ThreadingHTTPServer):
    """A server of files whose sockets buffer little, so that its rate is that of the client.

    Args:
        folder: What it serves.
        rate: Bytes per second of each answer. Time in which the client does not read is lost.
    """

    daemon_threads = True

    def __init__(self, folder: Path, rate: float) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.rate = rate
        self.sent = 0

    @property
    def address(self) -> str:
        """The address of the folder."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Set the size of the buffer of each connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        super().server_bind()


class _Handler(SimpleHTTPRequestHandler):
    server: SlowServer

    def do_GET(self) -> None:
        """Send a file or a range of it."""
        path = Path(self.translate_path(self.path))
        size = path.stat().st_size
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, stop = int(first), int(last) + 1 if last else size
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        due = time.monotonic()
        with path.open("rb") as file:
            file.seek(start)
            for at in range(start, stop, 1 << 16):
                data = file.read(min(1 << 16, stop - at))
                due = max(due, time.monotonic() - 0.02) + len(data) / self.server.rate
                time.sleep(max(0, due - time.monotonic()))
                self.wfile.write(data)
                self.server.sent += len(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Do not log requests."""


@contextmanager
def serving(folder: Path, rate: float) -> Iterator[SlowServer]:
    """Serve a folder at a rate in bytes per second."""
    with SlowServer(folder, rate) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
