"""A download that can be resumed after an interruption."""

import errno
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from embedhub import _cache as cache
from embedhub import _cache_files
from embedhub._json import parse_json
from embedhub.download.connections import SLOW_BYTES
from embedhub.download.http import ByteSource, TransientError, UnavailableError
from embedhub.download.verify import Verifier
from embedhub.errors import DownloadError, EmbedhubError, StoreError

ATTEMPTS = 5  # in a row, with less than SLOW_BYTES each
_FIRST_WAIT, _MAX_WAIT = 0.5, 8.0  # seconds
_CHUNK = 1 << 20
_T = TypeVar("_T")


def retry(action: Callable[[], _T], progressed: Callable[[], bool] = lambda: False) -> _T:
    """Repeat an action after temporary failures, with exponential back-off.

    Not urllib3's Retry, which cannot resume in mid-body and waits however long a Retry-After header asks for.

    Args:
        action: The action to repeat.
        progressed: Returns whether the last attempt made progress; if so, counting restarts.

    Raises:
        UnavailableError: The last failure, after ATTEMPTS of them in a row without progress.
    """
    failures = 0
    while True:
        try:
            return action()
        except TransientError as error:
            failures = 1 if progressed() else failures + 1
            if failures >= ATTEMPTS:
                raise UnavailableError(f"{error} Given up after {failures} tries.") from error
            wait = min(_FIRST_WAIT * 2 ** (failures - 1), _MAX_WAIT)
            # Spread out, so that not all clients of a server that was down come back at once.
            time.sleep(max(error.wait, wait * random.uniform(0.5, 1)))  # noqa: S311 - not a secret


class ResumableFile:
    """A partial local copy of bytes ``start`` to ``stop`` of a remote file.

    Args:
        path: The local file; ``<path>.json`` records which bytes it contains.
        remote: The remote file, whose `stat` was called.
        start: First byte.
        stop: Byte after the last; None if the server does not report the size.
        limit: The published size of the file, beyond which no bytes are kept; None if unknown.
        can_verify: Whether the bytes can be verified by a hash; only then, a remote file without a validator
            is resumed.
        prefix: Bytes before those of the remote file.
        suffix: Bytes after those of the remote file, written when all have arrived.
        verifier: Gets all bytes of the file in order.
    """

    def __init__(
        self,
        path: Path,
        remote: ByteSource,
        *,
        start: int,
        stop: int | None,
        limit: int | None,
        can_verify: bool,
        prefix: bytes = b"",
        suffix: bytes = b"",
        verifier: Verifier | None = None,
    ) -> None:
        self.path = path
        self.resumed = False
        self._remote = remote
        self._start = start
        self._stop = stop
        self._limit = limit
        self._prefix = prefix
        self._suffix = suffix
        self._verifier = verifier
        self._metadata_path = path.with_name(f"{path.name}.json")
        self._metadata = {
            "address": remote.location,
            "validator": remote.validator,
            "size": remote.size,
            "start": start,
            "stop": stop,
        }
        self._may_resume = remote.ranges and stop is not None and (can_verify or remote.validator is not None)

    def complete(self, advance: Callable[[int], None], *, until: int | None = None) -> None:
        """Download the missing bytes.

        Args:
            advance: Called with the number of bytes of each chunk, and of those from an earlier run.
            until: How many bytes of the remote file are enough. The suffix is then not written, and a later
                call may complete the file.

        Raises:
            UnavailableError: The remote file failed too often; the bytes so far are kept for the next run.
            ChecksumError: The verifier rejects the bytes.
            StoreError: The disk is full; the bytes so far are kept.
        """
        try:
            done = self._download(advance, self.total if until is None else until)
            if until is None:
                self._finish(done)
        except OSError as error:
            raise self._disk_error(error) from error

    def _download(self, advance: Callable[[int], None], wanted: int | None) -> int:
        """Download bytes until there are as many as wanted, or all; return how many there are."""
        stop = None if wanted is None else self._start + wanted
        self._begin()
        self._check_space(wanted)
        done = best = self._downloaded_bytes()
        self.resumed = done > 0
        self._verify_existing(done)
        advance(done if wanted is None else min(done, wanted))

        def resume() -> None:
            nonlocal done
            if done and not self._may_resume:
                advance(-done)
                self._restart()
                self._verify_existing(0)
                done = 0
            with _cache_files.reopen(self.path) as file:
                file.seek(0, os.SEEK_END)
                for chunk in self._remote.stream(self._start + done, stop):
                    if self._limit is not None and done + len(chunk) > self._limit:
                        raise DownloadError(
                            f"{self._remote.location}: the server sent more than {self._limit:,} bytes, the "
                            "size of the file."
                        )
                    file.write(chunk)
                    file.flush()  # a kill loses what is in this process, not what the system has
                    done += len(chunk)
                    advance(len(chunk))
                    if self._verifier:
                        self._verifier.update(chunk)

        def progressed() -> bool:
            nonlocal best
            if done - best < SLOW_BYTES:  # a server may send one byte with each answer
                return False
            best = done
            return True

        if wanted is None or done < wanted:
            retry(resume, progressed)
        return done

    def _finish(self, done: int) -> None:
        """Write the suffix after all bytes."""
        with _cache_files.reopen(self.path) as file:
            file.seek(len(self._prefix) + done)
            file.write(self._suffix)
            file.truncate()  # bytes after the end, left by an earlier run or anything else
        if self._verifier:
            self._verifier.update(self._suffix)

    @property
    def total(self) -> int | None:
        """Number of requested bytes of the remote file; None if unknown."""
        return None if self._stop is None else self._stop - self._start

    def discard(self) -> None:
        """Remove the file and its metadata."""
        self._metadata_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Keep the bytes of an earlier run if they are of the same remote file; otherwise start over."""
        try:
            same = self._may_resume and parse_json(self._metadata_path.read_text("utf-8")) == self._metadata
            with _cache_files.reopen(self.path):
                if same and self._downloaded_bytes() >= 0:
                    return
        except (OSError, ValueError):
            pass
        self._restart()

    def _restart(self) -> None:
        # The metadata goes first: bytes without it are never used.
        self.discard()
        with _cache_files.create(self.path) as file:
            file.write(self._prefix)
        with _cache_files.create(self._metadata_path) as file:
            file.write(json.dumps(self._metadata).encode())

    def _verify_existing(self, done: int) -> None:
        """Pass the existing bytes of the file to the verifier."""
        if not self._verifier:
            return
        self._verifier.reset()
        left = len(self._prefix) + done
        with self.path.open("rb") as file:
            while left and (chunk := file.read(min(_CHUNK, left))):
                self._verifier.update(chunk)
                left -= len(chunk)

    def _downloaded_bytes(self) -> int:
        """Return the number of downloaded bytes; after a late kill, the suffix may be present, too."""
        size = self.path.stat().st_size - len(self._prefix)
        return size if self.total is None else min(size, self.total)

    def _check_space(self, wanted: int | None) -> None:
        if wanted is None:
            return
        if self._limit is None and wanted > shutil.disk_usage(self.path.parent).total:
            raise DownloadError(
                f"{self._remote.location}: the server offers {wanted:,} bytes, more than the disk can hold."
            )
        cache.check_space(self.path.parent, wanted - self._downloaded_bytes(), "the download")

    def _disk_error(self, error: OSError) -> OSError:
        if isinstance(error, EmbedhubError):
            return error
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            return cache.refusal(self.path, "this file of the cache cannot be written", error)
        return StoreError(
            f"{self.path}: the disk is full ({error.strerror}) after {self._downloaded_bytes():,} bytes, "
            "which are kept. Free some space and run again: the download is resumed. EMBEDHUB_CACHE moves "
            "the cache."
        )
