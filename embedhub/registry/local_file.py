"""The caller's own files of vectors, as sources: found out, hashed, and built into stores like all others."""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from embedhub import _cache as cache
from embedhub import settings
from embedhub._archives import split_member
from embedhub._names import is_device
from embedhub._warn import warn
from embedhub.errors import FormatWarning, LocalFileError, StoreError, UnexpectedEndError
from embedhub.formats.detect import Format, detect
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.blocks import Block, Extra

_CHUNK = 1 << 20
_LONGEST_NAME = 80
_SETTLED = 2_000_000_000  # nanoseconds: the coarsest clock of a file system, FAT's, ticks every two seconds


@dataclass(frozen=True, kw_only=True)
class LocalSource(EmbeddingSource):
    """The vectors in one file of the caller. `open_source` makes it.

    Args:
        path: The file, absolute; ``archive.zip#member`` for one of several in an archive.
        format: What its bytes are.
        state: Size, times and number of the file and of what lies beside it, when it was looked at.
    """

    path: Path
    format: Format
    state: tuple[tuple[int, ...], ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """The one dim that the file has."""
        return (self.format.dim,)

    def fingerprints(self, dim: int) -> tuple[str, ...]:  # noqa: ARG002 - the interface's argument
        """Name the bytes of the file, and of what lies beside it, by their XXH3 of 128 bits."""
        digests = [_digest(file) for file in _files(self.path, self.format)]
        self._check_state()
        _, member = split_member(self.path)
        return (" ".join([*digests, f"#{member}"] if member else digests),)

    def fetch(self, dim: int) -> Path:
        """Return the place of the file."""
        self.check_dim(dim)
        return self.path

    def download_size(self, dim: int) -> int:  # noqa: ARG002 - the interface's argument
        """Return 0: it is here already."""
        return 0

    def parse(self, path: Path, dim: int) -> Iterator[Block | Extra]:
        """Read the file; what is odd about its end is a warning, since its owner may know better."""
        try:
            yield from self.format.reader(path, dim, *self.format.companions)
        except UnexpectedEndError as error:
            warn(f"{error} All rows that are there are used.", FormatWarning)
        self._check_state()

    def _provenance(self, dim: int, candidate: int) -> dict[str, Any]:
        return super()._provenance(dim, candidate) | {"path": str(self.path)}

    def _check_state(self) -> None:
        if _states(_files(self.path, self.format)) != self.state:
            raise StoreError(
                f"{self.path}: the file was changed while it was read. Nothing was kept; try again."
            )


def open_source(path: Path) -> LocalSource:
    """Return a source for a file, whose format is found out by its bytes.

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.

    Raises:
        LocalFileError: There is no such file, or it cannot be opened.
        FormatError: It is in none of the known formats.
    """
    try:
        path = path.expanduser().absolute()
        found = detect(path)
        state = _states(_files(path, found))
    except FileNotFoundError as error:
        missing = Path(error.filename)
        needed = "" if missing == split_member(path)[0] else f", which {path} needs beside it"
        raise LocalFileError(f"{missing}: there is no such file{needed}.") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~user that nobody knows
        raise LocalFileError(
            f"{path}: expected a file of vectors, but it cannot be read ({_reason(error)})."
        ) from error
    name = re.sub(r"[^a-z0-9]+", "-", path.name.lower())[:_LONGEST_NAME].strip("-") or "file"
    return LocalSource(
        name=f"file-{name}" if is_device(name) else name,
        path=path,
        format=found,
        state=state,
        description=f"vectors in {path}",
        language="und",
        cased=True,
        words=None,
        license="",
        citation="",
        homepage="",
    )


def as_path(text: str) -> Path | None:
    """Return the path that a string is meant as, None if it is none.

    It is one if it has a separator or a drive, or starts with ``.`` or ``~``, and else if there is such a
    file.
    """
    path = Path(text)
    if text.startswith((".", "~")) or "/" in text or os.sep in text or path.drive:
        return path
    # Not Path.is_file: it raises an OSError for a name that is too long for a file.
    return path if os.path.isfile(split_member(path)[0]) else None  # noqa: PTH113


def _files(path: Path, found: Format) -> tuple[Path, ...]:
    """Return the files whose bytes make the vectors."""
    return (split_member(path)[0], *found.companions)


def _states(files: tuple[Path, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(_state(file) for file in files)


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written, without reading it."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _digest(path: Path) -> str:
    """Return the XXH3 of a file's bytes, from the memory of an earlier call where the file is the same.

    A file that was written just now is not remembered: a second write within one tick of the file system's
    clock would leave no trace.
    """
    key = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    memory = settings.cache_folder() / "hashes" / f"{key}-own.json"
    began = time.time_ns()
    state = _state(path)
    with suppress(OSError, ValueError, KeyError, TypeError):
        remembered = json.loads(memory.read_text("utf-8"))
        if tuple(remembered["state"]) == state:
            return str(remembered["xxh3_128"])
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if _state(path) == state and began - max(state[1:3]) > _SETTLED:
        # Without it the next call reads the file once more: a cache may be read-only.
        with suppress(OSError, StoreError):
            cache.ensure_folder(memory.parent)
            fresh = memory.with_suffix(f".{os.getpid()}.tmp")
            fresh.write_text(
                json.dumps({"path": str(path), "state": state, "xxh3_128": digest.hexdigest()}),
                "utf-8",
                newline="\n",
            )
            fresh.replace(memory)
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
