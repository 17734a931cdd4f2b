"""How the store of a source is built: fetch, parse, write, publish, under locks."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from embedhub import _cache as cache
from embedhub import settings
from embedhub._names import folder_name
from embedhub._progress import progress_bar
from embedhub.errors import FormatError
from embedhub.registry.store_input import write_blocks
from embedhub.vectors.store_writer import StoreWriter

if TYPE_CHECKING:
    from embedhub.download.remote_file import Fetched
    from embedhub.registry.source import EmbeddingSource

# ruff: noqa: SLF001 - these functions are the part of `EmbeddingSource.vectors` that no source replaces


def build_once(source: "EmbeddingSource", folder: Path, dim: int, key: str) -> None:
    """Build the store under its locks, unless another process has built it meanwhile."""
    with ExitStack() as locks:
        locks.enter_context(cache.lock(build_lock_name(source.name, dim), f"building {source.name} {dim}d"))
        # Another source may read the same file, and removes it when its own store is built.
        for name in source._file_locks(dim):
            locks.enter_context(cache.lock(name, f"reading a file of {source.name} {dim}d"))
        if not folder.exists():
            _build(source, folder, dim, key)


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
    """Return the name of the lock that is held while the store of a source is built."""
    return f"build-{folder_name(name)}-{dim}d"
