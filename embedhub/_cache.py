"""Access to the cache: folders, locks between processes, free space, and errors of the file system."""

import errno
import functools
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from embedhub import _cache_files, settings
from embedhub._progress import progress_bar
from embedhub.errors import StoreError

if TYPE_CHECKING:
    import filelock

_SILENT_WAIT = 0.5  # seconds before a process that waits for a lock reports it
_PATIENT_WAIT = 60.0  # seconds before it does so in the log, which is shown even if progress is not
_log = logging.getLogger("embedhub")
_ADVICE = {
    errno.ENOSPC: "The disk is full, or has no inodes left. Free some, or put EMBEDHUB_CACHE on another.",
    errno.EDQUOT: "Free some space, or put EMBEDHUB_CACHE on another.",
    errno.EFBIG: "Files of this process may not be larger (ulimit -f).",
    errno.ENAMETOOLONG: "Set EMBEDHUB_CACHE to a folder with a shorter name.",
    errno.ENOLCK: "Its file system does not support locks. Put EMBEDHUB_CACHE on another one.",
    errno.EMFILE: "This process has too many files open. Close some, or raise the limit (ulimit -n).",
    errno.ENOMEM: "This process is out of memory.",
}


class RefusedError(StoreError):
    """The system refuses the use of a folder of the cache."""


def refusal(path: Path, action: str, error: OSError) -> RefusedError:
    """Return the error for an action that the system refuses, with the reason and a remedy.

    Args:
        path: The file or folder of the cache.
        action: The refused action: ``"this folder of the cache cannot be made"``.
        error: The error of the system.
    """
    default = "Set EMBEDHUB_CACHE to a folder that you can write to."
    advice = _ADVICE.get(error.errno or 0, default)
    return RefusedError(f"{path}: {action} ({error.strerror or error}). {advice}")


def downloads_folder() -> Path:
    """Return the folder of downloaded files."""
    return settings.cache_folder() / "downloads"


def exists(path: Path) -> bool:
    """Return whether a file or folder exists in the cache.

    Raises:
        StoreError: The system refuses access, or the path is a broken link.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            raise StoreError(
                f"{path}: this is a link to {path.readlink()}, which does not exist. Restore that, or remove "
                "the link."
            ) from error
        return False
    except OSError as error:
        raise refusal(path, "the cache cannot be read", error) from error
    return True


def entries(folder: Path) -> list[Path]:
    """Return the sorted entries of a folder of the cache; empty if the folder does not exist.

    Raises:
        StoreError: The folder cannot be read.
    """
    try:
        paths = sorted(folder.iterdir())
        for path in paths[:1]:
            with suppress(FileNotFoundError):  # removed just now
                path.lstat()  # a folder may be listed that cannot be entered
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise refusal(folder, "this folder of the cache cannot be read", error) from error
    return paths


def size(path: Path) -> int:
    """Return the size of a file, or of all files in a folder; files removed meanwhile do not count."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else (path,):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def ensure_folder(folder: Path) -> Path:
    """Create a folder of the cache if it is missing, and return it.

    Raises:
        StoreError: It cannot be created.
    """
    try:
        _cache_files.make_folder(folder, settings.cache_folder())
    except OSError as error:
        raise refusal(folder, "this folder of the cache cannot be made", error) from error
    return folder


def refused_to_write(folder: Path) -> str | None:
    """Try to write a file in a folder; return the reason for a failure, or None."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 12))  # an empty file may be made where no byte can be written
            file.flush()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return None


def _locks() -> Path:
    return settings.cache_folder() / "locks"


_lock_mode = functools.cache(_cache_files.lock_mode)
"""One object represents each lock, and does not change its mode."""


def _lock_of(name: str) -> "filelock.BaseFileLock":
    # Opening a store takes no lock, and a tenth of the time of this import.
    import filelock

    # One object for each path, whose thread may enter it again: a build holds the locks of the files that it
    # downloads.
    folder = ensure_folder(_locks())
    return filelock.FileLock(folder / f"{name}.lock", mode=_lock_mode(folder), is_singleton=True)


def _acquire(file_lock: "filelock.BaseFileLock", seconds: float) -> bool:
    """Acquire a lock within a number of seconds, forever if negative; return whether it is held."""
    try:
        file_lock.acquire(timeout=seconds)
    except TimeoutError:
        return False
    except (OSError, NotImplementedError) as error:
        reason = error if isinstance(error, OSError) else OSError(errno.ENOLCK, str(error))
        raise refusal(Path(file_lock.lock_file), "this lock cannot be taken", reason) from error
    return True


@contextmanager
def lock(name: str, label: str) -> Iterator[None]:
    """Hold a lock against all other threads and processes that use this cache.

    The lock belongs to an open file, so the kernel releases it when its holder ends for any reason. The lock
    is reentrant.

    Args:
        name: Name of the lock.
        label: Description of the holder's work, for those who wait.

    Raises:
        StoreError: The lock cannot be taken.
    """
    file_lock = _lock_of(name)
    if not _acquire(file_lock, _SILENT_WAIT):
        _log.info("Waiting for another process or thread that is %s.", label)
        with progress_bar(f"Waiting for another process that is {label}", None, in_bytes=False):
            if not _acquire(file_lock, _PATIENT_WAIT):
                _log.warning(
                    "Still waiting for another process or thread that is %s. It holds %s.",
                    label,
                    file_lock.lock_file,
                )
                _acquire(file_lock, -1)
    try:
        yield
    finally:
        file_lock.release()


@contextmanager
def lock_if_free(name: str) -> Iterator[bool]:
    """Hold a lock if no other thread or process holds it; yield whether it is held.

    Raises:
        StoreError: The lock cannot be taken.
    """
    file_lock = _lock_of(name)
    is_held = _acquire(file_lock, 0)
    try:
        yield is_held
    finally:
        if is_held:
            file_lock.release()


def check_space(folder: Path, needed: int, label: str) -> None:
    """Raise StoreError unless the disk of a folder of the cache has enough free bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"{folder}: {label} needs {needed / 1e6:,.1f} MB, but only {free / 1e6:,.1f} MB are free. "
            "Nothing was started. Free some space, or set EMBEDHUB_CACHE to a folder with more."
        )
