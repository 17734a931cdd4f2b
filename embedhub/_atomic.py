"""Publishing a file or a folder by one rename: it appears complete or not at all."""

import errno
import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from embedhub import _cache as cache
from embedhub.errors import EmbedhubError, OutputError, StoreError

_TEMPORARY = ".tmp"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)  # seconds between the attempts of a rename
# Windows' errors for access denied, a sharing or a lock violation, and a file that is mapped.
_WINDOWS_IN_USE = {5, 32, 33, 1224}


def in_use(error: OSError) -> bool:
    """Return whether a rename or a removal failed because a program has the file or folder open.

    Windows refuses both for an open or memory-mapped file, and for each folder above it.
    """
    return error.errno == errno.EBUSY or getattr(error, "winerror", None) in _WINDOWS_IN_USE


def reason(error: OSError) -> str:
    """Return why the system refused a rename or a removal, and what helps."""
    why = error.strerror or str(error)
    return f"{why}; close the programs that have it open" if in_use(error) else why


def move(old: Path, new: Path) -> None:
    """Rename a file or folder; wait a moment for a program that has it open.

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


@contextmanager
def publish(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; without an error it appears as ``folder`` by one rename.

    The caller holds a lock for ``folder``, so whatever an earlier, killed writer left next to it is dead and
    is removed.

    Args:
        folder: The final place. It must not exist yet.

    Yields:
        The folder to fill, on the same file system as the final place.

    Raises:
        StoreError: The system refuses the rename.
    """
    cache.ensure_folder(folder.parent)
    prefix = f".{folder.name}."
    for leftover in folder.parent.glob(f"{prefix}*{_TEMPORARY}"):
        shutil.rmtree(leftover, ignore_errors=True)
    # Not tempfile.mkdtemp: its mode 0700 would hide a shared cache from other users.
    temporary = _temporary_name(folder)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        try:
            move(temporary, folder)
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


def write_text(path: Path, text: str) -> None:
    """Write a small file of the cache; it replaces an older one by one rename.

    Raises:
        StoreError: Its folder cannot be created.
        OSError: It cannot be written.
    """
    cache.ensure_folder(path.parent)
    temporary = path.with_name(f"{path.name}.{os.getpid()}{_TEMPORARY}")
    temporary.write_text(text, "utf-8", newline="\n")
    temporary.replace(path)


def remove(folder: Path) -> None:
    """Remove a folder so that no process sees a part of it; a missing one is not an error.

    Raises:
        StoreError: It cannot be removed.
    """
    removed = _temporary_name(folder)
    try:
        move(folder, removed)
        shutil.rmtree(removed)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{folder}: this folder cannot be removed ({reason(error)}).") from error


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{_TEMPORARY}")


@contextmanager
def output(
    path: Path, *, force: bool, beside: Collection[str] = (), parts: Collection[str] = ()
) -> Iterator[Path]:
    """Give a place to write to; on success what is there appears at ``path``.

    Args:
        path: The final place.
        force: Whether what is there already is replaced.
        beside: Names of files that are written beside it, and belong to it.
        parts: If it is a folder, the names of the files in it: a folder with others is never replaced.

    Yields:
        A path with the same last name, in a folder that is gone afterwards.

    Raises:
        OutputError: It is there already, or the disk refuses it. Nothing is changed then.
    """
    path = path.expanduser().absolute()
    check(path, force=force, beside=beside, parts=parts)
    fresh = _temporary_name(path)
    try:
        fresh.mkdir(parents=True)
        try:
            yield fresh / path.name
            check(path, force=force, beside=beside, parts=parts)
            _publish(fresh, path, beside)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except EmbedhubError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path}: it could not be written ({reason(error)}), and nothing was kept of it."
        ) from error


def check(path: Path, *, force: bool, beside: Collection[str] = (), parts: Collection[str] = ()) -> None:
    """Raise OutputError unless `output` may write there; asked before long work too."""
    path = path.expanduser().absolute()
    there = [place for place in (path, *map(path.with_name, beside)) if place.exists()]
    for place in there:
        if place.is_dir() != bool(parts):
            raise OutputError(f"{place}: this is a {'folder' if place.is_dir() else 'file'}. Name another.")
    if parts and there:
        inside = sorted(file.name for file in path.iterdir())
        others = [name for name in inside if name not in parts]
        if others:
            raise OutputError(
                f"{path}: this folder has other files ({', '.join(others[:3])}{', ...' if others[3:] else ''}"
                "), so it is not replaced. Name a new one."
            )
        there = there if inside else []
    if there and not force:
        raise OutputError(
            f"{there[0]}: it is there already, and was left as it is. Name another, or replace it with "
            "force=True (--force on the command line)."
        )


def _publish(fresh: Path, path: Path, beside: Collection[str]) -> None:
    before = fresh / f"before-{path.name}"
    before.mkdir()
    moved, placed = [], []
    try:
        # At no time do an old file and a new one that belongs to it stand side by side.
        if beside or path.is_dir():
            for place in filter(Path.exists, (path, *map(path.with_name, beside))):
                move(place, before / place.name)
                moved.append(place)
        for name in beside:
            move(fresh / name, path.with_name(name))
            placed.append(path.with_name(name))
        move(fresh / path.name, path)
    except BaseException:
        for place in placed:
            place.unlink()
        for place in reversed(moved):
            move(before / place.name, place)
        raise
