"""Tables as HTML for notebooks, in the colors and the font of their surroundings, light or dark."""

from collections.abc import Collection, Iterable, Sequence
from html import escape

_MAX_SHOWN = 200  # characters of a cell
# Some notebooks gray out captions, which is hard to read on one of the two backgrounds, and wrap them at the
# width of the table.
_CAPTION = "caption-side: top; text-align: left; color: inherit; white-space: nowrap"


def html_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right_aligned: Collection[str] = (),
) -> str:
    """Return a table.

    Args:
        title: The text above it.
        columns: The header of each column.
        rows: The cells of each row.
        right_aligned: Columns of numbers.
    """
    aligned = [f' style="text-align: {"right" if name in right_aligned else "left"}"' for name in columns]
    lines = [
        "<table>",
        f'<caption style="{_CAPTION}">{_printable(title)}</caption>',
        _row("th", columns, aligned),
        *(_row("td", row, aligned) for row in rows),
        "</table>",
    ]
    return "\n".join(lines)


def _row(tag: str, cells: Sequence[object], styles: Sequence[str]) -> str:
    shown = "".join(
        f"<{tag}{style}>{_text(str(cell))}</{tag}>" for cell, style in zip(cells, styles, strict=True)
    )
    return f"<tr>{shown}</tr>"


def _text(text: str) -> str:
    """Return the characters of a cell, which may be the first ones only."""
    return _printable(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}...")


def _printable(text: str) -> str:
    """Return a text as HTML; characters that are unprintable, or no UTF-8, are escaped."""
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
