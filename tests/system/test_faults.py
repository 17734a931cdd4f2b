"""Downloads survive what goes wrong on the way: each fault is real, on a real server."""

import errno
import gzip
import hashlib
import os
import pickle
import re
import shutil
import ssl
import stat
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache as memoize
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pytest
import trustme
from children import PATIENCE
from remote import HOST, files_in, pinned, source_of, zipped

import embedhub
from embedhub import DownloadError, FormatError, RemoteFile, RemoteSource
from embedhub.download.fetch import fetch_first, remember_hashes
from embedhub.errors import ChecksumError, OfflineError, StoreError, UnverifiedWarning

MIB = 1 << 20


@memoize
def published() -> bytes:
    """Return 250,000 lines of numbers that hardly compress: the member is 3 MB deflated."""
    numbers = np.random.default_rng().integers(1 << 48, size=(250_000, 2)).tolist()
    return b"".join(b"word%d %d %d\n" % (i, *pair) for i, pair in enumerate(numbers))


def a_file(kind: str = "member", **changes: Any) -> RemoteFile:
    """Return the text as a whole file or a zip member of the made-up host."""
    if kind == "member":
        changes = {"name": "some.zip", "member": "some.txt"} | changes
    return pinned(published(), **changes)


def fetch(*files: RemoteFile) -> Path:
    """Fetch the first available file."""
    return fetch_first(files, label="some 2d").path


def content(path: Path) -> bytes:
    """Return what the reader will read."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a mirror with the text, and an archive of it."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / HOST).mkdir()
    (folder / HOST / "some.txt").write_bytes(published())
    with zipfile.ZipFile(folder / HOST / "some.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("before.bin", os.urandom(1 << 18))
        archive.writestr("some.txt", published())
    return folder


@pytest.fixture
def server(folder: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serve that mirror."""
    serving = serve(folder)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    return serving


def deflated(folder: Path) -> int:
    """Return how many bytes the member takes in its archive."""
    with zipfile.ZipFile(folder / HOST / "some.zip") as archive:
        return archive.getinfo("some.txt").compress_size


def litter(cache: Path) -> list[str]:
    """Return the temporary files of the cache."""
    return [
        str(path) for path in cache.rglob("*") if ".part" in path.name or path.name.startswith((".", "tmp"))
    ]


class Wanted(NamedTuple):
    """A file of glove-6b in the cut mirror, and what its download should come to."""

    file: RemoteFile
    content: bytes
    """What the reader will read."""
    size: int
    """How many bytes are to be moved."""
    body: int
    """How many requests come before that of the body."""


@pytest.fixture(scope="session", params=["member", "whole"])
def wanted(
    request: pytest.FixtureRequest,
    glove_6b_mirror: tuple[Path, RemoteSource],
    glove_lines: list[bytes],
) -> Wanted:
    """Return the member of Stanford's archive, or the gzip release as a whole file."""
    mirror, source = glove_6b_mirror
    member, release = source.candidates(50)
    text = b"".join(glove_lines)
    if request.param == "whole":  # a probe, then the body
        return Wanted(release, b"%d 50\n" % len(glove_lines) + text, release.size or 0, body=1)
    with zipfile.ZipFile(mirror / member.url.removeprefix("https://")) as archive:
        deflated = archive.getinfo(member.member or "").compress_size
    # A probe, the archive's tail of 64 KiB, the member's header, then the body.
    return Wanted(member, text, deflated + (1 << 16), body=3)


FINE: dict[str, Any] = {}
BODY = -1
# From which request on, and what goes wrong with it and the next ones.
FAULTS: dict[str, tuple[int, list[dict[str, Any]]]] = {
    "cut before the first byte": (0, [{"cut": 0}]),
    "cut at byte 0 of the second answer": (1, [{"cut": 0}]),
    "cut in the second answer": (1, [{"cut": 1000}]),
    "body cut twice": (BODY, [{"cut": 100_000}, {"cut": 700_000}]),
    "500": (0, [{"status": 500}]),
    "503 then 502": (0, [{"status": 503}, FINE, {"status": 502}]),
    "429 with Retry-After": (0, [{"status": 429, "headers": {"Retry-After": "1"}}]),
    "body shorter than Content-Length": (BODY, [{"promise": 10**9}]),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_transient_fault_is_retried(glove_server: Any, cache: Path, wanted: Wanted, fault: str) -> None:
    """A transient fault raises no error, and at most 1 MiB is downloaded twice."""
    at, faults = FAULTS[fault]
    glove_server.faults = [FINE] * (wanted.body if at == BODY else at) + faults
    assert content(fetch(wanted.file)) == wanted.content
    assert glove_server.faults == []
    assert glove_server.sent <= wanted.size + MIB
    assert litter(cache) == []


@pytest.mark.slow
def test_read_timeout_is_retried(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stalls for longer than the read timeout is requested again."""
    monkeypatch.setattr("embedhub.download.http.READ_SECONDS", 1)
    server.faults = [FINE, {"stall": 4}]
    assert content(fetch(a_file("whole"))) == published()
    assert len(server.asked) >= 3  # on a busy machine an answer may be late once more


@pytest.mark.parametrize("cut", [1, 300_000, 1_500_000])
def test_interrupted_download_is_resumed(
    glove_server: Any, cache: Path, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, cut: int
) -> None:
    """When all attempts fail, the bytes stay, and the next run downloads only the remaining ones."""
    monkeypatch.setattr("embedhub.download.resumable.ATTEMPTS", 1)
    glove_server.faults = [FINE] * wanted.body + [{"cut": cut}]
    with pytest.raises(DownloadError, match=r"(?s)broken off at byte .* an interrupted download is kept"):
        fetch(wanted.file)
    assert litter(cache)
    assert content(fetch(wanted.file)) == wanted.content
    assert glove_server.sent <= wanted.size + (1 << 16) + MIB
    assert litter(cache) == []


@pytest.mark.parametrize("new", ['"2"', None])
def test_changed_etag_restarts_the_download(
    glove_server: Any, cache: Path, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, new: str | None
) -> None:
    """Bytes of an older and a newer file are never joined, neither in one run nor between two."""
    glove_server.faults = [FINE] * wanted.body + [{"cut": 900_000}, {"etag": new}]
    assert content(fetch(wanted.file)) == wanted.content  # the second attempt finds another ETag
    assert glove_server.faults == []
    assert glove_server.sent >= 900_000 + wanted.size
    assert litter(cache) == []

    (cache / "downloads" / files_in(cache / "downloads")[0]).unlink()
    monkeypatch.setattr("embedhub.download.resumable.ATTEMPTS", 1)
    glove_server.etag = '"3"'
    glove_server.faults = [FINE] * wanted.body + [{"cut": 900_000}]
    with pytest.raises(DownloadError):
        fetch(wanted.file)
    glove_server.etag, glove_server.sent = '"4"', 0
    assert content(fetch(wanted.file)) == wanted.content
    assert glove_server.sent >= wanted.size


def test_damaged_partial_file_is_downloaded_again(server: Any, cache: Path) -> None:
    """A partial file that was damaged on disk does not spoil the download."""
    server.faults = [FINE] * 3 + [{"cut": 900_000}, *[{"status": 404}]]
    with pytest.raises(DownloadError):
        fetch(a_file())
    (partial,) = (cache / "downloads").rglob("*.part")
    data = bytearray(partial.read_bytes())
    data[5000:5010] = bytes(10)
    partial.write_bytes(data)
    assert content(fetch(a_file())) == published()


FINAL = {
    "HTTP 403": {"status": 403},
    "HTTP 404": {"status": 404},
    r"HTTP 503 .* It asks to wait for 3600 s": {"status": 503, "headers": {"Retry-After": "3600"}},
}


@pytest.mark.parametrize("words", FINAL)
def test_final_status_is_not_retried(server: Any, words: str) -> None:
    """403, 404 and a Retry-After of more than a minute are final: one request, then the next URL."""
    server.faults = [FINAL[words]]
    with pytest.raises(DownloadError, match=words):
        fetch(a_file())
    assert len(server.asked) == 1


@pytest.mark.parametrize("known", [True, False])
def test_archive_without_ranges_is_downloaded_once(
    server: Any, folder: Path, cache: Path, known: bool
) -> None:
    """Without ranges the archive is downloaded, verified by its own hash, and kept."""
    server.ranges = False
    data = (folder / HOST / "some.zip").read_bytes()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}" if known else None
    with warnings.catch_warnings():
        warnings.simplefilter("error" if known else "ignore")
        path = fetch(a_file(archive_hash=digest))
    assert content(path) == published()
    assert sorted(entry.suffix for entry in path.parent.iterdir()) == [".gz", ".zip"]
    path.unlink()
    sent = server.sent
    assert content(fetch(a_file(archive_hash=digest))) == published()
    assert server.sent == sent


def test_archive_hash_is_verified(server: Any, cache: Path) -> None:
    """An archive that is downloaded whole has to have its own pinned hash."""
    server.ranges = False
    with pytest.raises(ChecksumError, match="expected sha256:0000"):
        fetch(a_file(archive_hash="sha256:" + 64 * "0"))
    assert files_in(cache / "downloads") == []


SENT_INSTEAD = {
    "a git-lfs pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 8549823\n" % (b"0a" * 32)
    ),
    "a web page": b"\n<!DOCTYPE HTML>\n<html>\n<head><title>glove.6B.50d.txt</title></head>\n</html>\n",
    "an error document of the server (NoSuchKey)": (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<Error><Code>NoSuchKey</Code><Key>glove.6B.zip</Key></Error>"
    ),
    "an empty body": b"",
}


@pytest.mark.parametrize("name", SENT_INSTEAD)
@pytest.mark.parametrize("how", ["pinned", "unpinned", "sized", "member", "archive"])
@pytest.mark.parametrize("ranges", [True, False])
def test_error_names_the_content_of_a_wrong_file(
    glove_6b_mirror: tuple[Path, RemoteSource],
    tmp_path: Path,
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
    name: str,
    how: str,
    ranges: bool,
) -> None:
    """A web page, an error document, a pointer or an empty body at a file's URL is named in the error."""
    member, release = glove_6b_mirror[1].candidates(50)
    for file in (member, release):
        place = tmp_path / "mirror" / file.url.removeprefix("https://")
        place.parent.mkdir(parents=True)
        place.write_bytes(SENT_INSTEAD[name])
    monkeypatch.setenv("EMBEDHUB_MIRROR", serve(tmp_path / "mirror", ranges=ranges).base)
    wanted = {
        "pinned": replace(release, size=None),
        "unpinned": replace(release, size=None, known_hash=None),
        "sized": release,
        "member": member,
        "archive": replace(member, archive_hash="md5:" + 32 * "0"),
    }[how]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DownloadError, match=re.escape(name)):
            fetch(wanted)
    assert files_in(cache / "downloads") == []
    assert not (cache / "hashes").exists()


def test_unpinned_hash_is_remembered(server: Any, cache: Path, folder: Path) -> None:
    """The hash of an unpinned file is stored, with a warning, and verified at later downloads."""
    for kind in ("member", "whole"):
        file = a_file(kind, known_hash=None, size=None)
        fetched = fetch_first([file], label="some 2d")
        with pytest.warns(UnverifiedWarning, match=hashlib.sha256(published()).hexdigest()):
            remember_hashes(fetched)
        path = fetched.path
        path.unlink()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert content(fetch(file)) == published()
        path.unlink()
        (memory,) = (path for path in (cache / "hashes").iterdir() if file.location in path.read_text())
        memory.write_text("sha256:" + 64 * "1")
        with pytest.raises(
            ChecksumError, match=r"expected sha256:1111.*that of its first download; .*embedhub cache forget"
        ):
            fetch(file)


@pytest.mark.parametrize("kind", ["member", "whole"])
def test_unreadable_unpinned_file_is_not_kept(
    kind: str, tmp_path: Path, folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the reader refuses an unpinned file, neither its bytes nor its hash are kept."""
    (tmp_path / HOST).mkdir()
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    place = tmp_path / HOST / ("some.zip" if kind == "member" else "some.txt")
    page = b"Please sign in.\n"
    place.write_bytes(zipped(**{"some.txt": page}) if kind == "member" else page)
    source = a_source(a_file(kind, known_hash=None, size=None))
    with pytest.raises(FormatError, match="line 1: expected a word and 2 numbers"):
        source.vectors(2)
    assert files_in(cache / "downloads") == []
    assert not (cache / "hashes").exists()
    shutil.copyfile(folder / HOST / place.name, place)
    with pytest.warns(UnverifiedWarning):
        assert len(source.vectors(2)) == 250_000


def test_require_hash_refuses_unpinned_files(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """EMBEDHUB_REQUIRE_HASH refuses an unpinned file before any request."""
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    with pytest.raises(DownloadError, match="EMBEDHUB_REQUIRE_HASH is set"):
        fetch(a_file(known_hash=None))
    assert server.asked == []


def test_require_hash_refuses_stores_of_unpinned_files(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that was built without EMBEDHUB_REQUIRE_HASH is refused with it; one of a pinned file opens."""
    source = a_source(a_file(known_hash=None))
    with pytest.warns(UnverifiedWarning):
        source.vectors(2)
    a_source(name="pinned").vectors(2)
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    with pytest.raises(StoreError, match=r"some 2d: its store was built from http.*EMBEDHUB_REQUIRE_HASH"):
        source.vectors(2)
    assert len(a_source(name="pinned").vectors(2)) == 250_000


def a_source(*files: RemoteFile, name: str = "some", vocab_size: int = 250_000) -> RemoteSource:
    """Return a source of the text."""
    return source_of(*(files or (a_file(),)), name=name, vocab_size=vocab_size)


def test_download_is_removed_after_the_build(
    server: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The download is removed, unless EMBEDHUB_KEEP_DOWNLOADS is set."""
    assert len(a_source().vectors(2)) == 250_000
    assert files_in(cache / "downloads") == []
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache / "other"))
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    a_source().vectors(2)
    assert len(files_in(cache / "other" / "downloads")) == 1


def test_offline_error_names_the_file(server: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EMBEDHUB_OFFLINE opens no connection and resolves no name; a mirror that is a folder is read."""
    code = """
import sys
def no_sockets(event, arguments):
    # urllib3 binds a local socket when it is imported, to see if there is IPv6: that is not traffic.
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        raise SystemExit(f"a socket was used: {event} {arguments}")
sys.addaudithook(no_sockets)
import embedhub
try:
    embedhub.load("glove-6b", 50)
except embedhub.errors.OfflineError as error:
    print(error)
"""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert "glove-6b 50d is not in the cache" in run.stdout
    assert "embedhub.load('glove-6b', 50)" in run.stdout
    assert "https://nlp.stanford.edu/data/glove.6B.zip#glove.6B.50d.txt" in run.stdout
    with pytest.raises(OfflineError):
        fetch(a_file())
    assert server.asked == []
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(folder))
    assert content(fetch(a_file())) == published()


def test_built_store_needs_no_network(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After embedhub.load no request is sent."""
    embedhub.load(a_source(), 2)
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    asked = len(server.asked)
    assert embedhub.load(a_source(), 2).words[0] == "word0"
    assert len(server.asked) == asked


def test_threads_share_one_download_and_one_build(server: Any, folder: Path) -> None:
    """Eight threads that start together cost one download and one build."""
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(a_source().vectors(2)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert counts == [250_000] * 8
    assert server.sent <= deflated(folder) + (1 << 16) + 256


def test_store_too_large_for_the_disk_is_not_begun(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the store cannot fit, the error says so before any request."""
    free = shutil.disk_usage("/").free
    with pytest.raises(StoreError, match=r"the store needs .* MB are free. Nothing was started"):
        a_source(vocab_size=free // 8).vectors(2)


@pytest.mark.posix
def test_download_too_large_for_the_disk_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the file cannot fit, the error states the needed and the free space."""
    (tmp_path / HOST).mkdir()
    with (tmp_path / HOST / "some.txt").open("wb") as file:
        file.truncate(10 << 40)  # a sparse hole of 10 TiB
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    with pytest.raises(
        StoreError, match=r"the download needs 10,995,116.3 MB, but only .* Nothing was started"
    ):
        fetch(a_file("whole", size=10 << 40))


LIMITED = """
import dataclasses, pickle, resource, embedhub
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
files = {{50: pickle.loads({files!r})}}
try:
    embedhub.load(dataclasses.replace(embedhub.sources()["glove-6b"], files=files), 50)
except embedhub.errors.StoreError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.posix
def test_download_resumes_after_a_full_disk(
    glove_6b_mirror: tuple[Path, RemoteSource],
    glove_lines: list[bytes],
    tmp_path: Path,
    serve: Callable[..., Any],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the disk is full during download or build, the next run resumes at the last byte written."""
    _, source = glove_6b_mirror
    member, _ = source.candidates(50)
    place = tmp_path / "mirror" / member.url.removeprefix("https://")
    place.parent.mkdir(parents=True)
    # Level 6 gives 3.4 MB, so that a limit lies between the download and the matrix of 4 MB.
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr(member.member or "", b"".join(glove_lines))
        deflated = archive.getinfo(member.member or "").compress_size
    matrix = len(glove_lines) * 50 * 4
    assert deflated + 64 < matrix
    serving = serve(tmp_path / "mirror")
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    full = 2 * MIB
    for limit, words in ((full, "are kept"), (matrix - 1, "the store could not be written")):
        code = LIMITED.format(limit=limit, files=pickle.dumps(source.candidates(50)))
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        assert words in run.stdout
        assert os.strerror(errno.EFBIG) in run.stdout
    embedhub.load(source, 50)
    bodies = [int(entry.rpartition("bytes=")[2].partition("-")[0]) for entry in serving.asked[3::4]]
    # The member begins at byte 46 of the archive, and 10 bytes of gzip's header stand before it on disk.
    assert bodies == [46, full - 10 + 46]
    assert litter(cache) == []


@pytest.fixture
def open_cache(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache whose parents others may enter."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(open_folder / "cache"))
    return open_folder / "cache"


UNPRIVILEGED = """
import os, pickle, embedhub
import embedhub.download.failures  # Python's own modules may not be readable later
embedhub.load("wordnet-ppmi", 25)
cache = os.environ["EMBEDHUB_CACHE"]
os.environ["EMBEDHUB_CACHE"] = cache + "/../other"
embedhub.load("glove-6b-20k", 50)
os.environ["EMBEDHUB_CACHE"] = cache
os.setuid(65534)
print(embedhub.load("wordnet-ppmi", 25).most_similar("music", topn=1))
for folder in (cache, cache + "/../absent"):
    os.environ["EMBEDHUB_CACHE"] = folder
    held = embedhub.load("wordnet-ppmi", 50), embedhub.load("glove-6b-20k", 50)
    print([(len(vectors), pickle.loads(pickle.dumps(vectors))["music"].shape) for vectors in held])
    for offline in "01":
        os.environ["EMBEDHUB_OFFLINE"] = offline
        try:
            embedhub.load("glove-6b", 50)
        except (embedhub.errors.StoreError, embedhub.errors.OfflineError) as error:
            print(type(error).__name__, " ".join(str(error).split()))
"""


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.skipif(getattr(os, "getuid", int)() != 0, reason="only root can become another user")
def test_cache_that_cannot_be_written(open_cache: Path) -> None:
    """A finished store is read; what is in the package is held in memory; else the error names what to do."""
    run = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    umask = os.umask(0)
    os.umask(umask)
    for path in (open_cache / "vectors").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o777 if path.is_dir() else 0o666) & ~umask
    neighbors, *others = run.stdout.splitlines()
    assert neighbors.startswith("[('")
    assert [others[0], others[3]] == ["[(78781, (50,)), (20000, (50,))]"] * 2
    for online, offline in (others[1:3], others[4:6]):
        assert online.startswith("StoreError glove-6b 50d is not in the cache, and has to be built there.")
        assert offline.startswith("OfflineError glove-6b 50d is not in the cache")
        assert "https://nlp.stanford.edu/data/glove.6B.zip#glove.6B.50d.txt" in offline
        assert "embedhub.load('glove-6b', 50)" in offline
        for refusal in (online, offline):
            assert "Permission denied" in refusal
            assert "Set EMBEDHUB_CACHE to a folder that you can write to" in refusal
            assert str(open_cache.parent) in refusal


def test_setting_draws_progress_bars(
    server: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], cache: Path
) -> None:
    """EMBEDHUB_PROGRESS=1 draws a bar for download and build without a terminal; 0 draws nothing."""
    a_source().vectors(2)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "1")
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache / "other"))
    a_source().vectors(2)
    shown = capfd.readouterr().err
    assert "Downloading some 2d (some.txt)" in shown
    assert "Building some 2d" in shown


@pytest.mark.linux
def test_zip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decompression ends one byte past the expected size."""
    (tmp_path / HOST).mkdir()
    bomb = bytes(50 * MIB)
    with zipfile.ZipFile(tmp_path / HOST / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some.txt", bomb)
    # The directory lies about the size, as a bomb's would.
    data = (tmp_path / HOST / "some.zip").read_bytes()
    data = data.replace(len(bomb).to_bytes(4, "little"), len(published()).to_bytes(4, "little"))
    (tmp_path / HOST / "some.zip").write_bytes(data)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    tracemalloc.start()
    try:
        with pytest.raises(
            ChecksumError, match=f"expected {len(published()):,} bytes, got more than {len(published()):,}"
        ):
            fetch(a_file())
        assert tracemalloc.get_traced_memory()[1] < len(bomb) / 4
    finally:
        tracemalloc.stop()


@pytest.mark.posix
def test_zip64_archive_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with zip64 fields, more than 4 GiB into its archive, is extracted."""
    (tmp_path / HOST).mkdir()
    with (tmp_path / HOST / "some.zip").open("wb") as file:
        file.truncate(5 << 30)  # a sparse hole: no disk is used
        file.seek(5 << 30)
        archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        with archive, archive.open("some.txt", "w", force_zip64=True) as member:
            member.write(published())
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    assert content(fetch(a_file())) == published()


@pytest.fixture
def https(folder: Path, serve: Callable[..., Any], tmp_path: Path) -> tuple[Any, Path]:
    """Serve the mirror over https; return the server and the certificate of its authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return serve(folder, tls=context), tmp_path / "authority.pem"


def test_tls_certificate_is_verified(https: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with an untrusted certificate is rejected at once; a trusted one is used."""
    server, authority = https
    file = a_file(url=f"{server.base}/{HOST}/some.zip")
    with pytest.raises(DownloadError, match="the certificate is not trusted"):
        fetch(file)
    assert server.asked == []
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    assert content(fetch(file)) == published()


def test_redirect_to_http_is_refused(
    https: tuple[Any, Path], server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No redirect from https to http is followed, even where the bytes would be right."""
    monkeypatch.delenv("EMBEDHUB_MIRROR")
    secure, authority = https
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    secure.faults = [{"status": 302, "headers": {"Location": f"{server.base}/{HOST}/some.zip"}}]
    with pytest.raises(DownloadError, match=r"a redirect to http://.*, away from https, was refused"):
        fetch(a_file(url=f"{secure.base}/{HOST}/some.zip"))
    assert server.asked == []
    secure.faults = [{"status": 302, "headers": {"Location": f"/{HOST}/some.zip"}}, FINE] * 4
    assert content(fetch(a_file(url=f"{secure.base}/old.zip"))) == published()


def test_proxy_of_the_environment_is_used(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that only the proxy can reach is reached through it."""
    monkeypatch.setenv("http_proxy", server.base)
    monkeypatch.setenv("EMBEDHUB_MIRROR", "http://mirror.invalid")
    assert content(fetch(a_file())) == published()
    assert server.asked[0] == f"/{HOST}/some.zip bytes=0-0"


@pytest.mark.slow
def test_sources_with_a_common_file_share_its_download(server: Any, cache: Path) -> None:
    """Two sources with one file among their candidates never write into it at once."""
    server.rate = 20e6
    shared, absent = a_file("whole"), a_file("whole", url=f"https://{HOST}/absent.txt")
    last_words: list[str] = []

    def build(name: str, *files: RemoteFile) -> None:
        last_words.append(a_source(*files, name=name).vectors(2).words[-1])

    arguments = [("one", absent, shared), ("two", shared), ("three", absent, shared)]
    threads = [threading.Thread(target=build, args=named) for named in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert last_words == ["word249999"] * 3
    assert litter(cache) == []


def test_new_pin_invalidates_the_download(
    server: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a source pins new bytes at an old URL, the earlier download is not used."""
    old, new = b"old 1 2\n", b"new 3 4\n"
    (tmp_path / HOST).mkdir()
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    for data in (old, new):
        (tmp_path / HOST / "some.txt").write_bytes(data)
        file = a_file(
            "whole", size=None, known_hash=f"md5:{hashlib.md5(data, usedforsecurity=False).hexdigest()}"
        )
        assert a_source(file).vectors(2).words[0] == data[:3].decode()


def test_retries_without_ranges_are_limited(server: Any) -> None:
    """Without resumption, an interruption at another byte is not progress."""
    server.ranges = False
    server.faults = [FINE, *[{"cut": 900_000}, {"cut": 400_000}] * 20]
    with pytest.raises(DownloadError, match="Given up after 5 tries"):
        fetch(a_file("whole"))
    assert len(server.asked) <= 8


@pytest.mark.posix
def test_partial_download_belongs_to_its_url(
    server: Any, https: tuple[Any, Path], folder: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """The next URL does not overwrite the mirror's partial file: the next run resumes at the mirror."""
    secure, authority = https
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    monkeypatch.setattr("embedhub.download.resumable.ATTEMPTS", 1)
    file = a_file("whole", url=f"{secure.base}/{HOST}/some.txt")
    (folder / urlsplit(secure.base).netloc).symlink_to(folder, target_is_directory=True)
    server.faults = [FINE, {"cut": 2_000_000}]
    secure.faults = [FINE, {"cut": 100_000}]
    with pytest.raises(DownloadError):
        fetch(file)
    server.asked, secure.asked = [], []
    assert content(fetch(file)) == published()
    assert int(server.asked[1].rpartition("bytes=")[2].partition("-")[0]) > 1_500_000
    assert secure.asked == []
    assert litter(cache) == []


def test_content_encoding_is_not_decoded(
    tmp_path: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .gz file that the server labels with Content-Encoding is stored compressed."""
    (tmp_path / HOST).mkdir()
    data = gzip.compress(published()[: len(published()) // 4])
    (tmp_path / HOST / "some.txt").write_bytes(data)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serve(tmp_path, headers={"Content-Encoding": "gzip"}).base)
    file = a_file("whole", size=len(data), known_hash=f"sha256:{hashlib.sha256(data).hexdigest()}")
    assert fetch(file).read_bytes() == data


@pytest.mark.posix
@pytest.mark.parametrize("how", ["folder", "http"])
def test_query_is_part_of_the_mirror_path(
    tmp_path: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Two URLs that differ in their query are two files of a mirror, as `wget -x` writes them."""
    (tmp_path / HOST).mkdir()
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path) if how == "folder" else serve(tmp_path).base)
    for number in (1, 2):
        data = b"word%d 1 2\n" % number
        (tmp_path / HOST / f"get?id={number}").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        file = a_file(
            "whole", url=f"https://{HOST}/get?id={number}", size=None, known_hash=f"sha256:{digest}"
        )
        assert fetch(file).read_bytes() == data
