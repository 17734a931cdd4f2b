"""Lock files: the vectors that a project uses, in TOML."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from embedhub._file_state import file_state
from embedhub.errors import FormatError, LocalFileError, OutputError
from embedhub.registry.origin import OriginFile
from embedhub.vectors.fingerprint import fingerprint

_VERSION = 1
_COMMENT = "# The vectors of this project; `embedhub lock` writes this file.\n"

_STRINGS, _TABLES, _DIGESTS = "a list of strings", "a list of tables", "a table of digests"
_IS: Mapping[str, Callable[[Any], bool]] = {
    "a string": lambda value: isinstance(value, str),
    "a positive integer": lambda value: type(value) is int and value > 0,
    _STRINGS: lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    _TABLES: lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    _DIGESTS: lambda value: isinstance(value, dict) and all(isinstance(item, str) for item in value.values()),
}
_KEYS = {
    "handle": "a string",
    "source": "a string",
    "dim": "a positive integer",
    "limit": "a positive integer",
    "words": "a positive integer",
    "fingerprint": "a string",
    "license": "a string",
    "revision": "a string",
    "readers": _STRINGS,
    "store": _DIGESTS,
    "files": _TABLES,
}
_FILE_KEYS = {
    "address": "a string",
    "member": "a string",
    "size": "a positive integer",
    "hash": "a string",
}
_OPTIONAL = {"limit", "revision", "files", "member", "size", "hash"}


@dataclass(frozen=True, kw_only=True)
class LockedVectors:
    """The vectors of one handle, as a lock file has them.

    Args:
        handle: Canonical handle, with the dimension; without secrets. The path of a file in the folder of the
            lock file, or below it, is relative to that folder.
        source: Name of the source.
        dim: Dimension of the vectors.
        limit: Number of words of a limit; None without one.
        words: Number of words.
        fingerprint: `embedhub.Vectors.fingerprint`.
        license: License of the vectors.
        revision: Revision of a repository, if the source has one.
        readers: Names and versions of the readers.
        store: XXH3 of each file of the store that the vectors consist of.
        files: The files that they may be read from.
    """

    handle: str
    source: str
    dim: int
    limit: int | None = None
    words: int
    fingerprint: str
    license: str
    revision: str | None = None
    readers: tuple[str, ...]
    store: Mapping[str, str]
    files: tuple[OriginFile, ...] = ()

    def to_table(self) -> dict[str, Any]:
        """Return the TOML table, without what is unknown."""
        files = [_known(file._asdict()) for file in self.files]
        table = vars(self) | {
            "readers": list(self.readers),
            "store": dict(sorted(self.store.items())),
            "files": files or None,
        }
        return _known(table)


@dataclass(frozen=True)
class LockFile:
    """A lock file that was read.

    Args:
        path: The file.
        vectors: The vectors in it.
    """

    path: Path
    vectors: tuple[LockedVectors, ...]


_read: dict[Path, tuple[tuple[int, ...], LockFile]] = {}  # by its state, since each `load` needs it


def read_lock(path: Path) -> LockFile:
    """Read a lock file; one that has not changed is read once in a process.

    Raises:
        LocalFileError: It cannot be read.
        FormatError: It is damaged, or of another version of embedhub.
    """
    import tomllib

    try:
        state = file_state(path)
        if path in _read and _read[path][0] == state:
            return _read[path][1]
        table = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise LocalFileError(
            f"{path}: expected a lock file of embedhub, but it cannot be read ({error.strerror}). "
            "EMBEDHUB_LOCK=off ignores it."
        ) from error
    except (ValueError, RecursionError) as error:  # not TOML, or not UTF-8
        _refuse(path, f"this is not TOML ({error})")
    lock = LockFile(path, _parse(table, path))
    _read[path] = state, lock
    return lock


def write_lock_file(path: Path, vectors: Iterable[LockedVectors]) -> None:
    """Write a lock file atomically, unless it has these bytes already.

    Raises:
        OutputError: It cannot be written.
    """
    import tomli_w

    from embedhub._atomic import atomic_output

    entries = [one.to_table() for one in sorted(vectors, key=lambda one: one.handle)]
    try:
        text = tomli_w.dumps({"version": _VERSION, "vectors": entries})
        content = f"{_COMMENT}{text}".encode()
    except UnicodeEncodeError as error:
        raise OutputError(
            f"{path}: a path that is not UTF-8 cannot be written to a lock file ({error})."
        ) from error
    if path.is_file() and path.read_bytes() == content:
        return
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_bytes(content)


def _parse(table: dict[str, Any], path: Path) -> tuple[LockedVectors, ...]:
    version = table.pop("version", None)
    if version != _VERSION:
        _refuse(path, f"expected version = {_VERSION}, got {version!r}")
    if list(table) not in ([], ["vectors"]):
        _refuse(path, f"unknown key {next(key for key in table if key != 'vectors')!r}")
    entries = table.get("vectors", [])
    if not _IS[_TABLES](entries):
        _refuse(path, f"vectors is {entries!r}; expected {_TABLES}")
    vectors = []
    for number, entry in enumerate(entries, 1):
        place = f"[[vectors]] number {number}"
        _check(entry, _KEYS, path, place)
        files = entry.pop("files", [])
        for file in files:
            _check(file, _FILE_KEYS, path, f"{place}: files")
        entry["readers"] = tuple(entry["readers"])
        if entry["fingerprint"] != fingerprint(entry["store"]):
            _refuse(path, f"{place}: fingerprint is not that of store, so one of them was changed")
        vectors.append(LockedVectors(**entry, files=tuple(OriginFile(**file) for file in files)))
    handles = [one.handle for one in vectors]
    if len(set(handles)) < len(handles):
        _refuse(path, f"{next(one for one in handles if handles.count(one) > 1)!r} is in it twice")
    return tuple(vectors)


def _check(table: dict[str, Any], keys: Mapping[str, str], path: Path, place: str) -> None:
    """Raise FormatError unless a table has all keys that it needs, known ones only, and valid values."""
    for key, value in table.items():
        if key not in keys:
            _refuse(path, f"{place} has the unknown key {key!r}")
        if not _IS[keys[key]](value):
            _refuse(path, f"{place}: {key} is {value!r}; expected {keys[key]}")
    if missing := [key for key in keys if key not in table and key not in _OPTIONAL]:
        _refuse(path, f"{place} has no {missing[0]!r}")


def _refuse(path: Path, problem: str) -> NoReturn:
    raise FormatError(
        f"{path}: {problem}. Expected a lock file as this version of embedhub writes it. Restore it, or "
        "remove it and run `embedhub lock` with the sources that the project uses. EMBEDHUB_LOCK=off "
        "ignores it."
    )


def _known(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}
