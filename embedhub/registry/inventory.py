"""What is in the cache: stores, downloads and leftovers. Whether stores are whole, and how they go away."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from embedhub import _atomic, settings
from embedhub import _cache as cache
from embedhub._file_state import xxh3_of_file
from embedhub._progress import progress_bar
from embedhub.download.remote_file import lock_name
from embedhub.errors import EmbedhubError, FormatError, LocalFileError, StoreError
from embedhub.registry.local_file import open_source
from embedhub.registry.registry import sources
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors import store

State = Literal["current", "outdated", "unknown"]
"""Whether its source would open a store (current), would open another one, being of other bytes by now
(outdated), or is not there (unknown)."""

_FOLDER = re.compile(r"([1-9][0-9]*)d-[0-9a-f]{16}")
_PART = re.compile(r"(.+)\.[0-9a-f]{8}\.part.*")


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """One store of the cache.

    Args:
        folder: Its place.
        name: Name of the source, by the folder.
        dim: Width of a row, by the folder.
        size: Bytes on disk.
        manifest: What it says of itself; empty if that cannot be read.
    """

    folder: Path
    name: str
    dim: int
    size: int
    manifest: dict[str, Any]

    @property
    def rows(self) -> int | None:
        """Number of rows, None where the manifest does not say."""
        return self.manifest.get("rows")

    @property
    def origin(self) -> str | None:
        """Where its vectors come from: the path of a file, an address, or the digest of what was read."""
        facts = self.manifest
        member = f"#{facts['member']}" if facts.get("member") else ""
        address = f"{facts['url']}{member}" if facts.get("url") else None
        return facts.get("path") or address or facts.get("fingerprint")

    @property
    def built(self) -> str | None:
        """When it was built, in UTC, as ISO 8601 has it; None where it has no manifest."""
        with suppress(OSError):
            written = (self.folder / store.MANIFEST).stat().st_mtime
            return datetime.fromtimestamp(written, UTC).isoformat(timespec="seconds")
        return None

    def source(self) -> EmbeddingSource:
        """Return the source that would build it.

        Raises:
            SourceNotFoundError: No source has that name any more.
            LocalFileError: It was built of a file of yours, which is gone.
            FormatError: That file is another one now.
        """
        if "path" in self.manifest:
            return open_source(Path(self.manifest["path"]))
        return sources()[self.name]

    def state(self) -> State:
        """Tell whether its source would open it; to tell that of a file of yours, it may have to be read."""
        try:
            return "current" if _opens(self.source(), self) else "outdated"
        except EmbedhubError:
            return "unknown"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "name": self.name,
            "dim": self.dim,
            "rows": self.rows,
            "bytes": self.size,
            "built": self.built,
            "origin": self.origin,
            "state": self.state(),
            "store": str(self.folder),
        }


def stored(name: str | None = None, dim: int | None = None) -> list[Store]:
    """Return the stores of the cache, by name and dim.

    Example:
        >>> import embedhub
        >>> from embedhub.registry.inventory import stored
        >>> vectors = embedhub.load("wordnet-ppmi", 25)
        >>> [(store.name, store.dim, store.rows) for store in stored("wordnet-ppmi", 25)]
        [('wordnet-ppmi', 25, 78781)]

    Args:
        name: Only those of this name.
        dim: Only those of this dim.
    """
    found = []
    for folder in (settings.cache_folder() / "vectors").glob("*/*"):
        parts = _FOLDER.fullmatch(folder.name)
        if parts and folder.is_dir() and name in {None, folder.parent.name} and dim in {None, int(parts[1])}:
            manifest = {}
            with suppress(OSError, ValueError):
                read = json.loads((folder / store.MANIFEST).read_text("utf-8"))
                manifest = read if isinstance(read, dict) else {}
            found.append(Store(folder, folder.parent.name, int(parts[1]), _size(folder), manifest))
    return sorted(found, key=lambda each: (each.name, each.dim, each.folder))


@dataclass(frozen=True, slots=True)
class Rest:
    """A file or folder of the cache that is no store: a download, or what a killed build has left.

    Args:
        path: Its place.
        size: Bytes on disk.
        lock: Name of the lock of who works on it.
    """

    path: Path
    size: int
    lock: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {"path": str(self.path), "bytes": self.size}


def downloads() -> list[Rest]:
    """Return the downloaded files that were kept, and the parts of interrupted or running downloads."""
    folder = cache.downloads()
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return [Rest(path, _size(path), _lock_of_download(path.relative_to(folder))) for path in files]


def _lock_of_download(path: Path) -> str:
    """Return the name of the lock of those who download or read a file of the downloads folder."""
    part = _PART.fullmatch(path.name)
    return lock_name(path.with_name(part[1]).as_posix() if part else path.as_posix())


def leftovers() -> list[Rest]:
    """Return what builds that were killed, or are running, have written beside the stores."""
    found = []
    for path in sorted((settings.cache_folder() / "vectors").glob("*/.*")):
        dim = path.name.lstrip(".").partition("-")[0]
        found.append(Rest(path, _size(path), f"build-{path.parent.name}-{dim}"))
    return found


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a store.

    Args:
        what: What, for a person; it begins with the name of the file.
        extra: The file that does not belong there, if that is all.
    """

    what: str
    extra: Path | None = None

    def __str__(self) -> str:
        return self.what


def verify(stores: list[Store]) -> dict[Store, list[Fault]]:
    """Read stores whole, and compare them with their manifests.

    Example:
        >>> from embedhub.registry.inventory import stored, verify
        >>> [store.name for store, faults in verify(stored()).items() if faults]
        []

    Returns:
        For each store what is wrong with it: nothing, if it is whole.
    """
    with progress_bar("Verifying", sum(each.size for each in stores), in_bytes=True) as advance:
        return {each: list(_faults(each, advance)) for each in stores}


def _faults(each: Store, advance: Callable[[int], None]) -> Iterator[Fault]:
    digests = each.manifest.get("xxh3_128")
    if not isinstance(digests, dict):
        yield Fault(f"{store.MANIFEST} is absent or cannot be read")
        return
    if (each.manifest.get("source"), each.manifest.get("dim")) != (each.name, each.dim):
        said = f"{each.manifest.get('source')} {each.manifest.get('dim')}d"
        yield Fault(f"{store.MANIFEST} says that it is {said}")
    there = {path.name: path for path in each.folder.iterdir()}
    for name, expected in digests.items():
        try:
            actual = xxh3_of_file(each.folder / name, advance)
        except OSError as error:
            yield Fault(f"{name} is absent" if name not in there else f"{name}: {error.strerror}")
            continue
        if actual != expected:
            yield Fault(f"{name} has the XXH3 {actual}, expected {expected}")
    for name in sorted(there.keys() - digests - {store.MANIFEST}):
        yield Fault(f"{name} does not belong there", there[name])


def repair(each: Store, faults: list[Fault]) -> None:
    """Make a store whole again: build it again, or only remove files that do not belong there.

    Args:
        each: A store.
        faults: What `verify` has found.

    Raises:
        StoreError: Its source is not there any more, or has other bytes by now; nothing was changed.
        EmbedhubError: As for `embedhub.load`; nothing was changed.
    """
    extras = [fault.extra for fault in faults if fault.extra is not None]
    if len(extras) == len(faults):
        for path in extras:
            _remove(path)
        return
    advice = f"Remove it: embedhub cache remove {each.name} {each.dim}."
    try:
        source = each.source()
        opens = _opens(source, each)
    except (LookupError, LocalFileError, FormatError) as error:
        raise StoreError(
            f"{each.folder}: this store is damaged, and cannot be built again: {error} Nothing was changed. "
            f"Restore what it was built from, or give it up. {advice}"
        ) from error
    if not opens:
        raise StoreError(
            f"{each.folder}: this store is damaged, and cannot be built again: its source has other bytes by "
            f"now, and does not open this one any more. Nothing was changed. {advice}"
        )
    # Not removed before the new one is there: offline, most of a damaged store still works.
    damaged = each.folder.with_name(f".{each.folder.name}.damaged")
    with _locked(each):
        shutil.rmtree(damaged, ignore_errors=True)  # of a killed process
        try:
            _atomic.move(each.folder, damaged)
        except OSError as error:
            raise StoreError(
                f"{each.folder}: this folder cannot be removed ({_atomic.reason(error)})."
            ) from error
        try:
            source.vectors(each.dim)
        except BaseException:
            _atomic.move(damaged, each.folder)
            raise
        shutil.rmtree(damaged)


def _locked(each: Store) -> AbstractContextManager[None]:
    return cache.lock(f"build-{each.name}-{each.dim}d", f"building {each.name} {each.dim}d")


def _opens(source: EmbeddingSource, each: Store) -> bool:
    """Return whether a source opens just this store."""
    return each.dim in source.dims and each.folder == source.store_path(each.dim)


def remove(each: Store) -> None:
    """Remove a store. Processes that have it open keep working; on Windows they prevent the removal.

    Raises:
        StoreError: It cannot be removed, or on Windows, a process has it open; `Vectors` of this one count
            too. The store is unchanged then.
    """
    with _locked(each):
        _atomic.remove(each.folder)
        with suppress(OSError):
            each.folder.parent.rmdir()  # if it was the last one of its source


def remove_rest(each: Rest) -> bool:
    """Remove a download or a leftover, unless somebody works on it; tell whether it is gone.

    Raises:
        StoreError: It cannot be removed.
    """
    with cache.lock_if_free(each.lock) as free:
        if free:
            _remove(each.path)
    return free


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: this cannot be removed ({_atomic.reason(error)}).") from error


def _size(path: Path) -> int:
    """Return the bytes of a file, or of a folder's files; what goes away meanwhile counts nothing."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else (path,):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
