"""A file that is being brought: it keeps its bytes when the way to it breaks, and goes on from there."""

import errno
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from embedhub import _cache as cache
from embedhub.download.http import Remote, TransientError
from embedhub.errors import DownloadError, EmbedhubError, StoreError

ATTEMPTS = 5  # in a row without a single byte of progress
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
_T = TypeVar("_T")


def patiently(action: Callable[[], _T], progressed: Callable[[], bool] = lambda: False) -> _T:
    """Do something that may fail for a moment, again and again, with exponential back-off.

    Raises:
        DownloadError: The last failure, after ATTEMPTS of them in a row without progress.
    """
    failures = 0
    while True:
        try:
            return action()
        except TransientError as error:
            failures = 1 if progressed() else failures + 1
            if failures >= ATTEMPTS:
                raise DownloadError(f"{error} Given up after {failures} tries.") from error
            wait = min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT)
            # Spread out, so that many clients of a server that comes back do not come back at once.
            time.sleep(max(error.wait, wait * random.uniform(0.5, 1)))  # noqa: S311 - no secret


class Partial:
    """Bytes ``start`` to ``stop`` of a remote in a file that grows, and beside it what they are bytes of.

    Args:
        path: The file; ``<path>.json`` says where its bytes come from.
        remote: Probed already.
        start: First byte.
        stop: Byte after the last, None if the size is unknown.
        pinned: Whether a hash will tell if the bytes are right; only then a remote without validator resumes.
        prefix: Bytes that stand before those of the remote.
        suffix: Bytes that stand behind them when all are there.
    """

    def __init__(
        self,
        path: Path,
        remote: Remote,
        *,
        start: int,
        stop: int | None,
        pinned: bool,
        prefix: bytes = b"",
        suffix: bytes = b"",
    ) -> None:
        self.path = path
        self.resumed = False
        self._remote = remote
        self._start = start
        self._stop = stop
        self._prefix = prefix
        self._suffix = suffix
        self._note = path.with_name(f"{path.name}.json")
        self._origin = {
            "address": remote.address,
            "validator": remote.validator,
            "size": remote.size,
            "start": start,
            "stop": stop,
        }
        self._may_resume = remote.ranges and stop is not None and (pinned or remote.validator is not None)

    def complete(self, advance: Callable[[int], None]) -> None:
        """Bring what is missing; ``advance`` is told of all bytes, those that were there already too.

        Raises:
            DownloadError: The remote fails too often; the bytes so far stay for the next run.
            StoreError: The disk is full; likewise.
        """
        try:
            self._complete(advance)
        except OSError as error:
            raise self._disk_error(error) from error

    def _complete(self, advance: Callable[[int], None]) -> None:
        self._begin()
        self._check_space()
        done = best = self._have()
        self.resumed = done > 0
        advance(done)

        def go_on() -> None:
            nonlocal done
            if done and not self._may_resume:
                advance(-done)
                self._restart()
                done = 0
            with self.path.open("ab") as file:
                for chunk in self._remote.stream(self._start + done, self._stop):
                    file.write(chunk)
                    file.flush()  # a kill loses what is in this process, not what the system has
                    done += len(chunk)
                    advance(len(chunk))

        def progressed() -> bool:
            nonlocal best
            before, best = best, max(best, done)
            return best > before

        if self.total is None or done < self.total:
            patiently(go_on, progressed)
        with self.path.open("r+b") as file:
            file.seek(len(self._prefix) + done)
            file.write(self._suffix)

    @property
    def total(self) -> int | None:
        """How many bytes of the remote there will be, None if unknown."""
        return None if self._stop is None else self._stop - self._start

    def discard(self) -> None:
        """Remove the note and the bytes."""
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Keep what is there if it is of the same remote bytes, else start afresh."""
        try:
            same = self._may_resume and json.loads(self._note.read_text("utf-8")) == self._origin
            if same and self._have() >= 0:
                return
        except (OSError, ValueError):
            pass
        self._restart()

    def _restart(self) -> None:
        # The note goes first: bytes without a note are never taken for anything.
        self._note.unlink(missing_ok=True)
        self.path.write_bytes(self._prefix)
        self._note.write_text(json.dumps(self._origin), "utf-8", newline="\n")

    def _have(self) -> int:
        """Return how many bytes of the remote are there; the suffix may be, too, if a kill came late."""
        size = self.path.stat().st_size - len(self._prefix)
        return size if self.total is None else min(size, self.total)

    def _check_space(self) -> None:
        if self.total is not None:
            cache.check_space(self.path.parent, self.total - self._have(), "the download")

    def _disk_error(self, error: OSError) -> OSError:
        if isinstance(error, EmbedhubError):
            return error
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            return StoreError(
                f"{self.path}: this file of the cache cannot be written ({error.strerror}). "
                "Remove it, or set EMBEDHUB_CACHE to a folder that you can write to."
            )
        return StoreError(
            f"{self.path}: the disk is full ({error.strerror}) after {self._have():,} bytes, which are kept. "
            "Free some space and run again: the download goes on from there. EMBEDHUB_CACHE moves the cache."
        )
