"""The cache folder: locks between processes, and publishing by one rename."""

import errno
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from embedhub import settings
from embedhub._progress import progress_bar
from embedhub.errors import StoreError

if TYPE_CHECKING:
    import filelock

_TEMPORARY = ".tmp"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)  # seconds between the tries of a rename
# What Windows calls access denied, a sharing or a lock violation, and a file that is mapped.
_WINDOWS_IN_USE = {5, 32, 33, 1224}
_PATIENCE = 0.5  # seconds before one who waits says so
_log = logging.getLogger("embedhub")


def downloads() -> Path:
    """Return the folder of files that are being fetched."""
    return settings.cache_folder() / "downloads"


def ensure_folder(folder: Path) -> Path:
    """Make a folder of the cache, or say which variable moves the cache."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: this folder of the cache cannot be made ({error.strerror}). "
            "Set EMBEDHUB_CACHE to a folder that you can write to."
        ) from error
    return folder


def _locks() -> Path:
    return settings.cache_folder() / "locks"


def _lock_of(name: str) -> "filelock.BaseFileLock":
    # Opening a store takes no lock, and a tenth of the time of this import.
    import filelock

    # A new object each time: filelock lets one object be entered again by the same thread.
    return filelock.FileLock(ensure_folder(_locks()) / f"{name}.lock", thread_local=False)


@contextmanager
def lock(name: str, what: str) -> Iterator[None]:
    """Hold the lock of that name against all threads and processes of this cache.

    The lock belongs to an open file, so the kernel drops it when its holder dies, however it dies.

    Args:
        name: Name of the lock.
        what: What its holder does, for those who wait.
    """
    held = _lock_of(name)
    try:
        held.acquire(timeout=_PATIENCE)
    except TimeoutError:
        _log.info("Waiting for another process or thread that is %s.", what)
        with progress_bar(f"Waiting for another process that is {what}", None, in_bytes=False):
            held.acquire()
    except OSError as error:
        raise StoreError(
            f"{_locks()}: no lock can be taken there ({error.strerror}), so the cache is read-only and what "
            "is wanted is not in it. Set EMBEDHUB_CACHE to a folder that you can write to."
        ) from error
    try:
        yield
    finally:
        held.release()


@contextmanager
def lock_if_free(name: str) -> Iterator[bool]:
    """Hold the lock of that name if nobody else does; tell whether it is held."""
    held = _lock_of(name)
    try:
        held.acquire(timeout=0)
    except TimeoutError:
        yield False
        return
    try:
        yield True
    finally:
        held.release()


def in_use(error: OSError) -> bool:
    """Tell whether a rename or a removal failed because a program has the file or folder open.

    Windows refuses both for an open or memory-mapped file, and for each folder above it.
    """
    return error.errno == errno.EBUSY or getattr(error, "winerror", None) in _WINDOWS_IN_USE


def reason(error: OSError) -> str:
    """Return why the system refused a rename or a removal, and what helps."""
    why = error.strerror or str(error)
    return f"{why}; close the programs that have it open" if in_use(error) else why


def move(old: Path, new: Path) -> None:
    """Rename a file or folder, and wait a moment for a program that has it open.

    On Windows a virus scanner opens files that were just written.

    Raises:
        OSError: The system refuses it, or the file is still in use after all pauses.
    """
    for pause in _PAUSES:
        try:
            old.replace(new)
        except OSError as error:
            if not in_use(error):
                raise
            time.sleep(pause)
        else:
            return
    old.replace(new)


def put(fresh: Path, folder: Path) -> None:
    """Give a finished folder its name.

    Raises:
        StoreError: The system refuses it.
    """
    try:
        move(fresh, folder)
    except OSError as error:
        raise StoreError(
            f"{folder}: the finished folder {fresh.name} cannot be renamed to this ({reason(error)}). "
            "Nothing was kept; try again."
        ) from error


@contextmanager
def publish(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into; on success it appears as ``folder`` by one rename.

    The caller holds a lock for ``folder``, so whatever an earlier, killed writer left beside it is
    dead and is removed.

    Args:
        folder: The final place. It must not exist yet.

    Yields:
        The folder to fill, on the same file system as the final place.
    """
    ensure_folder(folder.parent)
    prefix = f".{folder.name}."
    for leftover in folder.parent.glob(f"{prefix}*{_TEMPORARY}"):
        shutil.rmtree(leftover, ignore_errors=True)
    # Not tempfile.mkdtemp: its mode 0700 would hide a shared cache from other users.
    fresh = folder.parent / f"{prefix}{uuid.uuid4().hex}{_TEMPORARY}"
    fresh.mkdir(parents=True)
    try:
        yield fresh
        put(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        with suppress(OSError):
            folder.parent.rmdir()
        raise


def remove(folder: Path) -> None:
    """Remove a folder so that nobody sees a part of it; one that is not there is no error.

    Raises:
        StoreError: It cannot be removed.
    """
    gone = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}{_TEMPORARY}")
    try:
        move(folder, gone)
        shutil.rmtree(gone)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{folder}: this folder cannot be removed ({reason(error)}).") from error


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raise StoreError unless the disk of a folder of the cache has room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"{folder}: {what} needs {needed / 1e6:,.1f} MB, but only {free / 1e6:,.1f} MB are free. "
            "Nothing was begun. Free some space, or set EMBEDHUB_CACHE to a folder with more."
        )


def share(path: Path) -> None:
    """Give a file the mode that the user's umask asks for, as a plain ``open`` would have."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)
