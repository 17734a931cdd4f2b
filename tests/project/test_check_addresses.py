"""The check that pinned addresses still answer, run as tox runs it, against servers on loopback."""

import os
import re
import socket
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from command import add_distribution, add_plugin, seeing

CHECK = Path(__file__).parents[2] / "tools" / "check_addresses.py"
CONTENT = b"1234567"
IMPATIENT = f"""
import runpy
from embedhub.download import http as remote
remote.CONNECT_SECONDS = remote.READ_SECONDS = 0.5
runpy.run_path({str(CHECK)!r}, run_name="__main__")
"""

_RIVER = """
from embedhub import RemoteFile, RemoteSource


def open_river(location, dim):
    about = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    files = {2: RemoteFile(f"https://{location}")}
    return RemoteSource(name="river", files=files, language="en", cased=False, **about)
"""

pytestmark = pytest.mark.slow
MOVED = "The file was moved or removed; a newer version of its source may know where it is."


def a_file(url: str, companion: str = "", **facts: Any) -> str:
    """Return Python that makes a RemoteFile, in a plugin."""
    facts = {"url": url} | facts
    return f"RemoteFile(format='word2vec-binary', companions=({companion}), **{facts!r}),"


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """Return an authority whose certificates are trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    return authority


@pytest.fixture
def server(authority: trustme.CA, serve: Callable[..., Any], tmp_path: Path) -> Any:
    """Serve a file, a web page and an archive over https."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "whole").write_bytes(CONTENT)
    (folder / "page").write_bytes(b"<!DOCTYPE html><title>Sorry</title>")
    with zipfile.ZipFile(folder / "archive", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", CONTENT)
        archive.writestr("longer", CONTENT * 2)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return serve(folder, tls=context)


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., tuple[int, list[str]]]:
    """Return a function that checks made-up sources in a process of its own: exit code, and lines printed."""

    def check(*sources: str, names: str = "", code: str = "") -> tuple[int, list[str]]:
        made = [f"source('made-{i}', files={{2: ({files})}})" for i, files in enumerate(sources)]
        add_plugin(tmp_path / "site", "made-up", ", ".join(made))
        script = ("-c", code) if code else (CHECK,)
        asked = names.split() or [f"made-{i}" for i in range(len(sources))]
        environment = os.environ | seeing(tmp_path / "site")
        command = [sys.executable, *script, *asked]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, (done.stdout + done.stderr).splitlines()

    return check


def test_report_lists_problems_last(server: Any, check: Callable[..., tuple[int, list[str]]]) -> None:
    """A line has status, expected and offered size, and URL; a summary ends the table."""
    base = server.base
    code, lines = check(
        a_file(f"{base}/absent")
        + a_file(f"{base}/page", size=1_000)
        + a_file(f"{base}/page")
        + a_file(f"{base}/page", member="member", size=7)
        + a_file(f"{base}/whole", size=8)
        + a_file(f"{base}/whole", size=7, known_hash=f"md5:{32 * '0'}")
        + a_file(f"{base}/whole")
        + a_file(f"{base}/archive", member="member", size=7)
        + a_file(f"{base}/archive", member="longer")
        + a_file(f"{base}/archive", member="longer", size=1_007)
        + a_file(f"{base}/archive", member="absent")
    )
    assert [re.sub(" +", " ", line.replace(base, "")) for line in lines] == [
        "ok - 14 /archive#longer",
        "ok 7 7 /archive#member",
        "ok 7 7 /whole",
        "ok - 7 /whole",
        "size 1,007 14 /archive#longer",
        "size 8 7 /whole",
        f"gone - - /absent (HTTP 404 Not Found. {MOVED})",
        "gone - - /archive#absent (the archive has no member 'absent', only member, longer.)",
        "gone 1,000 35 /page (this is a web page)",
        "gone - 35 /page (this is a web page)",
        "gone 7 - /page#member (expected a zip archive, but this is a web page (File is not a zip file).)",
        "Addresses: 11, of which 4 ok, 2 size, 5 gone",
    ]
    assert code == 1


FAULTS: dict[str, tuple[list[dict[str, Any]], str, int]] = {
    "permanent redirect": ([{"status": 301, "headers": {"Location": "/whole"}}], "moved", 2),
    "temporary redirect": ([{"status": 302, "headers": {"Location": "/whole"}}], "ok", 2),
    "redirect to http": ([{"status": 301, "headers": {"Location": "http://localhost/whole"}}], "gone", 1),
    "permanent redirect to nothing": ([{"status": 301, "headers": {"Location": "/absent"}}], "gone", 2),
    "permanent redirect to another size": (
        [{"status": 301, "headers": {"Location": "/archive"}}, {}] * 2,
        "size",
        4,
    ),
    "forbidden": ([{"status": 403}], "gone", 1),
    "busy once": ([{"status": 503}], "ok", 2),
    "busy": ([{"status": 503}] * 9, "unreachable", 2),
    "too long a wait": ([{"status": 503, "headers": {"Retry-After": "3600"}}], "unreachable", 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_determines_the_status(
    server: Any, check: Callable[..., tuple[int, list[str]]], fault: str
) -> None:
    """Redirects are followed, but not to http; a transient fault is retried once; a refusal is final."""
    server.faults, status, requests = FAULTS[fault]
    code, lines = check(a_file(f"{server.base}/whole", size=7))
    assert lines[0].startswith(f"{status} ")
    assert code == (status not in {"ok", "moved"})
    assert len(server.asked) == requests
    if status == "moved":
        assert lines[0].endswith(f"(to {server.base}/whole)")


def test_server_without_ranges_is_reported(server: Any, check: Callable[..., tuple[int, list[str]]]) -> None:
    """The size of an archive's member is unknown without ranges; a web page in place of a file is named."""
    server.ranges = False
    base = server.base
    code, lines = check(
        a_file(f"{base}/whole", size=7)
        + a_file(f"{base}/archive", size=7, member="member")
        + a_file(f"{base}/page")
    )
    assert [line.split()[:4] for line in lines[:2]] == [
        ["no", "ranges", "7", "-"],
        ["no", "ranges", "7", "7"],
    ]
    assert lines[2].startswith("gone ")
    assert code == 1


def test_interrupted_archive_directory_is_retried(
    server: Any, check: Callable[..., tuple[int, list[str]]]
) -> None:
    """The requests for an archive's directory are repeated once."""
    server.faults = [{}, {"cut": 10}]
    assert check(a_file(f"{server.base}/archive", member="member", size=7))[0] == 0


def test_silent_server_is_unreachable(
    authority: trustme.CA, check: Callable[..., tuple[int, list[str]]]
) -> None:
    """A server that accepts connections and sends nothing is unreachable."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}/whole"
        code, lines = check(a_file(url), code=IMPATIENT)
    assert lines[0].startswith("unreachable ")
    assert code == 1


def test_stalling_server_is_unreachable(server: Any, check: Callable[..., tuple[int, list[str]]]) -> None:
    """A server that stalls in the middle of an archive is unreachable."""
    server.faults = [{}, {"stall": 2}] * 2
    code, lines = check(a_file(f"{server.base}/archive", member="member"), code=IMPATIENT)
    assert lines[0].startswith("unreachable ")
    assert code == 1


def test_untrusted_certificate_is_reported(
    server: Any, check: Callable[..., tuple[int, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certificates are verified as in a download."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    code, lines = check(a_file(f"{server.base}/whole"))
    assert re.match("unreachable .*the certificate is not trusted", lines[0])
    assert code == 1
    assert server.asked == []


def test_unreachable_host_is_skipped(server: Any, check: Callable[..., tuple[int, list[str]]]) -> None:
    """After eight failures in a row, and those in flight, a host's other addresses are not requested."""
    server.faults = [{"status": 503}] * 200
    code, lines = check("".join(a_file(f"{server.base}/{i}") for i in range(40)))
    assert lines[-1] == "Addresses: 40, of which 40 unreachable"
    assert 16 <= len(server.asked) <= 2 * (8 + 3)
    assert code == 1


def test_shared_address_is_requested_once(server: Any, check: Callable[..., tuple[int, list[str]]]) -> None:
    """Sources that share a file share its line; a companion file has one of its own."""
    companion = a_file(f"{server.base}/archive")
    file = a_file(f"{server.base}/whole", size=7, companion=companion)
    code, lines = check(file, file)
    assert [line.rpartition("/")[2] for line in lines[:-1]] == ["archive", "whole"]
    assert [entry for entry in server.asked if entry.startswith("/whole")] == ["/whole bytes=0-0"]
    assert code == 0


def test_mirror_and_offline_are_ignored(
    server: Any,
    check: Callable[..., tuple[int, list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mirror that has the file does not hide that its address is gone."""
    place = tmp_path / "mirror" / server.base.removeprefix("https://") / "absent"
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    code, lines = check(a_file(f"{server.base}/absent", size=7))
    assert lines[0].startswith("gone ")
    assert code == 1


def test_names_select_sources_and_benchmarks(
    server: Any, check: Callable[..., tuple[int, list[str]]]
) -> None:
    """Sources and benchmarks are selected by name, with all of their candidates."""
    code, lines = check(a_file(f"{server.base}/whole"), names="simlex-999")  # no test has a network
    assert [line.split()[0] for line in lines] == ["unreachable", "unreachable", "Addresses:"]
    assert code == 1
    assert server.asked == []


def test_handles_of_a_scheme_are_asked_for(
    server: Any, check: Callable[..., tuple[int, list[str]]], tmp_path: Path
) -> None:
    """A name may be a handle of a scheme, whose source is in no list."""
    add_distribution(tmp_path / "site", "river", _RIVER, group="embedhub.schemes", attribute="open_river")
    handle = f"river://{server.base.removeprefix('https://')}/whole"
    code, lines = check(a_file(f"{server.base}/absent"), names=handle)
    assert [line.split()[0] for line in lines] == ["ok", "Addresses:"]
    assert code == 0


def test_unknown_name_is_an_error(check: Callable[..., tuple[int, list[str]]]) -> None:
    """Nothing is checked if one of the names is unknown."""
    code, lines = check(a_file("https://example.org/x"), names="simlex-999 made-up")
    assert lines[-1].endswith("no source or benchmark is named made-up")
    assert code == 2


def test_broken_plugin_is_an_error(check: Callable[..., tuple[int, list[str]]]) -> None:
    """A plugin that cannot be loaded is not silently skipped."""
    code, lines = check("1/0")
    assert lines[-1].startswith("The embedhub plugin made-up")
    assert code == 1
