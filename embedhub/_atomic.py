"""What is written for the user appears by a rename, whole or not at all, and overwrites nothing unasked."""

import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from embedhub import _cache as cache
from embedhub.errors import EmbedhubError, OutputError


@contextmanager
def atomic_output(path: Path, *, overwrite: bool, expected_names: Collection[str] = ()) -> Iterator[Path]:
    """Give a place to write to; on success what is there appears at ``path``.

    Args:
        path: The final place.
        overwrite: Whether what is there already is replaced.
        expected_names: Of a folder, the names of its files: a folder with others is never replaced.

    Yields:
        A path with the same last name, in a folder that is gone afterwards.

    Raises:
        OutputError: It is there already, or the disk refuses it. Nothing is changed then.
    """
    path = path.expanduser().absolute()
    ensure_writable(path, overwrite=overwrite, expected_names=expected_names)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.mkdir(parents=True)
        try:
            yield temporary / path.name
            ensure_writable(path, overwrite=overwrite, expected_names=expected_names)
            _publish(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except EmbedhubError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path}: it could not be written ({cache.reason(error)}), and nothing was kept of it."
        ) from error


def ensure_writable(path: Path, *, overwrite: bool, expected_names: Collection[str] = ()) -> None:
    """Raise OutputError unless `atomic_output` may write there; asked before long work too."""
    path = path.expanduser().absolute()
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
            f"{path}: it is there already, and was left as it is. Name another, or replace it with "
            "overwrite=True (--force on the command line)."
        )


def _publish(temporary: Path, path: Path) -> None:
    # A folder cannot be renamed over another one: the old one is moved aside, and back if that fails.
    before = temporary / f"before-{path.name}"
    moved = path.is_dir()
    if moved:
        cache.move(path, before)
    try:
        cache.move(temporary / path.name, path)
    except BaseException:
        if moved:
            cache.move(before, path)
        raise
