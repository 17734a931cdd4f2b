"""Inventory of the cache: stores, downloads and incomplete builds; verification, repair and removal."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from embedhub import _atomic, settings
from embedhub import _cache as cache
from embedhub._file_state import xxh3_of_file
from embedhub._json import parse_json
from embedhub._names import folder_name
from embedhub._progress import progress_bar
from embedhub.download.remote_file import PART_NAME, lock_name
from embedhub.errors import EmbedhubError, FormatError, LocalFileError, StoreError
from embedhub.registry.building import build_lock, build_once
from embedhub.registry.handle import parse_handle, quoted_handle
from embedhub.registry.limited_source import limited
from embedhub.registry.loading import open_handle
from embedhub.registry.local_file import open_source
from embedhub.registry.registry import sources
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.store import MANIFEST

State = Literal["current", "outdated", "unknown"]
"""``"current"``: its source opens this store; ``"outdated"``: its source has changed and opens another store;
``"unknown"``: its source is not available."""

_FOLDER = re.compile(r"([1-9][0-9]*)d-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, eq=False)
class CachedStore:
    """One store of the cache.

    Args:
        folder: Folder of the store.
        name: Name of the source, or of its folder if the manifest cannot be read.
        dim: Dimension of the vectors, from the folder.
        size: Bytes on disk.
        manifest: The manifest; empty if it cannot be read.
    """

    folder: Path
    name: str
    dim: int
    size: int
    manifest: dict[str, Any]

    @property
    def rows(self) -> int | None:
        """Number of rows of the matrix; None if the manifest does not record it."""
        return self.manifest.get("rows")

    @property
    def origin(self) -> str | None:
        """Origin of its vectors: sources, the path of a file, a URL, or the hash of the bytes."""
        manifest = self.manifest
        if parents := manifest.get("parents"):
            return ", ".join(f"{parent['handle']} ({parent['fingerprint']})" for parent in parents)
        member = f"#{manifest['member']}" if manifest.get("member") else ""
        location = f"{manifest['url']}{member}" if manifest.get("url") else None
        return manifest.get("path") or location or manifest.get("cache_key")

    @property
    def handle(self) -> str:
        """The handle of its source without a dimension: a name, the path of a file, or a URL."""
        return str(self.manifest.get("handle") or self.manifest.get("path") or self.name)

    @property
    def built(self) -> str | None:
        """Time of the build in UTC, in ISO 8601; None without a manifest."""
        with suppress(OSError):
            written = (self.folder / MANIFEST).stat().st_mtime
            return datetime.fromtimestamp(written, UTC).isoformat(timespec="seconds")
        return None

    def source(self) -> EmbeddingSource:
        """Return the source that the store was built from.

        Raises:
            SourceNotFoundError: The source is not installed any more.
            LocalFileError: The local file that it was built from does not exist any more.
            FormatError: That file is not in a known format any more.
        """
        if "handle" in self.manifest:
            source: EmbeddingSource = open_handle(parse_handle(self.manifest["handle"]), self.dim)
        elif "path" in self.manifest:
            source = open_source(Path(self.manifest["path"]), sources().formats)
        else:
            source = sources()[self.name]
        limit = self.manifest.get("limit")
        return limited(source, limit) if limit else source

    def state(self) -> State:
        """Return whether its source opens this store; for that, a local file may be read, but no server."""
        try:
            with settings.without_network():
                return "current" if _is_store_of(self.source(), self) else "outdated"
        except EmbedhubError:
            return "unknown"

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary for JSON."""
        return {
            "name": self.name,
            "handle": self.handle,
            "dim": self.dim,
            "rows": self.rows,
            "bytes": self.size,
            "built": self.built,
            "origin": self.origin,
            "state": self.state(),
            "store": str(self.folder),
        }


def list_stores(name: str | None = None, dim: int | None = None) -> list[CachedStore]:
    """Return the stores of the cache, sorted by name and dimension.

    Raises:
        StoreError: The cache cannot be read.

    Example:
        >>> import embedhub
        >>> from embedhub.registry.inventory import list_stores
        >>> vectors = embedhub.load("wordnet-ppmi", 25)
        >>> [(store.name, store.dim, store.rows) for store in list_stores("wordnet-ppmi", 25)]
        [('wordnet-ppmi', 25, 78781)]

    Args:
        name: Only those of this name.
        dim: Only those of this dimension.
    """
    stores = []
    for folder in _in_sources():
        parts = _FOLDER.fullmatch(folder.name)
        if parts and folder.is_dir() and dim in {None, int(parts[1])}:
            manifest = _manifest(folder)
            source = _recorded_name(folder, manifest)
            if name in {None, source}:
                stores.append(CachedStore(folder, source, int(parts[1]), cache.size(folder), manifest))
    return sorted(stores, key=lambda store: (store.name, store.dim, store.folder))


def _in_sources() -> Iterator[Path]:
    """Yield the entries of the source folders: stores, and incomplete builds."""
    for folder in cache.entries(settings.cache_folder() / "vectors"):
        yield from cache.entries(folder)


def _manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a store; empty if it cannot be read."""
    with suppress(OSError, ValueError):
        content = parse_json((folder / MANIFEST).read_text("utf-8"))
        return content if isinstance(content, dict) else {}
    return {}


def _recorded_name(folder: Path, manifest: dict[str, Any]) -> str:
    """Return the name of the source of a store, from the manifest or, if that is damaged, from the folder."""
    parent = folder.parent.name
    for name in (manifest.get("source"), parent.rpartition("-")[0]):
        if isinstance(name, str) and folder_name(name) == parent:
            return name
    return parent


@dataclass(frozen=True, slots=True)
class CacheFile:
    """A file or folder of the cache that is not a store: a download, or an incomplete build.

    Args:
        path: The file or folder.
        size: Bytes on disk.
        lock: Name of the lock that is held while it is written or read.
    """

    path: Path
    size: int
    lock: str

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary for JSON."""
        return {"path": str(self.path), "bytes": self.size}


def downloads() -> list[CacheFile]:
    """Return the kept downloads, and the parts of interrupted or running ones."""
    folder = cache.downloads_folder()
    return [
        CacheFile(path, cache.size(path), _lock_of_download(path.relative_to(folder)))
        for path in _below(folder)
    ]


def _below(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder of the cache; links are not followed."""
    for path in cache.entries(folder):
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        else:
            yield path


def _lock_of_download(path: Path) -> str:
    """Return the name of the lock that is held while a file of the downloads folder is written or read."""
    part = PART_NAME.fullmatch(path.name)
    return lock_name(path.with_name(part[1]).as_posix() if part else path.as_posix())


def incomplete() -> list[CacheFile]:
    """Return the incomplete output of builds that were interrupted or are running."""
    files = []
    for path in _in_sources():
        if path.name.startswith("."):
            dim = path.name.lstrip(".").partition("-")[0]
            files.append(CacheFile(path, cache.size(path), f"build-{path.parent.name}-{dim}"))
    return files


@dataclass(frozen=True, slots=True)
class Damage:
    """Damage to a store.

    Args:
        message: Description, starting with the name of the file.
        stray: The file that does not belong there, if that is the only problem.
        is_refusal: Whether the system refuses to read the file, which may be intact.
    """

    message: str
    stray: Path | None = None
    is_refusal: bool = False

    def __str__(self) -> str:
        return self.message


def verify(stores: list[CachedStore]) -> dict[CachedStore, list[Damage]]:
    """Read stores completely, and compare them with the checksums in their manifests.

    Example:
        >>> from embedhub.registry.inventory import list_stores, verify
        >>> [store.name for store, damages in verify(list_stores()).items() if damages]
        []

    A store that seems damaged is read once more under its lock, since another process may have replaced it.
    Stores that are gone by then are skipped.

    Returns:
        The damages of each store; empty for intact ones.
    """
    results: dict[CachedStore, list[Damage]] = {}
    with progress_bar("Verifying", sum(store.size for store in stores), in_bytes=True) as advance:
        for store in stores:
            damages: list[Damage] | None = list(_damages(store, advance))
            if damages and not any(damage.is_refusal for damage in damages):
                damages = _damages_under_lock(store)
            if damages is not None:
                results[store] = damages
    return results


def _damages_under_lock(store: CachedStore) -> list[Damage] | None:
    """Return the damages of a store while no other process changes it; None if it is gone."""
    with ExitStack() as locks:
        with suppress(cache.RefusedError):  # who cannot build can verify
            locks.enter_context(build_lock(store.name, store.dim))
        for again in list_stores(dim=store.dim):
            if again.folder == store.folder:
                return list(_damages(again))
    return None


def _damages(store: CachedStore, advance: Callable[[int], None] = lambda _: None) -> Iterator[Damage]:
    digests = store.manifest.get("xxh3_128")
    if not isinstance(digests, dict):
        yield _damage(store.folder / MANIFEST) or Damage(f"{MANIFEST} is absent or cannot be read")
        return
    if (store.manifest.get("source"), store.manifest.get("dim")) != (store.name, store.dim):
        recorded = f"{store.manifest.get('source')} {store.manifest.get('dim')}d"
        yield Damage(f"{MANIFEST} says that it is {recorded}")
    for name, expected in digests.items():
        if damage := _damage(store.folder / name, expected, advance):
            yield damage
    try:
        existing = cache.entries(store.folder)
    except StoreError as error:
        yield Damage(str(error), is_refusal=True)
        return
    for path in existing:
        if path.name not in {*digests, MANIFEST}:
            yield Damage(f"{path.name} does not belong there", path)


def _damage(
    path: Path, expected: str | None = None, advance: Callable[[int], None] = lambda _: None
) -> Damage | None:
    """Return the damage to a file of a store; without a digest, only check that it can be read."""
    try:
        actual = xxh3_of_file(path, advance)
    except FileNotFoundError:
        return Damage(f"{path.name} is absent") if expected else None
    except OSError as error:
        return Damage(f"{path.name} cannot be read ({error.strerror})", is_refusal=True)
    if expected in {None, actual}:
        return None
    return Damage(f"{path.name} has the XXH3 {actual}, expected {expected}")


def repair(store: CachedStore, damages: list[Damage]) -> None:
    """Repair a store: rebuild it, or remove files that do not belong there.

    Args:
        store: A store.
        damages: The result of `verify`.

    Raises:
        StoreError: Its source is not available or has changed, or the system refuses to read the store;
            nothing was changed.
        EmbedhubError: As for `embedhub.load`; nothing was changed.
    """
    refusals = [str(damage) for damage in damages if damage.is_refusal]
    if refusals:
        raise StoreError(
            f"{store.folder}: {'; '.join(refusals)}. Whether this store is damaged is unknown, and nothing "
            "was changed."
        )
    strays = [damage.stray for damage in damages if damage.stray is not None]
    if len(strays) == len(damages):
        for path in strays:
            _remove(path)
        return
    advice = f"Remove it: embedhub cache remove {quoted_handle(store.name, store.dim)}."
    try:
        source = store.source()
        opens = _is_store_of(source, store)
    except (LookupError, LocalFileError, FormatError) as error:
        raise StoreError(
            f"{store.folder}: this store is damaged, and cannot be built again: {error} Nothing was changed. "
            f"Restore what it was built from, or give it up. {advice}"
        ) from error
    if not opens:
        raise StoreError(
            f"{store.folder}: this store is damaged, and cannot be built again: its source has other bytes "
            f"by now, and does not open this one any more. Nothing was changed. {advice}"
        )
    build_once(source, store.folder, store.dim, source.cache_key(store.dim), replace=True)


def _is_store_of(source: EmbeddingSource, store: CachedStore) -> bool:
    """Return whether a source opens this very store."""
    return store.dim in source.dims and store.folder == source.store_path(store.dim)


def remove(store: CachedStore) -> None:
    """Remove a store. Processes that have it open keep working; on Windows they prevent the removal.

    Raises:
        StoreError: The store cannot be removed; on Windows also if a process, including this one, has it
            open. It is then unchanged.
    """
    with build_lock(store.name, store.dim):
        _atomic.remove(store.folder)
        with suppress(OSError):
            store.folder.parent.rmdir()  # if it was the last one of its source


def remove_file(file: CacheFile) -> bool:
    """Remove a download or an incomplete build, unless it is in use; return whether it was removed.

    Raises:
        StoreError: The file cannot be removed.
    """
    with cache.lock_if_free(file.lock) as is_free:
        if is_free:
            _remove(file.path)
    return is_free


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: this cannot be removed ({_atomic.reason(error)}).") from error
