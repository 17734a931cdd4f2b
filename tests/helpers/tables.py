"""Tables of notebooks, read back from their HTML."""

import re
from typing import Any
from xml.etree import ElementTree as ET


def read_html(shown: Any) -> tuple[str, list[list[str]]]:
    """Return the caption of what a notebook shows of an object, and the cells of each row, header first.

    The HTML is well-formed, moderate in size, and has no color of its own, so that it can be read in light
    and in dark notebooks; the object's repr is short.
    """
    text = shown._repr_html_()
    assert len(text) < 20_000
    assert len(repr(shown)) < 1000
    styles = set(re.findall(r'style="([^"]*)"', text))
    declarations = {part.strip() for style in styles for part in style.split(";")}
    assert declarations <= {
        "text-align: left",
        "text-align: right",
        "caption-side: top",
        "color: inherit",
        "white-space: nowrap",
    }
    table = ET.fromstring(text)  # noqa: S314 - our own
    return table.findtext("caption") or "", [
        ["".join(cell.itertext()) for cell in row] for row in table.iter("tr")
    ]
