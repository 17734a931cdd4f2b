"""Files of labeled texts: TSV, CSV, and lines that start with the label."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.errors import FormatError, LocalFileError

_FASTTEXT_PREFIX = "__label__"
_MAX_SHOWN = 60
_MAX_LABELS_LISTED = 8


@dataclass(frozen=True, slots=True)
class LabeledTexts:
    """Texts and their labels.

    Args:
        texts: ``n`` texts.
        labels: ``n`` labels.
        encoding: Encoding of the file.
    """

    texts: list[str]
    labels: list[str]
    encoding: str = "utf-8"

    def __str__(self) -> str:
        names = sorted(set(self.labels))
        shown = ", ".join(names[:_MAX_LABELS_LISTED]) + (", ..." if len(names) > _MAX_LABELS_LISTED else "")
        description = f"{len(self.texts):,} texts with {len(names):,} labels ({shown})"
        return (
            description if self.encoding == "utf-8" else f"{description}; read as {self.encoding}, not UTF-8"
        )


def read_labeled(
    path: str | Path, *, columns: Sequence[str | int] = ("text", "label"), label_first: bool = False
) -> LabeledTexts:
    r"""Read labeled texts from a TSV or CSV file, or from lines that start with the label.

    A file with the extension ``.csv`` is CSV. Otherwise its columns are separated by tabs, and quotation
    marks belong to the text.

    Example:
        >>> from pathlib import Path
        >>> from embedhub_eval.labeled import read_labeled
        >>> _ = Path("few.tsv").write_text("it rains\tweather\nit snows\tweather\na cat sat\tanimals\n")
        >>> print(read_labeled("few.tsv", columns=(1, 2)))
        3 texts with 2 labels (animals, weather)

    Args:
        path: The file, in UTF-8 or else Latin-1; it may be compressed (gzip, bzip2, xz or zip).
        columns: The columns of text and label: two names in the first line, or two numbers from 1 for a file
            without column names.
        label_first: Whether each line is a label, a space and the text, as in TREC's questions and fastText's
            training files. Only the part of a label before a colon is used (``NUM`` of ``NUM:dist``), without
            the prefix ``__label__``.

    Raises:
        LocalFileError: The file does not exist or cannot be read.
        FormatError: A column does not exist, or a line lacks a text or a label, or has a different number of
            columns.
        ValueError: ``columns`` is not two names or two numbers from 1.
    """
    path = Path(path).expanduser()
    numbers = _parse_columns(columns)
    text, encoding = _read_text(path)
    rows = _parse_csv(path, text) if ".csv" in path.name.lower() else _parse_tsv(text)
    lines = _split_labels(path, text) if label_first else _select_columns(path, rows, columns, numbers)
    texts, labels = [], []
    for number, (line_text, label) in lines:
        if not label.strip():
            raise FormatError(f"{path}: line {number} has no label: {_shorten(line_text)}.")
        texts.append(line_text)
        labels.append(label.strip())
    if not texts:
        raise FormatError(f"{path}: this file has no labeled texts.")
    return LabeledTexts(texts, labels, encoding)


def _parse_columns(columns: Sequence[str | int]) -> tuple[int, int] | None:
    """Return the two positions of columns given by numbers, None for names."""
    if isinstance(columns, str) or len(columns) != 2 or columns[0] == columns[1]:  # noqa: PLR2004 - text, label
        raise ValueError(f"columns is {columns!r}; expected two, that of the text and that of the label.")
    if not all(str(column).isdecimal() for column in columns):
        return None
    text, label = (int(column) - 1 for column in columns)
    if min(text, label) < 0:
        raise ValueError(f"columns is {columns!r}; expected numbers from 1.")
    return text, label


def _read_text(path: Path) -> tuple[str, str]:
    try:
        with open_bytes(path) as file:
            data = file.read()
    except OSError as error:
        reason = error.strerror or error
        raise LocalFileError(f"{path}: these labeled texts cannot be read: {reason}.") from error
    if b"\0" in data:
        raise FormatError(f"{path}: expected labeled texts, got a binary file (it has zero bytes).")
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers; Unicode's line separators do not end a line."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.removesuffix("\r")


def _parse_tsv(text: str) -> Iterator[tuple[int, list[str]]]:
    # Not csv.reader: unpaired quotation marks are common in texts.
    yield from ((number, line.split("\t")) for number, line in _lines(text))


def _parse_csv(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        raise FormatError(f"{path}: line {reader.line_num} is not CSV ({error}).") from error


def _split_labels(path: Path, text: str) -> Iterator[tuple[int, tuple[str, str]]]:
    for number, line in _lines(text):
        label, _, line_text = line.strip().partition(" ")
        if not line_text.strip():
            raise FormatError(
                f"{path}: line {number} is {_shorten(line)}; expected a label, a space and a text."
            )
        yield number, (line_text.strip(), label.removeprefix(_FASTTEXT_PREFIX).split(":")[0])


def _select_columns(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    columns: Sequence[str | int],
    numbers: tuple[int, int] | None,
) -> Iterator[tuple[int, tuple[str, str]]]:
    width: int | None = None
    for number, row in rows:
        if width is None:
            width = len(row)
            missing = [name for name in columns if name not in row] if numbers is None else []
            if missing or (numbers and max(numbers) >= width):
                if width == 1 and "\t" in row[0]:  # of CSV, since a tab separates columns otherwise
                    name = path.name.replace(".csv", ".tsv")
                    raise FormatError(
                        f"{path}: line {number} has tabs, which do not separate the columns of a .csv file. "
                        f"Rename the file to {name!r}."
                    )
                raise FormatError(
                    f"{path}: expected columns {' and '.join(map(repr, columns))}; line {number} has "
                    f"{width}: {_shorten(', '.join(row))}. Pass their names, or their numbers from 1 for a "
                    "file without column names (--columns 1,2 or columns=(1, 2))."
                )
            if numbers is None:
                numbers = row.index(str(columns[0])), row.index(str(columns[1]))
                continue
        if len(row) != width:
            raise FormatError(
                f"{path}: line {number} has {len(row)} columns, expected {width}: {_shorten(', '.join(row))}."
            )
        yield number, (row[numbers[0]], row[numbers[1]])  # type: ignore[index]  # set by the first line


def _shorten(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")
