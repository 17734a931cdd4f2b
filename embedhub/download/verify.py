"""Verification of zip members, by the hash of their inflated bytes, and of files by their id in Git."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from isal import isal_zlib

from embedhub._compression import DAMAGED_ERRORS
from embedhub.errors import ChecksumError

_INFLATED_AT_ONCE = 1 << 20  # bytes
_GZIP = 16 + 15  # zlib's number for gzip with a window of any size
_GIT = "git-sha1:"
_CHUNK = 1 << 20


def is_git_hash(known_hash: str | None) -> bool:
    """Return whether a known hash is the id of a blob in Git."""
    return known_hash is not None and known_hash.startswith(_GIT)


def git_hash(path: Path) -> str:
    """Return the id of a file as a blob in Git: the SHA-1 of its size and its bytes.

    Example:
        >>> Path("empty.txt").touch()
        >>> git_hash(Path("empty.txt"))
        'git-sha1:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'

    Args:
        path: The file.
    """
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return f"{_GIT}{digest.hexdigest()}"


class Verifier:
    """Hashes the inflated bytes of a gzip file as it arrives.

    The digest is computed in a separate thread while the next bytes are inflated.

    Args:
        location: Location of the bytes, for messages.
        algorithm: Name of the hash.
        size: Number of inflated bytes; None if unknown.
    """

    def __init__(self, location: str, algorithm: str, size: int | None) -> None:
        self._location = location
        self._algorithm = algorithm
        self._expected_size = size
        self._hasher = ThreadPoolExecutor(1)
        self._hashing: Future[None] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all bytes: the download begins again."""
        self._wait()
        self._inflater = cast("Any", isal_zlib).decompressobj(_GZIP)
        self._digest = hashlib.new(self._algorithm, usedforsecurity=False)
        self._size = 0

    def update(self, data: bytes) -> None:
        """Add the next bytes of the gzip file.

        Raises:
            ChecksumError: The bytes are damaged, too many, or follow the end of the stream.
        """
        try:
            while data:
                if (
                    self._inflater.eof
                ):  # readers of gzip would go on with a second stream, which no hash covers
                    raise self._error(
                        f"more bytes follow the deflated ones, which inflate to {self._size:,}."
                    )
                inflated = self._inflater.decompress(data, _INFLATED_AT_ONCE)
                data = self._inflater.unconsumed_tail or self._inflater.unused_data
                self._size += len(inflated)
                expected = self._expected_size
                if expected is not None and self._size > expected:  # stop a decompression bomb
                    raise self._error(f"expected {expected:,} bytes, got more than {expected:,}.")
                self._wait()
                self._hashing = self._hasher.submit(self._digest.update, inflated)
        except DAMAGED_ERRORS as error:
            raise self._error(f"the deflated bytes are damaged ({error}).") from error

    def verify(self, known_hash: str | None) -> None:
        """Raise ChecksumError if the bytes differ from the expected ones, or are too few.

        Args:
            known_hash: The expected hash; None if it is unknown.
        """
        self._wait()
        self._hasher.shutdown()
        actual = f"{self._algorithm}:{self._digest.hexdigest()}"
        if self._expected_size not in {None, self._size}:
            raise self._error(f"expected {self._expected_size:,} bytes, got {self._size:,}.")
        if not self._inflater.eof:
            raise self._error(f"the deflated bytes end too early, after {self._size:,} bytes.")
        if known_hash not in {None, actual}:
            raise self._error(f"expected {known_hash}, got {actual}.")

    def _wait(self) -> None:
        if self._hashing:
            self._hashing.result()

    def _error(self, message: str) -> ChecksumError:
        return ChecksumError(f"{self._location}: {message} The bytes were thrown away.")
