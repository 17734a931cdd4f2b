"""A part of a remote file, given by its bytes, and files whose published hash is an id of Git."""

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from remote import files_in
from serving import Serving

from embedhub import RemoteFile, settings
from embedhub.download.fetch import fetch_first, remember_hashes
from embedhub.errors import ChecksumError, DownloadError, OfflineError, UnverifiedWarning

DATA = bytes(range(256)) * 4000
PART = (1000, 901_000)


@pytest.fixture
def server(serve: Callable[..., Serving], tmp_path: Path) -> Serving:
    """Serve one file."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "data.bin").write_bytes(DATA)
    return serve(folder)


def file_at(server: Serving, **facts: Any) -> RemoteFile:
    """Return the file on a server."""
    return RemoteFile(f"{server.base}/data.bin", **facts)


def part_of(server: Serving, **facts: Any) -> RemoteFile:
    """Return a part of the file on a server."""
    return file_at(server, byte_range=PART, **facts)


def fetched(file: RemoteFile) -> bytes:
    """Return the bytes that are downloaded of a file."""
    return fetch_first([file], label="some bytes").path.read_bytes()


def digest(data: bytes) -> str:
    """Return a published hash."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def git_id(data: bytes) -> str:
    """Return the id that Git gives to these bytes."""
    return f"git-sha1:{hashlib.sha1(b'blob %d' % len(data) + bytes(1) + data).hexdigest()}"  # noqa: S324 - Git's


def test_only_the_part_is_downloaded(server: Serving) -> None:
    """The server sends the part, and one byte to learn the size."""
    file = part_of(server, archive_size=len(DATA))
    assert fetched(file) == DATA[slice(*PART)]
    assert server.sent == PART[1] - PART[0] + 1
    assert fetched(file) == DATA[slice(*PART)]
    assert server.sent == PART[1] - PART[0] + 1
    assert file.size == PART[1] - PART[0]
    assert pickle.loads(pickle.dumps(file)) == file  # noqa: S301 - our own


def test_part_is_resumed(server: Serving) -> None:
    """A connection that breaks costs only what was not sent."""
    server.faults = [{}, {"cut": 500_000}]
    assert fetched(part_of(server, known_hash=digest(DATA[slice(*PART)]))) == DATA[slice(*PART)]
    assert server.sent < PART[1] - PART[0] + 100_000


def test_part_of_a_server_without_ranges_is_cut_from_the_whole(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole file is downloaded and verified, and other parts are cut from the same one."""
    server.ranges = False
    file = part_of(server, archive_hash=digest(DATA), archive_size=len(DATA))
    assert fetched(file) == DATA[slice(*PART)]
    asked = len(server.asked)
    assert fetched(replace(file, byte_range=(1, 3), size=None)) == DATA[1:3]
    assert len(server.asked) == asked
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "another"))
    with pytest.raises(ChecksumError, match="expected sha256:"):
        fetched(part_of(server, archive_hash=digest(b"other"), archive_size=len(DATA)))


def test_wrong_part_is_an_error(server: Serving, cache: Path) -> None:
    """Neither other bytes than published, nor a part of a file of another size are kept."""
    with pytest.raises(ChecksumError, match=r"expected sha256:.*got sha256:"):
        fetched(part_of(server, known_hash=digest(b"other")))
    with pytest.raises(ChecksumError, match=r"expected 9 bytes, but 1,024,000 are offered"):
        fetched(part_of(server, archive_size=9))
    with pytest.raises(ChecksumError, match=r"at least 2,000,000 bytes, but 1,024,000 are offered"):
        fetched(file_at(server, byte_range=(1, 2_000_000)))
    assert files_in(cache / "downloads") == []


def test_part_without_a_hash_is_trusted_at_first_use(server: Serving, tmp_path: Path) -> None:
    """Its own hash is remembered, not that of another part."""
    first = fetch_first([part_of(server)], label="some bytes")
    with pytest.warns(UnverifiedWarning, match=r"data\.bin#bytes=1000-900999: there is no published hash"):
        remember_hashes(first)
    first.path.unlink()
    (tmp_path / "served" / "data.bin").write_bytes(DATA[::-1])
    server.etag = '"2"'
    with pytest.raises(ChecksumError, match="The expected hash is that of its first download"):
        fetched(part_of(server))
    assert fetched(file_at(server, byte_range=(0, 2))) == DATA[:-3:-1]


def test_mirror_has_the_whole_or_the_part(
    server: Serving, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with the whole file serves its parts, as do the kept downloads of another cache."""
    whole = tmp_path / "mirror" / file_at(server).mirror_name
    whole.parent.mkdir(parents=True)
    whole.write_bytes(DATA)
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"#bytes=1000-900999"):
        fetched(part_of(server))
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    assert fetched(part_of(server)) == DATA[slice(*PART)]
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(cache / "downloads"))
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "other"))
    assert fetched(part_of(server)) == DATA[slice(*PART)]
    assert server.asked == []


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"byte_range": (3, 3)}, "byte_range is"),
        ({"byte_range": [1, 3]}, "byte_range is"),
        ({"byte_range": (1, 3), "member": "v.txt"}, "a member is given too"),
        ({"byte_range": (1, 3), "size": 3}, "size 3 is given too"),
        ({"archive_size": 3}, "without a member"),
        ({"member": "v.txt", "known_hash": git_id(b"")}, "which is of a whole file"),
        ({"prefixes": {3: (3, git_id(b""))}}, "prefixes"),
    ],
)
def test_impossible_part_is_refused(facts: dict[str, Any], message: str) -> None:
    """Each is an error when it is made."""
    with pytest.raises(ValueError, match=message):
        RemoteFile("https://example.org/data.bin", **facts)


def test_git_id_is_verified(server: Serving, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as a published hash, of a download and of a file in the cache."""
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    file = file_at(server, known_hash=git_id(DATA), size=len(DATA))
    assert fetched(file) == DATA
    (cache / "downloads" / file.cache_name).write_bytes(DATA[::-1])
    sent = server.sent
    assert fetched(file) == DATA
    assert server.sent > sent
    with pytest.raises(DownloadError, match=f"expected {git_id(b'other')}, got {git_id(DATA)}"):
        fetched(file_at(server, known_hash=git_id(b"other")))
    assert files_in(cache / "downloads") == []


def test_network_is_forbidden_in_a_block(server: Serving) -> None:
    """The message has the name of what forbids it."""
    with settings.without_network("RIVER_OFFLINE"), pytest.raises(OfflineError, match="RIVER_OFFLINE is set"):
        fetched(file_at(server))
    assert fetched(file_at(server)) == DATA
