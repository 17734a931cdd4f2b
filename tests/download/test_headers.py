"""Headers of a file, such as credentials: to which servers they go, and what shows of them."""

import base64
import gzip
import logging
import os
import pickle
import re
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from remote import HOST, files_in, pinned, source_of, zipped

from embedhub import DownloadError, RemoteFile
from embedhub.download.fetch import fetch_first
from embedhub.errors import ChecksumError, DependencyError

TEXT = b"".join(b"word%d %d.25 -0.5\n" % (i, i) for i in range(60_000))
SECRET = "Bearer hf_" + 30 * "s"
OWN = {"Authorization": SECRET, "X-Api-Key": "another" + 30 * "s", "Cookie": "session=" + 30 * "s"}
LOWER = {name.lower(): value for name, value in OWN.items()}
BY_ITSELF = {"user-agent": "reader/1 " + 30 * "s"}
calls: list[str] = []


def own_headers() -> Mapping[str, str]:
    """Return the headers, and count the calls."""
    calls.append("own_headers")
    return OWN | {"User-Agent": BY_ITSELF["user-agent"]}


@pytest.fixture(autouse=True)
def _no_calls_yet() -> None:
    calls.clear()


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """Return a folder with a text, its archive, and a companion."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "some.txt").write_bytes(TEXT)
    (folder / "some.zip").write_bytes(zipped(**{"before.bin": os.urandom(1 << 18), "some.txt": TEXT}))
    (folder / "beside.txt").write_bytes(b"beside")
    return folder


@pytest.fixture
def start_tls(
    served: Path, serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Return a function that starts a trusted https server of the folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))

    def start(**options: Any) -> Any:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        return serve(served, tls=context, **options)

    return start


@pytest.fixture
def gated(start_tls: Callable[..., Any]) -> Any:
    """Start a server that answers to the headers only."""
    return start_tls(needs=dict(LOWER))


def a_file(server: Any, kind: str = "whole", **changes: Any) -> RemoteFile:
    """Return the text on a server, whole or in an archive."""
    facts: dict[str, Any] = {
        "url": f"{server.base}/some.{'txt' if kind == 'whole' else 'zip'}",
        "headers": own_headers,
    }
    facts |= {} if kind == "whole" else {"member": "some.txt"}
    return pinned(TEXT, **(facts | changes))


def fetch(*files: RemoteFile) -> Path:
    """Fetch the first available file."""
    return fetch_first(files, label="some 2d").path


def content(path: Path) -> bytes:
    """Return what the reader will read."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def redirect(url: str) -> dict[str, Any]:
    """Return a redirect, as an answer of a server."""
    return {"status": 302, "headers": {"Location": url}}


def assert_not_sent_to(server: Any) -> None:
    """Check that a server was asked, and got none of the headers."""
    assert server.received
    for received in server.received:
        assert not {*OWN.values(), *BY_ITSELF.values()} & {*received.values()}
        assert not {"authorization", "x-api-key", "cookie"} & {*received}


@pytest.mark.parametrize("kind", ["whole", "member", "archive"])
def test_headers_are_sent_with_each_request(gated: Any, kind: str) -> None:
    """Each request for a file, a range of an archive, or a whole archive has them; they are made once."""
    gated.ranges = kind != "archive"
    assert content(fetch(a_file(gated, kind))) == TEXT
    assert all(received.items() >= (LOWER | BY_ITSELF).items() for received in gated.received)
    assert len(calls) == 1


def test_headers_are_made_only_for_a_download(gated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their function is not called for a file that is there, for an open store, or offline."""
    file = a_file(gated)
    source = source_of(file)
    assert calls == []
    fetch(file)
    fetch(file)
    source.vectors(2)
    source.vectors(2)
    assert len(calls) == 1
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="EMBEDHUB_OFFLINE"):
        fetch(a_file(gated, "member"))
    assert len(calls) == 1


@pytest.mark.parametrize("kind", ["whole", "member"])
def test_interrupted_download_is_resumed_with_headers(
    gated: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a first call has got is kept, and the next call asks for the rest, with new headers."""
    monkeypatch.setattr("embedhub.download.resumable.ATTEMPTS", 1)
    fine: list[dict[str, Any]] = [{}] if kind == "whole" else [{}] * 3
    gated.faults = [*fine, {"cut": 300_000 if kind == "whole" else 60_000}]
    with pytest.raises(DownloadError, match="broken off"):
        fetch(a_file(gated, kind))
    before = len(gated.asked)
    assert content(fetch(a_file(gated, kind))) == TEXT
    asked = gated.asked[before + len(fine) :]
    starts = [int(re.findall(r"bytes=(\d+)-", line)[0]) for line in asked if "bytes=" in line]
    assert starts
    assert max(starts) > 50_000
    assert len(calls) == 2


@pytest.mark.parametrize("kind", ["whole", "member"])
@pytest.mark.parametrize("asked_again", [False, True], ids=["there", "and back"])
def test_headers_do_not_follow_a_redirect_to_another_server(
    start_tls: Callable[..., Any], kind: str, asked_again: bool
) -> None:
    """Another port is another server: it gets none of them, nor does the first if it is led back to."""
    first, other = start_tls(), start_tls()
    name = "some.txt" if kind == "whole" else "some.zip"
    if asked_again:
        other.faults = [redirect(f"{first.base}/{name}")] * 20
        first.faults = [redirect(f"{other.base}/{name}"), {}] * 20
    else:
        first.faults = [redirect(f"{other.base}/{name}")] * 20
    assert content(fetch(a_file(first, kind))) == TEXT
    assert_not_sent_to(other)
    for at, received in enumerate(first.received):
        assert (received.get("authorization") == SECRET) == (not asked_again or at % 2 == 0)
    assert other.received[0]["accept-encoding"] == "identity"
    assert "range" in other.received[0]


def test_headers_follow_a_redirect_on_the_same_server(gated: Any) -> None:
    """A redirect within a server keeps all of them, also a cookie, which requests takes away."""
    gated.faults = [redirect("/some.txt"), {}] * 20
    assert fetch(a_file(gated, url=f"{gated.base}/old.txt")).read_bytes() == TEXT
    assert all(received.items() >= LOWER.items() for received in gated.received)


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["whole", "member"])
def test_headers_are_not_sent_to_a_mirror(
    gated: Any, served: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A mirror gets none of them, even for the same file, and their function is not called."""
    (served / urlsplit(gated.base).netloc).symlink_to(served, target_is_directory=True)
    mirror = serve(served)
    monkeypatch.setenv("EMBEDHUB_MIRROR", mirror.base)
    assert content(fetch(a_file(gated, kind))) == TEXT
    assert_not_sent_to(mirror)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(served))
    monkeypatch.setenv("EMBEDHUB_CACHE", str(served / "cache"))
    assert content(fetch(a_file(gated, kind))) == TEXT
    assert (gated.received, calls) == ([], [])


def test_headers_are_those_of_one_file(start_tls: Callable[..., Any]) -> None:
    """A companion or a next candidate on the same server gets those that it has itself, or none."""
    server = start_tls()
    beside = pinned(b"beside", url=f"{server.base}/beside.txt", format=None)
    absent = a_file(server, url=f"{server.base}/absent.txt", companions=(beside,))
    fetch(absent, a_file(server, "member", headers=None))
    for line, received in zip(server.asked, server.received, strict=True):
        assert ("authorization" in received) == line.startswith("/absent.txt"), line


def netrc_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let a ~/.netrc have a name and a password for the host; return the header that they make."""
    (tmp_path / "netrc").write_text("machine localhost login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return "Basic " + base64.b64encode(b"me:mine").decode()


def test_headers_go_before_the_netrc_of_the_user(
    gated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name and password for the host in ~/.netrc do not replace the credentials of the file."""
    netrc_of(tmp_path, monkeypatch)
    gated.faults = [redirect("/some.txt"), {}] * 20
    assert fetch(a_file(gated)).read_bytes() == TEXT


def test_wrong_bytes_behind_headers_are_not_kept(gated: Any, cache: Path) -> None:
    """Bytes that came with credentials are verified like any others."""
    with pytest.raises(ChecksumError, match="expected sha256:0000"):
        fetch(a_file(gated, known_hash="sha256:" + 64 * "0"))
    assert files_in(cache / "downloads") == []


def raising(error: BaseException) -> Callable[[], Any]:
    """Return a function that raises an error."""

    def token() -> Any:
        raise error

    return token


@pytest.mark.parametrize("error", [KeyError("HF_TOKEN"), SystemExit(3), OSError(2, "No such file", "token")])
def test_failing_headers_are_a_download_error(gated: Any, error: BaseException) -> None:
    """What their function raises is named with the URL; nothing is requested, and the next file is tried."""
    file = a_file(gated, headers=raising(error))
    with pytest.raises(DownloadError) as caught:
        fetch(file)
    expected = f"{file.url}: the headers of its requests are not available: {__name__}.raising.<locals>.token"
    assert expected in str(caught.value)
    assert f"raised {type(error).__name__}: {error}" in str(caught.value)
    assert gated.asked == []
    assert fetch(file, a_file(gated)).read_bytes() == TEXT


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DependencyError("pip install tokens")])
def test_interrupt_and_own_errors_of_headers_pass(gated: Any, error: BaseException) -> None:
    """Ctrl-C ends the download, and an error of embedhub is passed on unchanged."""
    with pytest.raises(type(error)) as caught:
        fetch(a_file(gated, headers=raising(error)))
    assert caught.value is error


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "an object of NoneType; expected a mapping"),
        ([("Authorization", SECRET)], "an object of list; expected a mapping"),
        ({"Authorization": SECRET.encode()}, "a mapping of str to bytes; expected one of str to str"),
        ({b"Authorization": SECRET}, "a mapping of bytes to str; expected one of str to str"),
        ({"Authorization": SECRET + "\n"}, "a value of the header 'Authorization' that .* strip()"),
        (
            {"Authorization": "Bearer "},
            "a value of the header 'Authorization' that starts or ends with a space",
        ),
        ({"Authorization": SECRET + "\u00e9"}, "a value of the header 'Authorization' that .* ASCII"),
        ({f"A: {SECRET}": "b"}, "a header whose name is not one of HTTP"),
        *(
            ({name: SECRET}, f"the header '{name}', which embedhub sets itself")
            for name in ("Range", "if-range", "Host", "Accept-Encoding", "CONTENT-LENGTH")
        ),
    ],
)
def test_invalid_headers_are_a_download_error(gated: Any, returned: object, words: str) -> None:
    """Anything but a mapping of str to str, or a reserved header, is named without its values."""
    with pytest.raises(DownloadError, match=words) as caught:
        fetch(a_file(gated, headers=lambda: returned))
    assert "sss" not in str(caught.value)
    assert f"{gated.base}/some.txt: {__name__}." in str(caught.value)
    assert "Given up" not in str(caught.value)
    assert "Try again later" not in str(caught.value)
    assert gated.asked == []


@pytest.mark.parametrize(
    ("name", "faults", "changes", "again"),
    [
        ("absent.txt", [], {}, False),
        ("some.txt", [], {"known_hash": "sha256:" + 64 * "0"}, False),
        ("some.txt", [{"status": 401}], {}, False),
        ("some.txt", [{"status": 403}], {}, False),
        ("some.txt", [{"status": 503, "headers": {"Retry-After": "3600"}}], {}, True),
        ("some.txt", [{}, *[{"cut": 0}] * 5], {}, True),
    ],
)
def test_advice_to_try_again_is_for_what_may_pass(
    name: str,
    faults: list[dict[str, Any]],
    changes: dict[str, Any],
    again: bool,
    start_tls: Callable[..., Any],
) -> None:
    """Only after a failure of the network or the server; after wrong bytes the author has to know."""
    server = start_tls(faults=list(faults))
    file = pinned(TEXT, url=f"{server.base}/{name}", **changes)
    with pytest.raises(DownloadError) as caught:
        fetch(file)
    message = str(caught.value)
    assert ("Try again later: an interrupted download is kept, and resumed." in message) is again
    assert ("tell the author of the source" in message) is isinstance(caught.value, ChecksumError)
    assert f"\n  - {file.url}: " in message
    assert "et EMBEDHUB_MIRROR to a URL or folder" in message


def test_refusal_says_what_to_do(
    start_tls: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 and 403 tell missing credentials from refused ones, and those of the file from the user's own."""
    gated = start_tls(needs={"authorization": "Bearer right"})
    other = start_tls(needs={"authorization": "Bearer right"})
    missing = r"HTTP 401 .* Credentials may be missing: .*netrc.* `headers`"
    with pytest.raises(DownloadError, match=missing) as caught:
        fetch(a_file(gated, headers=None))
    assert "Try again later" not in str(caught.value)
    refused = rf"HTTP 403 .* The credentials that {__name__}.own_headers returned were refused: they may have"
    with pytest.raises(DownloadError, match=refused) as caught:
        fetch(a_file(gated))
    assert "sss" not in str(caught.value)
    gated.faults = [redirect(f"{other.base}/some.txt")]
    with pytest.raises(
        DownloadError, match=r"HTTP 401 .* This is the answer of localhost:\d+, where a redirect"
    ):
        fetch(a_file(gated))
    mine = netrc_of(tmp_path, monkeypatch)
    with pytest.raises(
        DownloadError, match=r"HTTP 403 .* The name and password for localhost:\d+ were refused"
    ):
        fetch(a_file(gated, headers=None))
    gated.needs = {"authorization": mine}
    assert fetch(a_file(gated, headers=None)).read_bytes() == TEXT


class Token:
    """A function with a secret, as an object."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return f"Token({self.secret!r})"

    def __call__(self, secret: str = "") -> Mapping[str, str]:
        """Return the header."""
        return {"Authorization": self.secret or secret}


def with_secret(secret: str) -> Mapping[str, str]:
    """Return the header."""
    return {"Authorization": secret}


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        (own_headers, "own_headers"),
        (partial(with_secret, SECRET), "with_secret"),
        (partial(Token(""), SECRET), "Token"),
        (Token(SECRET), "Token"),
    ],
    ids=["function", "partial", "partial object", "object"],
)
def test_headers_show_nowhere(
    gated: Any,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
    headers: Any,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No repr, log, error, kept part, or manifest of a store has their values."""
    caplog.set_level(logging.DEBUG)
    gated.needs = {"authorization": SECRET}
    source = source_of(a_file(gated, headers=headers))
    with monkeypatch.context() as patch:
        patch.setattr("embedhub.download.resumable.ATTEMPTS", 1)
        gated.faults = [{}, {"cut": 300_000}]
        with pytest.raises(DownloadError, match="broken off") as caught:
            source.vectors(2)
    written = b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())
    source.vectors(2)
    written += b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())
    seen = f"{caught.value} {source!r} {caplog.text} {written!r}"
    assert "sss" not in seen
    assert f"headers=<{__name__}.{shown}>" in repr(source)


@pytest.mark.parametrize("headers", [OWN, SECRET])
def test_headers_that_are_no_function_are_refused(headers: Any) -> None:
    """Headers that were made already are an error at once, which does not show them."""
    with pytest.raises(ValueError, match="expected a function without arguments") as caught:
        RemoteFile(f"https://{HOST}/a", headers=headers)
    assert "sss" not in str(caught.value)


def test_file_with_headers_is_pickled() -> None:
    """A file whose headers are a function of a module is a value like any other."""
    file = RemoteFile(f"https://{HOST}/a.zip", member="a", headers=own_headers)
    assert pickle.loads(pickle.dumps(file)) == file  # noqa: S301 - our own bytes
    assert file.archive.headers is own_headers
