"""Tables of texts, read in batches: Parquet, CSV, tab-separated, JSON lines, and plain text.

Memory holds one batch, however long the file is. Only this module and `embed_file` import pyarrow.
"""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedhub.errors import FormatError, LocalFileError, missing_dependency
from embedhub_text.records import RECORDS, STDIN, Record, decoded, open_lines

if TYPE_CHECKING:
    import pyarrow as pa

_FORMATS = {
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
FORMATS = tuple(dict.fromkeys(_FORMATS.values()))
"""What `batches` can read."""

_COMPRESSED = {".gz", ".bz2", ".xz", ".zip"}


@dataclass(frozen=True)
class Batch:
    """Some rows of a table, one after the other.

    Args:
        texts: The column of texts.
        columns: The columns that are kept, a ``pyarrow.Table``.
        share: How much of the file was read with them, 0 to 1; None if nobody knows.
    """

    texts: list[str | None]
    columns: "pa.Table"
    share: float | None


def pyarrow() -> Any:
    """Return the package pyarrow, or raise DependencyError."""
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise missing_dependency("embed_file", "pyarrow", "embedhub-text[tables]") from error
    return pa


def format_of(path: Path) -> str:
    """Return the format that a name says, the endings of compressed files set aside.

    Raises:
        FormatError: It says none.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    if path == STDIN:
        return "text"
    if not suffixes or suffixes[-1] not in _FORMATS:
        raise FormatError(
            f"{path}: the name does not say its format; expected one of {', '.join(_FORMATS)}. "
            f"Name the format: {', '.join(FORMATS)}."
        )
    return _FORMATS[suffixes[-1]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with a column of texts.

    - Parquet keeps its types. A text may be of any of its types of strings, or bytes that are UTF-8.
    - CSV has a header; a quoted cell may have several lines. Every column is text, as it stands in the file.
    - Tab-separated files have a header and no quotes: a ``"`` is a character like all others.
    - JSON lines have an object on each line. A field that a line does not have is null; a field's values are
      of one kind in all lines (numbers may be whole in some).
    - Plain text has one text on each line.

    All but Parquet may be compressed (gzip, bzip2, xz, zip). An empty line is a text in plain text, and
    nothing elsewhere.

    Args:
        path: The file; `STDIN` for the standard input.
        column: Name of the column of texts; in plain text the name that it gets.
        keep: Names of the columns that come along; None for all.
        file_format: One of `FORMATS`.
        encoding: Of all but Parquet. The mark of UTF-8 at the start of a file is no text.
    """

    path: Path
    column: str
    keep: tuple[str, ...] | None
    file_format: str
    encoding: str = "utf-8"

    def batches(self, size: int, *, skip: int = 0) -> Iterator[Batch]:
        """Read the table, a batch at a time.

        Args:
            size: Rows of a batch; only the last one may have fewer.
            skip: How many rows from the start are left out.

        Yields:
            The batches; a table without rows gives one empty batch, unless something is skipped.

        Raises:
            LocalFileError: There is no such file, or it cannot be opened.
            FormatError: Something is not as described; it says in which line or row.
            DependencyError: pyarrow is not installed.
        """
        pyarrow()
        try:
            if self.file_format == "parquet":
                yield from _parquet(self, size, skip)
                return
            with open_lines(self.path) as (file, share):
                lines = decoded(file, self.path, self.encoding)
                names, records = RECORDS[self.file_format](lines, self.path, self.column)
                for columns, texts in _batches(self, names, records, size=size, skip=skip):
                    yield Batch(texts, columns, share())
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            raise LocalFileError(
                f"{self.path}: expected a file of texts, but it cannot be read ({error.strerror or error})."
            ) from error

    def check(self, names: Sequence[str]) -> None:
        """Raise FormatError if a column that is wanted is not among the names, or a name is there twice."""
        for name in (self.column, *(self.keep or ())):
            if name not in names:
                raise FormatError(
                    f"{self.path}: there is no column {name!r}; there are {', '.join(map(repr, names))}."
                )
        if len(set(names)) < len(names):
            twice = next(name for name in names if list(names).count(name) > 1)
            raise FormatError(
                f"{self.path}: two columns are named {twice!r}; expected names that are distinct."
            )


def _parquet(table: Table, size: int, skip: int) -> Iterator[Batch]:
    path, column = table.path, table.column
    pa = pyarrow()
    from pyarrow import parquet

    if path == STDIN:
        raise FormatError("Parquet is read from its end, so it cannot come from the standard input.")
    with path.open("rb"):
        pass  # what cannot be opened is Python's error, with its reason
    done = skip
    try:
        # Without pre_buffer, and with a buffer, a row group is read page by page, not as a whole.
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            table.check(file.schema_arrow.names)
            kept = file.schema_arrow.names if table.keep is None else list(table.keep)
            groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
            first = 0
            while first < len(groups) and groups[first] <= skip:
                skip -= groups[first]
                first += 1
            wanted = [name for name in file.schema_arrow.names if name in {column, *kept}]
            schema = pa.schema([file.schema_arrow.field(name) for name in wanted])
            left = range(first, len(groups))  # pyarrow 18 knows no reading of none
            rows = file.iter_batches(size, row_groups=left, columns=wanted) if left else iter(())
            for part in _tables(rows, schema, size, skip, empty=not done):
                texts = _texts(part.column(column), path, column, done)
                done += len(texts)
                yield Batch(texts, part.select(kept), done / max(1, sum(groups)))
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{path}: this Parquet file cannot be read ({error}).") from error


def _tables(
    batches: "Iterator[pa.RecordBatch]", schema: "pa.Schema", size: int, skip: int, *, empty: bool
) -> "Iterator[pa.Table]":
    """Cut batches of any length into tables of one length; `empty` asks for one where there are no rows."""
    table_of = pyarrow().Table.from_batches
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        rest = batch.slice(min(skip, batch.num_rows))
        skip -= batch.num_rows - rest.num_rows
        held.append(rest)
        count += rest.num_rows
        while count >= size:
            table = table_of(held, schema)
            yield table.slice(0, size).combine_chunks()
            held = table.slice(size).to_batches()
            count -= size
            empty = False
    if count or empty:
        yield table_of(held, schema).combine_chunks()


def _texts(values: "pa.ChunkedArray", path: Path, column: str, row: int) -> list[str | None]:
    """Return a column of texts, whichever of Arrow's types for them it has."""
    pa = pyarrow()
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if str(kind).removeprefix("large_").removesuffix("_view") not in {"string", "binary", "null"}:
        raise FormatError(f"{path}: column {column!r} holds {values.type}; expected texts.")
    try:
        texts: list[str | None] = values.cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        odd = next(number for number, value in enumerate(values) if not _is_text(value.as_buffer()))
        raise FormatError(
            f"{path}: row {row + odd:,} of column {column!r} is not UTF-8 ({error})."
        ) from error
    return texts


def _is_text(value: "pa.Buffer | None") -> bool:
    try:
        str(value or b"", "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _batches(
    table: Table, names: list[str] | None, records: Iterator[Record], *, size: int, skip: int
) -> "Iterator[tuple[pa.Table, list[str | None]]]":
    """Turn records into columns and texts; without names, those of the records are the columns."""
    pa = pyarrow()
    if names is not None:
        table.check(names)
    first = not skip
    for _ in islice(records, skip):
        pass
    while (part := list(islice(records, size))) or first:
        found = names or list(dict.fromkeys(name for _, record in part for name in record))
        if first and part:
            table.check(found)
        first = False
        columns = {
            name: _column(
                table, name, part, pa.string() if names is not None or name == table.column else None
            )
            for name in (found if table.keep is None else table.keep)
        }
        if table.column not in columns:
            _column(table, table.column, part, pa.string())  # a text that is no Unicode is found here
        yield pa.table(columns), [record.get(table.column) for _, record in part]


def _column(table: Table, name: str, part: list[Record], kind: "pa.DataType | None") -> "pa.Array":
    """Return the values of a column, which are of one kind; of what kind, they say where none is given."""
    pa = pyarrow()
    values = [record.get(name) for _, record in part]
    refused = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError)

    def fails(count: int) -> bool:
        try:
            pa.array(values[:count], kind)
        except refused:
            return True
        return False

    try:
        return pa.array(values, kind)
    except refused as error:
        odd = bisect.bisect_left(range(1, len(part) + 1), True, key=fails)  # noqa: FBT003 - what is searched
        raise FormatError(
            f"{table.path}, line {part[odd][0]:,}: {name!r} is {values[odd]!r:.80}, which cannot stand in "
            f"one column with the lines before ({error}). Keep only other columns, or write one kind."
        ) from error
