"""Writing the lock file of a project, and checking it."""

from collections.abc import Iterable
from pathlib import Path

from embedhub import settings
from embedhub._url import shown_url
from embedhub.errors import EmbedhubError, LockError
from embedhub.registry.handle import DERIVED, Handle, map_paths, parse_handle, path_of
from embedhub.registry.loading import Source, load, resolve
from embedhub.registry.lock import ignored, locked_handle, relative
from embedhub.registry.lock_file import LockedVectors, LockFile, read_lock, write_lock_file
from embedhub.registry.origin import revision_of, with_first_download
from embedhub.registry.registry import sources
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.vectors import Vectors


def write_lock(handles: Iterable[Source] = ()) -> LockFile:
    """Open vectors, and write what they are to the lock file; what else it has is kept.

    The file is that of EMBEDHUB_LOCK, or ``embedhub.lock`` in the working folder. It is written atomically,
    and only if something has changed.

    Example:
        >>> from embedhub.registry.locking import write_lock
        >>> file = write_lock(["wordnet-ppmi:25"])
        >>> [vectors.handle for vectors in file.vectors]
        ['wordnet-ppmi:25']
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi:50")
        Traceback (most recent call last):
            ...
        embedhub.errors.LockError: wordnet-ppmi:50 is not in the lock file ...
        >>> file.path.unlink()

    Args:
        handles: The vectors: handles, or sources. By default those that the file has.

    Returns:
        The file with all its entries.

    Raises:
        LockError: There are no handles, and no lock file that has any.
        TypeError: One of them is opened `Vectors`.
        FormatError: The file exists, and is damaged.
        OutputError: The file cannot be written.
        EmbedhubError: As `embedhub.load`; nothing is written.
    """
    path = settings.lock_path()
    known = read_lock(path).vectors if path.is_file() else ()
    chosen = list(handles) or [_text(one, path.parent) for one in known]
    if not chosen:
        raise LockError(
            f"There is no lock file {path} that has vectors. Name those that the project uses, as in: "
            "embedhub lock glove-6b:50"
        )
    entries = {one.handle: one for one in known}
    with ignored():
        for source in chosen:
            entry = _open(source, path.parent)
            entries[entry.handle] = entry
    write_lock_file(path, entries.values())
    return read_lock(path)


def check_lock() -> dict[str, str | None]:
    """Open all vectors of the lock file, and return what differs, by handle; None for those that do not.

    Example:
        >>> from embedhub.registry.locking import check_lock, write_lock
        >>> file = write_lock(["wordnet-ppmi:25", "wordnet-ppmi:50"])
        >>> check_lock()
        {'wordnet-ppmi:25': None, 'wordnet-ppmi:50': None}
        >>> file.path.unlink()

    Raises:
        LockError: There is no lock file.
        FormatError: It is damaged.
    """
    path = settings.lock_file()
    if path is None:
        raise LockError(
            f"There is no lock file to check: {settings.lock_path()} does not exist, or EMBEDHUB_LOCK is "
            "off. `embedhub lock` writes one."
        )
    results: dict[str, str | None] = {}
    for one in read_lock(path).vectors:
        try:
            load(_text(one, path.parent))
        except EmbedhubError as error:
            results[one.handle] = str(error)
        else:
            results[one.handle] = None
    return results


def _open(source: Source, folder: Path) -> LockedVectors:
    """Open vectors, and return their entry of a lock file in a folder."""
    if isinstance(source, Vectors):
        raise TypeError(f"{source!r} is opened already; a lock file has handles and sources.")
    named, dim = resolve(source, None)
    vectors = named.vectors(dim)
    origin = named._origin(dim)  # noqa: SLF001 - as the check of a lock file
    own = locked_handle(named, dim, named.cache_key(dim), origin, folder)
    return LockedVectors(
        handle=own or str(_handle(source, folder)._replace(dim=dim, limit=origin.limit)),
        source=named.name,
        dim=dim,
        limit=origin.limit,
        words=len(vectors),
        fingerprint=vectors.fingerprint,
        license=named.license,
        revision=revision_of(vectors.manifest),
        readers=origin.readers,
        store=vectors.digests,
        files=with_first_download(origin.files, vectors.manifest),
    )


def _handle(source: str | Path | EmbeddingSource, folder: Path) -> Handle:
    """Return the handle of a source that does not know its own: a name, or the path of a TOML table."""
    if isinstance(source, EmbeddingSource):
        return Handle("name", source.name)
    if isinstance(source, Path):
        return relative(source.expanduser().absolute(), folder)
    handle = parse_handle(source)
    if handle.scheme == "path" or (handle.scheme == "name" and handle.location not in sources()):
        return relative(path_of(handle).expanduser().absolute(), folder)
    return parse_handle(shown_url(handle.source))


def _text(locked: LockedVectors, folder: Path) -> str:
    """Return the string that opens locked vectors.

    Raises:
        LockError: Their URL has a secret, which the file does not have.
    """
    handle = parse_handle(locked.handle)
    if handle.scheme == "path":
        return str(handle._replace(location=str(folder / path_of(handle))))
    if handle.scheme == DERIVED:
        handle = map_paths(handle, lambda path: str(folder / path))
    if (handle.is_url or handle.scheme == DERIVED) and "=..." in handle.location:
        raise LockError(
            f"{locked.handle}: this URL has a secret, which is not in the lock file. Pass the whole URL to "
            "`embedhub lock`, or load it to check it."
        )
    return str(handle)
