"""Texts with a label each, out of the files in which such data sets come."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.errors import FormatError, LocalFileError

_TEXTS = {"text", "sentence", "review", "question", "content", "document", "message", "comment", "tweet"}
_LABELS = {"label", "labels", "class", "category", "topic", "target", "sentiment", "intent"}
_MARK = "__label__"  # fastText's
_SEPARATORS = {"\t": "a tab", ",": "commas", " ": "a blank"}
_SHOWN = 60
_LABELS_SHOWN = 8
_FORMS = (
    "a text and its label with a tab between them, .csv, or the label first, a blank and the text, as TREC's "
    "questions and fastText's training files have it"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a line text and label are.

    Args:
        separator: A tab, a comma, or a blank; with a blank the label comes first.
        text: Position of the text among the columns, from 0.
        label: Position of the label.
        header: The names of the columns, if the first line has them.
    """

    separator: str
    text: int
    label: int
    header: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.separator == " ":
            return "the label, a blank, the text"
        names = self.header or tuple(f"column {i + 1}" for i in range(max(self.text, self.label) + 1))
        text, label = names[self.text], names[self.label]
        if self.header:
            text, label = repr(text), repr(label)
        return f"{text} is the text, {label} the label, {_SEPARATORS[self.separator]} between"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts, and the label of each.

    Args:
        texts: ``n`` texts.
        labels: ``n`` labels.
        layout: How they stood in their file; None if they come from none.
        encoding: What the bytes of the file were.
    """

    texts: list[str]
    labels: list[str]
    layout: Layout | None = None
    encoding: str = "utf-8"

    def __str__(self) -> str:
        names = sorted(set(self.labels))
        shown = ", ".join(names[:_LABELS_SHOWN]) + (", ..." if len(names) > _LABELS_SHOWN else "")
        told = f"{len(self.texts):,} texts with {len(names):,} labels ({shown})"
        if self.layout is not None:
            told += f"; {self.layout}"
        return told if self.encoding == "utf-8" else f"{told}; {self.encoding}, since it is no UTF-8"


def read_labelled(
    path: str | Path, *, columns: Sequence[str] | None = None, layout: Layout | None = None
) -> Labelled:
    r"""Read texts with a label each, and find out how they stand in the file.

    A line has a text and its label with a tab between them, in either order: the column with fewer distinct
    values has the labels. Or the file is named ``.csv``. In both the first line may name the columns. Or
    the label stands first, then a blank, then the text, as in TREC's questions and fastText's training
    files; of such a label the part before a colon is taken (``NUM`` of ``NUM:dist``), without ``__label__``.

    Example:
        >>> from pathlib import Path
        >>> from embedhub_eval.labeled import read_labelled
        >>> _ = Path("few.tsv").write_text("it rains\tweather\nit snows\tweather\na cat sat\tanimals\n")
        >>> print(read_labelled("few.tsv"))
        3 texts with 2 labels (animals, weather); column 1 is the text, column 2 the label, a tab between

    Args:
        path: The file, in UTF-8 or else Latin-1; it may be in gzip, bzip2, xz or zip.
        columns: Which column has the text and which the label: two names of the first line, or two numbers
            from 1 as strings.
        layout: How the texts stand in the file, where it is known; the names of columns must be the same.

    Raises:
        LocalFileError: There is no such file, or it cannot be read.
        FormatError: It has none of these forms, a line differs from the others, or there are too many labels
            for what was found to be labels.
        ValueError: ``columns`` has not the form described here.
    """
    text, encoding = _text_of(Path(path).expanduser())
    if not text.strip():
        raise FormatError(f"{path}: it is empty; expected {_FORMS}.")
    separator = layout.separator if layout is not None else _separator(text, str(path), columns)
    rows = list(_rows(text, separator, str(path)))
    if found := layout is None:
        layout = _layout(rows, separator, str(path), columns)
    if layout.header:
        number, names = rows.pop(0)
        if tuple(names) != layout.header:
            raise FormatError(
                f"{path}: line {number} is {_short(separator.join(names))}; expected the names of the "
                f"columns, {', '.join(layout.header)}, as in the other file."
            )
    texts, labels = _columns(rows, layout, str(path))
    if found and len(set(labels)) > max(2, len(labels) / 2):
        raise FormatError(
            f"{path}: taken for labels, there are {len(set(labels)):,} different ones in {len(labels):,} "
            f"lines, such as {_short(labels[0])} ({layout}). Name the columns of text and label (--columns, "
            "columns=)."
        )
    return Labelled(texts, labels, layout, encoding)


def _text_of(path: Path) -> tuple[str, str]:
    try:
        with open_bytes(path) as file:
            data = file.read()
    except OSError as error:
        reason = error.strerror or error
        raise LocalFileError(f"{path}: expected texts with labels, but: {reason}.") from error
    if b"\0" in data:
        raise FormatError(f"{path}: this is no text, there are zero bytes in it. Expected {_FORMS}.")
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank, with their numbers; only the ends of lines end them."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.removesuffix("\r")


def _separator(text: str, path: str, columns: Sequence[str] | None) -> str:
    lines = [line for _, line in _lines(text)]
    if all("\t" in line for line in lines):
        return "\t"
    if ".csv" in path.lower():
        return ","
    if columns is None and all(len(line.split(maxsplit=1)) == 2 for line in lines):  # noqa: PLR2004 - label, text
        return " "
    number, line = next((number, line) for number, line in _lines(text) if "\t" not in line)
    raise FormatError(f"{path}: line {number} is {_short(line)}; expected {_FORMS}.")


def _rows(text: str, separator: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """Give the columns of each line, with its number."""
    if separator == ",":
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            yield from ((reader.line_num, row) for row in reader if row)
        except csv.Error as error:
            raise FormatError(f"{path}: line {reader.line_num} is no CSV ({error}).") from error
        return
    # Quotes in a tab-separated text are quotes: SST and GLUE have them unpaired.
    for number, line in _lines(text):
        if separator == "\t":
            yield number, line.split("\t")
        else:
            label, _, rest = line.strip().partition(" ")
            yield number, [label.removeprefix(_MARK).split(":")[0], rest.strip()]


def _layout(
    rows: list[tuple[int, list[str]]], separator: str, path: str, columns: Sequence[str] | None
) -> Layout:
    if separator == " ":
        return Layout(separator, text=1, label=0)
    first = rows[0][1]
    names = [name.strip().lower() for name in first]
    texts = [i for i, name in enumerate(names) if name in _TEXTS]
    labels = [i for i, name in enumerate(names) if name in _LABELS]
    header = tuple(first) if (texts and labels) or (len(names) == 2 and texts + labels) else ()  # noqa: PLR2004
    if columns is not None:
        text, label = _asked(columns, first, path)
        named = not all(column.isdecimal() for column in columns)
        return Layout(separator, text, label, tuple(first) if named else header)
    if header and len(texts) <= 1 and len(labels) <= 1:
        text = texts[0] if texts else 1 - labels[0]
        return Layout(separator, text, labels[0] if labels else 1 - text, header)
    if len(first) != 2:  # noqa: PLR2004 - text and label
        raise FormatError(
            f"{path}: line {rows[0][0]} has {len(first)} columns, {_short(separator.join(first))}; which are "
            "the text and the label is not clear. Name both, by their names in the first line or by their "
            "numbers from 1: --columns text,label, or columns=('text', 'label')."
        )
    distinct = [len({row[i] for _, row in rows if i < len(row)}) for i in (0, 1)]
    label = int(distinct[1] <= distinct[0])
    return Layout(separator, 1 - label, label)


def _asked(columns: Sequence[str], first: list[str], path: str) -> tuple[int, int]:
    """Return the positions of the columns that the caller names."""
    if isinstance(columns, str) or len(columns) != 2 or len(set(columns)) != 2:  # noqa: PLR2004 - text and label
        raise ValueError(f"columns is {columns!r}; expected that of the text and that of the label.")
    places = []
    for column in columns:
        if column in first:
            places.append(first.index(column))
        elif column.isdecimal() and 1 <= int(column) <= len(first):
            places.append(int(column) - 1)
        else:
            raise FormatError(
                f"{path}: there is no column {column!r}; the first line has {len(first)}: "
                f"{_short(', '.join(first))}."
            )
    return places[0], places[1]


def _columns(rows: Iterable[tuple[int, list[str]]], layout: Layout, path: str) -> tuple[list[str], list[str]]:
    texts, labels = [], []
    width: int | None = len(layout.header) or None
    for number, row in rows:
        width = width or len(row)
        if len(row) != width:
            raise FormatError(
                f"{path}: line {number} has {len(row)} columns, {_short(layout.separator.join(row))}; "
                f"expected {width} ({layout})."
            )
        label = row[layout.label].strip()
        if not label:
            raise FormatError(
                f"{path}: line {number} has no label, {_short(layout.separator.join(row))} ({layout})."
            )
        texts.append(row[layout.text])
        labels.append(label)
    if not texts:
        raise FormatError(f"{path}: there are no texts in it, only the names of the columns.")
    return texts, labels


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
