"""How the store of a source is built: fetch, parse, write, publish, under locks."""

import shutil
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from embedhub import _atomic, settings
from embedhub import _cache as cache
from embedhub._names import folder_name
from embedhub._progress import progress_bar
from embedhub._warn import warn_or_log
from embedhub.errors import EmbedhubError, FormatError, StoreError, StoreWarning
from embedhub.registry.store_input import write_blocks
from embedhub.vectors.store import DamagedStoreError, open_store
from embedhub.vectors.store_writer import StoreWriter
from embedhub.vectors.vectors import Vectors

if TYPE_CHECKING:
    from embedhub.download.remote_file import Fetched
    from embedhub.registry.source import EmbeddingSource

# ruff: noqa: SLF001 - these functions are the part of `EmbeddingSource.vectors` that no source replaces


def open_or_build(
    source: "EmbeddingSource", folder: Path, dim: int, key: str, reopen: tuple[Any, ...]
) -> Vectors:
    """Open the store of a dimension, which is built first if it is missing, and again if it is damaged."""
    vectors = _open_or_repair(source, folder, dim, key, reopen)
    _check_hashes(vectors, dim)
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
    if not folder.exists():
        build_once(source, folder, dim, key)
    try:
        return opened()
    except DamagedStoreError as damage:
        try:
            with build_lock(source.name, dim):
                # Another process may have repaired or removed it meanwhile.
                try:
                    return opened()
                except DamagedStoreError:
                    rebuild(source, folder, dim, key)
        except cache.NotWritableError as error:
            raise cache.NotWritableError(f"{damage} {error}") from damage
        except EmbedhubError as error:
            raise StoreError(f"{damage} It could not be built again now: {error}") from error
        warn_or_log(f"{folder}: this store was damaged, and has been built again.", StoreWarning)
        return opened()


def _check_hashes(vectors: Vectors, dim: int) -> None:
    """Raise StoreError if EMBEDHUB_REQUIRE_HASH refuses a file that the store was built from."""
    files = (vectors.manifest, *vectors.manifest.get("companions", ()))
    unpinned = [file["url"] for file in files if "url" in file and file["hash"] is None]
    if unpinned and settings.require_hash():
        raise StoreError(
            f"{vectors.name} {dim}d: its store was built from {unpinned[0]}, without a published hash, "
            "which EMBEDHUB_REQUIRE_HASH refuses. Unset it, or remove the store: "
            f"embedhub cache remove {vectors.name} {dim}."
        )


def build_once(source: "EmbeddingSource", folder: Path, dim: int, key: str) -> None:
    """Build the store under its locks, unless another process has built it meanwhile."""
    with ExitStack() as locks:
        locks.enter_context(build_lock(source.name, dim))
        # Another source may read the same file, and removes it when its own store is built.
        for name in source._file_locks(dim):
            locks.enter_context(cache.lock(name, f"reading a file of {source.name} {dim}d"))
        if not folder.exists():
            _build(source, folder, dim, key)


def rebuild(source: "EmbeddingSource", folder: Path, dim: int, key: str) -> None:
    """Build a damaged store again. It stays until the new one is complete, so that an error loses nothing.

    The caller holds the lock of the store.

    Raises:
        StoreError: The folder cannot be moved.
        EmbedhubError: As for `EmbeddingSource.vectors`; the damaged store is there again.
    """
    damaged = folder.with_name(f".{folder.name}.damaged")
    shutil.rmtree(damaged, ignore_errors=True)  # of a killed process
    try:
        _atomic.move(folder, damaged)
    except OSError as error:
        raise StoreError(f"{folder}: this folder cannot be removed ({_atomic.reason(error)}).") from error
    try:
        build_once(source, folder, dim, key)
    except BaseException:
        _atomic.move(damaged, folder)
        raise
    shutil.rmtree(damaged, ignore_errors=True)


def build_lock(name: str, dim: int) -> AbstractContextManager[None]:
    """Return the lock that is held while the store of a source is built."""
    return cache.lock(build_lock_name(name, dim), f"building {name} {dim}d")


def _build(source: "EmbeddingSource", folder: Path, dim: int, key: str) -> None:
    """Fetch the file, write the store, publish it, and discard the file."""
    space = source.store_size(dim)
    if space is not None:
        cache.check_space(cache.ensure_folder(settings.cache_folder()), space, "the store")
    fetched = source.fetch(dim)
    manifest = source.manifest(dim, key, fetched)
    label = f"Building {source.name} {dim}d"
    try:
        with (
            progress_bar(label, source.vocab_size, in_bytes=False) as advance,
            StoreWriter(folder, name=source.name, dim=dim, manifest=manifest) as writer,
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
            if fetched:
                source._remember_hashes(fetched)
    except FormatError as error:
        if fetched:
            source._remove_unverified(fetched)
        # A file of the user says enough by its path, one in the cache does not.
        if fetched and fetched.file and source.name not in str(error):
            raise type(error)(f"{source.name} {dim}d: {error}") from error
        raise
    if fetched and not settings.keep_downloads():
        source._remove_downloads(fetched)


def build_lock_name(name: str, dim: int) -> str:
    """Return the name of that lock."""
    return f"build-{folder_name(name)}-{dim}d"
