"""Embedding of files of texts, in parts that survive interruptions."""

import hashlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

import embedhub
from embedhub import _atomic
from embedhub import _cache as cache
from embedhub._cache_files import is_private
from embedhub._progress import progress_bar
from embedhub.errors import EmbedhubError, FormatError, LocalFileError, OutputError, StoreError
from embedhub.registry.loading import Source
from embedhub.registry.short_form import without_dim
from embedhub_text import _parts
from embedhub_text.embedder import TextEmbedder
from embedhub_text.tables import FORMATS, STDIN, Batch, TextTable, infer_format

VECTOR = "vector"
"""Name of the column of vectors in the output."""

_OPTIONS = ("pooling", "tokenize", "fallbacks", "oov", "seed", "weights")
_COUNTS = ("rows", "zero_vectors", "nulls", "tokens", "tokens_found")


@dataclass(frozen=True, kw_only=True)
class EmbedFileResult:
    """The result of `embed_file`: the output file, and counts.

    Example:
        >>> import embedhub_text, pathlib
        >>> _ = pathlib.Path("a.txt").write_text("a funny film")
        >>> result = embedhub_text.embed_file("wordnet-ppmi", 25, "a.txt", "a.npy")
        >>> result.tokens_found, result.tokens, result.resumed
        (3, 3, 0)

    Args:
        output_path: The file of vectors.
        rows: Number of texts.
        zero_vectors: Number of texts without a known word, including empty and null ones; their vectors are
            zeros.
        nulls: Number of null texts.
        tokens: Number of words in all texts.
        tokens_found: Number of words found in the source, directly or by a fallback.
        resumed: Number of texts embedded by an earlier, interrupted run.
        seconds: Duration of this run.
    """

    output_path: Path
    rows: int
    zero_vectors: int
    nulls: int
    tokens: int
    tokens_found: int
    resumed: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Texts that this run embedded, per second."""
        return (self.rows - self.resumed) / self.seconds

    def __str__(self) -> str:
        resumed = f", {self.resumed:,} of them from an earlier run" if self.resumed else ""
        return (
            f"{self.rows:,} rows{resumed}; {self.zero_vectors:,} without a known word "
            f"({self.nulls:,} of them null), whose vectors are zeros.\n"
            f"{self.tokens_found:,} of {self.tokens:,} tokens found"
            f" ({self.tokens_found / max(1, self.tokens):.1%}).\n"
            f"{self.rows_per_second:,.0f} rows per second, {self.seconds:,.1f} seconds.\n"
            f"{self.output_path}"
        )


@overload
def embed_file(
    source: Source, dim: int | None, input_path: str | Path, output_path: str | Path, **options: Any
) -> EmbedFileResult: ...
@overload
def embed_file(
    source: Source, input_path: str | Path, output_path: str | Path, **options: Any
) -> EmbedFileResult: ...
@without_dim
def embed_file(
    source: Source,
    dim: int | None,
    input_path: str | Path,
    output_path: str | Path,
    *,
    column: str = "text",
    keep: list[str] | None = None,
    batch_size: int = 16_384,
    file_format: str | None = None,
    encoding: str = "utf-8",
    overwrite: bool = False,
    **options: Any,
) -> EmbedFileResult:
    """Embed every text of a file, and write the vectors to another file.

    Memory use does not grow with the files. Each batch is stored as a part in the folder
    ``<output_path>.partial``, and the parts are merged into ``output_path`` at the end, so the disk needs
    space for both. After an interruption, the same call resumes, and the result is the same, bit for bit.

    Example:
        >>> import embedhub_text, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.csv").write_text(chr(10).join(["id,text", "1,a funny film", "2,qwxz"]))
        >>> result = embedhub_text.embed_file("wordnet-ppmi", 25, folder / "a.csv", folder / "a.npy")
        >>> result.rows, result.zero_vectors
        (2, 1)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Dimension; optional if the source has only one. Left out after a source that has it.
        input_path: The file of texts: Parquet, CSV, TSV, JSON lines or plain text, as described by
            `embedhub_text.tables.TextTable`; ``-`` is the standard input, which cannot be resumed.
        output_path: ``.parquet``: the columns of the input and ``vector``, a list of ``dim`` float32, in row
            groups of ``batch_size`` rows. ``.npy``: the vectors alone, ``(rows, dim)`` float32. Rows keep
            their order.
        column: Name of the column of texts; for plain text, the name that the column gets.
        keep: Names of the input's columns that are copied to Parquet; None for all.
        batch_size: Number of rows that are read, embedded and written at a time. Smaller batches take less
            memory.
        file_format: ``"parquet"``, ``"csv"``, ``"tsv"``, ``"jsonl"`` or ``"text"``; by default inferred from
            the name.
        encoding: Encoding of all formats but Parquet.
        overwrite: Whether to replace an existing output, and to delete parts that do not match this run.
        **options: Any option of `TextEmbedder`: ``pooling``, ``tokenize``, ``fallbacks`` and more.

    Returns:
        The output file and counts. A null text counts as an empty one, whose vector is zeros.

    Raises:
        LocalFileError: The file of texts cannot be opened, or the folder of the output does not exist.
        FormatError: The file of texts violates its format; the message names the line or row. Nothing is
            kept.
        OutputError: ``output_path`` exists, or has parts of another run or of another user, or is written by
            another process.
        StoreError: The disk is full, or the file of texts changed during the run.
        ValueError: A suffix, format, encoding or option is unknown, or ``batch_size`` is less than 1.
        EmbedhubError: Any error of `embedhub.load`.

    Warns:
        StoreWarning: Parts of an earlier run are damaged, and are rewritten.
    """
    began = time.monotonic()
    path, output = Path(input_path), Path(output_path).absolute()
    if output.suffix not in _WRITERS:
        raise ValueError(f"output_path is {str(output)!r}; expected a suffix {' or '.join(_WRITERS)}.")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected 1 or more.")
    if file_format not in {None, *FORMATS}:
        raise ValueError(f"file_format is {file_format!r}; expected one of {', '.join(FORMATS)}.")
    try:
        "".encode(encoding)
    except LookupError as error:  # also for codecs from bytes to bytes
        raise ValueError(f"{error}; expected one of Python's text encodings.") from error
    table = TextTable(
        path=path,
        column=column,
        keep=() if output.suffix == ".npy" else None if keep is None else tuple(keep),
        file_format=file_format or infer_format(path),
        encoding=encoding,
    )
    embed = TextEmbedder(source, dim, **options)
    if embed.pooling is None:
        raise ValueError("pooling=None yields no vector per text; expected 'mean', 'max', 'sif' or 'idf'.")
    embed([])  # errors of the source and its weights are raised here
    vectors = embed.vectors
    settings = {
        "embedhub": embedhub.__version__,
        "source": vectors.name,
        "dim": vectors.dim,
        "vectors": vectors.manifest.get("xxh3_128"),
        "options": {name: _describe(getattr(embed, name)) for name in _OPTIONS},
        "input_path": str(path.absolute()),
        "file_format": table.file_format,
        "encoding": encoding,
        "column": column,
        "keep": None if table.keep is None else list(table.keep),
        "batch_size": batch_size,
        "state": _state(path),
    }
    job = _Job(table, output, embed, settings)
    name = hashlib.sha256(os.path.normcase(output).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    with cache.lock_if_free(f"embed-{name}") as is_free:
        if not is_free:
            raise OutputError(f"{output}: another process is writing this file. Nothing was done.")
        try:
            job.begin(overwrite=overwrite)
            resumed = job.rows
            job.embed()
            job.publish()
        except FormatError:
            shutil.rmtree(job.folder)  # a corrected file is another file, whose run cannot use these parts
            raise
        except OSError as error:
            if isinstance(error, EmbedhubError):
                raise
            raise StoreError(
                f"{job.folder}: it cannot be written ({_atomic.reason(error)}). The {job.rows:,} rows that "
                "are done are kept there; free some space and run the same again to resume."
            ) from error
    return EmbedFileResult(
        output_path=output, resumed=resumed, seconds=time.monotonic() - began, rows=job.rows, **job.counts
    )


class _Job:
    """The parts of one output."""

    def __init__(self, table: TextTable, output: Path, embed: TextEmbedder, settings: dict[str, Any]) -> None:
        self.table = table
        self.output = output
        self.folder = output.with_name(f"{output.name}.partial")
        self.rows = 0
        self.counts = dict.fromkeys(_COUNTS[1:], 0)
        self._embed = embed
        self._settings = settings
        self._parts: list[Path] = []
        self._schema: pa.Schema = pa.schema([])

    def begin(self, *, overwrite: bool) -> None:
        """Create the folder of parts, or count those of an earlier run with the same settings."""
        if not self.output.parent.is_dir():
            raise LocalFileError(f"{self.output.parent}: the folder of the output does not exist.")
        _atomic.ensure_writable(self.output, overwrite=overwrite)
        if overwrite and not is_private(self.folder):
            _parts.remove(self.folder)
        earlier = None if self.table.path == STDIN else _parts.read_settings(self.folder)
        if earlier is not None:
            changed = [key for key, value in self._settings.items() if earlier.get(key) != value]
            if not changed:
                self._resume()
                return
            if not overwrite:
                changes = "; ".join(
                    f"{key} was {earlier.get(key)!r}, is {self._settings[key]!r}" for key in changed
                )
                raise OutputError(
                    f"{self.folder}: the parts of an unfinished run are here, and they do not match this one "
                    f"({changes}). Run that one again to finish it, or delete its parts (--force, "
                    "overwrite=True)."
                )
        _parts.remove(self.folder)
        self.folder.mkdir(mode=0o700)  # no one else can put parts into it
        manifest = self.folder / _parts.SETTINGS
        temporary = manifest.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._settings), "utf-8", newline="\n")
        _atomic.move_to_disk(temporary, manifest)

    def _resume(self) -> None:
        while (part := self._part(len(self._parts))).exists():
            schema = _parts.read_schema(part)
            if schema is None:
                break
            self._add(part, schema)
        for number in itertools.count(len(self._parts)):
            if not (part := self._part(number)).exists():
                break
            part.unlink()

    def _part(self, number: int) -> Path:
        return self.folder / f"{number:06}.arrow"

    def _add(self, part: Path, schema: pa.Schema) -> None:
        """Count an existing part, and unify its columns with those of the others."""
        counts = json.loads(schema.metadata[b"embedhub"])
        try:
            # The vectors come last, also after columns that only later lines have.
            schemas = [_schema_without_vector(self._schema), schema.remove_metadata()]
            self._schema = pa.unify_schemas(schemas, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise FormatError(
                f"{self.table.path}, rows {self.rows:,} to {self.rows + counts['rows']:,}: a column has "
                f"another type than before ({error}). Keep only other columns, or write values of one type."
            ) from error
        self._parts.append(part)
        self.rows += counts["rows"]
        for name in self.counts:
            self.counts[name] += counts[name]

    def embed(self) -> None:
        """Write the parts that do not exist yet."""
        name = "the standard input" if self.table.path == STDIN else self.table.path.name
        stats = self._embed.stats
        with progress_bar(f"Embedding {name}", None, in_bytes=False) as advance:
            advance(self.rows)
            for batch in self.table.batches(self._settings["batch_size"], skip=self.rows):
                tokens, tokens_found = stats.tokens, stats.tokens_found
                vectors = self._embed(batch.texts)
                self._write(
                    batch,
                    vectors,
                    tokens=stats.tokens - tokens,
                    tokens_found=stats.tokens_found - tokens_found,
                )
                advance(len(vectors), round(self.rows / batch.progress) if batch.progress else None)
        if _state(self.table.path) != self._settings["state"]:
            shutil.rmtree(self.folder)
            raise StoreError(
                f"{self.table.path}: the file was changed while it was read. Nothing was kept; try again."
            )

    def _write(self, batch: Batch, vectors: NDArray[np.float32], **counts: int) -> None:
        """Write a part atomically."""
        columns = batch.columns
        if VECTOR in columns.column_names:
            raise FormatError(
                f"{self.table.path}: a column is named {VECTOR!r}, like the column of vectors in the output. "
                "Rename it, or keep only other columns."
            )
        counts |= {
            "rows": len(vectors),
            "zero_vectors": int((~vectors.any(axis=1)).sum()),
            "nulls": batch.texts.count(None),
        }
        lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), self._settings["dim"])
        schema = columns.schema.append(pa.field(VECTOR, lists.type))
        schema = schema.with_metadata({"embedhub": json.dumps(counts)})
        part = self._part(len(self._parts))
        temporary = part.with_suffix(".tmp")
        with pa.OSFile(str(temporary), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            writer.write_table(pa.Table.from_arrays([*columns.columns, lists], schema=schema))
        _atomic.move_to_disk(temporary, part)
        self._add(part, schema)

    def publish(self) -> None:
        """Merge the parts into the output."""
        temporary = self.folder / self.output.name
        with progress_bar(f"Writing {self.output.name}", self.rows, in_bytes=False) as advance:
            _WRITERS[self.output.suffix](self, temporary, advance)
        _atomic.move_to_disk(temporary, self.output)
        shutil.rmtree(self.folder)

    def tables(self) -> Iterator[pa.Table]:
        """Open the parts one after the other, with the columns of all parts."""
        for part in self._parts:
            with pa.memory_map(str(part)) as file:
                table = pa.ipc.open_file(file).read_all().replace_schema_metadata()
                for field in self._schema:
                    if field.name not in table.column_names:
                        table = table.append_column(field, pa.nulls(len(table), field.type))
                yield table.select(self._schema.names).cast(self._schema)

    def write_parquet(self, path: Path, advance: Callable[[int], None]) -> None:
        """Write Parquet, a row group for each part."""
        metadata = {key: self._settings[key] for key in ("embedhub", "source", "dim", "options")}
        schema = self._schema.with_metadata({"embedhub": json.dumps(metadata)})
        # Dictionaries and statistics are useless for vectors; without them writing takes half the time.
        others = [name for name in schema.names if name != VECTOR]
        with parquet.ParquetWriter(path, schema, use_dictionary=others, write_statistics=others) as writer:
            for table in self.tables():
                writer.write_table(table.replace_schema_metadata(schema.metadata))
                advance(len(table))

    def write_npy(self, path: Path, advance: Callable[[int], None]) -> None:
        """Write a matrix."""
        header = {"descr": "<f4", "fortran_order": False, "shape": (self.rows, self._settings["dim"])}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for table in self.tables():
                for chunk in table.column(VECTOR).chunks:
                    file.write(chunk.flatten().to_numpy().astype("<f4", copy=False))
                advance(len(table))


_WRITERS = {".parquet": _Job.write_parquet, ".npy": _Job.write_npy}


def _schema_without_vector(schema: pa.Schema) -> pa.Schema:
    position = schema.get_field_index(VECTOR)
    return schema if position < 0 else schema.remove(position)


def _describe(value: Any) -> Any:
    """Return an option as JSON; functions are compared by name only."""
    name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}"
    return name if callable(value) else value if isinstance(value, str | int | None) else repr(value)


def _state(path: Path) -> list[int]:
    """Return the metadata that change when a file is written, without reading it."""
    if path == STDIN:
        return []
    try:
        status = path.stat()
    except OSError as error:
        raise LocalFileError(
            f"{path}: expected a file of texts, but it cannot be read ({error.strerror})."
        ) from error
    return [status.st_size, status.st_mtime_ns]
