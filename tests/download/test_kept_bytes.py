"""Bytes that build a store were hashed in the same run, wherever they lay."""

import gzip
import hashlib
import json
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from remote import HOST, files_in, pinned, source_of, zipped

import embedhub
from embedhub import RemoteFile, RemoteSource, Vectors
from embedhub._file_state import file_state, xxh3_of_file
from embedhub.download.zip_member import GZIP_HEADER
from embedhub.errors import ChecksumError, DownloadError, StoreError, UnverifiedWarning

TEXT = b"".join(b"word%d %d 0.5\n" % (i, i) for i in range(1_000))
EVIL = TEXT.replace(b" 0.5", b" 0.7")
MORE = TEXT.replace(b"word", b"evil")


def deflated(data: bytes) -> bytes:
    """Return the deflated bytes alone."""
    return gzip.compress(data)[10:-8]


def two_streams() -> bytes:
    """Return an archive whose member is two gzip streams but for the first header and the last trailer."""
    first = deflated(TEXT) + struct.pack("<II", zlib.crc32(TEXT), len(TEXT))
    data = first + GZIP_HEADER + deflated(MORE)
    archive = bytearray(zipped(**{"a.txt": b""}))
    central = archive.index(b"PK\x01\x02")
    sizes = struct.pack("<III", zlib.crc32(MORE), len(data), len(MORE))
    body = archive[: 30 + len("a.txt")] + data
    directory = archive[central : len(archive) - 22]
    directory[16:28] = sizes
    end = archive[-22:]
    end[16:20] = struct.pack("<I", len(body))
    return bytes(body + directory + end)


def a_member(**changes: Any) -> RemoteFile:
    """Return a member of an archive of the made-up host."""
    return pinned(TEXT, **({"name": "a.zip", "member": "a.txt"} | changes))


def check(vectors: Vectors) -> None:
    """Check that the vectors are the published ones, and all of them."""
    assert len(vectors) == 1_000
    assert vectors.lookup(["word7"]).tolist() == [[7, 0.5]]


@pytest.fixture
def mirror(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the right files into the mirror, and keep what is downloaded."""
    (mirror / "a.txt").write_bytes(TEXT)
    (mirror / "a.zip").write_bytes(zipped(**{"a.txt": TEXT}))
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    return mirror


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "other numbers": lambda data: recoded(data, lambda text: text.replace(b" 0.5", b" 0.7")),
    "fewer lines": lambda data: recoded(data, lambda text: text[: len(text) // 2]),
    "more lines": lambda data: recoded(data, lambda text: text + MORE),
    "a second stream": lambda data: data + (gzip.compress(MORE) if data[:2] == b"\x1f\x8b" else MORE),
    "bytes at the end": lambda data: data + b"\0",
    "cut off": lambda data: data[:-9],
    "empty": lambda _: b"",
}


def recoded(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change a text, which may be compressed."""
    return gzip.compress(change(gzip.decompress(data))) if data[:2] == b"\x1f\x8b" else change(data)


UNPINNED: dict[str, Any] = {"known_hash": None, "size": None}
KINDS: dict[str, Callable[[], RemoteFile]] = {
    "file": lambda: pinned(TEXT, "a.txt"),
    "member": a_member,
    "remembered file": lambda: pinned(TEXT, "a.txt", **UNPINNED),
    "remembered member": lambda: a_member(**UNPINNED),
}


@pytest.mark.filterwarnings("ignore::embedhub.errors.UnverifiedWarning")
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_kept_download_is_hashed_before_each_build(
    make: Callable[[], RemoteFile], damage: Callable[[bytes], bytes], mirror: Path, cache: Path
) -> None:
    """A kept download with other bytes is downloaded again; without another copy it builds nothing."""
    source = source_of(make())
    check(source.vectors(2))
    (kept,) = [path for path in (cache / "downloads").rglob("*") if path.is_file()]
    kept.write_bytes(damage(kept.read_bytes()))
    shutil.rmtree(cache / "vectors")
    check(source.vectors(2))
    kept.write_bytes(damage(kept.read_bytes()))
    shutil.rmtree(cache / "vectors")
    shutil.rmtree(mirror)
    with pytest.raises(DownloadError):
        source.vectors(2)
    assert files_in(cache / "vectors") == []


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("make", [lambda: pinned(TEXT, "a.txt"), a_member], ids=["file", "member"])
def test_file_of_a_mirror_is_hashed(
    make: Callable[[], RemoteFile], damage: Callable[[bytes], bytes], mirror: Path, cache: Path
) -> None:
    """A mirror that is the downloads folder of another cache is held to the published hash."""
    file = make()
    place = mirror.parent / file.cache_name
    content = gzip.compress(TEXT) if file.member else TEXT
    (mirror / "a.zip").unlink()
    place.write_bytes(damage(content))
    with pytest.raises(ChecksumError):
        source_of(file).vectors(2)
    assert files_in(cache / "downloads") == []
    place.write_bytes(content)
    check(source_of(file).vectors(2))


def test_second_stream_in_a_member_is_refused(
    mirror: Path, cache: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive whose member holds the pinned bytes, and more after them, adds no words."""
    (mirror / "a.zip").write_bytes(two_streams())
    server = serve(mirror.parent)
    monkeypatch.delenv("EMBEDHUB_OFFLINE")
    for place in (str(mirror.parent), server.base):
        monkeypatch.setenv("EMBEDHUB_MIRROR", place)
        with pytest.raises(ChecksumError):
            source_of(a_member()).vectors(2)
        assert files_in(cache / "downloads") == []


@pytest.mark.filterwarnings("ignore::embedhub.errors.UnverifiedWarning")
@pytest.mark.parametrize("extra", [1, 1_000, 100_000])
@pytest.mark.parametrize("known", [True, False], ids=["pinned", "unpinned"])
def test_part_longer_than_the_file_is_cut(
    known: bool,
    extra: int,
    mirror: Path,
    cache: Path,
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bytes in a partial download after the end of the file do not become vectors."""
    server = serve(mirror.parent, faults=[{}, {"cut": 5_000}, *[{"cut": 0}] * 9])
    monkeypatch.setenv("EMBEDHUB_MIRROR", server.base)
    monkeypatch.delenv("EMBEDHUB_OFFLINE")
    source = source_of(pinned(TEXT, "a.txt", **({} if known else UNPINNED)))
    with pytest.raises(DownloadError):
        source.vectors(2)
    (part,) = (cache / "downloads").rglob("*.part")
    assert part.stat().st_size == 5_000
    part.write_bytes((TEXT + MORE * 10)[: len(TEXT) + extra])
    server.faults.clear()
    check(source.vectors(2))


LAST_PARTS = {
    "100": "x" * 96 + ".txt",
    "150": "x" * 146 + ".txt",
    "200": "x" * 196 + ".txt",
    "255": "x" * 251 + ".txt",
    "3000": "x" * 2_996 + ".txt",
    "of escapes": "%C3%A4" * 80,
    "of umlauts": "ä" * 120,
    "a query": "a.txt?" + "x" * 400,
    "deep": "d/" * 200 + "a.txt",
}


@pytest.mark.parametrize("member", [None, "m" * 300], ids=["file", "member"])
@pytest.mark.parametrize("name", LAST_PARTS.values(), ids=LAST_PARTS.keys())
def test_local_names_are_short(
    name: str, member: str | None, mirror: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of any URL is downloaded, kept, noted and locked under names of at most 120 bytes."""
    content = zipped(**{member: TEXT}) if member else TEXT
    file = pinned(TEXT, name, member=member, known_hash=None, size=None)
    place = mirror.parent / file.archive.cache_name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    with pytest.warns(UnverifiedWarning):
        check(source_of(file).vectors(2))
    names = [part for path in files_in(cache) for part in path.split("/")]
    assert max(len(os.fsencode(part)) for part in names) <= 120


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archive_of_a_mirror_is_not_believed(method: int, mirror: Path, cache: Path) -> None:
    """The member of an archive is hashed, whatever the archive says of it."""
    with zipfile.ZipFile(mirror / "a.zip", "w", method) as archive:
        archive.writestr("a.txt", EVIL)
    with pytest.raises(ChecksumError, match=hashlib.sha256(EVIL).hexdigest()):
        source_of(a_member()).vectors(2)
    assert files_in(cache / "vectors") == []


def test_archive_in_the_cache_is_not_believed(
    mirror: Path, cache: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive that a server without ranges has sent whole is kept; if it decays it is downloaded again."""
    server = serve(mirror.parent, ranges=False)
    monkeypatch.setenv("EMBEDHUB_MIRROR", server.base)
    monkeypatch.delenv("EMBEDHUB_OFFLINE")
    source = source_of(a_member())
    check(source.vectors(2))
    archive = cache / "downloads" / HOST / "a.zip"
    for content in (zipped(**{"a.txt": EVIL}), two_streams(), archive.read_bytes()[:-30], b""):
        archive.write_bytes(content)
        shutil.rmtree(cache / "vectors")
        for kept in archive.parent.glob("*.gz"):
            kept.unlink()
        check(source.vectors(2))


def test_kept_companion_is_hashed(mirror: Path, cache: Path) -> None:
    """A companion file that was changed in the cache is downloaded again."""
    side = pinned(b'{"a": 1}', "side.json", format=None)
    (mirror / "side.json").write_bytes(b'{"a": 1}')
    source = source_of(pinned(TEXT, "a.txt", companions=(side,)), kind=Reading)
    check(source.vectors(2))
    (cache / "downloads" / HOST / "side.json").write_bytes(b'{"a": 2}')
    shutil.rmtree(cache / "vectors")
    check(source.vectors(2))
    assert Reading.seen == [b'{"a": 1}'] * 2


def test_file_of_the_user_is_hashed_before_each_build(tmp_path: Path, cache: Path) -> None:
    """A recorded hash that is not of the bytes names no store; the next call takes the right one."""
    path = tmp_path / "mine.txt"
    path.write_bytes(TEXT)
    key = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    record = cache / "hashes" / f"{key}-own.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"path": str(path), "state": file_state(path), "xxh3_128": 32 * "0"}))
    with pytest.raises(StoreError, match=re.escape(f"{path}: its bytes are not those")):
        embedhub.load(path)
    assert files_in(cache / "vectors") == []
    vectors = embedhub.load(path)
    check(vectors)
    assert xxh3_of_file(path) in vectors.manifest["cache_key"]


class Reading(RemoteSource):
    """A source that keeps what it has seen of the companion."""

    seen: list[bytes] = []

    def parse(self, fetched: Any, dim: int) -> Any:
        """Read the vectors."""
        Reading.seen += [path.read_bytes() for path in fetched.companions.values()]
        return super().parse(fetched._replace(companions={}), dim)
