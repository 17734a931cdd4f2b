"""The cache folder: locks between processes, and publishing by one rename."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from embedhub import settings
from embedhub.errors import StoreError

_TEMPORARY = ".tmp"


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


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the lock of that name against all threads and processes of this cache.

    The lock belongs to an open file, so the kernel drops it when its holder dies, however it dies.
    """
    folder = ensure_folder(settings.cache_folder() / "locks")
    # A new object each time: filelock lets one object be entered again by the same thread.
    with filelock.FileLock(folder / f"{name}.lock", thread_local=False):
        yield


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
    fresh.mkdir()
    try:
        yield fresh
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        with suppress(OSError):
            folder.parent.rmdir()
        raise


def share(path: Path) -> None:
    """Give a file the mode that the user's umask asks for, as a plain ``open`` would have."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)
