"""Local files as sources: the format is detected, and the bytes are hashed."""

import difflib
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedhub import _atomic, settings
from embedhub._cache_files import EVERYONE, who_can_read
from embedhub._compression import split_member
from embedhub._file_state import file_state, xxh3_of_file
from embedhub._frozen import FrozenDict
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import slug
from embedhub._warn import warn
from embedhub.download.remote_file import Fetched
from embedhub.errors import EmbedhubError, FormatWarning, LocalFileError, StoreError, UnexpectedEndError
from embedhub.formats import versions
from embedhub.formats.detect import DetectedFormat, detect
from embedhub.registry.folder import vectors_file
from embedhub.registry.handle import Handle, looks_like_path
from embedhub.registry.origin import Origin, OriginFile
from embedhub.registry.source import EmbeddingSource, Reopen
from embedhub.vectors.blocks import Block, Composer, ExtraFile, Format
from embedhub.vectors.vectors import Vectors

_CLOCK_TICK_NS = (
    2_000_000_000  # nanoseconds: the coarsest clock of a file system, FAT's, ticks every two seconds
)


@dataclass(frozen=True, kw_only=True)
class LocalSource(EmbeddingSource):
    """A source for the vectors in a local file; `open_source` returns it.

    Args:
        path: The file, absolute; ``archive.zip#member`` for one of several in an archive.
        format: Its detected format.
        state: State of the file and of its companions when they were opened.
        allow_truncated: Whether the vectors of a truncated file are used, with a warning.
    """

    path: Path
    format: DetectedFormat
    state: tuple[tuple[int, ...], ...]
    allow_truncated: bool = False

    @property
    def dims(self) -> tuple[int, ...]:
        """The dimension of the file."""
        return (self.format.dim,)

    def cache_key(self, dim: int) -> str:  # noqa: ARG002 - the interface's argument
        """Identify the bytes of the file and its companions by their XXH3 of 128 bits, and the reader."""
        digests = [_remembered_xxh3(file) for file in _files(self.path, self.format)]
        self._check_state()
        _, member = split_member(self.path)
        bytes_read = " ".join([*digests, f"#{member}"] if member else digests)
        return f"{bytes_read}, {versions(self.format.format)}"

    def fetch(self, dim: int) -> Fetched:
        """Return the file, whose bytes are hashed again if a recorded hash named its store."""
        self.check_dim(dim)
        for file in _files(self.path, self.format):
            if xxh3_of_file(file) != _remembered_xxh3(file):
                _record_of(file).unlink(missing_ok=True)
                raise StoreError(
                    f"{file}: its bytes are not those that its recorded hash is of: the file or the record "
                    f"{_record_of(file)} is damaged. The record was removed; try again."
                )
        return Fetched(self.path, None, FrozenDict({path.name: path for path in self.format.companions}))

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
        """Read the file."""
        try:
            yield from self.format.format.read(fetched.path, dim, *fetched.companions.values())
        finally:  # also where a limit ends it
            self._check_state()

    def accept_end(self, error: UnexpectedEndError, fetched: Fetched | None) -> Mapping[str, Any]:  # noqa: ARG002 - the interface's argument
        """Accept a truncated file if that is allowed, and record how it ends."""
        end = str(error).removeprefix(f"{self.path}: ")
        if not self.allow_truncated:
            raise self._truncated(end) from error
        return {"truncated": end}

    def vectors(self, dim: int, *, reopen: Reopen | None = None) -> Vectors:
        """Open the vectors; a truncated file is a warning each time, or an error if it is not allowed."""
        vectors = super().vectors(dim, reopen=reopen)
        end = vectors.manifest.get("truncated")
        if end is not None:
            if not self.allow_truncated:
                raise self._truncated(end)
            warn(f"{self.path}: {end} The {len(vectors):,} vectors before its end are used.", FormatWarning)
        return vectors

    def _truncated(self, end: str) -> UnexpectedEndError:
        return UnexpectedEndError(
            f"{self.path}: {end} Get the whole file; or, to use the vectors that it has, load it with "
            "embedhub.load(path, allow_truncated=True)."
        )

    def composer(
        self, files: Mapping[str, Path], metadata: Mapping[str, Mapping[str, Any]]
    ) -> Composer | None:
        """Open the composer of the format, if it has one."""
        opener = self.format.format.composer
        return opener(files, metadata) if opener else None

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:
        """Return the manifest entries that describe the origin of the vectors."""
        return super().manifest(dim, cache_key, fetched) | {"path": str(self.path)}

    def _origin(self, dim: int) -> Origin:  # noqa: ARG002 - the interface's argument
        """Return the file and its companions, by name, and the reader."""
        member = split_member(self.path)[1]
        files = tuple(
            OriginFile(file.name, None, state[0], f"xxh3_128:{_remembered_xxh3(file)}")
            for file, state in zip(_files(self.path, self.format), self.state, strict=True)
        )
        readers = (versions(self.format.format),)
        return Origin((files[0]._replace(member=member), *files[1:]), readers, Handle("path", str(self.path)))

    def _private_files(self) -> tuple[Path, ...]:
        """Return the file and its companions."""
        return _files(self.path, self.format)

    def _check_state(self) -> None:
        if _states(_files(self.path, self.format)) != self.state:
            raise StoreError(
                f"{self.path}: the file was changed while it was read. Nothing was kept; try again."
            )


def open_source(path: Path, formats: Callable[[], Iterable[Format]] = tuple) -> LocalSource:
    """Return a source for a file, whose format is detected by its bytes.

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive; or the folder of a model.
        formats: Returns the formats of plugins.

    Raises:
        LocalFileError: The file does not exist or cannot be opened.
        FormatError: The file is not in a known format, or the formats of two plugins recognize it.
    """
    try:
        path = path.expanduser().absolute()
        file, member = split_member(path)
        kind = file.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # opening a pipe waits for its writer
            raise OSError("it is a pipe or a device; write its content to a file first")
        if stat.S_ISDIR(kind):
            if member:
                raise OSError("a # follows an archive, and this is a folder")
            path = vectors_file(path, formats)
        detected = detect(path, formats)
        state = _states(_files(path, detected))
    except EmbedhubError:
        raise
    except FileNotFoundError as error:
        missing = Path(error.filename)
        needed = "" if missing == split_member(path)[0] else f", which {path} needs beside it"
        raise LocalFileError(f"{missing}: there is no such file{needed}.{_similar(missing)}") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~user that does not exist
        raise LocalFileError(
            f"{path}: expected a file of vectors, but it cannot be read ({_reason(error)})."
        ) from error
    return LocalSource(
        name=slug(path.name),
        path=path,
        format=detected,
        state=state,
        # Words that embedhub exported come without a tokenizer.
        unit="token" if detected.format.name == "static-embeddings" and detected.companions else "word",
        description=f"vectors in {path}",
        language="und",
        cased=True,
        license="",
        citation="",
        homepage="",
    )


def as_path(text: str) -> Path | None:
    """Return the path that a string means, None if it does not mean one.

    It is a path if it looks like one, and else if there is such a file or folder.
    """
    path = Path(text)
    # Not Path.exists: it raises an OSError for a name that is too long for a file.
    return path if looks_like_path(text) or os.path.exists(split_member(path)[0]) else None  # noqa: PTH110


def _files(path: Path, format: DetectedFormat) -> tuple[Path, ...]:  # noqa: A002 - what it is
    """Return the files that the vectors are read from."""
    return (split_member(path)[0], *format.companions)


def _states(files: tuple[Path, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(file_state(file) for file in files)


def _remembered_xxh3(path: Path) -> str:
    """Return the XXH3 of a file, from the record of an earlier call if the file has not changed.

    The hash of a file that was written just now is not recorded: a second write within one tick of the file
    system's clock would go unnoticed.
    """
    record = _record_of(path)
    began = time.time_ns()
    state = file_state(path)
    with suppress(OSError, *CONTENT_ERRORS):
        recorded = parse_json(record.read_text("utf-8"))
        if tuple(recorded["state"]) == state:
            return str(recorded["xxh3_128"])
    digest = xxh3_of_file(path)
    if file_state(path) == state and began - max(state[1:3]) > _CLOCK_TICK_NS:
        # Without it the next call reads the file once more: a cache may be read-only.
        with suppress(OSError, StoreError):
            text = json.dumps({"path": str(path), "state": state, "xxh3_128": digest})
            _atomic.publish_text(record, text, private=who_can_read([path]) != EVERYONE)
    return digest


def _record_of(path: Path) -> Path:
    """Return the file of the cache that records the hash of a file."""
    key = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return settings.cache_folder() / "hashes" / f"{key}-own.json"


def _similar(missing: Path) -> str:
    """Return a sentence that suggests similar names in the folder of a missing file."""
    try:
        close = difflib.get_close_matches(missing.name, [file.name for file in missing.parent.iterdir()], n=3)
    except OSError:
        return ""
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
