"""What is written for the user appears by a rename, whole or not at all, and overwrites nothing unasked."""

import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from embedhub import _cache as cache
from embedhub.errors import EmbedhubError, OutputError


@contextmanager
def output(path: Path, *, force: bool, parts: Collection[str] = ()) -> Iterator[Path]:
    """Give a place to write to; on success what is there appears at ``path``.

    Args:
        path: The final place.
        force: Whether what is there already is replaced.
        parts: If it is a folder, the names of the files in it: a folder with others is never replaced.

    Yields:
        A path with the same last name, in a folder that is gone afterwards.

    Raises:
        OutputError: It is there already, or the disk refuses it. Nothing is changed then.
    """
    path = path.expanduser().absolute()
    check(path, force=force, parts=parts)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        fresh.mkdir(parents=True)
        try:
            yield fresh / path.name
            check(path, force=force, parts=parts)
            _publish(fresh, path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except EmbedhubError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path}: it could not be written ({cache.reason(error)}), and nothing was kept of it."
        ) from error


def check(path: Path, *, force: bool, parts: Collection[str] = ()) -> None:
    """Raise OutputError unless `output` may write there; asked before long work too."""
    path = path.expanduser().absolute()
    there = path.exists()
    if there and path.is_dir() != bool(parts):
        raise OutputError(f"{path}: this is a {'folder' if path.is_dir() else 'file'}. Name another.")
    if parts and there:
        inside = sorted(file.name for file in path.iterdir())
        others = [name for name in inside if name not in parts]
        if others:
            raise OutputError(
                f"{path}: this folder has other files ({', '.join(others[:3])}{', ...' if others[3:] else ''}"
                "), so it is not replaced. Name a new one."
            )
        there = bool(inside)
    if there and not force:
        raise OutputError(
            f"{path}: it is there already, and was left as it is. Name another, or replace it with "
            "force=True (--force on the command line)."
        )


def _publish(fresh: Path, path: Path) -> None:
    # A folder cannot be renamed over another one: the old one is moved aside, and back if that fails.
    before = fresh / f"before-{path.name}"
    moved = path.is_dir()
    if moved:
        cache.move(path, before)
    try:
        cache.move(fresh / path.name, path)
    except BaseException:
        if moved:
            cache.move(before, path)
        raise
