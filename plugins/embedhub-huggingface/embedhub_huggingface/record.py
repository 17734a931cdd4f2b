"""What was found out about a handle: its commit, its files and their hashes, kept in the cache.

With it, a handle opens the same store without the Hub.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from embedhub import _atomic, settings
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import slug
from embedhub.errors import StoreError
from embedhub_huggingface.address import Address
from embedhub_huggingface.table import Table

_VERSION = 1


class FileFacts(NamedTuple):
    """A file that the vectors are read from: its path, its known hash and its size."""

    path: str
    known_hash: str | None
    size: int | None


class Record(NamedTuple):
    """What was found out about a handle at a commit.

    Args:
        repo: Owner and name of the repository as the Hub has them.
        commit: The commit.
        files: The file of the vectors, and its companions.
        dim: Dimension of the vectors.
        format: Name of the built-in format; None for one that is detected, or for a table.
        rows: Number of vectors, where the header of the file declares it.
        table: The tensor, for the table of the tokens of a model.
        language: BCP 47 code.
        license: License as the card has it.
        citation: Citation in one line.
        bibtex: Citation in BibTeX, from the card.
    """

    repo: str
    commit: str
    files: tuple[FileFacts, ...]
    dim: int
    format: str | None
    rows: int | None
    table: Table | None
    language: str
    license: str
    citation: str
    bibtex: str


def key_of(address: Address, endpoint: str) -> str:
    """Return the name of the record of a handle, which is also the name of its lock."""
    digest = hashlib.sha256(f"{endpoint} {address}".encode()).hexdigest()[:16]
    return f"hf-{digest}-{slug(address.repo)}"


def read_record(key: str) -> Record | None:
    """Return a record; None if there is none, or if another version of this package wrote it."""
    with suppress(OSError, *CONTENT_ERRORS):
        data = parse_json(_path(key).read_text("utf-8"))
        if data.pop("version") == _VERSION:
            files = tuple(FileFacts(*file) for file in data.pop("files"))
            table = data.pop("table")
            return Record(**data, files=files, table=Table(**table) if table else None)
    return None


def write_record(key: str, record: Record) -> None:
    """Keep a record; where nothing can be written, it is found out again next time."""
    table = record.table._asdict() if record.table else None
    data: dict[str, Any] = {"version": _VERSION, **record._asdict(), "table": table}
    with suppress(StoreError):
        _atomic.publish_text(_path(key), json.dumps(data, indent=1) + "\n")


def _path(key: str) -> Path:
    return settings.cache_folder() / "handles" / f"{key}.json"
