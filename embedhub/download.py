"""Brings a `RemoteFile` to disk and verifies it: `fetch`. pooch is the gate; only this module imports it."""

import hashlib
import logging
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pooch  # type: ignore[import-untyped]  # pooch ships no py.typed
import requests

from embedhub import cache, settings, zipmember
from embedhub.errors import ChecksumError, DownloadError
from embedhub.files import RemoteFile
from embedhub.progress import bar
from embedhub.remote import CHUNK, HttpFile, LocalFile, Remote


def fetch(candidates: Sequence[RemoteFile]) -> Path:
    """Bring the first candidate that can be had, and return its place on disk.

    A file that is there already was verified before it got its name, and is not read again.

    Args:
        candidates: Files with the same vectors, in order of preference.

    Returns:
        A file named by the candidate's `RemoteFile.local_name`; a zip member is kept as gzip.

    Raises:
        ChecksumError: No candidate could be had, and at least one arrived with wrong bytes.
        DownloadError: No candidate could be had.
    """
    folder = cache.downloads()
    for file in candidates:
        if (folder / file.local_name).exists():
            return folder / file.local_name
    failures: list[DownloadError] = []
    with requests.Session() as session:
        for file in candidates:
            for remote in _remotes(file, session):
                try:
                    return _bring(file, remote, cache.ensure_folder(folder))
                except DownloadError as error:
                    failures.append(error)
    kind = ChecksumError if any(isinstance(error, ChecksumError) for error in failures) else DownloadError
    raise kind(
        "The file could not be had from any of its addresses, and nothing was kept of it:\n"
        + "\n".join(f"  - {error}" for error in failures)
        + "\nTry again later, or set EMBEDHUB_MIRROR to a URL or folder that has <host>/<path> of these."
    ) from failures[-1]


def _remotes(file: RemoteFile, session: requests.Session) -> Iterator[Remote]:
    """Give the places to ask for a file: the mirror first."""
    parts = urlsplit(file.url)
    inside = f"{parts.hostname}{parts.path}"
    match settings.mirror():
        case Path() as folder:
            yield LocalFile(folder / inside)
        case str() as base:
            yield HttpFile(f"{base}/{inside}", session)
    yield HttpFile(file.url, session)


def _bring(file: RemoteFile, remote: Remote, folder: Path) -> Path:
    """Let pooch publish the file as its local name once the downloader has brought and verified it."""
    target = folder / file.local_name
    try:
        with _quiet_pooch():
            pooch.retrieve(
                file.url,
                # What is published for a zip member is the hash of its inflated bytes, which pooch does
                # not see: `_bring_member` checks that one.
                known_hash=None if file.member else file.hash,
                fname=target.name,
                path=folder,
                downloader=_Downloader(file, remote),
            )
    except DownloadError:
        raise
    except ValueError as error:  # pooch's word for a wrong hash
        raise ChecksumError(f"{remote.address}: {error}") from error
    cache.share(target)  # pooch leaves it readable by its owner alone
    return target


class _Downloader:
    """The downloader that pooch calls with the temporary file to fill."""

    def __init__(self, file: RemoteFile, remote: Remote) -> None:
        self._file = file
        self._remote = remote

    def __call__(self, url: str, output_file: str, pooch: object) -> None:  # noqa: ARG002 - pooch's signature
        with Path(output_file).open("wb") as output:
            if self._file.member is None:
                output.writelines(self._stream(0, self._remote.size()))
            else:
                member = zipmember.locate(self._remote, self._file.member)
                output.write(zipmember.GZIP_HEADER)
                check = _Inflated(self._file, member)
                for chunk in self._stream(member.start, member.stop):
                    output.write(chunk)
                    check.update(chunk)
                output.write(member.gzip_trailer)
                check.finish(self._remote.address)

    def _stream(self, start: int, stop: int) -> Iterator[bytes]:
        what = self._file.member or self._file.url.rsplit("/", 1)[-1]
        with bar(f"Downloading {what}", stop - start, in_bytes=True) as advance:
            for chunk in self._remote.stream(start, stop):
                advance(len(chunk))
                yield chunk


class _Inflated:
    """Inflates a member as it arrives, to compare what is in it with the pinned hash and size."""

    def __init__(self, file: RemoteFile, member: zipmember.Member) -> None:
        self._file = file
        self._member = member
        algorithm, _, self._expected = (file.hash or "sha256:").partition(":")
        self._digest = hashlib.new(algorithm, usedforsecurity=False)
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._size = 0
        self._crc = 0

    def update(self, chunk: bytes) -> None:
        """Take further deflated bytes."""
        while chunk:
            data = self._inflate.decompress(chunk, CHUNK)
            self._digest.update(data)
            self._crc = zlib.crc32(data, self._crc)
            self._size += len(data)
            chunk = self._inflate.unconsumed_tail

    def finish(self, address: str) -> None:
        """Raise ChecksumError unless these were the pinned bytes."""
        where = f"{address}: member {self._file.member!r}"
        size = self._file.size or self._member.size
        if (self._size, self._crc) != (self._member.size, self._member.crc) or self._size != size:
            raise ChecksumError(
                f"{where}: expected {size} bytes, the archive promises {self._member.size} with CRC-32 "
                f"{self._member.crc:08x}, got {self._size} with {self._crc:08x}. The bytes were thrown away."
            )
        if self._expected and self._digest.hexdigest() != self._expected:
            raise ChecksumError(
                f"{where}: expected {self._file.hash}, got {self._digest.name}:{self._digest.hexdigest()}. "
                "The bytes were thrown away."
            )


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Keep pooch from telling on stderr what our own bar and errors tell."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
