"""GloVe text: a word and ``dim`` numbers per line, no header (https://nlp.stanford.edu/projects/glove/)."""

from collections.abc import Iterator
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.formats._rows import read_lines
from embedhub.vectors.blocks import Block


def read(path: Path, dim: int) -> Iterator[Block]:
    r"""Read GloVe text, plain or in gzip.

    Example:
        >>> from embedhub.formats import glove
        >>> _ = Path("tiny.txt").write_text("rain 0.5 1\n")
        >>> [(words, rows.tolist()) for words, rows in glove.read(Path("tiny.txt"), 2)]
        [(['rain'], [[0.5, 1.0]])]

    Args:
        path: The file.
        dim: Numbers per line.

    Yields:
        ``(k,)`` words and ``(k, dim)`` float32 rows, in the order of the file.

    Raises:
        FormatError: With path and line, what was expected and what was found.
    """
    with open_bytes(path) as file:
        yield from read_lines(file, path, dim)
