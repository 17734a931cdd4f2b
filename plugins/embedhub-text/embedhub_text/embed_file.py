"""A file of texts to a file of vectors, in parts that outlive their process, published by one rename."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import embedhub
from embedhub import _atomic
from embedhub import _cache as cache
from embedhub._atomic import ensure_writable
from embedhub._progress import progress_bar
from embedhub.errors import EmbedhubError, FormatError, LocalFileError, OutputError, StoreError
from embedhub.registry.registry import Source
from embedhub_text.embedder import TextEmbedder
from embedhub_text.records import STDIN
from embedhub_text.tables import FORMATS, Batch, Table, format_of, pyarrow
from embedhub_text.workers import Embedded, embedded

if TYPE_CHECKING:
    import pyarrow as pa

VECTOR = "vector"
"""Name of the column of vectors in what `embed_file` writes."""

_MANIFEST = "manifest.json"
_OPTIONS = ("pooling", "tokenize", "fallbacks", "oov", "seed", "fitted")


@dataclass(frozen=True, kw_only=True)
class EmbeddedFile:
    """What `embed_file` did.

    Example:
        >>> import embedhub, embedhub_text, pathlib
        >>> _ = pathlib.Path("a.txt").write_text("a funny film")
        >>> done = embedhub_text.embed_file("wordnet-ppmi", 25, "a.txt", "a.npy")
        >>> done.tokens_found, done.tokens, done.resumed
        (3, 3, 0)

    Args:
        out: Where the vectors are.
        rows: How many there are.
        zeros: Texts without any known word, empty and null ones among them; their vectors are zeros.
        nulls: Texts that were null.
        tokens: Words of all texts.
        tokens_found: Words that the source has, by a fallback too.
        resumed: Rows that an earlier run had made already.
        seconds: What this run took.
    """

    out: Path
    rows: int
    zeros: int
    nulls: int
    tokens: int
    tokens_found: int
    resumed: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """How fast this run was, with everything: reading, embedding, writing."""
        return (self.rows - self.resumed) / self.seconds

    def __str__(self) -> str:
        again = f", {self.resumed:,} of them by an earlier run" if self.resumed else ""
        return (
            f"{self.rows:,} rows{again}; {self.zeros:,} without a known word ({self.nulls:,} of them null), "
            "whose vectors are zeros.\n"
            f"{self.tokens_found:,} of {self.tokens:,} tokens found"
            f" ({self.tokens_found / max(1, self.tokens):.1%}).\n"
            f"{self.rows_per_second:,.0f} rows per second, {self.seconds:,.1f} seconds.\n"
            f"{self.out}"
        )


def embed_file(
    source: Source,
    dim: int | None,
    path: str | Path,
    out: str | Path,
    *,
    column: str = "text",
    keep: list[str] | None = None,
    batch: int = 16_384,
    file_format: str | None = None,
    encoding: str = "utf-8",
    workers: int = 1,
    overwrite: bool = False,
    **options: Any,
) -> EmbeddedFile:
    """Embed every text of a file, and write the vectors to another; memory does not grow with the files.

    The work is done in parts, which lie in ``<out>.partial`` until all are there; then they become ``out``,
    by one rename. The same call after a run that was killed goes on where that one was, and the result is
    the same, bit for bit. While the parts become ``out`` the disk holds both.

    Example:
        >>> import embedhub, embedhub_text, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.csv").write_text(chr(10).join(["id,text", "1,a funny film", "2,qwxz"]))
        >>> done = embedhub_text.embed_file("wordnet-ppmi", 25, folder / "a.csv", folder / "a.npy")
        >>> done.rows, done.zeros
        (2, 1)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        path: The file of texts: Parquet, CSV, tab-separated, JSON lines or plain text, as
            `embedhub_text.tables.Table` describes them; ``-`` is the standard input, which cannot be
            resumed.
        out: ``.parquet``: the columns of the input, and ``vector``, a list of ``dim`` float32, in row groups
            of ``batch`` rows. ``.npy``: the vectors alone, ``(rows, dim)`` float32. Rows keep their order.
        column: Name of the column of texts. In plain text it is the name that the texts get.
        keep: Names of the input's columns that come along into Parquet; None for all.
        batch: Rows that are read, embedded and written at a time. Fewer take less memory.
        file_format: ``"parquet"``, ``"csv"``, ``"tsv"``, ``"jsonl"`` or ``"text"``; by default what the name
            says.
        encoding: Of all but Parquet.
        workers: How many processes embed at the same time, on one matrix in memory; the result is the same.
            Cutting and looking up texts, which takes most of the time, keeps one core busy. With more than
            one, a script calls this under ``if __name__ == "__main__":``.
        overwrite: Replace an ``out`` that is there, and parts of another run that do not fit this one.
        **options: Any option of `TextEmbedder`: ``pooling``, ``tokenize``, ``fallbacks`` and more.

    Returns:
        Where the vectors are, and what was counted. A null text is like an empty one: zeros.

    Raises:
        DependencyError: pyarrow is not installed.
        LocalFileError: The file of texts cannot be opened, or there is no folder for the output.
        FormatError: The file of texts is not as described; it says in which line or row. Nothing is left.
        WorkerError: A process that embeds died; the same call goes on.
        OutputError: ``out`` is there, or parts of another run, or a process that is writing it.
        StoreError: The disk is full, or the file of texts was changed meanwhile.
        ValueError: An argument has not the form described here.
        EmbedhubError: What `embedhub.load` raises.
    """
    began = time.monotonic()
    path, out = Path(path), Path(out).absolute()
    if out.suffix not in _WRITERS:
        raise ValueError(f"out is {str(out)!r}; expected a name that ends in {' or '.join(_WRITERS)}.")
    if batch < 1 or workers < 1:
        raise ValueError(f"batch is {batch}, workers is {workers}; expected positive numbers.")
    if file_format not in {None, *FORMATS}:
        raise ValueError(f"format is {file_format!r}; expected one of {', '.join(FORMATS)}.")
    try:
        "".encode(encoding)
    except LookupError as error:  # also for codecs from bytes to bytes
        raise ValueError(f"{error}; expected one of Python's encodings of text.") from error
    pyarrow()
    table = Table(
        path=path,
        column=column,
        keep=() if out.suffix == ".npy" else None if keep is None else tuple(keep),
        file_format=file_format or format_of(path),
        encoding=encoding,
    )
    embed = TextEmbedder(source, dim, **options)
    if embed.pooling is None:
        raise ValueError("pooling=None gives no row for a text; expected 'mean', 'max', 'sif' or 'idf'.")
    embed([])  # what cannot work says so here
    vectors = embed.vectors
    settings = {
        "embedhub": embedhub.__version__,
        "source": vectors.name,
        "dim": vectors.dim,
        "vectors": vectors.manifest.get("xxh3_128"),
        "options": {name: _name_of(getattr(embed, name)) for name in _OPTIONS},
        "input": str(path.absolute()),
        "format": table.file_format,
        "encoding": encoding,
        "column": column,
        "keep": None if table.keep is None else list(table.keep),
        "batch": batch,
        "state": _state(path),
    }
    job = _Job(table, out, embed, workers, settings)
    name = hashlib.sha256(os.path.normcase(out).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    with cache.lock_if_free(f"embed-{name}") as free:
        if not free:
            raise OutputError(f"{out}: another process is writing this file. Nothing was done.")
        try:
            job.begin(overwrite=overwrite)
            resumed = job.rows
            job.embed()
            job.publish()
        except FormatError:
            shutil.rmtree(job.folder)  # a file that is mended is another file: there is nothing to go on with
            raise
        except OSError as error:
            if isinstance(error, EmbedhubError):
                raise
            raise StoreError(
                f"{job.folder}: it cannot be written ({_atomic.reason(error)}). The {job.rows:,} rows that "
                "are done stay there; free some space and run the same again to go on."
            ) from error
    return EmbeddedFile(
        out=out,
        rows=job.rows,
        zeros=job.zeros,
        nulls=job.nulls,
        tokens=job.tokens,
        tokens_found=job.tokens_found,
        resumed=resumed,
        seconds=time.monotonic() - began,
    )


class _Job:
    """The parts of one output, those that are done and those that are not."""

    def __init__(
        self, table: Table, out: Path, embed: TextEmbedder, workers: int, settings: dict[str, Any]
    ) -> None:
        self.table = table
        self.out = out
        self.folder = out.with_name(f"{out.name}.partial")
        self.rows = self.zeros = self.nulls = self.tokens = self.tokens_found = 0
        self._embed = embed
        self._workers = workers
        self._settings = settings
        self._parts: list[Path] = []
        self._schema: pa.Schema = pyarrow().schema([])

    def begin(self, *, overwrite: bool) -> None:
        """Make the folder of parts, or find those of an earlier run that fit."""
        if not self.out.parent.is_dir():
            raise LocalFileError(f"{self.out.parent}: there is no such folder for the output.")
        ensure_writable(self.out, overwrite=overwrite)
        manifest = self.folder / _MANIFEST
        if manifest.exists():
            found = json.loads(manifest.read_text("utf-8"))
            other = [key for key, value in self._settings.items() if found.get(key) != value]
            if not other and self.table.path != STDIN:
                self._resume()
                return
            if not overwrite and self.table.path != STDIN:
                changed = "; ".join(
                    f"{key} was {found.get(key)!r}, is {self._settings[key]!r}" for key in other
                )
                raise OutputError(
                    f"{self.folder}: an earlier run that was not finished left its parts here, and they do "
                    f"not fit this one ({changed}). Run that one again to finish it, or throw its parts away "
                    "(--force, overwrite=True)."
                )
            shutil.rmtree(self.folder)
        self.folder.mkdir(exist_ok=True)
        fresh = manifest.with_suffix(".tmp")
        fresh.write_text(json.dumps(self._settings), "utf-8", newline="\n")
        fresh.replace(manifest)

    def _resume(self) -> None:
        pa = pyarrow()
        while (part := self._part(len(self._parts))).exists():
            with pa.memory_map(str(part)) as file, pa.ipc.open_file(file) as reader:
                self._add(part, reader.schema)

    def _part(self, number: int) -> Path:
        return self.folder / f"{number:06}.arrow"

    def _add(self, part: Path, schema: "pa.Schema") -> None:
        """Count a part that is there, and see that its columns go with those of the others."""
        pa = pyarrow()
        counts = json.loads(schema.metadata[b"embedhub"])
        plain = schema.remove_metadata()
        try:
            # The vectors come last, also after columns that only later lines have.
            schemas = [_without_vector(self._schema), plain]
            self._schema = pa.unify_schemas(schemas, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise FormatError(
                f"{self.table.path}, rows {self.rows:,} to {self.rows + counts['rows']:,}: a column holds "
                f"another kind of value than before ({error}). Keep only other columns, or write one kind."
            ) from error
        self._parts.append(part)
        self.rows += counts["rows"]
        self.zeros += counts["zeros"]
        self.nulls += counts["nulls"]
        self.tokens += counts["tokens"]
        self.tokens_found += counts["tokens_found"]

    def embed(self) -> None:
        """Make the parts that are not there."""
        name = "the standard input" if self.table.path == STDIN else self.table.path.name
        with progress_bar(f"Embedding {name}", None, in_bytes=False) as advance:
            advance(self.rows)
            batches = self.table.batches(self._settings["batch"], skip=self.rows)
            for found, done in embedded(self._embed, batches, self._workers):
                self._write(found, done)
                advance(len(done.rows), round(self.rows / found.share) if found.share else None)
        if _state(self.table.path) != self._settings["state"]:
            shutil.rmtree(self.folder)
            raise StoreError(
                f"{self.table.path}: the file was changed while it was read. Nothing was kept; try again."
            )

    def _write(self, batch: Batch, done: Embedded) -> None:
        """Write a part, so that it is there as a whole or not at all."""
        pa = pyarrow()
        columns = batch.columns
        if VECTOR in columns.column_names:
            raise FormatError(
                f"{self.table.path}: a column is named {VECTOR!r}, as the column of vectors is to be. "
                "Rename it, or keep only other columns."
            )
        counts = {
            "rows": len(done.rows),
            "zeros": int((~done.rows.any(axis=1)).sum()),
            "nulls": batch.texts.count(None),
            "tokens": done.tokens,
            "tokens_found": done.tokens_found,
        }
        lists = pa.FixedSizeListArray.from_arrays(pa.array(done.rows.reshape(-1)), self._settings["dim"])
        schema = columns.schema.append(pa.field(VECTOR, lists.type))
        schema = schema.with_metadata({"embedhub": json.dumps(counts)})
        part = self._part(len(self._parts))
        fresh = part.with_suffix(".tmp")
        with pa.OSFile(str(fresh), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            writer.write_table(pa.Table.from_arrays([*columns.columns, lists], schema=schema))
        fresh.replace(part)
        self._add(part, schema)

    def publish(self) -> None:
        """Turn the parts into the output."""
        fresh = self.folder / self.out.name
        with progress_bar(f"Writing {self.out.name}", self.rows, in_bytes=False) as advance:
            _WRITERS[self.out.suffix](self, fresh, advance)
        _atomic.move(fresh, self.out)
        shutil.rmtree(self.folder)

    def tables(self) -> "Iterator[pa.Table]":
        """Open the parts one after the other, with the columns of all."""
        pa = pyarrow()
        for part in self._parts:
            with pa.memory_map(str(part)) as file:
                table = pa.ipc.open_file(file).read_all().replace_schema_metadata()
                for field in self._schema:
                    if field.name not in table.column_names:
                        table = table.append_column(field, pa.nulls(len(table), field.type))
                yield table.select(self._schema.names).cast(self._schema)

    def write_parquet(self, path: Path, advance: Callable[[int], None]) -> None:
        """Write Parquet, a row group for each part."""
        from pyarrow import parquet

        facts = {key: self._settings[key] for key in ("embedhub", "source", "dim", "options")}
        schema = self._schema.with_metadata({"embedhub": json.dumps(facts)})
        # Neither a dictionary nor the smallest value is of use to vectors; without them writing takes half
        # the time.
        plain = [name for name in schema.names if name != VECTOR]
        with parquet.ParquetWriter(path, schema, use_dictionary=plain, write_statistics=plain) as writer:
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


def _without_vector(schema: "pa.Schema") -> "pa.Schema":
    place = schema.get_field_index(VECTOR)
    return schema if place < 0 else schema.remove(place)


def _name_of(value: Any) -> Any:
    """Return what JSON can hold of an option; of functions no more than their names can be compared."""
    name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}"
    return name if callable(value) else value if isinstance(value, str | int | None) else repr(value)


def _state(path: Path) -> list[int]:
    """Return what changes when a file is written, without reading it."""
    if path == STDIN:
        return []
    try:
        status = path.stat()
    except OSError as error:
        raise LocalFileError(
            f"{path}: expected a file of texts, but it cannot be read ({error.strerror})."
        ) from error
    return [status.st_size, status.st_mtime_ns]
