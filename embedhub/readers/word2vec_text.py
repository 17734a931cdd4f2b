"""word2vec text as gensim writes it: a header ``<rows> <dim>``, then lines as in GloVe text.

A line with a blank at its end, as the original word2vec program writes it, is refused so far.
"""

from collections.abc import Iterator
from pathlib import Path

from embedhub.errors import FormatError
from embedhub.files import Block
from embedhub.readers._open import open_bytes
from embedhub.readers._text import read_lines

_LONGEST_HEADER = 100


def read(path: Path, dim: int) -> Iterator[Block]:
    """Read word2vec text, plain or in gzip.

    Args:
        path: The file.
        dim: Numbers per line.

    Yields:
        ``(k,)`` words and ``(k, dim)`` float32 rows, in the order of the file.

    Raises:
        FormatError: A line is malformed, or the header promises another dim or number of rows.
    """
    with open_bytes(path) as file:
        header = file.readline(_LONGEST_HEADER)
        fields = header.split()
        if len(fields) != 2 or not all(field.isdigit() for field in fields):  # noqa: PLR2004 - "<rows> <dim>"
            raise FormatError(f"{path}: line 1: expected a header '<rows> <dim>', found {header!r}.")
        promised, width = map(int, fields)
        if width != dim:
            raise FormatError(f"{path}: line 1: the header says dim {width}; expected {dim}.")
        found = 0
        for words, rows in read_lines(file, path, dim, before=1):
            found += len(words)
            yield words, rows
    if found != promised:
        raise FormatError(
            f"{path}: the header promises {promised} rows, the file has {found}. It may be cut off."
        )
