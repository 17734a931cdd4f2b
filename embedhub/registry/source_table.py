"""Sources described by TOML tables, which cannot refer to code."""

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from embedhub.download.remote_file import RemoteFile
from embedhub.errors import FormatError, LocalFileError
from embedhub.registry.remote_source import RemoteSource

SUFFIX = ".toml"

_STRINGS = "a list of strings"
_TABLES = "a list of tables"
_FILE_KEYS = {
    "url": "a string",
    "known_hash": "a string",
    "size": "an integer",
    "member": "a string",
    "archive_hash": "a string",
    "archive_size": "an integer",
    "format": "a string",
}
_CANDIDATE_KEYS = {"dim": "an integer"} | _FILE_KEYS | {"companions": _TABLES}
_SOURCE_KEYS = {
    "name": "a string",
    "description": "a string",
    "language": "a string",
    "cased": "true or false",
    "vocab_size": "an integer",
    "license": "a string",
    "citation": "a string",
    "bibtex": "a string",
    "homepage": "a string",
    "unit": "a string",
    "tokenization": "a string",
    "fallbacks": _STRINGS,
    "files": _TABLES,
}
_REQUIRED_OF_SOURCE = {field.name for field in fields(RemoteSource) if field.default is MISSING}
_TYPES: Mapping[str, type[Any]] = {
    "a string": str,
    "an integer": int,
    "true or false": bool,
    _STRINGS: list,
    _TABLES: list,
}


def open_source_table(path: Path) -> RemoteSource:
    """Return the source whose table is in a TOML file.

    Its keys are those of `RemoteSource`. Each ``[[files]]`` has ``dim`` and the keys of `RemoteFile`, with
    ``companions`` as a list of tables; several of one dimension are candidates in their order.

    Args:
        path: The file.

    Raises:
        LocalFileError: The file does not exist or cannot be opened.
        FormatError: The file is not TOML, or a key is unknown, missing, or has an invalid value.
    """
    import tomllib

    try:
        text = path.expanduser().read_text("utf-8-sig")  # some editors write a byte order mark
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~user that does not exist
        reason = getattr(error, "strerror", None) or error
        raise LocalFileError(f"{path}: expected the TOML table of a source, but: {reason}.") from error
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path}: expected TOML in UTF-8, got the byte 0x{error.object[error.start]:02x} at byte "
            f"{error.start}. Save the file as UTF-8."
        ) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(
            f"{path}: expected TOML: {error}. Correct that place; strings are in quotes, as in "
            'license = "CC-BY-4.0".'
        ) from error
    _check(table, _SOURCE_KEYS, _REQUIRED_OF_SOURCE, f"{path}")
    candidates: dict[int, list[RemoteFile]] = {}
    for number, entry in enumerate(table.pop("files"), 1):
        place = f"{path}: [[files]] number {number}"
        _check(entry, _CANDIDATE_KEYS, {"dim", "url"}, place)
        companions = tuple(
            _remote_file(companion, f"{place}: companions number {at}")
            for at, companion in enumerate(entry.pop("companions", ()), 1)
        )
        dim = entry.pop("dim")
        candidates.setdefault(dim, []).append(_remote_file(entry, place, companions))
    options = table | {"fallbacks": tuple(table.get("fallbacks", ()))}
    try:
        return RemoteSource(files=candidates, **options)
    except ValueError as error:
        raise FormatError(f"{path}: {error} Correct the table.") from error


def _remote_file(entry: dict[str, Any], place: str, companions: tuple[RemoteFile, ...] = ()) -> RemoteFile:
    _check(entry, _FILE_KEYS, {"url"}, place)
    try:
        return RemoteFile(**entry, companions=companions)
    except ValueError as error:
        raise FormatError(f"{place}: {error} Correct the table.") from error


def _check(table: Any, keys: Mapping[str, str], required: set[str], place: str) -> None:
    """Raise FormatError unless a table has known keys, all required ones, and values of the right types."""
    if not isinstance(table, dict):
        raise FormatError(f"{place}: expected a table, got {table!r}. Write its keys below [[files]].")
    for key, value in table.items():
        if key not in keys:
            close = difflib.get_close_matches(key, keys, n=1)
            advice = f"Did you mean {close[0]!r}?" if close else "Remove it."
            raise FormatError(f"{place}: unknown key {key!r}; expected one of {', '.join(keys)}. {advice}")
        expected = keys[key]
        if type(value) is not _TYPES[expected] or (
            expected == _STRINGS and not all(isinstance(item, str) for item in value)
        ):
            raise FormatError(f"{place}: {key} is {value!r}; expected {expected}. Correct the value.")
    missing = [key for key in keys if key in required and key not in table]
    if missing:
        more = " Each is a line of its own above the first [[files]]." if "license" in keys else ""
        raise FormatError(
            f"{place}: missing key {' and '.join(map(repr, missing))}; expected "
            f"{', '.join(f'{key} = {keys[key]}' for key in missing)}.{more}"
        )
