"""What all tests share: a cache of their own, no way out to the network, a small server, the real data."""

import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import embedhub

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty cache, no EMBEDHUB_* variable, and a proxy where nobody listens."""
    for name in ("MIRROR", "PROGRESS", "DISABLE_PLUGINS", "OFFLINE", "REQUIRE_HASH", "KEEP_DOWNLOADS"):
        monkeypatch.delenv(f"EMBEDHUB_{name}", raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr("embedhub.partial._FIRST_WAIT", 0.01)
    folder = tmp_path / "cache"
    monkeypatch.setenv("EMBEDHUB_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data beside the project, or skip."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real data (../shared/data) is not here")
    return REAL_DATA


@pytest.fixture(scope="session")
def _glove_cache(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the store of the real GloVe 6B 50d once, from the mirror as a folder."""
    folder = tmp_path_factory.mktemp("glove")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDHUB_CACHE", str(folder))
        patch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
        embedhub.load("glove-6b", 50)
    return folder


@pytest.fixture
def glove_50d(_glove_cache: Path, monkeypatch: pytest.MonkeyPatch) -> embedhub.Vectors:
    """Open the real GloVe 6B 50d; the test's cache is the one that holds it."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(_glove_cache))
    return embedhub.load("glove-6b", 50)


class RangeHandler(SimpleHTTPRequestHandler):
    """Serves a folder with byte ranges, and counts the bytes of the bodies it sends."""

    sent: int

    def do_GET(self) -> None:
        """Send a file or a range of it."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        data = path.read_bytes()
        asked = self.headers.get("Range", "")
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else len(data), len(data))
            self.send_response(HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
            data = data[start:stop]
        else:
            self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        type(self).sent += len(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Any]:
    """Return a function that serves a folder on a free loopback port: (base URL, handler with ``sent``)."""
    servers = []

    def start(folder: Path) -> tuple[str, type[RangeHandler]]:
        handler = type("Handler", (RangeHandler,), {"sent": 0})
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", handler

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
