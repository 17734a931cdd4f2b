"""word2vec binary: a header ``<rows> <dim>``, then for each row the word, a blank and ``dim`` float32.

The original word2vec writes a newline behind each row, gensim does not; both are read. Words are bytes, which
need not be UTF-8 (https://code.google.com/archive/p/word2vec/).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from embedhub._compression import open_bytes
from embedhub.errors import FormatError, UnexpectedEndError
from embedhub.formats._byte_stream import LONGEST_WORD, ByteStream
from embedhub.formats._header import LONGEST_HEADER, promised_rows
from embedhub.vectors.blocks import Block

_BLOCK = 1 << 20


def read(path: Path, dim: int) -> Iterator[Block]:
    """Read word2vec binary, plain or compressed (gzip, bzip2, xz, zip).

    Example:
        >>> from embedhub import RemoteFile
        >>> file = RemoteFile(
        ...     url="https://example.org/vectors.bin", format="word2vec-binary"
        ... )

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        dim: Numbers per row.

    Yields:
        ``(k,)`` words and ``(k, dim)`` float32 rows, in the order of the file.

    Raises:
        FormatError: With path and byte: a word does not end, or the header promises another dim.
        UnexpectedEndError: After the last row: the file ends in the middle of the rows that the header
            promises, or goes on behind them.
    """
    width = 4 * dim
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        header = stream.until(b"\n", LONGEST_HEADER)
        promised = promised_rows(stream.read(LONGEST_HEADER) if header is None else header, path, dim)
        found = 0
        cut = False
        while found < promised and not cut:
            words: list[str] = []
            rows: list[bytes] = []
            for _ in range(min(promised - found, _BLOCK // width + 1)):
                start = stream.at
                word = stream.until(b" ")
                if word is None:
                    _check_end(stream)
                row = stream.read(width)
                if word is None or len(row) < width:
                    cut = True
                    break
                words.append(word.removeprefix(b"\n").decode("utf-8", "surrogateescape"))
                rows.append(row)
            found += len(words)
            if words:
                yield words, np.frombuffer(b"".join(rows), "<f4").reshape(-1, dim).astype(np.float32)
        if not found:
            raise FormatError(f"{path}: no vectors in this file; expected {promised} rows of dim {dim}.")
        if cut:
            raise UnexpectedEndError(
                f"{path}: byte {start}: the file ends inside row {found + 1} of the {promised} that the "
                "header promises. It may be cut off."
            )
        at = stream.at
        if stream.read(2) not in {b"", b"\n"}:
            raise UnexpectedEndError(
                f"{path}: byte {at}: the file goes on behind the {promised} rows that the header promises."
            )


def _check_end(stream: ByteStream) -> None:
    """Raise FormatError unless what is left is shorter than a word may be."""
    start = stream.at
    rest = stream.read(LONGEST_WORD + 1)
    if len(rest) > LONGEST_WORD:
        raise stream.error(f"expected a word and a blank, found {rest[:40]!r}...", start)
