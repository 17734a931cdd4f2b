"""Building the store of a source: fetch, parse, write and publish, under locks."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from embedhub import _cache as cache
from embedhub import settings
from embedhub._names import folder_name
from embedhub._progress import progress_bar
from embedhub._warn import warn_or_log
from embedhub.errors import EmbedhubError, FormatError, LockError, StoreError, StoreWarning
from embedhub.registry import lock
from embedhub.registry.handle import quoted_handle
from embedhub.registry.origin import first_download
from embedhub.vectors.fingerprint import stored_digests
from embedhub.vectors.store import DamagedStoreError, open_store, store_path
from embedhub.vectors.vectors import Vectors

if TYPE_CHECKING:
    from embedhub.download.remote_file import Fetched
    from embedhub.registry.source import EmbeddingSource, Reopen

# ruff: noqa: SLF001 - these functions are the part of `EmbeddingSource.vectors` that no source replaces


def open_or_build(source: "EmbeddingSource", dim: int, reopen: "Reopen | None") -> Vectors:
    """Open the store of a dimension; build it if it is missing or damaged.

    With a lock file in force, the vectors are those that it has.
    """
    key = source.cache_key(dim)
    expected = lock.expected_of(source, dim, key)
    if source._prepare(dim):
        key = source.cache_key(dim)
    reopen = reopen or source._reopen(dim, key)
    try:
        vectors = _open_or_repair(source, store_path(source.name, dim, key), dim, key, reopen)
        _check_hashes(vectors, dim)
    except cache.RefusedError as error:
        vectors = source._without_cache(dim, key, reopen, error)
    if expected:
        expected.check_vectors(vectors)
    return vectors


def _open_or_repair(
    source: "EmbeddingSource", folder: Path, dim: int, key: str, reopen: tuple[Any, ...]
) -> Vectors:
    opened = partial(
        open_store,
        folder,
        fallbacks=source.fallbacks,
        composer=source.composer,
        unit=source.unit,
        tokenization=source.tokenization,
        reopen=reopen,
    )
    if not cache.exists(folder):
        build_once(source, folder, dim, key)
    try:
        return opened()
    except DamagedStoreError as error:
        damage = str(error)  # and no more: its traceback has mapped files, which Windows does not move
    try:
        with build_lock(source.name, dim):
            # Another process may have removed, replaced or repaired it meanwhile.
            is_damaged = cache.exists(folder) and not _is_intact(opened)
            build_once(source, folder, dim, key, replace=is_damaged)
    except cache.RefusedError as error:
        if _is_intact(opened):
            return opened()
        raise cache.RefusedError(f"{damage} {error}") from error
    except EmbedhubError as error:
        raise StoreError(f"{damage} It could not be built again now: {error}") from error
    if is_damaged:
        warn_or_log(f"{folder}: this store was damaged, and has been built again.", StoreWarning)
    return opened()


def _is_intact(opened: Callable[[], Vectors]) -> bool:
    """Return whether a store can be opened."""
    try:
        opened()
    except DamagedStoreError:
        return False
    return True


def _check_hashes(vectors: Vectors, dim: int) -> None:
    """Raise StoreError if EMBEDHUB_REQUIRE_HASH refuses a file that the store was built from."""
    files = (vectors.manifest, *vectors.manifest.get("companions", ()))
    unpinned = [file["url"] for file in files if "url" in file and file["hash"] is None]
    if unpinned and settings.require_hash():
        raise StoreError(
            f"{vectors.name} {dim}d: its store was built from {unpinned[0]}, without a published hash, "
            "which EMBEDHUB_REQUIRE_HASH refuses. Unset it, or remove the store: "
            f"embedhub cache remove {quoted_handle(vectors.name, dim)}."
        )


def build_once(source: "EmbeddingSource", folder: Path, dim: int, key: str, *, replace: bool = False) -> None:
    """Build the store under its locks, unless another process has built it meanwhile.

    Args:
        source: The source of the store.
        folder: Folder of the store.
        dim: Dimension of the vectors.
        key: Cache key of the vectors.
        replace: Whether to replace a damaged store. It stays until the new one is complete, so that an error
            loses nothing.
    """
    with ExitStack() as locks:
        locks.enter_context(build_lock(source.name, dim))
        # Another source may read the same file, and removes it when its own store is built.
        for name in source._file_locks(dim):
            locks.enter_context(cache.lock(name, f"reading a file of {source.name} {dim}d"))
        if replace or not cache.exists(folder):
            _build(source, folder, dim, key, replace=replace)


def build_lock(name: str, dim: int) -> AbstractContextManager[None]:
    """Return the lock that is held while the store of a source is built."""
    return cache.lock(build_lock_name(name, dim), f"building {name} {dim}d")


def _build(source: "EmbeddingSource", folder: Path, dim: int, key: str, *, replace: bool) -> None:
    """Fetch the file, write the store, publish it, and discard the file."""
    # Imported late: not needed if the store exists.
    from embedhub.registry.store_input import write_blocks
    from embedhub.vectors.store_writer import StoreWriter

    space = source.store_size(dim)
    if space is not None:
        cache.check_space(cache.ensure_folder(settings.cache_folder()), space, "the store")
    expected = lock.find_expected(source, dim, key)
    fetched = source.fetch(dim)
    manifest = source.manifest(dim, key, fetched)
    try:
        if expected and fetched:
            expected.check_fetched(fetched)
        with (
            progress_bar(f"Building {source.name} {dim}d", source.vocab_size, in_bytes=False) as advance,
            StoreWriter(
                folder,
                name=source.name,
                dim=dim,
                manifest=manifest,
                replace=replace,
                no_more_open_than=source._private_files(),
            ) as writer,
        ):
            # The same class defines both methods, so `parse` expects what `fetch` returns, None or not.
            parse = partial(source.parse, cast("Fetched", fetched), dim)
            write_blocks(
                writer,
                parse,
                f"{source.name} {dim}d",
                advance,
                lambda error: manifest.update(source.accept_end(error, fetched)),
            )
            if expected:
                expected.check_digests(stored_digests(writer.seal()))
            if fetched:
                source._remember_hashes(fetched)
                manifest.update(first_download(fetched))
    except (FormatError, LockError) as error:
        if fetched:
            source._remove_unverified(fetched)
            # A file of the user says enough by its path, one in the cache does not.
            if fetched.file and source.name not in str(error) and isinstance(error, FormatError):
                raise type(error)(f"{source.name} {dim}d: {error}") from error
        raise
    if fetched and not settings.keep_downloads():
        source._remove_downloads(fetched)


def build_lock_name(name: str, dim: int) -> str:
    """Return the name of the lock that is held while the store is built."""
    return f"build-{folder_name(name)}-{dim}d"
