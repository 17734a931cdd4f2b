"""Downloads that fail, and what the messages say to do about each cause."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from mistakes import Mistake, check, each
from remote import HOST, pinned, source_of, zipped

from embedhub.download.fetch import fetch_first
from embedhub.errors import ChecksumError, DownloadError, OfflineError, SettingsError

TEXT = b"rain 1 2\nsnow 3 4\n"
AGAIN = "Try again later"
MOVED = "a newer version of its source"
TELL = "tell the author of the source"
MIRROR = "et EMBEDHUB_MIRROR to a URL or folder"


class Case(NamedTuple):
    """A server with one failure, the error, and what its message has and has not."""

    label: str
    error: type[Exception]
    words: tuple[str, ...]
    absent: tuple[str, ...] = (AGAIN,)
    faults: tuple[dict[str, Any], ...] = ()
    served: bytes = TEXT
    name: str = "some.txt"
    changes: dict[str, Any] = {}


def failing(status: int) -> tuple[dict[str, Any], ...]:
    """Return the faults of a server that always answers with a status."""
    return ({"status": status},) * 9


def flagged(archive: bytes, at: int, value: int) -> bytes:
    """Return a zip archive with another byte in the entry of its last member in the directory."""
    data = bytearray(archive)
    data[data.rindex(b"PK\x01\x02") + at] = value
    return bytes(data)


CASES = [
    Case("credentials are missing", DownloadError, ("HTTP 401", "~/.netrc", MIRROR), faults=failing(401)),
    Case("credentials are refused", DownloadError, ("HTTP 403", "~/.netrc", MIRROR), faults=failing(403)),
    Case("the file was moved", DownloadError, ("HTTP 404", MOVED, MIRROR), name="other.txt"),
    Case("the file is gone", DownloadError, ("HTTP 410", MOVED, MIRROR), faults=failing(410)),
    Case("the server is busy", DownloadError, ("HTTP 429", AGAIN), (MOVED, TELL), faults=failing(429)),
    Case("the server fails", DownloadError, ("HTTP 500", AGAIN), (MOVED, TELL), faults=failing(500)),
    Case("the server is down", DownloadError, ("HTTP 503", AGAIN), (MOVED, TELL), faults=failing(503)),
    Case("other bytes of the same size", ChecksumError, ("expected sha256:", TELL), served=TEXT[::-1]),
    Case("fewer bytes", ChecksumError, ("expected 18 bytes", TELL), served=TEXT[:9]),
    Case(
        "a page instead of the archive",
        ChecksumError,
        ("expected a zip archive", TELL),
        served=b"<html>Sign in</html>",
        name="some.zip",
        changes={"member": "some.txt"},
    ),
    Case(
        "an archive without the member",
        DownloadError,
        ("no member 'some.txt', only other.txt",),
        served=zipped(**{"other.txt": TEXT}),
        name="some.zip",
        changes={"member": "some.txt"},
    ),
    Case(
        "an archive of many others",
        DownloadError,
        ("no member 'some.txt', only 0.txt, 1.txt,", "9.txt, ..."),
        ("10.txt", AGAIN),
        served=zipped(**{f"{i}.txt": TEXT for i in range(20)}),
        name="some.zip",
        changes={"member": "some.txt"},
    ),
    Case(
        "an encrypted member",
        DownloadError,
        ("the member 'some.txt' is encrypted", MIRROR),
        served=flagged(zipped(**{"some.txt": TEXT}), 8, 1),
        name="some.zip",
        changes={"member": "some.txt"},
    ),
    Case(
        "a member compressed with Zstandard",
        DownloadError,
        ("the member 'some.txt' is compressed with method 93 of zip", MIRROR),
        served=flagged(zipped(**{"some.txt": TEXT}), 10, 93),
        name="some.zip",
        changes={"member": "some.txt"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.label for case in CASES])
def test_advice_fits_the_cause(
    case: Case, serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what may pass is to be tried again; no message shows the secrets of the mirror's address."""
    served = tmp_path / "served"
    served.mkdir()
    (served / ("some.zip" if case.changes else "some.txt")).write_bytes(case.served)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = serve(served, tls=context, faults=list(case.faults))
    url = f"{server.base.replace('://', '://me:hunter2@')}/{case.name}?token=hunter3"

    with pytest.raises(case.error) as caught:
        fetch_first([pinned(TEXT, url=url, **case.changes)], label="some 2d")

    def call(_: Path) -> None:
        raise caught.value

    check(Mistake(case.label, call, case.error, case.words), tmp_path)
    shown = [word for word in (*case.absent, "hunter", "me:") if word in str(caught.value)]
    assert not shown, str(caught.value)


def test_untrusted_certificate_names_the_variable(
    serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network whose proxy signs certificates is the usual cause; to wait does not help."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    url = f"{serve(tmp_path, tls=context).base}/some.txt"
    with pytest.raises(
        DownloadError, match=r"certificate is not trusted[\s\S]* REQUESTS_CA_BUNDLE"
    ) as caught:
        fetch_first([pinned(TEXT, url=url)], label="some 2d")
    assert AGAIN not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "may_pass"),
    [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)],
    ids=["the name is unknown", "no name can be looked up"],
)
def test_host_without_an_address_is_named(
    code: int, may_pass: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A misspelt host, and a machine without a network, look alike: the advice is for both."""

    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "the reason")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)  # a test asks no name server
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    words = (
        f"{HOST} has no address (the reason)",
        "Check the name of the host",
        "connection of this machine",
    )
    mistake = Mistake("", lambda _: fetch_first([pinned(TEXT)], label="some 2d"), DownloadError, words)
    check(mistake, tmp_path)
    with pytest.raises(DownloadError) as caught:
        mistake.call(tmp_path)
    assert (AGAIN in str(caught.value)) is may_pass


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_password_of_a_proxy_is_asked_for(
    scheme: str, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message names the variable of the scheme."""
    proxy = serve(tmp_path, faults=list(failing(407)))
    monkeypatch.setenv(f"{scheme}_proxy", proxy.base)
    monkeypatch.setenv("EMBEDHUB_MIRROR", f"{scheme}://mirror.invalid")
    words = (f"{scheme}://mirror.invalid", f"Set {scheme.upper()}_PROXY to http://NAME:PASSWORD@HOST:PORT")
    call = partial(fetch_first, [pinned(TEXT)], label="some 2d")
    check(Mistake("", lambda _: call(), DownloadError, words), tmp_path)


def test_notes_in_the_cache_have_no_secret(
    serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """An interrupted download by way of a mirror with a password leaves no note of it."""
    (tmp_path / "served" / HOST).mkdir(parents=True)
    (tmp_path / "served" / HOST / "some.txt").write_bytes(TEXT)
    server = serve(tmp_path / "served", faults=[{}, *[{"cut": 4}, *[{"cut": 0}] * 9]])
    monkeypatch.setenv("EMBEDHUB_MIRROR", server.base.replace("://", "://me:hunter2@"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(DownloadError) as caught:
        fetch_first([pinned(TEXT)], label="some 2d")
    assert "hunter2" not in str(caught.value)
    notes = [path for path in cache.rglob("*") if path.name.endswith(".part.json")]
    assert notes
    assert not [path for path in cache.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


@pytest.mark.posix
@pytest.mark.parametrize("changes", [{}, {"known_hash": None}], ids=["pinned", "unpinned"])
@pytest.mark.filterwarnings("ignore::embedhub.errors.UnverifiedWarning")
def test_cache_of_an_address_with_secrets_has_none(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """No name and no manifest has them; another token is another address."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", write_mirror(tmp_path, "some.txt?token=hunter3", TEXT))
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    url = f"https://me:hunter2@{HOST}/some.txt?token=hunter3"
    file = pinned(TEXT, url=url, **changes)
    assert list(source_of(file).vectors(2)) == ["rain", "snow"]
    assert [path.name for path in cache.rglob("*some.txt_token_")]
    assert not [path for path in cache.rglob("*") if "hunter" in str(path.relative_to(cache))]
    assert not [path for path in cache.rglob("*") if path.is_file() and b"hunter" in path.read_bytes()]
    other = replace(file, url=url.replace("hunter3", "hunter4"))
    assert other.cache_name != file.cache_name
    assert (other.cache_key != file.cache_key) is bool(changes)


def write_mirror(folder: Path, name: str, data: bytes) -> str:
    """Write a file of the made-up host into a mirror, and return the mirror."""
    path = folder / "mirror" / HOST / name
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return str(folder / "mirror")


OFFLINE = [
    ("nothing is there", "some.txt", None, {}, OfflineError, ("some 2d is not in the cache", HOST)),
    ("other bytes in the mirror", "some.txt", TEXT[::-1], {}, ChecksumError, ("expected sha256:", TELL)),
    ("fewer bytes in the mirror", "some.txt", TEXT[:5], {}, ChecksumError, ("expected 18 bytes", TELL)),
    ("no archive in the mirror", "some.zip", b"page", {"member": "a.txt"}, ChecksumError, ("a zip archive",)),
]


@pytest.mark.parametrize(("label", "name", "data", "changes", "error", "words"), OFFLINE)
def test_offline_tells_wrong_bytes_from_absent_ones(
    label: str,
    name: str,
    data: bytes | None,
    changes: dict[str, Any],
    error: type[Exception],
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is in the mirror and wrong is not called absent."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    if data is not None:
        monkeypatch.setenv("EMBEDHUB_MIRROR", write_mirror(tmp_path, name, data))
    source = source_of(pinned(TEXT, name=name, **changes))
    check(Mistake(label, lambda _: source.vectors(2), error, words), tmp_path)


MIRRORS = [
    Mistake(
        "a mirror by ftp",
        lambda _: None,
        SettingsError,
        ("'ftp://example.org/x?...'", "http(s) URL or a folder"),
    ),
]


@each(MIRRORS)
def test_refused_mirror_is_shown_without_its_password(
    mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is the user's own, but messages are pasted into reports."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", "ftp://me:hunter2@example.org/x?key=hunter3")
    source = source_of(pinned(TEXT))
    check(mistake._replace(call=lambda _: source.vectors(2)), tmp_path)
    with pytest.raises(SettingsError) as caught:
        source.vectors(2)
    assert "hunter" not in str(caught.value)
