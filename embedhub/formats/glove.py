"""GloVe text: one line per word with its ``dim`` numbers, without a header.

A byte-order mark is skipped; tabs, runs of spaces, and a space at the end of each line are accepted.

See https://nlp.stanford.edu/projects/glove/.
"""

from collections.abc import Iterator
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.formats._rows import read_vectors
from embedhub.vectors.blocks import Block


def read(path: Path, dim: int) -> Iterator[Block]:
    r"""Read GloVe text, plain or compressed (gzip, bzip2, xz, zip).

    Example:
        >>> from embedhub.formats import glove
        >>> _ = Path("tiny.txt").write_text("rain 0.5 1\n")
        >>> [(words, vectors.tolist()) for words, vectors in glove.read(Path("tiny.txt"), 2)]
        [(['rain'], [[0.5, 1.0]])]

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        dim: Dimension of the vectors.

    Yields:
        Words, and their vectors as ``(k, dim)`` float32, in the order of the file.

    Raises:
        FormatError: A line is malformed, or the file is empty.
        UnexpectedEndError: After the last vector, if the last line lacks a newline.
    """
    with open_bytes(path) as file:
        yield from read_vectors(file, path, dim)
