"""Tells whether bytes that arrived are the pinned ones, and if not, what they look like."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from embedhub import _cache as cache
from embedhub import _compression as _open
from embedhub import settings
from embedhub._sniff import HEAD, looks_like
from embedhub._warn import warn
from embedhub.download.remote_file import RemoteFile
from embedhub.download.zip_member import Member
from embedhub.errors import ChecksumError, UnverifiedWarning

_CHUNK = 1 << 20
_THROWN_AWAY = "The bytes were thrown away."


class Check:
    """Compares the bytes that the reader will read with what is known of them.

    Whoever reads them meanwhile anyway is watched, so that one pass over the file serves both; what nobody
    has read, `finish` reads. The digest grows in a thread of its own, while the next bytes are inflated.

    A file without a published hash is compared with the digest of its first download on this cache.

    Args:
        path: The bytes; a member as gzip.
        file: What they should be.
        member: What the archive says of the member.
        address: Where they come from, for messages.
        remember: Whether the digest of a file without a published hash is remembered, and must be the same
            later; not for an archive whose members are pinned.
    """

    def __init__(
        self, path: Path, file: RemoteFile, member: Member | None, address: str, *, remember: bool
    ) -> None:
        self._path = path
        self._file = file
        self._member = member
        self._where = f"{address}#{file.member}" if file.member else address
        self._remember = remember
        self._pin = file.hash or (_remembered(file) if remember else None)
        self._limit = file.size if file.size is not None else (member.size if member else None)
        self._algorithm = (self._pin or "sha256:").partition(":")[0]
        self._digest = hashlib.new(self._algorithm, usedforsecurity=False)
        self._size = 0
        self._ended = False
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._hashing: Future[None] | None = None
        self._hasher = ThreadPoolExecutor(1)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take the bytes from whoever reads the file meanwhile."""
        with _open.watched(self._path, self._take, inflated=self._member is not None):
            yield

    def finish(self) -> None:
        """Read what has not been read yet, and judge.

        Raises:
            ChecksumError: They are other bytes.
        """
        if not self._ended:
            self._read_rest()
        if self._hashing:
            self._hashing.result()
        self._hasher.shutdown()
        actual = f"{self._algorithm}:{self._digest.hexdigest()}"
        if self._limit is not None and self._size != self._limit:
            raise self._error(f"expected {self._limit:,} bytes, got {self._size:,}.")
        if self._pin is not None and actual != self._pin:
            known = (
                ""
                if self._file.hash
                else f" (of its first download; remove {_memory(self._file)} to accept the new file)"
            )
            raise self._error(f"expected {self._pin}{known}, got {actual}.")
        if self._pin is None:
            if seen := self._seen():
                raise ChecksumError(f"{self._where}: expected vectors, but this is {seen}. {_THROWN_AWAY}")
            if self._remember:
                _remember(self._file, actual)

    def _take(self, data: bytes) -> None:
        """Add the next bytes to the digest; ``b""`` says that there are no more."""
        if self._ended:
            return
        self._size += len(data)
        self._ended = not data
        if self._limit is not None and self._size > self._limit:  # no bomb goes off here
            raise self._error(f"expected {self._limit:,} bytes, got more than {self._limit:,}.")
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._ended or self._waiting_size >= _CHUNK:
            if self._hashing:
                self._hashing.result()
            self._hashing = self._hasher.submit(self._digest.update, b"".join(self._waiting))
            self._waiting, self._waiting_size = [], 0

    def _read_rest(self) -> None:
        try:
            with self._path.open("rb") as raw, _open.open_gzip(raw) if self._member else raw as file:
                skip = self._size
                while skip and (known := file.read(min(_CHUNK, skip))):
                    skip -= len(known)
                while not self._ended:
                    self._take(file.read(_CHUNK))
        except _open.DAMAGED as error:
            raise self._error(f"the deflated bytes are damaged ({error}).") from error

    def _error(self, what: str) -> ChecksumError:
        seen = self._seen()
        return ChecksumError(f"{self._where}: {what}{f' It is {seen}.' if seen else ''} {_THROWN_AWAY}")

    def _seen(self) -> str | None:
        """Say what the bytes look like, if not like vectors."""
        if self._member:
            return None
        with self._path.open("rb") as file:
            return looks_like(file.read(HEAD))


def _memory(file: RemoteFile) -> Path:
    return settings.cache_folder() / "hashes" / file.local_name


def _remembered(file: RemoteFile) -> str | None:
    memory = _memory(file)
    return memory.read_text("utf-8").split()[0] if memory.exists() else None


def _remember(file: RemoteFile, digest: str) -> None:
    cache.ensure_folder(_memory(file).parent)
    fresh = _memory(file).with_suffix(".tmp")
    fresh.write_text(f"{digest}  {file.address}\n", "utf-8", newline="\n")
    fresh.replace(_memory(file))
    warn(
        f"{file.address}: nobody has published a hash of this file. Its digest {digest} is remembered, and "
        "later downloads must have the same. EMBEDHUB_REQUIRE_HASH=1 refuses such files.",
        UnverifiedWarning,
    )
