"""Lines of text turned into records, with their numbers: CSV, tab-separated, JSON lines, plain text."""

import codecs
import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from embedhub._compression import open_bytes
from embedhub.errors import FormatError

STDIN = Path("-")
"""Stands for the standard input, wherever a table is named by its path."""

Record = tuple[int, dict[str, Any]]
"""The number of a line, from 1, and its values by the names of their columns."""

# csv's own limit, 128 KiB, is less than a book. Without any, a quote that nobody closes would be read to the
# end of the file before it is found out.
_LONGEST_CELL = 1 << 28


@contextmanager
def open_lines(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], float | None]]]:
    """Open a file of lines, and say how much of it was read so far, 0 to 1."""
    if path == STDIN:
        yield sys.stdin.buffer, lambda: None
        return
    with open_bytes(path) as file:
        raw = getattr(file, "fileobj", file)  # gzip's own file; where others are in theirs is not told
        size = max(1, path.stat().st_size)
        yield file, lambda: raw.tell() / size if isinstance(raw, io.BufferedReader) else None


def decoded(file: BinaryIO, path: Path, encoding: str) -> Iterator[str]:
    """Give the lines with their ends, decoded one by one, so that an error can say in which it is."""
    number = 0
    try:
        if "\n".encode(encoding) != b"\n":  # UTF-16 and the like: what a line is comes after decoding
            text = io.TextIOWrapper(file, encoding, newline="\n")
            yield from text
            text.detach()  # or it would close the file, which is another's
            return
        for number, line in enumerate(file, 1):
            yield (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).decode(encoding)
    except UnicodeDecodeError as error:
        where = f", line {number:,}" if number else ""
        raise FormatError(
            f"{path}{where}: these bytes are not {encoding} ({error}). "
            "Name the file's encoding, such as latin-1."
        ) from error


def _text_records(lines: Iterator[str], path: Path, column: str) -> tuple[list[str], Iterator[Record]]:  # noqa: ARG001 - one form for all
    return [column], ((n, {column: line.rstrip("\r\n")}) for n, line in enumerate(lines, 1))


def _json_records(lines: Iterator[str], path: Path, column: str) -> tuple[None, Iterator[Record]]:
    def records() -> Iterator[Record]:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line) if line.strip() else None
            except json.JSONDecodeError as error:
                where = f"line {number:,}, character {error.pos + 1:,}"
                raise FormatError(f"{path}, {where}: this is no JSON ({error.msg}).") from error
            except ValueError as error:  # a number with thousands of digits
                raise FormatError(f"{path}, line {number:,}: {error}.") from error
            except RecursionError as error:
                raise FormatError(f"{path}, line {number:,}: this JSON is nested too deep.") from error
            if isinstance(record, dict):
                text = record.get(column)
                if not isinstance(text, str | None):
                    raise FormatError(
                        f"{path}, line {number:,}: {column!r} is {text!r:.80}; expected a string or null."
                    )
                yield number, record
            elif line.strip():
                raise FormatError(f"{path}, line {number:,}: expected an object, got {line.strip():.80}")

    return None, records()


def _csv_records(lines: Iterator[str], path: Path, column: str) -> tuple[list[str], Iterator[Record]]:  # noqa: ARG001 - one form for all
    return _cells(lines, path, {"strict": True})


def _tsv_records(lines: Iterator[str], path: Path, column: str) -> tuple[list[str], Iterator[Record]]:  # noqa: ARG001 - one form for all
    return _cells(lines, path, {"delimiter": "\t", "quoting": csv.QUOTE_NONE})


def _cells(lines: Iterator[str], path: Path, dialect: dict[str, Any]) -> tuple[list[str], Iterator[Record]]:
    csv.field_size_limit(max(_LONGEST_CELL, csv.field_size_limit()))
    reader = csv.reader(lines, **dialect)

    def rows() -> Iterator[tuple[int, list[str]]]:
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise FormatError(
                f"{path}, line {line:,} (to {reader.line_num:,}): this is no CSV ({error})."
            ) from error

    table = rows()
    _, names = next(table, (0, []))
    if not names:
        raise FormatError(f"{path}: the file is empty; expected a header with the names of the columns.")

    def records() -> Iterator[Record]:
        for line, cells in table:
            if len(cells) != len(names):
                raise FormatError(
                    f"{path}, line {line:,}: {len(cells)} cells; expected {len(names)}, as in the header."
                )
            yield line, dict(zip(names, cells, strict=True))

    return names, records()


RECORDS: dict[str, Callable[[Iterator[str], Path, str], tuple[list[str] | None, Iterator[Record]]]] = {
    "csv": _csv_records,
    "tsv": _tsv_records,
    "jsonl": _json_records,
    "text": _text_records,
}
"""What gives the names of a file's columns (None where each record has its own), and its records."""
