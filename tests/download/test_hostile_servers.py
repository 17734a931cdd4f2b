"""Servers that answer anything at all: each answer is one DownloadError, and the next address is asked."""

import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from children import PATIENCE
from remote import files_in, pinned, source_of, zipped
from serving import SOCKET_BUFFER, Serving

from embedhub import DownloadError, RemoteFile, RemoteSource
from embedhub.download import connections, http

TEXT = b"".join(b"word%d %d 0.5\n" % (i, i) for i in range(1_000))
ARCHIVE = zipped(**{"a.txt": TEXT, "b.txt": b"other"})
ENDLESS = 1 << 30  # bytes, of an answer that ends only when its client goes
READ_AT_ONCE = 32 << 20  # bytes, the buffers of both ends included

Answer = bytes | tuple[bytes, bytes] | Callable[[bytes], bytes]
"""What a server writes; of a pair the second is repeated without end; a function gets the request."""


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Return a status line and headers."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1", "surrogateescape")


def ranged(total: str, body: bytes = TEXT[:1], sent: str = "0-0") -> bytes:
    """Return a part of a file."""
    return (
        head(f"Content-Range: bytes {sent}/{total}", f"Content-Length: {len(body)}", status="206 Partial")
        + body
    )


def moved(target: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a redirect."""
    return head(f"Location: {target}", *(headers or ["Content-Length: 0"]), status="302 Found") + body


ANSWERS: dict[str, Answer] = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status of letters": b"HTTP/1.1 banana\r\n\r\n",
    "a status of five digits": head(status="99999 Odd"),
    "an unknown status": head("Content-Length: 0", status="799 Odd"),
    "an unknown version": b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "endless letters": (b"", b"x" * 65536),
    "endless status line": (b"HTTP/1.1 200 ", b"x" * 65536),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536),
    "endless headers": (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n" * 1000),
    "a header without a colon": head("no colon", "Content-Length: 0"),
    "a header with a null": head("X: a\0b", "Content-Length: 0"),
    "headers cut off": b"HTTP/1.1 200 OK\r\nContent-Len",
    "no content": head(status="204 No Content"),
    "reset content": head("Content-Length: 0", status="205 Reset"),
    "not modified": head(status="304 Not Modified"),
    "an empty file": head("Content-Length: 0"),
    "an empty range": head("Content-Length: 0", status="416 Range"),
    "a part of nothing": head("Content-Length: 0", status="206 Partial"),
    "too many requests": head("Content-Length: 0", "Retry-After: 100000", status="429 Slow"),
    "a wait of letters": head("Content-Length: 0", "Retry-After: soon", status="503 Slow"),
    "a wait of odd digits": head("Content-Length: 0", "Retry-After: \xb2", status="503 Slow"),
    "a wait of many digits": head("Content-Length: 0", f"Retry-After: {'9' * 5000}", status="503 Slow"),
    "a body without end": (head("Connection: close"), TEXT),
    "chunks without end": (head("Transfer-Encoding: chunked"), b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "a chunk of odd size": head("Transfer-Encoding: chunked") + b"zz\r\nabc\r\n0\r\n\r\n",
    "a chunk of negative size": head("Transfer-Encoding: chunked") + b"-5\r\nabc\r\n0\r\n\r\n",
    "a chunk of huge size": head("Transfer-Encoding: chunked") + b"F" * 40 + b"\r\nabc\r\n",
    "chunks cut off": head("Transfer-Encoding: chunked") + b"1000\r\nabc",
    "an unknown transfer": head("Transfer-Encoding: banana") + b"abc",
    "a size of letters": head("Content-Length: banana") + TEXT,
    "a negative size": head("Content-Length: -5") + TEXT,
    "a size of odd digits": head("Content-Length: \xb2") + TEXT,
    "a size of many digits": head(f"Content-Length: {'9' * 5000}") + TEXT,
    "a huge size": head(f"Content-Length: {10**18}") + TEXT,
    "two sizes": head("Content-Length: 5", "Content-Length: 6") + TEXT,
    "a smaller size": head("Content-Length: 5") + TEXT,
    "a larger size": head(f"Content-Length: {len(TEXT) + 5}") + TEXT,
    "a total of letters": ranged("banana"),
    "a total of odd digits": ranged("\xb2"),
    "a total of many digits": ranged("9" * 5000),
    "a huge total": ranged(str(10**18)),
    "a negative total": ranged("-1"),
    "an unknown total": ranged("*"),
    "no range": head("Content-Length: 1", status="206 Partial") + TEXT[:1],
    "a range of letters": head("Content-Range: banana", "Content-Length: 1", status="206 Partial") + b"x",
    "a range without end": (head(f"Content-Range: bytes 0-0/{len(TEXT)}", status="206 Partial"), TEXT),
    "another range": ranged(str(len(TEXT)), TEXT[5:6], "5-5"),
    "a validator of odd bytes": head('ETag: "\x80\xff"', f"Content-Length: {len(TEXT)}") + TEXT[:-1] + b"x",
    "a label of gzip": head("Content-Encoding: gzip", f"Content-Length: {len(TEXT)}") + TEXT[::-1],
    "a label of nonsense": head("Content-Encoding: banana", f"Content-Length: {len(TEXT)}") + TEXT[::-1],
    "other bytes": head(f"Content-Length: {len(TEXT)}") + TEXT[::-1],
    "a page": head("Content-Type: text/html", "Content-Length: 21") + b"<html>Log in</html>\r\n",
    "a redirect to itself": moved("/"),
    "a redirect to nowhere": head("Content-Length: 0", status="302 Found"),
    "a redirect to nothing": moved(""),
    "a redirect to a file": moved("file:///etc/passwd"),
    "a redirect to ftp": moved("ftp://127.0.0.1:9/x"),
    "a redirect to half an address": moved("https://[::1"),
    "a redirect to a large port": moved("https://localhost:99999/"),
    "a redirect to a port of letters": moved("https://localhost:banana/"),
    "a redirect to a closed port": moved("https://localhost:9/"),
    "a redirect to no host": moved("https:///x"),
    "a redirect to odd bytes": moved("https://localhost:9/\xff\xfe"),
    "a redirect to an odd host": moved("https://localhost\x80/"),
    "a redirect to a long host": moved(f"https://{'a' * 300}.invalid./"),
    "a redirect with a null": moved("https://localhost:9/\0"),
    "a redirect with an endless body": (moved("/", "Connection: close"), b"x" * 65536),
    "a redirect with a body of odd chunks": moved("/", "Transfer-Encoding: chunked", body=b"zz\r\nabc"),
    "a redirect with a body of odd gzip": moved(
        "/", "Content-Encoding: gzip", "Content-Length: 3", body=b"abc"
    ),
}


class Slow(bytes):
    """Bytes that come one by one."""


def one_byte(request: bytes) -> bytes:
    """Answer with one byte of the file, and the headers of what was requested."""
    asked = re.search(rb"Range: bytes=(\d+)-(\d*)", request)
    if asked is None:
        return head(f"Content-Length: {len(TEXT)}", 'ETag: "1"') + TEXT[:1]
    start, stop = int(asked[1]), int(asked[2] or len(TEXT) - 1)
    sizes = f"Content-Range: bytes {start}-{stop}/{len(TEXT)}", f"Content-Length: {stop - start + 1}"
    return head(*sizes, 'ETag: "1"', status="206 Partial") + TEXT[start : start + 1]


ENDLESS_SIZE = head("Transfer-Encoding: chunked") + b"1;x="
SLOW: dict[str, Answer] = {
    "a slow status": Slow(b"HTTP/1.1 200 " + b"x" * 1000),
    "slow headers": Slow(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000),
    "slow answers of 100": Slow(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a slow body": Slow(head(f"Content-Length: {len(TEXT)}") + TEXT),
    "a slow body without end": Slow(head("Connection: close") + TEXT),
    "slow chunks": Slow(head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 1000),
    "a slow size of a chunk": Slow(head("Transfer-Encoding: chunked") + b"0" * 1000),
    "a slow redirect": Slow(moved("/", "Content-Length: 1000", body=b"x" * 1000)),
    "a slow trailer": Slow(head("Transfer-Encoding: chunked") + b"0\r\n" + b"X: x\r\n" * 1000),
    "answers of 100 without end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a size of a chunk without end": (ENDLESS_SIZE, b"x" * 65536),
    "trailers without end": (head("Transfer-Encoding: chunked") + b"0\r\n", b"X: x\r\n" * 1000),
    "one byte an answer": one_byte,
}
"""What no wait for a byte gives up."""

OTHER_BYTES = [answer for answer in ANSWERS.values() if isinstance(answer, bytes) and len(answer) > len(TEXT)]
OTHER_SIZES = [ANSWERS[name] for name in ("a body without end", "chunks without end", "an unknown transfer")]


def tail(archive: bytes, **changes: Any) -> bytes:
    """Return an archive whose end record has other numbers."""
    end = bytearray(archive[-22:])
    for name, value in changes.items():
        start, size = {
            "entries": (8, 2),
            "all": (10, 2),
            "size": (12, 4),
            "offset": (16, 4),
            "comment": (20, 2),
        }[name]
        end[start : start + size] = value.to_bytes(size, "little")
    return archive[:-22] + bytes(end)


def directory(archive: bytes, at: int, value: bytes) -> bytes:
    """Return an archive with other bytes in the first entry of its central directory."""
    start = archive.index(b"PK\x01\x02") + at
    return archive[:start] + value + archive[start + len(value) :]


def zip64(size: int, offset: int) -> bytes:
    """Return an archive that only ends with a zip64 directory of that size."""
    end64 = b"PK\x06\x06" + (44).to_bytes(8, "little") + b"-\0-\0" + bytes(8)
    end64 += (1).to_bytes(8, "little") * 2 + size.to_bytes(8, "little") + offset.to_bytes(8, "little")
    locator = b"PK\x06\x07" + bytes(4) + len(ARCHIVE).to_bytes(8, "little") + (1).to_bytes(4, "little")
    return ARCHIVE + end64 + locator + b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + bytes(2)


ARCHIVES: dict[str, bytes] = {
    "no archive": TEXT,
    "an empty archive": zipped(),
    "another archive": zipped(**{"c.txt": TEXT}),
    "a directory cut off": ARCHIVE[:-30],
    "many entries": tail(ARCHIVE, entries=60_000, all=60_000),
    "a huge directory": tail(ARCHIVE, size=2**32 - 2),
    "a directory far away": tail(ARCHIVE, offset=2**32 - 2),
    "a long comment": tail(ARCHIVE, comment=65_535),
    "a zip64 directory of 2 GB": zip64(1 << 31, 0),
    "a zip64 directory of 10**18 bytes": zip64(10**18, 0),
    "a zip64 directory at 10**18": zip64(100, 10**18),
    "an unknown method": directory(ARCHIVE, 10, b"\x63\0"),
    "an encrypted member": directory(ARCHIVE, 8, b"\x01\0"),
    "another version": directory(ARCHIVE, 6, b"\xff\0"),
    "a longer name": directory(ARCHIVE, 28, b"\xff\xff"),
    "a member far away": directory(ARCHIVE, 42, b"\xf0\xff\xff\x7f"),
    "a member of a huge size": directory(ARCHIVE, 24, b"\xf0\xff\xff\x7f"),
    "a member of other bytes": ARCHIVE[:60] + b"\0\0\0\0" + ARCHIVE[64:],
    "an odd extra field": directory(ARCHIVE, 30, b"\x04\0"),
}


class _Handler(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        """Answer a request, and close."""
        with suppress(OSError):
            received = b""
            while b"\r\n\r\n" not in received:
                if not (data := self.request.recv(65536)):
                    return
                received += data
            self.server.requests += 1
            answer = self.server.answer
            if callable(answer):
                answer = answer(received)
            if isinstance(answer, Slow):
                for byte in answer:
                    self.request.sendall(bytes([byte]))
                    time.sleep(0.05)
                return
            first, endless = answer if isinstance(answer, tuple) else (answer, b"")
            self.request.sendall(first)
            for _ in range(ENDLESS // len(endless) if endless else 0):
                self.request.sendall(endless)
                self.server.sent += len(endless)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.answer: Answer = b""
        self.requests = 0
        self.sent = 0
        self._tls = tls
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Keep little in the socket, so that what was sent is what was read."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        super().server_bind()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Make it a TLS connection, in the thread of this request."""
        with suppress(OSError), self._tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    @property
    def url(self) -> str:
        """The address of a file."""
        return f"https://localhost:{self.server_address[1]}/a"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """Return the file of an authority, and the certificate that it gives to servers."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return path, context


@pytest.fixture
def tls(authority: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return the certificate of servers that this process trusts."""
    path, context = authority
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return context


@pytest.fixture
def hostile(tls: ssl.SSLContext) -> Iterator[_Server]:
    """Run a server that gives the same answer to each request."""
    with _Server(tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(PATIENCE)


def secure(server: Serving) -> str:
    """Return the address of a server of files."""
    return f"https://localhost:{server.base.rpartition(':')[2]}"


@pytest.fixture
def good(tmp_path: Path, serve: Callable[..., Any], tls: ssl.SSLContext) -> str:
    """Serve the right files, and return their address."""
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "a.txt").write_bytes(TEXT)
    (folder / "a.zip").write_bytes(ARCHIVE)
    return secure(serve(folder, tls=tls))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no server longer than a second."""
    monkeypatch.setattr(http, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(http, "READ_SECONDS", 1)
    monkeypatch.setattr(connections, "SLOW_SECONDS", 0.2)


def source(*files: RemoteFile) -> RemoteSource:
    """Return a source of the text."""
    return source_of(*files, vocab_size=1_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    "is_pinned", [pytest.param(True, id="pinned"), pytest.param(False, id="unpinned", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_next_address_is_asked(
    answer: Answer, is_pinned: bool, hostile: _Server, good: str, cache: Path
) -> None:
    """Whatever the first address answers, the vectors are those of the second, and nothing is left over."""
    if not is_pinned and answer in (*OTHER_BYTES, *OTHER_SIZES):
        pytest.skip("without a hash or a size these bytes pass for the right ones")
    facts: dict[str, Any] = {} if is_pinned else {"known_hash": None, "size": None}
    hostile.answer = answer
    vectors = source(pinned(TEXT, url=hostile.url, **facts), pinned(TEXT, url=f"{good}/a.txt")).vectors(2)
    assert vectors.lookup(["word7"]).tolist() == [[7, 0.5]]
    assert hostile.sent < hostile.requests * READ_AT_ONCE
    assert files_in(cache / "downloads") == []


@pytest.mark.slow
@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_slow_server_is_given_up(answer: Answer, hostile: _Server, good: str, cache: Path) -> None:
    """An address with less than some kB in a minute has failed, and the next one is asked."""
    hostile.answer = answer
    files = pinned(TEXT, url=hostile.url), pinned(TEXT, url=f"{good}/a.txt")
    vectors = source(*files).vectors(2)
    assert vectors.lookup(["word7"]).tolist() == [[7, 0.5]]
    assert hostile.sent < hostile.requests * READ_AT_ONCE
    assert files_in(cache / "downloads") == []


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_answer_is_a_download_error(answer: Answer, hostile: _Server, cache: Path) -> None:
    """With no other address, that is the error, with the address in it; or the bytes are right."""
    hostile.answer = answer
    error = ""
    try:
        vectors = source(pinned(TEXT, url=hostile.url)).vectors(2)
    except DownloadError as raised:
        error = str(raised)
    if error:
        assert hostile.url in error
        assert files_in(cache / "vectors") == []
    else:
        assert vectors.lookup(["word7"]).tolist() == [[7, 0.5]]
    assert hostile.sent < hostile.requests * READ_AT_ONCE


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "whole"])
@pytest.mark.parametrize("archive", ARCHIVES.values(), ids=ARCHIVES.keys())
def test_odd_archive_is_a_download_error(
    archive: bytes, ranges: bool, good: str, tmp_path: Path, serve: Callable[..., Any], tls: ssl.SSLContext
) -> None:
    """Whatever an archive says of itself, its member is the right one, or that of the next address."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "a.zip").write_bytes(archive)
    server = secure(serve(folder, ranges=ranges, tls=tls))
    vectors = source(
        pinned(TEXT, url=f"{server}/a.zip", member="a.txt"),
        pinned(TEXT, url=f"{good}/a.zip", member="a.txt"),
    ).vectors(2)
    assert vectors.lookup(["word7"]).tolist() == [[7, 0.5]]
