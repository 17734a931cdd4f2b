"""Tables and numbers as text, for the commands of embedhub and of plugins."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_PIPE_WIDTH = 100_000  # columns; nothing in a pipe is cut or wrapped
_COLUMN_GAP = 2  # spaces
_MIN_WRAPPED = 28  # columns of a sentence
_BLOCKS = ("\u2588", "\u2591")  # full, and light shade
_ASCII_BLOCKS = ("#", "-")


def format_table(
    columns: "Sequence[str]",
    rows: "Iterable[Sequence[str]]",
    *,
    right_aligned: "Collection[str]" = (),
    optional_columns: "Iterable[str]" = (),
    wrapped_columns: "Collection[str]" = (),
) -> str:
    """Return a table as text, for `print_result`.

    A table too wide for the terminal loses its optional columns, then its widest cells are wrapped.
    Columns of sentences are wrapped before a column is lost. In a pipe each row is one line with all
    columns. A cell that is not printable is shown as by `repr`.

    Args:
        columns: Names of the columns.
        rows: Cells of each row.
        right_aligned: Columns that hold numbers.
        optional_columns: Columns that a narrow terminal can do without, the least important one first.
        wrapped_columns: Columns of sentences.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[cell if cell.isprintable() else repr(cell) for cell in row] for row in rows]
    texts = zip(columns, *cells, strict=True)  # of each column, its name included
    widths = {name: max(map(cell_len, column)) for name, column in zip(columns, texts, strict=True)}
    widths |= {name: min(widths[name], _MIN_WRAPPED) for name in wrapped_columns}
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    shown = list(columns)
    for name in optional_columns:
        if sum(widths[column] + _COLUMN_GAP for column in shown) - _COLUMN_GAP > console.width:
            shown.remove(name)
    table = Table(box=None, padding=(0, _COLUMN_GAP, 0, 0), pad_edge=False, header_style="bold")
    for name in shown:
        right = name in right_aligned
        whole = right or bool(wrapped_columns and name not in wrapped_columns)
        table.add_column(Text(name), justify="right" if right else "left", no_wrap=whole, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for name, cell in zip(columns, row, strict=True) if name in shown))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def format_bar(ratio: float, width: int = 40) -> str:
    """Return a ratio as a bar, of ASCII where stdout has no blocks.

    A bar is full only at 1, and empty only at 0.

    Args:
        ratio: Between 0 and 1.
        width: Columns of the whole bar.
    """
    try:
        "".join(_BLOCKS).encode(sys.stdout.encoding or "ascii")
        full, empty = _BLOCKS
    except (UnicodeEncodeError, LookupError):
        full, empty = _ASCII_BLOCKS
    filled = round(ratio * width)
    if 0 < ratio < 1:
        filled = min(max(filled, 1), width - 1)
    return full * filled + empty * (width - filled)


def format_bytes(size: int | None) -> str:
    """Return a number of bytes as text: "93.2 MB"; "?" if it is unknown."""
    if size is None:
        return "?"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} B"


def format_download(size: int | None, at_most: int | None) -> str:
    """Return the size of a download as text: "none", "862.2 MB", "< 1.2 GB", "?"."""
    if size == 0:
        return "none"
    return f"< {format_bytes(at_most)}" if size is None and at_most is not None else format_bytes(size)


def format_disk(size: int | None, *, measured: bool) -> str:
    """Return the size of a store as text, with "~" before an estimate."""
    return f"{'' if measured or size is None else '~ '}{format_bytes(size)}"
