"""Bringing files: whole ones and members of archives, over HTTP and out of folders."""

import gzip
import hashlib
import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import DownloadError, EmbeddingSource, FormatError, RemoteFile
from embedhub import _compression as _open
from embedhub.download import fetch as download
from embedhub.errors import ChecksumError
from embedhub.formats import glove
from embedhub.vectors.blocks import Block

TEXT = b"".join(b"word%d %d.25 -0.5\n" % (i, i) for i in range(20_000))
OTHER = os.urandom(3 << 20)
HOST = "vectors.example.org"


def pinned(data: bytes, algorithm: str = "sha256", **changes: Any) -> RemoteFile:
    """Return a pinned file of the made-up host."""
    facts: dict[str, Any] = {
        "url": f"https://{HOST}/data/some.txt",
        "hash": f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}",
        "size": len(data),
        "reader": glove.read,
    }
    return RemoteFile(**(facts | changes))


def fetch(files: list[RemoteFile]) -> Path:
    """Fetch the first of some files."""
    return download.fetch(files, what="some 2d", command="embedhub.load('some', 2)")


def a_member(data: bytes = TEXT, **changes: Any) -> RemoteFile:
    """Return a member of the archive of the made-up host."""
    return pinned(data, **({"url": f"https://{HOST}/data/some.zip", "member": "deep/some.2d.txt"} | changes))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Return a folder in the layout of ``wget -x``, with a text and an archive of two members."""
    folder = tmp_path / "mirror" / HOST / "data"
    folder.mkdir(parents=True)
    (folder / "some.txt").write_bytes(TEXT)
    with zipfile.ZipFile(folder / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.bin", OTHER)
        archive.writestr("deep/some.2d.txt", TEXT)
    with zipfile.ZipFile(folder / "stored.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("deep/some.2d.txt", TEXT)
    return tmp_path / "mirror"


@pytest.fixture(params=["folder", "http"])
def use_mirror(
    request: pytest.FixtureRequest,
    mirror: Path,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[Path], Any],
) -> Callable[[], int]:
    """Set EMBEDHUB_MIRROR, as a folder or over HTTP; return what tells the bytes sent over HTTP."""
    if request.param == "folder":
        monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
        return lambda: 0
    serving = serve(mirror)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base + "/")
    return lambda: serving.sent


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_a_whole_file_is_brought_and_verified(cache: Path, algorithm: str) -> None:
    """A pinned file arrives with its bytes, its local name and the user's own mode."""
    path = fetch([pinned(TEXT, algorithm)])
    assert path.read_bytes() == TEXT
    assert path.parent == cache / "downloads"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_a_member_is_brought_by_ranges(use_mirror: Callable[[], int]) -> None:
    """Of an archive only the directory and the member's own bytes move; it is kept as gzip."""
    path = fetch([a_member()])
    data = path.read_bytes()
    assert gzip.decompress(data) == TEXT
    assert use_mirror() <= len(data) + (64 << 10) + 256
    assert len(next(glove.read(path, 2))[0]) > 1000


@pytest.mark.usefixtures("use_mirror")
def test_a_fetched_file_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there was verified before it got its name: no address is asked."""
    path = fetch([a_member()])
    monkeypatch.setenv("EMBEDHUB_MIRROR", "/nowhere")
    assert fetch([pinned(OTHER), a_member()]) == path


WRONG = {
    "file": (pinned(TEXT, hash="sha256:" + 64 * "0"), "0000"),
    "member": (a_member(hash="sha256:" + 64 * "0"), "0000"),
    "member's size": (a_member(size=7), "expected 7 bytes"),
}


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("what", WRONG)
def test_wrong_bytes_are_never_published(cache: Path, what: str) -> None:
    """A wrong hash or size is an error that says address, expected and actual; nothing stays."""
    file, expected = WRONG[what]
    with pytest.raises(ChecksumError, match=expected) as caught:
        fetch([file])
    actual = hashlib.sha256(TEXT).hexdigest() if "size" not in what else f"{len(TEXT):,}"
    assert actual in str(caught.value)
    assert f"{HOST}/data/some." in str(caught.value)
    assert list((cache / "downloads").iterdir()) == []


@pytest.mark.usefixtures("use_mirror")
def test_the_next_candidate_is_tried() -> None:
    """A file that cannot be had, or has wrong bytes, gives way to the next candidate."""
    absent = pinned(TEXT, url=f"https://{HOST}/data/absent.txt")
    wrong = a_member(hash="sha256:" + 64 * "0")
    good = pinned(TEXT)
    assert fetch([absent, wrong, good]).name == good.local_name


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize(
    ("file", "words"),
    [
        (pinned(TEXT, url=f"https://{HOST}/data/absent.txt"), "data/absent.txt"),
        (a_member(member="absent.txt"), "has no member 'absent.txt', only big.bin, deep/some.2d.txt"),
        (a_member(url=f"https://{HOST}/data/some.txt"), "expected a zip archive, but this is none"),
        (a_member(url=f"https://{HOST}/data/stored.zip"), "not a plain deflated one"),
    ],
)
def test_a_failure_names_every_address(file: RemoteFile, words: str) -> None:
    """When nothing could be had, one error lists each address with its reason, and what to do."""
    with pytest.raises(DownloadError) as caught:
        fetch([file])
    message = str(caught.value)
    assert words in message
    assert f"  - {file.url}: no answer" in message
    assert "EMBEDHUB_MIRROR" in message
    assert not isinstance(caught.value, ChecksumError)


def test_a_mirror_is_a_url_or_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another scheme is an error that names the variable."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", "ftp://example.org")
    with pytest.raises(ValueError, match=r"EMBEDHUB_MIRROR is 'ftp://example.org'; expected an http"):
        fetch([pinned(TEXT)])


def test_a_truncated_member_is_noticed(mirror: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Damaged deflated bytes are a checksum error, not a crash of the inflater."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
    path = mirror / HOST / "data" / "some.zip"
    data = bytearray(path.read_bytes())
    data[-5000:-1000] = bytes(4000)
    path.write_bytes(data)
    with pytest.raises(ChecksumError):
        fetch([a_member()])
    assert list((cache / "downloads").iterdir()) == []


def a_source(*files: RemoteFile) -> EmbeddingSource:
    """Return a source of dim 2."""
    return EmbeddingSource(
        name="some", files={2: files}, description="", language="en", cased=True, words=None, license="",
        citation="", homepage="",
    )  # fmt: skip


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Return what grows by the name of each file that is opened to be read, in this process."""
    names: list[str] = []
    listening = [True]

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and listening and arguments[1] in {"r", "rb"}:
            names.append(Path(str(arguments[0])).name)

    sys.addaudithook(listen)  # for good, hence the switch
    yield names
    listening.clear()


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("file", [pinned(TEXT), a_member()], ids=["file", "member"])
def test_one_pass_over_the_bytes_verifies_and_builds(file: RemoteFile, opened: list[str]) -> None:
    """From arrival to store the inflated bytes are gone through once; the pin is checked on the way."""
    assert len(embedhub.load(a_source(file))) == 20_000
    # The reader's, and pooch's last look at what is on disk: nobody opened it to hash it before.
    assert sum(name.endswith(".part") for name in opened) == 2


def by_itself(path: Path, _dim: int) -> Iterator[Block]:
    """Read without looking at the file's bytes as embedhub's own readers do, and not to the end."""
    with gzip.open(path) if path.read_bytes()[:2] == b"\x1f\x8b" else path.open("rb") as file:
        word, *numbers = file.readline().split()
    yield [word.decode()], np.array([numbers], np.float32)


def one_line(path: Path, dim: int) -> Iterator[Block]:
    """Read one line as embedhub's own readers do, and no more."""
    with _open.open_bytes(path) as file:
        word, *numbers = file.readline().split()
    yield [word.decode()], np.array([numbers], np.float32).reshape(1, dim)


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("reader", [glove.read, by_itself, one_line])
@pytest.mark.parametrize(
    "change", [{"hash": "sha256:" + 64 * "0"}, {"size": 12, "hash": None}], ids=["hash", "size"]
)
@pytest.mark.parametrize("make", [pinned, a_member], ids=["file", "member"])
def test_however_a_reader_reads_wrong_bytes_build_nothing(
    make: Callable[..., RemoteFile], change: dict[str, Any], reader: Any, cache: Path
) -> None:
    """What the reader does not read is read before anything is published."""
    with pytest.raises(ChecksumError, match="expected"):
        embedhub.load(a_source(make(TEXT, reader=reader, **change)))
    assert not (cache / "vectors" / "some").exists()
    assert [path.name for path in (cache / "downloads").iterdir()] == []
    right = make(TEXT, reader=reader)
    assert len(embedhub.load(a_source(right))) == (20_000 if reader is glove.read else 1)


@pytest.mark.usefixtures("use_mirror")
@pytest.mark.parametrize("make", [pinned, a_member], ids=["file", "member"])
def test_right_bytes_that_cannot_be_read_are_kept(make: Callable[..., RemoteFile], cache: Path) -> None:
    """A pinned file that its reader refuses is verified, kept under its name, and that name is told."""
    file = make(TEXT)
    source = replace(a_source(file), files={3: (file,)})
    with pytest.raises(FormatError, match="line 1") as caught:
        list(source.parse(source.fetch(3), 3))
    (cache / "downloads" / file.local_name).unlink()
    with pytest.raises(FormatError, match="line 1") as again:
        embedhub.load(source)
    assert str(again.value) == str(caught.value)
    assert [path.name for path in (cache / "downloads").iterdir()] == [file.local_name]
    assert not (cache / "vectors" / "some").exists()
