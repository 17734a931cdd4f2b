"""Downloads of whole files and of members of archives, over HTTP and from folders."""

import gzip
import hashlib
import logging
import os
import shutil
import stat
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest
from remote import HOST, files_in, pinned, source_of

import embedhub
from embedhub import DownloadError, FormatError, RemoteFile, RemoteSource
from embedhub._names import folder_name
from embedhub.download.fetch import fetch_first, remember_hashes
from embedhub.download.remote_file import Fetched
from embedhub.errors import ChecksumError
from embedhub.formats import glove
from embedhub.vectors.blocks import Block

TEXT = b"".join(b"word%d %d.25 -0.5\n" % (i, i) for i in range(20_000))
OTHER = os.urandom(3 << 20)
SHORT = OTHER[:100_000]


def fetch(files: list[RemoteFile]) -> Path:
    """Fetch the first available file."""
    return fetch_first(files, label="some 2d").path


def a_member(data: bytes = TEXT, **changes: Any) -> RemoteFile:
    """Return a member of the archive of the made-up host."""
    return pinned(data, **({"name": "some.zip", "member": "deep/some.2d.txt"} | changes))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Return a folder in the layout of ``wget -x``, with a text and an archive of two members."""
    folder = tmp_path / "mirror" / HOST
    folder.mkdir(parents=True)
    (folder / "some.txt").write_bytes(TEXT)
    with zipfile.ZipFile(folder / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.bin", OTHER)
        archive.writestr("deep/some.2d.txt", TEXT)
    return tmp_path / "mirror"


def pack(mirror: Path, method: int) -> Path:
    """Pack the archive of the made-up host with another method."""
    path = mirror / HOST / "some.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("short.bin", SHORT)
        archive.writestr("deep/some.2d.txt", TEXT)
    return path


@pytest.fixture(params=["folder", "http"])
def use_mirror(
    request: pytest.FixtureRequest,
    mirror: Path,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[Path], Any],
) -> Callable[[], int]:
    """Set EMBEDHUB_MIRROR, as a folder or over HTTP; return a function that counts the bytes sent."""
    if request.param == "folder":
        monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
        return lambda: 0
    serving = serve(mirror)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base + "/")
    return lambda: serving.sent


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_whole_file_is_downloaded_and_verified(cache: Path, algorithm: str) -> None:
    """A file is downloaded to its place in the layout of `wget -x`, with the user's own mode."""
    path = fetch([pinned(TEXT, algorithm=algorithm)])
    assert path.read_bytes() == TEXT
    assert path == cache / "downloads" / HOST / "some.txt"
    assert files_in(cache / "downloads") == [f"{HOST}/some.txt"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_archive_member_is_downloaded_by_ranges(use_mirror: Callable[[], int]) -> None:
    """Only the directory of an archive and the member's own bytes are downloaded; it is kept as gzip."""
    path = fetch([a_member()])
    data = path.read_bytes()
    assert gzip.decompress(data) == TEXT
    assert use_mirror() <= len(data) + (64 << 10) + 256
    assert len(next(glove.read(path, 2))[0]) > 1000


@pytest.mark.usefixtures("use_mirror")
def test_existing_download_sends_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """An existing file was verified before it was published: no URL is requested."""
    path = fetch([a_member()])
    monkeypatch.setenv("EMBEDHUB_MIRROR", "/nowhere")
    assert fetch([pinned(OTHER), a_member()]) == path


@pytest.mark.usefixtures("use_mirror")
def test_next_candidate_is_tried() -> None:
    """After a file that is not available, or has wrong bytes, the next candidate is tried."""
    absent = pinned(TEXT, name="absent.txt")
    wrong = a_member(known_hash="sha256:" + 64 * "0")
    good = pinned(TEXT)
    assert fetch_first([absent, wrong, good], label="some 2d").file == good


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize(
    ("file", "words"),
    [
        (pinned(TEXT, name="absent.txt"), "absent.txt"),
        (a_member(member="absent.txt"), "has no member 'absent.txt', only big.bin, deep/some.2d.txt"),
        (a_member(name="absent.zip"), "absent.zip"),
    ],
)
def test_error_names_every_url(file: RemoteFile, words: str) -> None:
    """If no candidate is available, the error lists each URL with its reason, and a remedy."""
    with pytest.raises(DownloadError) as caught:
        fetch([file])
    message = str(caught.value)
    assert words in message
    assert f"  - {file.url}: no answer" in message
    assert "EMBEDHUB_MIRROR" in message
    assert not isinstance(caught.value, ChecksumError)


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("offline", ["0", "1"])
@pytest.mark.parametrize(
    ("file", "words"),
    [
        (replace(pinned(TEXT), known_hash="sha256:" + 64 * "0"), "expected sha256:0"),
        (pinned(TEXT + b" "), f"expected {len(TEXT) + 1:,} bytes"),
        (a_member(name="some.txt"), "expected a zip archive, but this is none"),
    ],
    ids=["hash", "size", "no archive"],
)
def test_wrong_bytes_are_a_checksum_error(
    file: RemoteFile, words: str, offline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong bytes at a mirror differ from a file that is absent, offline too."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", offline)
    if offline == "1" and "://" in os.environ["EMBEDHUB_MIRROR"]:
        pytest.skip("offline, a mirror is asked only if it is a folder")
    with pytest.raises(ChecksumError) as caught:
        fetch([file])
    assert words in str(caught.value)
    assert "Try again later" not in str(caught.value) or "no answer" in str(caught.value)


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_password_of_a_mirror_is_in_no_message_and_no_file(
    status: int, mirror: Path, cache: Path, serve: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user and the password in EMBEDHUB_MIRROR are sent, and neither shown nor written."""
    serving = serve(mirror)
    serving.faults += [{"status": status} if status != 200 else {"cut": 0}] * 99
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base.replace("//", "//me:secret@"))
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(DownloadError) as caught:
        fetch([pinned(TEXT)])
    assert serving.base.removeprefix("http://") in str(caught.value)
    assert any("authorization" in received for received in serving.received)
    written = [path.read_bytes() for path in cache.rglob("*") if path.is_file()]
    for text in (str(caught.value).encode(), *written):
        assert b"secret" not in text
        assert b"me:" not in text


@pytest.mark.parametrize(
    ("ranges", "wrong"), [(True, "bytes"), (False, "bytes"), (False, "archive")], ids=lambda value: f"{value}"
)
def test_archive_without_hash_is_removed_with_its_wrong_member(
    ranges: bool,
    wrong: str,
    mirror: Path,
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    """Once the server has the right archive, it is downloaded again."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", serve(mirror, ranges=ranges).base)
    path = pack(mirror, zipfile.ZIP_STORED)
    good = path.read_bytes()
    path.write_bytes(good.replace(b"word7 ", b"wind7 ") if wrong == "bytes" else good[: len(good) // 2])
    with pytest.raises(ChecksumError, match="CRC" if wrong == "bytes" else "expected a zip archive"):
        fetch([a_member()])
    assert files_in(cache / "downloads") == []
    path.write_bytes(good)
    assert gzip.decompress(fetch([a_member()]).read_bytes()) == TEXT


def test_mirror_with_another_scheme_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, and the expected URL or folder."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", "ftp://example.org")
    with pytest.raises(ValueError, match=r"EMBEDHUB_MIRROR is 'ftp://example.org'; expected an http"):
        fetch([pinned(TEXT)])


NOT_DEFLATED = pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["stored", "bzip2", "lzma"]
)


@NOT_DEFLATED
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_member_that_is_not_deflated_is_read_from_the_whole_archive(
    method: int,
    ranges: bool,
    mirror: Path,
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    """The archive is downloaded and kept for its other members; the member is kept as any other."""
    pack(mirror, method)
    serving = serve(mirror, ranges=ranges)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    path = fetch([a_member()])
    assert gzip.decompress(path.read_bytes()) == TEXT
    assert [line for line in serving.asked if "bytes=" not in line] == [f"/{HOST}/some.zip"]
    assert files_in(cache / "downloads") == [f"{HOST}/some.zip", f"{HOST}/{path.name}"]
    serving.asked.clear()
    assert fetch([a_member(SHORT, member="short.bin")]).exists()
    assert serving.asked == []


@NOT_DEFLATED
def test_member_that_is_not_deflated_is_read_from_a_folder(
    method: int, mirror: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """An archive in a mirror that is a folder is not copied."""
    pack(mirror, method)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
    path = fetch([a_member()])
    assert gzip.decompress(path.read_bytes()) == TEXT
    assert files_in(cache / "downloads") == [f"{HOST}/{path.name}"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damaged_member_is_a_checksum_error(
    method: int, mirror: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """Damaged bytes are a checksum error however they are compressed, not a crash of the decompressor."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
    path = pack(mirror, method)
    data = bytearray(path.read_bytes())
    data[-5000:-1000] = bytes(4000)
    path.write_bytes(data)
    with pytest.raises(ChecksumError):
        fetch([a_member()])
    assert files_in(cache / "downloads") == []


class ByItself(RemoteSource):
    """A source that reads the first line of its file, in its own way."""

    parsed = 0

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:
        """Yield one word."""
        ByItself.parsed += 1
        path = fetched.path
        with gzip.open(path) if path.read_bytes()[:2] == b"\x1f\x8b" else path.open("rb") as file:
            word, *numbers = file.readline().split()
        yield Block([word.decode()], np.array([numbers], np.float32).reshape(1, dim))


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("kind", [RemoteSource, ByItself])
@pytest.mark.parametrize(
    ("change", "expected", "actual"),
    [
        ({"known_hash": "sha256:" + 64 * "0"}, "sha256:" + 64 * "0", hashlib.sha256(TEXT).hexdigest()),
        ({"size": 12, "known_hash": None}, "expected 12 bytes", f"{len(TEXT):,}"),
    ],
    ids=["hash", "size"],
)
@pytest.mark.parametrize("make", [pinned, a_member], ids=["file", "member"])
def test_unverified_bytes_are_not_parsed(
    make: Callable[..., RemoteFile],
    change: dict[str, Any],
    expected: str,
    actual: str,
    kind: type[RemoteSource],
    cache: Path,
) -> None:
    """A wrong hash or size is an error with URL, expected and actual value; no file is kept or parsed."""
    ByItself.parsed = 0
    with pytest.raises(ChecksumError) as caught:
        embedhub.load(source_of(make(TEXT, **change), kind=kind))
    for words in (f"{HOST}/some.", expected, actual):
        assert words in str(caught.value)
    assert ByItself.parsed == 0
    assert not (cache / "vectors" / folder_name("some")).exists()
    assert files_in(cache / "downloads") == []
    assert len(embedhub.load(source_of(make(TEXT), kind=kind))) == (20_000 if kind is RemoteSource else 1)


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("make", [pinned, a_member], ids=["file", "member"])
@pytest.mark.parametrize("known", [True, False], ids=["published", "remembered"])
def test_damaged_download_is_downloaded_again(
    make: Callable[..., RemoteFile], known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept download is verified each time, and replaced if its bytes are wrong."""
    file = make(TEXT) if known else make(TEXT, known_hash=None)
    fetched = fetch_first([file], label="some 2d")
    with warnings.catch_warnings(action="ignore"):
        remember_hashes(fetched)
    path = fetched.path
    data = path.read_bytes()
    path.write_bytes(data[:-100] + bytes(50) + data[-50:])
    assert fetch([file]).read_bytes() == data
    path.write_bytes(data[:-100])
    assert fetch([file]).read_bytes() == data
    path.write_bytes(data[:-100])
    monkeypatch.setenv("EMBEDHUB_MIRROR", "/nowhere")
    with pytest.raises(DownloadError, match="/nowhere"):
        fetch([file])


@pytest.mark.parametrize("make", [pinned, a_member], ids=["file", "member"])
def test_altered_download_never_becomes_vectors(
    make: Callable[..., RemoteFile], mirror: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download that was kept and changed since is not used for a store that is built again."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    source = source_of(make(TEXT))
    before = np.array(source.vectors(2))
    (path,) = [file for file in (cache / "downloads").rglob("*") if file.is_file()]
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    digit = data.index(b"1")
    altered = data[:digit] + b"2" + data[digit + 1 :]
    path.write_bytes(gzip.compress(altered) if path.suffix == ".gz" else altered)
    shutil.rmtree(cache / "vectors")
    assert (np.array(source.vectors(2)) == before).all()


@pytest.mark.parametrize("make", [pinned, a_member], ids=["file", "member"])
def test_downloads_folder_is_a_mirror(
    make: Callable[..., RemoteFile],
    mirror: Path,
    serve: Callable[[Path], Any],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Offline, another cache builds the same store from the kept downloads of a first one, verified too."""
    source = source_of(make(TEXT))
    monkeypatch.setenv("EMBEDHUB_MIRROR", serve(mirror).base)
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    expected = source.vectors(2).manifest
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(cache / "downloads"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache / "other"))
    assert source.vectors(2).manifest == expected
    (kept,) = (path for path in (cache / "downloads").rglob("*") if path.is_file())
    kept.write_bytes(kept.read_bytes()[:-1000])
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache / "third"))
    with pytest.raises(DownloadError):
        source.vectors(2)


def test_pooch_reports_other_files_only(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download is not announced by pooch, whose log level and reports on other files are unchanged."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
    logger = pooch.get_logger()
    reported: list[str] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: reported.append(record.getMessage()))
    monkeypatch.setattr(logger, "handlers", [handler])
    level = logger.level
    fetch([pinned(TEXT)])
    logger.info("Downloading %s", "another file")
    assert reported == ["Downloading another file"]
    assert logger.level == level


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("make", [pinned, a_member], ids=["file", "member"])
def test_unreadable_pinned_file_is_kept(make: Callable[..., RemoteFile], cache: Path) -> None:
    """A file with the pinned bytes that its reader refuses is kept, and named in the error."""
    file = make(TEXT)
    source = replace(source_of(file), files={3: (file,)})
    with pytest.raises(FormatError, match="line 1") as caught:
        list(source.parse(source.fetch(3), 3))
    (cache / "downloads" / file.cache_name).unlink()
    with pytest.raises(FormatError, match="line 1") as again:
        embedhub.load(source)
    assert str(again.value) == str(caught.value)
    assert files_in(cache / "downloads") == [file.cache_name]
    assert not (cache / "vectors" / folder_name("some")).exists()


@pytest.mark.usefixtures("use_mirror")
def test_part_of_a_longer_name_is_kept(cache: Path) -> None:
    """When a file is downloaded, its own interrupted downloads are removed, and those of others stay."""
    folder = cache / "downloads" / HOST
    folder.mkdir(parents=True)
    own, other = folder / "some.txt.12345678.part", folder / "some.txt.gz.12345678.part"
    own.write_bytes(b"a")
    other.write_bytes(b"b")
    fetch([pinned(TEXT)])
    assert files_in(cache / "downloads") == [f"{HOST}/some.txt", f"{HOST}/{other.name}"]


def test_empty_build_does_not_trust_its_file(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """Without vectors no hash is remembered, and the file is downloaded again."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))

    class Empty(RemoteSource):
        def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:  # noqa: ARG002 - the interface's
            yield from ()

    source = Empty(
        name="empty", files={2: (RemoteFile(url=f"https://{HOST}/some.txt"),)}, description="",
        language="en", cased=True, license="", citation="", homepage="",
    )  # fmt: skip
    with pytest.raises(FormatError, match="yielded no vectors"):
        source.vectors(2)
    assert not (cache / "hashes").exists()
    assert files_in(cache / "downloads") == []


@pytest.mark.parametrize("promised", [True, False], ids=["promised", "sent"])
def test_truncated_archive_is_refused_by_its_size(
    mirror: Path,
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
    promised: bool,
) -> None:
    """An archive that is downloaded whole, for lack of byte ranges, must have its published size."""
    archive = mirror / HOST / "some.zip"
    size = archive.stat().st_size
    file = a_member(archive_size=size)
    serving = serve(mirror, ranges=False, length=promised)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    archive.write_bytes(archive.read_bytes()[:-1000])
    said = f"but {size - 1000:,} are offered" if promised else f"got {size - 1000:,}"
    with pytest.raises(ChecksumError, match=f"some.zip: expected {size:,} bytes, {said}"):
        fetch([file])
    assert files_in(cache / "downloads") == []
