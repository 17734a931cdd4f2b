"""word2vec text and fastText ``.vec``: a header ``<rows> <dim>``, then lines as in GloVe text.

word2vec and fastText themselves write a blank at the end of each line, gensim and others do not; both are
read. Only single blanks separate, so words that are or hold other white space stay whole.
"""

from collections.abc import Iterator
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.errors import UnexpectedEndError
from embedhub.formats._header import LONGEST_HEADER, promised_rows
from embedhub.formats._rows import read_lines
from embedhub.vectors.blocks import Block


def read(path: Path, dim: int) -> Iterator[Block]:
    r"""Read word2vec text or fastText ``.vec``, plain or compressed (gzip, bzip2, xz, zip).

    Example:
        >>> from embedhub.formats import word2vec_text
        >>> _ = Path("tiny.txt").write_text("1 2\nrain 0.5 1\n")
        >>> [(words, rows.tolist()) for words, rows in word2vec_text.read(Path("tiny.txt"), 2)]
        [(['rain'], [[0.5, 1.0]])]

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        dim: Numbers per line.

    Yields:
        ``(k,)`` words and ``(k, dim)`` float32 rows, in the order of the file.

    Raises:
        FormatError: A line is malformed, or the header promises another dim.
        UnexpectedEndError: After the last row: there are fewer or more than the header promises.
    """
    with open_bytes(path) as file:
        promised = promised_rows(file.readline(LONGEST_HEADER), path, dim)
        found = 0
        for words, rows in read_lines(file, path, dim, before=1, trailing_blank=True):
            found += len(words)
            yield words, rows
    if found != promised:
        hint = " It may be cut off." if found < promised else ""
        raise UnexpectedEndError(f"{path}: the header promises {promised} rows, the file has {found}.{hint}")
