"""The lock file in force: which vectors may be opened, and what they have to be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedhub import settings
from embedhub._names import shown_names
from embedhub._url import shown_url
from embedhub.download.remote_file import Fetched
from embedhub.errors import LockError
from embedhub.registry.handle import Handle, map_paths, parse_handle
from embedhub.registry.lock_file import LockedVectors, LockFile, read_lock
from embedhub.registry.origin import Origin, OriginFile, revision_of, with_first_download, wrong_files
from embedhub.vectors.fingerprint import fingerprint
from embedhub.vectors.vectors import Vectors

if TYPE_CHECKING:
    from embedhub.registry.source import EmbeddingSource

# ruff: noqa: SLF001 - `_origin` is the part of a source that is locked

_ignoring: ContextVar[bool] = ContextVar("_ignoring", default=False)


@contextmanager
def ignored() -> Iterator[None]:
    """Open vectors whether or not they are in the lock file, such as those that are written to it."""
    token = _ignoring.set(True)
    try:
        yield
    finally:
        _ignoring.reset(token)


class Expected:
    """What a lock file has of the vectors that are being opened.

    Args:
        path: The lock file.
        locked: The vectors in it.
        origin: The files and readers of their source.
    """

    def __init__(self, path: Path, locked: LockedVectors, origin: Origin) -> None:
        self._path = path
        self._locked = locked
        self._origin = origin

    def check_source(self, license: str) -> None:  # noqa: A002 - what it is
        """Raise LockError if the source has other files or readers; nothing is downloaded for that."""
        locked = self._locked
        differences = [*_differing("license", locked.license, license)]
        differences += _differing("readers", ", ".join(locked.readers), ", ".join(self._origin.readers))
        self._refuse([*differences, *_differing_files(locked.files, self._origin.files)])

    def check_fetched(self, fetched: Fetched) -> None:
        """Raise LockError if a downloaded file without a published hash has another hash."""
        self._refuse(wrong_files(fetched, self._locked.files))

    def check_digests(self, digests: dict[str, str]) -> None:
        """Raise LockError if the files of a store are others."""
        expected = dict(self._locked.store)
        differences = []
        for name in sorted({*expected, *digests}):
            differences += _differing(name, expected.get(name, "no such file"), digests.get(name, "none"))
        if differences:
            differences.insert(
                0, f"fingerprint: expected {self._locked.fingerprint}, got {fingerprint(digests)}"
            )
        self._refuse(differences)

    def check_vectors(self, vectors: Vectors) -> None:
        """Raise LockError if opened vectors are others than the locked ones."""
        locked, revision = self._locked, revision_of(vectors.manifest)
        files = with_first_download(self._origin.files, vectors.manifest)
        self._refuse(
            [
                *_differing("words", locked.words, len(vectors)),
                *_differing("revision", locked.revision or "none", revision or "none"),
                *_differing_files(locked.files, files),
            ]
        )
        self.check_digests(vectors.digests)

    def _refuse(self, differences: list[str]) -> None:
        if differences:
            handle = self._locked.handle
            listed = "".join(f"\n  - {difference}" for difference in differences)
            raise LockError(
                f"{handle} is not what the lock file {self._path} has:{listed}\nNothing was opened. If this "
                f"change is intended, run: {_command(handle)}"
            )


def expected_of(source: "EmbeddingSource", dim: int, cache_key: str) -> Expected | None:
    """Return what the lock file has of a source; None without a lock file.

    Raises:
        LockError: The source is not in it, or has other files or readers by now.
        FormatError: The lock file is damaged.
    """
    lock = _in_force()
    if lock is None:
        return None
    expected = _find(lock, source, dim, cache_key)
    if expected is None:
        origin = source._origin(dim)
        handle = locked_handle(source, dim, cache_key, origin, lock.path.parent)
        handle = handle or str(Handle("name", source.name, dim, limit=origin.limit))
        others = shown_names(one.handle for one in lock.vectors) or "none"
        raise LockError(
            f"{handle} is not in the lock file {lock.path}, which has: {others}. Nothing was opened. To add "
            f"it, run: {_command(handle)}"
        )
    expected.check_source(source.license)
    return expected


def find_expected(source: "EmbeddingSource", dim: int, cache_key: str) -> Expected | None:
    """Return the same; also None if the source is not in the lock file."""
    lock = _in_force()
    return None if lock is None else _find(lock, source, dim, cache_key)


def locked_dims(source: "EmbeddingSource") -> tuple[int, ...]:
    """Return the dimensions of a source that the lock file has; without one, or if it has none, all."""
    lock = _in_force()
    if lock is None:
        return source.dims
    return tuple(dim for dim in source.dims if _find(lock, source, dim, source.cache_key(dim))) or source.dims


def _in_force() -> LockFile | None:
    path = None if _ignoring.get() else settings.lock_file()
    return None if path is None else read_lock(path)


def _find(lock: LockFile, source: "EmbeddingSource", dim: int, cache_key: str) -> Expected | None:
    """Return the vectors of a source in a lock file.

    Those of a registered source, and of one given as an object, have its name; those of a file or a URL have
    its handle. A file at another path is the same if its bytes are.
    """
    origin = source._origin(dim)
    handle = locked_handle(source, dim, cache_key, origin, lock.path.parent)
    same = [one for one in lock.vectors if (one.dim, one.limit) == (dim, origin.limit)]
    found = [one for one in same if one.handle == handle]
    if not found and handle is None:
        found = [one for one in same if one.source == source.name]
    if not found and _is_path(handle):
        hashes = _hashes(origin.files)
        found = [one for one in same if _is_path(one.handle) and _hashes(one.files) == hashes]
    return Expected(lock.path, found[0], origin) if found else None


def locked_handle(
    source: "EmbeddingSource", dim: int, cache_key: str, origin: Origin, folder: Path
) -> str | None:
    """Return the handle of a source with a dimension; None if only its name says what it is.

    Args:
        source: The source.
        dim: One of its dimensions.
        cache_key: Its cache key.
        origin: What the source says about its vectors.
        folder: The folder of the lock file, which paths in it are relative to.
    """
    handle = origin.handle
    if handle is None:  # of a scheme of a plugin
        own = source.manifest(dim, cache_key, None).get("handle")
        handle = own and parse_handle(shown_url(str(own)))
    elif handle.scheme == "path":
        handle = relative(Path(handle.location), folder)
    else:
        handle = map_paths(handle, lambda path: relative(path, folder).location)
    return handle and str(handle._replace(dim=dim, limit=origin.limit))


def relative(path: Path, folder: Path) -> Handle:
    """Return the handle of the absolute path of a file; it is relative if the file is below a folder."""
    path = Path(os.path.normpath(path))
    inside = path.is_relative_to(folder)
    return Handle("path", f"./{path.relative_to(folder).as_posix()}" if inside else path.as_posix())


def _command(handle: str) -> str:
    import shlex

    return f"embedhub lock {shlex.quote(handle)}"


def _is_path(handle: str | None) -> bool:
    return handle is not None and parse_handle(handle).scheme == "path"


def _hashes(files: tuple[OriginFile, ...]) -> list[tuple[str | None, str | None]]:
    return [(file.member, file.hash) for file in files]


def _differing(what: str, expected: Any, actual: Any) -> list[str]:
    return [] if expected == actual else [f"{what}: expected {expected or 'none'}, got {actual or 'none'}"]


def _differing_files(expected: tuple[OriginFile, ...], actual: tuple[OriginFile, ...]) -> list[str]:
    """Return what differs between files; a size or a hash that one of both does not know is not compared."""
    if len(expected) != len(actual):
        listed = [shown_names(file.location for file in files) or "none" for files in (expected, actual)]
        return _differing("files", *listed)
    differences = []
    for before, after in zip(expected, actual, strict=True):
        if "://" in before.address or "://" in after.address:  # a file of your own may have been moved
            differences += _differing("address", before.location, after.location)
        for fact in ("size", "hash"):
            values = getattr(before, fact), getattr(after, fact)
            if None not in values:
                differences += _differing(f"{fact} of {after.location}", *values)
    return differences
