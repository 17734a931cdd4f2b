"""A reader of one entry of BibTeX, as strict as tests need it."""

import re
import unicodedata

REQUIRED = {
    "article": {"title", "journal", "year"},
    "book": {"title", "publisher", "year"},
    "inproceedings": {"title", "booktitle", "year"},
    "misc": {"title", "year"},
}
"""The fields that an entry of each type must have, beside ``author``, or ``editor`` of a book."""

_ACUTE = re.compile(r"\{\\'(\w)\}")


def parse(entry: str) -> tuple[str, str, dict[str, str]]:
    """Return type, key and fields of an entry, which must be the whole text.

    A value stands in braces. Those inside of it, which keep a part from being changed, are dropped; accents
    are written as letters.

    Raises:
        ValueError: This is not one entry.
    """
    head = re.match(r"@(\w+)\{([^\s{},]+),\n", entry)
    if head is None or not entry.endswith("\n}"):
        raise ValueError(f"not an entry of BibTeX: {entry!r}")
    fields = {}
    rest = entry[head.end() : -1]
    while rest:
        start = re.match(r"  (\w+) = (?=\{)", rest)
        if start is None or start[1] in fields:
            raise ValueError(f"not a field of BibTeX, or a second one of its name: {rest!r}")
        end = _end_of_braces(rest, start.end())
        if rest[end : end + 2] != ",\n":
            raise ValueError(f"no comma after the field {start[1]}: {rest!r}")
        fields[start[1]] = _plain(rest[start.end() + 1 : end - 1])
        rest = rest[end + 2 :]
    return head[1], head[2], fields


def _end_of_braces(text: str, start: int) -> int:
    """Return where the braces end that open at a place of a text."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    raise ValueError(f"these braces never end: {text[start:]!r}")


def _plain(value: str) -> str:
    """Return a value as it would be printed."""
    letters = _ACUTE.sub(
        lambda match: unicodedata.normalize("NFC", f"{match[1]}\N{COMBINING ACUTE ACCENT}"), value
    )
    return " ".join(re.sub("[{}]", "", letters).split())
