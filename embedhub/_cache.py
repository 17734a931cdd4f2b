"""The cache folder: its folders, locks between processes, and free space."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from embedhub import settings
from embedhub._progress import progress_bar
from embedhub.errors import StoreError

if TYPE_CHECKING:
    import filelock

_SILENT_WAIT = 0.5  # seconds before a process that waits for a lock reports it
_log = logging.getLogger("embedhub")


class NotWritableError(StoreError):
    """A folder of the cache cannot be written."""


def downloads_folder() -> Path:
    """Return the folder of downloaded files."""
    return settings.cache_folder() / "downloads"


def ensure_folder(folder: Path) -> Path:
    """Create a folder of the cache if it is missing, and return it.

    Raises:
        StoreError: It cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritableError(
            f"{folder}: this folder of the cache cannot be made ({error.strerror}). "
            "Set EMBEDHUB_CACHE to a folder that you can write to."
        ) from error
    return folder


def _locks() -> Path:
    return settings.cache_folder() / "locks"


def _lock_of(name: str) -> "filelock.BaseFileLock":
    # Opening a store takes no lock, and a tenth of the time of this import.
    import filelock

    # One object for each path, whose thread may enter it again: a build holds the locks of the files that it
    # downloads.
    return filelock.FileLock(ensure_folder(_locks()) / f"{name}.lock", is_singleton=True)


@contextmanager
def lock(name: str, label: str) -> Iterator[None]:
    """Hold a lock against all other threads and processes that use this cache.

    The lock belongs to an open file, so the kernel releases it when its holder dies, however it dies. A
    thread that holds it may enter it again.

    Args:
        name: Name of the lock.
        label: What its holder does, for those who wait.
    """
    file_lock = _lock_of(name)
    try:
        file_lock.acquire(timeout=_SILENT_WAIT)
    except TimeoutError:
        _log.info("Waiting for another process or thread that is %s.", label)
        with progress_bar(f"Waiting for another process that is {label}", None, in_bytes=False):
            file_lock.acquire()
    except OSError as error:
        raise NotWritableError(
            f"{_locks()}: no lock can be taken there ({error.strerror}), so the cache is read-only. "
            "Set EMBEDHUB_CACHE to a folder that you can write to."
        ) from error
    try:
        yield
    finally:
        file_lock.release()


@contextmanager
def lock_if_free(name: str) -> Iterator[bool]:
    """Hold a lock if no other thread or process holds it; yield whether it is held."""
    file_lock = _lock_of(name)
    try:
        file_lock.acquire(timeout=0)
    except TimeoutError:
        yield False
        return
    try:
        yield True
    finally:
        file_lock.release()


def check_space(folder: Path, needed: int, label: str) -> None:
    """Raise StoreError unless the disk of a folder of the cache has that many free bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"{folder}: {label} needs {needed / 1e6:,.1f} MB, but only {free / 1e6:,.1f} MB are free. "
            "Nothing was begun. Free some space, or set EMBEDHUB_CACHE to a folder with more."
        )
