"""Atomic publication of files and folders by one rename, safe against power cuts."""

import errno
import os
import shutil
import sys
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from embedhub import _cache as cache
from embedhub import _cache_files
from embedhub.errors import EmbedhubError, OutputError, StoreError

_TEMPORARY = ".tmp"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)  # seconds between the attempts of a rename
# Windows' errors for access denied, a sharing or a lock violation, and a file that is mapped.
_WINDOWS_IN_USE = {5, 32, 33, 1224}


def is_in_use_error(error: OSError) -> bool:
    """Return whether a rename or a removal failed because a program has the file or folder open.

    Windows refuses both for an open or memory-mapped file, and for each folder above it.
    """
    return error.errno == errno.EBUSY or getattr(error, "winerror", None) in _WINDOWS_IN_USE


def reason(error: OSError) -> str:
    """Return the reason and the remedy for a rename or a removal that the system refused."""
    why = error.strerror or str(error)
    return f"{why}; close the programs that have it open" if is_in_use_error(error) else why


def move(old: Path, new: Path) -> None:
    """Rename a file or folder; retry for a moment if a program has it open.

    On Windows, virus scanners open files that were just written.

    Raises:
        OSError: The system refuses it, or the file is still in use after all retries.
    """
    for pause in _PAUSES:
        try:
            old.replace(new)
        except OSError as error:
            if not is_in_use_error(error):
                raise
            time.sleep(pause)
        else:
            return
    old.replace(new)


def move_to_disk(old: Path, new: Path) -> None:
    """Rename a file or folder, flushing its bytes to disk before and its new name afterwards.

    Without that, a power cut some seconds later may leave the new name with empty files.

    Raises:
        OSError: As for `move`, or the bytes cannot be flushed.
    """
    _flush(old)
    move(old, new)
    _flush_folder(new.parent)


def _flush(path: Path) -> None:
    if path.is_dir():
        for inside in path.iterdir():
            _flush(inside)
        _flush_folder(path)
        return
    with path.open("r+b") as file:  # Windows flushes no file that is only read
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Flush the names of the files in a folder, if the file system supports it."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def publish(
    folder: Path, *, replace: bool = False, no_more_open_than: Collection[Path] = ()
) -> Iterator[Path]:
    """Yield an empty folder to write into; without an error, it is renamed to ``folder``.

    The caller must hold a lock for ``folder``: leftovers of killed writers next to it are removed. Until it
    is complete, only this user can read it or write to it.

    Args:
        folder: The final folder. It must not exist yet, unless ``replace`` is true.
        replace: Whether to replace an existing folder, which stays until the new one is complete.
        no_more_open_than: Files whose permissions limit those of the folder: only users who can read all of
            them can read it.

    Raises:
        StoreError: The system refuses it.
    """
    cache.ensure_folder(folder.parent)
    prefix = f".{folder.name}."
    for leftover in cache.entries(folder.parent):
        if leftover.name.startswith(prefix) and leftover.suffix == _TEMPORARY:
            shutil.rmtree(leftover, ignore_errors=True)
    temporary = _temporary_name(folder)
    try:
        temporary.mkdir(mode=0o700)
    except OSError as error:
        raise cache.refusal(temporary, "this folder of the cache cannot be made", error) from error
    try:
        yield temporary
        try:
            _cache_files.share_finished(temporary, no_more_open_than)
            if replace:
                _replace_folder(temporary, folder)
            else:
                move_to_disk(temporary, folder)
        except OSError as error:
            raise StoreError(
                f"{folder}: the finished folder {temporary.name} cannot be renamed to this "
                f"({reason(error)}). Nothing was kept; try again."
            ) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):
            folder.parent.rmdir()
        raise


def publish_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a small file of the cache; an existing one is replaced atomically.

    Args:
        path: The file.
        text: Its content.
        private: Whether only this user can read it.

    Raises:
        StoreError: It cannot be written.
    """
    cache.ensure_folder(path.parent)
    temporary = _temporary_name(path)
    try:
        with _cache_files.create(temporary, private=private) as file:
            file.write(text.encode())
        move_to_disk(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise cache.refusal(path, "this file of the cache cannot be written", error) from error


def remove(folder: Path) -> None:
    """Remove a folder, or a link to one, so that no process sees it half removed; it may be missing.

    Raises:
        StoreError: It cannot be removed.
    """
    try:
        if folder.is_symlink():
            folder.unlink()
            return
        aside = _set_aside(folder)
        if aside:
            shutil.rmtree(aside)
    except OSError as error:
        raise StoreError(f"{folder}: this folder cannot be removed ({reason(error)}).") from error


def _replace_folder(new: Path, folder: Path) -> None:
    """Rename a folder to the name of another one, which is removed; on failure, the other stays."""
    _flush(new)
    before = _set_aside(folder)
    try:
        move(new, folder)
    except BaseException:
        if before:
            move(before, folder)
        raise
    _flush_folder(folder.parent)
    if before:
        shutil.rmtree(before, ignore_errors=True)


def _set_aside(folder: Path) -> Path | None:
    """Rename a folder, and return its new name; None if it is missing, or was removed instead.

    overlayfs cannot rename folders of lower layers (EXDEV), so their files are removed one by one: the
    manifest first, since a store without one is never used.
    """
    aside = _temporary_name(folder)
    try:
        move(folder, aside)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        for path in sorted(folder.iterdir(), key=lambda path: path.suffix != ".json"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        folder.rmdir()
        return None
    return aside


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{_TEMPORARY}")


@contextmanager
def atomic_output(path: Path, *, overwrite: bool, expected_names: Collection[str] = ()) -> Iterator[Path]:
    """Yield a temporary path to write to; without an error, the file or folder is moved to ``path``.

    Args:
        path: The final place.
        overwrite: Whether an existing file or folder is replaced.
        expected_names: For a folder, the names of its files; a folder with other files is never replaced.

    Yields:
        A path with the same name, in a temporary folder.

    Raises:
        OutputError: The output exists already, or cannot be written. Nothing is changed.
    """
    path = absolute(path)
    ensure_writable(path, overwrite=overwrite, expected_names=expected_names)
    temporary = _temporary_name(path)
    try:
        temporary.mkdir(parents=True)
        try:
            yield temporary / path.name
            ensure_writable(path, overwrite=overwrite, expected_names=expected_names)
            if path.is_dir():  # no folder can be renamed over another one
                _replace_folder(temporary / path.name, path)
            else:
                move_to_disk(temporary / path.name, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except EmbedhubError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path}: it could not be written ({reason(error)}), and nothing was kept of it."
        ) from error


def absolute(path: Path) -> Path:
    """Return the absolute path of an output; raise OutputError for the home folder of an unknown user."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise OutputError(f"{path}: there is no such user or home folder.") from error


def ensure_writable(path: Path, *, overwrite: bool, expected_names: Collection[str] = ()) -> None:
    """Raise OutputError unless `atomic_output` may write there; call it before long work too."""
    path = absolute(path)
    existing = path.exists()
    if existing and path.is_dir() != bool(expected_names):
        raise OutputError(f"{path}: this is a {'folder' if path.is_dir() else 'file'}. Name another.")
    if expected_names and existing:
        inside = sorted(file.name for file in path.iterdir())
        others = [name for name in inside if name not in expected_names]
        if others:
            raise OutputError(
                f"{path}: this folder has other files ({', '.join(others[:3])}{', ...' if others[3:] else ''}"
                "), so it is not replaced. Name a new one."
            )
        existing = bool(inside)
    if existing and not overwrite:
        raise OutputError(
            f"{path}: the output exists already, and was not changed. Name another, or replace it with "
            "overwrite=True (--force on the command line)."
        )
