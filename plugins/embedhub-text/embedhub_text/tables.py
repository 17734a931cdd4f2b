"""Tables with a column of texts, read in batches: Parquet, CSV, TSV, JSON lines, plain text.

Only one batch is in memory at a time. ``pyarrow.dataset`` decodes whole row groups: 88 MB for a Parquet file
of 18 MB with one row group, where ``iter_batches`` takes 3 MB. It also reads an unclosed quote of CSV as a
cell, converts JSON strings that look like times, and drops fields that occur only in later lines.
"""

import bisect
import codecs
import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from embedhub._compression import open_bytes
from embedhub._names import shown_names
from embedhub.errors import FormatError, LocalFileError

STDIN = Path("-")
"""Path that means the standard input."""

_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "text",
    ".text": "text",
}
FORMATS = tuple(dict.fromkeys(_SUFFIXES.values()))
"""The formats that `TextTable` reads."""

_COMPRESSED = {".gz", ".bz2", ".xz", ".zip"}

# csv's default, 128 KiB, is less than a book. Without a limit, an unclosed quote would be read to the end of
# the file before it is noticed.
_MAX_CELL = 1 << 28

_Record = tuple[int, dict[str, Any]]
"""Number of a line, from 1, and its values by column name."""


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a table.

    Args:
        texts: The column of texts.
        columns: The selected columns.
        progress: Fraction of the file that has been read, 0 to 1; None if unknown.
    """

    texts: list[str | None]
    columns: pa.Table
    progress: float | None


def infer_format(path: Path) -> str:
    """Return the format implied by a file name; suffixes of compressed files are ignored.

    Raises:
        FormatError: The suffix is unknown.
    """
    if path == STDIN:
        return "text"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in _SUFFIXES:
        raise FormatError(
            f"{path}: unknown suffix; expected one of {', '.join(_SUFFIXES)}. "
            f"Otherwise name the format: {', '.join(FORMATS)}."
        )
    return _SUFFIXES[suffixes[-1]]


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table with a column of texts.

    - Parquet keeps its types. Texts may have any of its string types, or be bytes of UTF-8. - CSV has a
    header; a quoted cell may span lines. Every column is text, exactly as in the file. - TSV has a header and
    no quotes: a ``"`` is a character like any other. - JSON lines have an object on each line. Missing fields
    are null; the values of a field must have one type in all lines (integers may be mixed with floats). -
    Plain text has one text per line.

    All formats but Parquet may be compressed (gzip, bzip2, xz, zip). Empty lines are texts in plain text, and
    skipped in the other formats.

    Args:
        path: The file; `STDIN` for the standard input.
        column: Name of the column of texts; for plain text, the name that it gets.
        keep: Names of the columns that are selected; None for all.
        file_format: One of `FORMATS`.
        encoding: Encoding of all formats but Parquet. A byte-order mark of UTF-8 is removed.
    """

    path: Path
    column: str
    keep: tuple[str, ...] | None
    file_format: str
    encoding: str = "utf-8"

    def batches(self, size: int, *, skip: int = 0) -> Iterator[Batch]:
        """Read the table, a batch at a time.

        Args:
            size: Number of rows of a batch; only the last one may have fewer.
            skip: Number of rows to skip at the start.

        Yields:
            The batches; a single empty batch for a table without rows, unless rows are skipped.

        Raises:
            LocalFileError: The file does not exist or cannot be opened.
            FormatError: The file violates its format; the message names the line or row.
        """
        try:
            if self.file_format == "parquet":
                yield from _read_parquet(self, size, skip)
                return
            with _open_lines(self.path) as (file, progress):
                lines = _decode(file, self.path, self.encoding)
                names, records = _READERS[self.file_format](lines, self.path, self.column)
                for texts, columns in _to_columns(self, names, records, size=size, skip=skip):
                    yield Batch(texts, columns, progress())
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            raise LocalFileError(
                f"{self.path}: expected a file of texts, but it cannot be read ({error.strerror or error})."
            ) from error

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise FormatError if a selected column is not among the names, or a name occurs twice."""
        for name in (self.column, *(self.keep or ())):
            if name not in names:
                raise FormatError(
                    f"{self.path}: no column {name!r}; the columns are {shown_names(map(repr, names))}."
                )
        if len(set(names)) < len(names):
            twice = next(name for name in names if list(names).count(name) > 1)
            raise FormatError(f"{self.path}: two columns are named {twice!r}; expected distinct names.")


def _read_parquet(table: TextTable, size: int, skip: int) -> Iterator[Batch]:
    path, column = table.path, table.column
    if path == STDIN:
        raise FormatError("Parquet is read from its end, so it cannot come from the standard input.")
    with path.open("rb"):
        pass  # Python's error for a file that cannot be opened has the reason
    row = skip
    try:
        # Without pre_buffer, and with a buffer, a row group is read page by page, not as a whole.
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            schema = file.schema_arrow
            table.check_columns(schema.names)
            selected = schema.names if table.keep is None else list(table.keep)
            schema = pa.schema([field for field in schema if field.name in {column, *selected}])
            groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
            first = 0
            while first < len(groups) and groups[first] <= skip:
                skip -= groups[first]
                first += 1
            remaining = range(first, len(groups))  # pyarrow 18 cannot read no row groups
            rows = (
                file.iter_batches(size, row_groups=remaining, columns=schema.names) if remaining else iter(())
            )
            for part in _rebatch(rows, schema, size, skip, empty=not row):
                texts = _texts(part.column(column), path, column, row)
                row += len(texts)
                yield Batch(texts, part.select(selected), row / max(1, sum(groups)))
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{path}: this Parquet file cannot be read ({error}).") from error


def _rebatch(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, size: int, skip: int, *, empty: bool
) -> Iterator[pa.Table]:
    """Yield tables of one length from batches of any length; `empty` asks for one if there are no rows."""
    pending: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        pending.append(batch.slice(min(skip, batch.num_rows)))
        skip -= batch.num_rows - pending[-1].num_rows
        count += pending[-1].num_rows
        while count >= size:
            table = pa.Table.from_batches(pending, schema)
            yield table.slice(0, size).combine_chunks()
            pending = table.slice(size).to_batches()
            count -= size
            empty = False
    if count or empty:
        yield pa.Table.from_batches(pending, schema).combine_chunks()


def _texts(values: pa.ChunkedArray, path: Path, column: str, row: int) -> list[str | None]:
    """Return a column of texts of any of Arrow's types for them."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if str(kind).removeprefix("large_").removesuffix("_view") not in {"string", "binary", "null"}:
        raise FormatError(f"{path}: column {column!r} has type {values.type}; expected texts.")
    try:
        texts: list[str | None] = values.cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        invalid = next(number for number, value in enumerate(values) if not _is_utf8(value.as_buffer()))
        raise FormatError(
            f"{path}: row {row + invalid:,} of column {column!r} is not UTF-8 ({error})."
        ) from error
    return texts


def _is_utf8(value: pa.Buffer | None) -> bool:
    try:
        str(value or b"", "utf-8")
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _open_lines(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], float | None]]]:
    """Open a file of lines; the second item returns the fraction that has been read, 0 to 1."""
    if path == STDIN:
        yield sys.stdin.buffer, lambda: None
        return
    with open_bytes(path) as file:
        raw = getattr(file, "fileobj", file)  # of gzip the file itself; bz2, lzma and zipfile hide theirs
        size = max(1, path.stat().st_size)
        yield file, lambda: raw.tell() / size if isinstance(raw, io.BufferedReader) else None


def _decode(file: BinaryIO, path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines with their ends, decoded one by one, so that an error can name the line."""
    number = 0
    try:
        if "\n".encode(encoding) != b"\n":  # UTF-16 and the like, where only the decoded text has lines
            text = io.TextIOWrapper(file, encoding, newline="\n")
            yield from text
            text.detach()  # or it would close the file, which belongs to the caller
            return
        for number, line in enumerate(file, 1):
            yield (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).decode(encoding)
    except UnicodeDecodeError as error:
        where = f", line {number:,}" if number else ""
        raise FormatError(
            f"{path}{where}: these bytes are not {encoding} ({error}). "
            "Pass the file's encoding, such as latin-1."
        ) from error


_Reader = Callable[[Iterator[str], Path, str], tuple[list[str] | None, Iterator[_Record]]]
"""Returns the names of the columns (None if each record has its own), and the records."""


def _read_text(lines: Iterator[str], _path: Path, column: str) -> tuple[list[str], Iterator[_Record]]:
    return [column], ((number, {column: line.rstrip("\r\n")}) for number, line in enumerate(lines, 1))


def _read_json(lines: Iterator[str], path: Path, column: str) -> tuple[None, Iterator[_Record]]:
    def records() -> Iterator[_Record]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path}, line {number:,}"
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise FormatError(
                    f"{where}, character {error.pos + 1:,}: invalid JSON ({error.msg})."
                ) from error
            except ValueError as error:  # a number with thousands of digits
                raise FormatError(f"{where}: {error}.") from error
            except RecursionError as error:
                raise FormatError(f"{where}: this JSON is nested too deep.") from error
            if not isinstance(record, dict):
                raise FormatError(f"{where}: expected an object, got {line.strip():.80}")
            text = record.get(column)
            if not isinstance(text, str | None):
                raise FormatError(f"{where}: {column!r} is {text!r:.80}; expected a string or null.")
            yield number, record

    return None, records()


def _read_csv(
    lines: Iterator[str], path: Path, _column: str, **dialect: Any
) -> tuple[list[str], Iterator[_Record]]:
    csv.field_size_limit(max(_MAX_CELL, csv.field_size_limit()))
    reader = csv.reader(lines, **dialect or {"strict": True})

    def rows() -> Iterator[tuple[int, list[str]]]:
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise FormatError(
                f"{path}, line {line:,} (to {reader.line_num:,}): invalid CSV ({error})."
            ) from error

    table = rows()
    _, names = next(table, (0, []))
    if not names:
        raise FormatError(f"{path}: the file is empty; expected a header with the names of the columns.")

    def records() -> Iterator[_Record]:
        for line, cells in table:
            if len(cells) != len(names):
                raise FormatError(
                    f"{path}, line {line:,}: {len(cells)} cells; expected {len(names)}, as in the header."
                )
            yield line, dict(zip(names, cells, strict=True))

    return names, records()


def _read_tsv(lines: Iterator[str], path: Path, column: str) -> tuple[list[str], Iterator[_Record]]:
    return _read_csv(lines, path, column, delimiter="\t", quoting=csv.QUOTE_NONE)


_READERS: dict[str, _Reader] = {"csv": _read_csv, "tsv": _read_tsv, "jsonl": _read_json, "text": _read_text}


def _to_columns(
    table: TextTable, names: list[str] | None, records: Iterator[_Record], *, size: int, skip: int
) -> Iterator[tuple[list[str | None], pa.Table]]:
    """Yield texts and columns of records; without names, the columns are those of the records."""
    if names is not None:
        table.check_columns(names)
    first = not skip
    for _ in islice(records, skip):
        pass
    while (part := list(islice(records, size))) or first:
        present = names or list(dict.fromkeys(name for _, record in part for name in record))
        if first and part:
            table.check_columns(present)
        first = False
        # The column of texts is converted also where it is not selected, which finds lone surrogates.
        columns = {
            name: _to_array(table, name, part, pa.string() if names or name == table.column else None)
            for name in dict.fromkeys((*(present if table.keep is None else table.keep), table.column))
        }
        selected = [name for name in columns if name in (present if table.keep is None else table.keep)]
        yield [record.get(table.column) for _, record in part], pa.table(columns).select(selected)


def _to_array(table: TextTable, name: str, part: list[_Record], kind: pa.DataType | None) -> pa.Array:
    """Return the values of a column as an array of one type, inferred by default."""
    values = [record.get(name) for _, record in part]
    errors = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError)

    def fails(count: int) -> bool:
        try:
            pa.array(values[:count], kind)
        except errors:
            return True
        return False

    try:
        return pa.array(values, kind)
    except errors as error:
        invalid = bisect.bisect_left(range(1, len(part) + 1), True, key=fails)  # noqa: FBT003 - the value searched
        raise FormatError(
            f"{table.path}, line {part[invalid][0]:,}: {name!r} is {values[invalid]!r:.80}, whose type "
            f"differs from that of the lines before ({error}). Keep only other columns, or write values of "
            "one type."
        ) from error
