"""word2vec text and binary, and fastText ``.vec``: a header ``<words> <dim>``, then words and vectors.

In the text format, word2vec and fastText write a space at the end of each line, gensim and others do not; in
the binary format, word2vec writes a newline after each vector, gensim does not. Both variants are read, also
with several newlines, and gensim's are written. Words are bytes, which need not be UTF-8 (https://code.google.com/archive/p/word2vec/).
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from embedhub._compression import open_bytes
from embedhub._progress import Advance
from embedhub.errors import FormatError, UnexpectedEndError
from embedhub.formats._byte_stream import MAX_WORD_BYTES, ByteStream
from embedhub.formats._rows import MAX_DIM, read_vectors
from embedhub.formats.selection import Selection, format_rows
from embedhub.vectors.blocks import Block
from embedhub.vectors.vocabulary import encode, encode_all

MAX_HEADER_BYTES = 100
_BLOCK = 1 << 20


def read_text(path: Path, dim: int) -> Iterator[Block]:
    r"""Yield the blocks of word2vec text or fastText ``.vec``, plain or compressed (gzip, bzip2, xz, zip).

    Unless the first lines have tabs or runs of spaces, only single spaces are separators, so words may
    contain other white space.

    Example:
        >>> from embedhub.formats import word2vec
        >>> _ = Path("tiny.txt").write_text("1 2\nrain 0.5 1\n")
        >>> [(words, vectors.tolist()) for words, vectors in word2vec.read_text(Path("tiny.txt"), 2)]
        [(['rain'], [[0.5, 1.0]])]

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        dim: Dimension of the vectors.

    Raises:
        FormatError: A line is malformed, or the header declares another dimension.
        UnexpectedEndError: After the last vector, if the header declares more or fewer vectors.
    """
    with open_bytes(path) as file:
        declared = _declared_count(file.readline(MAX_HEADER_BYTES), path, dim)
        count = 0
        for words, vectors in read_vectors(file, path, dim, line_offset=1, trailing_space=True):
            count += len(words)
            yield Block(words, vectors)
    if count != declared:
        hint = " It may be truncated." if count < declared else ""
        raise UnexpectedEndError(
            f"{path}: the header declares {declared} vectors, but the file has {count}.{hint}"
        )


def read_binary(path: Path, dim: int) -> Iterator[Block]:
    r"""Yield the blocks of word2vec binary, plain or compressed (gzip, bzip2, xz, zip).

    Example:
        >>> from embedhub.formats import word2vec
        >>> numbers = np.array([0.5, 1], "<f4")
        >>> _ = Path("tiny.bin").write_bytes(b"1 2\nrain " + numbers.tobytes())
        >>> [(words, vectors.tolist()) for words, vectors in word2vec.read_binary(Path("tiny.bin"), 2)]
        [(['rain'], [[0.5, 1.0]])]

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        dim: Dimension of the vectors.

    Raises:
        FormatError: A word is not terminated, or the header declares another dimension.
        UnexpectedEndError: After the last vector, if the header declares more vectors, or the file continues.
    """
    size = 4 * dim
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        header = stream.read_until(b"\n", MAX_HEADER_BYTES)
        declared = _declared_count(stream.read(MAX_HEADER_BYTES) if header is None else header, path, dim)
        count = 0
        truncated = False
        while count < declared and not truncated:
            words: list[str] = []
            chunks: list[bytes] = []
            for _ in range(min(declared - count, _BLOCK // size + 1)):
                start = stream.offset
                word = stream.read_until(b" ")
                if word is None:
                    _check_end(stream)
                chunk = stream.read(size)
                if word is None or len(chunk) < size:
                    truncated = True
                    break
                words.append(word.lstrip(b"\n").decode("utf-8", "surrogateescape"))
                chunks.append(chunk)
            count += len(words)
            if words:
                vectors = np.frombuffer(b"".join(chunks), "<f4").reshape(-1, dim)
                yield Block(words, vectors.astype(np.float32))
        if not count:
            raise FormatError(
                f"{path}: the file contains no vectors; expected {declared} of dimension {dim}."
            )
        if truncated:
            raise UnexpectedEndError(
                f"{path}: byte {start}: the file ends inside vector {count + 1} of the {declared} that the "
                "header declares. It may be truncated."
            )
        end = stream.offset
        if stream.read(MAX_HEADER_BYTES).strip(b"\n"):
            raise UnexpectedEndError(
                f"{path}: byte {end}: the file continues after the {declared} vectors that the header "
                "declares."
            )


def parse_header(line: bytes) -> tuple[int, int] | None:
    """Return the number of vectors and the dimension that a line declares, None if it is not a header."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):  # noqa: PLR2004 - "<words> <dim>"
        return None
    return int(fields[0]), int(fields[1])


def invalid_reason(word: str) -> str | None:
    """Return why a word cannot be written to these formats; None if it can."""
    if not word:
        return "is empty, which no reader of word2vec formats expects"
    if " " in word or "\n" in word:
        return "contains a space or a newline, which end a word in word2vec formats"
    return None


def invalid_text_reason(word: str) -> str | None:
    """Return why a word cannot be written to the text format; None if it can."""
    return (
        "contains a tab, which some readers take for the end of a word"
        if "\t" in word
        else invalid_reason(word)
    )


def write_text(path: Path, selection: Selection, advance: Advance) -> None:
    """Write a line for each word: the word, and the fewest digits for each number."""
    with path.open("wb") as file:
        file.write(b"%d %d\n" % selection.shape)
        for words, vectors in selection.blocks():
            lines = zip(encode_all(words), format_rows(vectors, b" "), strict=True)
            file.write(b"".join([b"%b %b\n" % line for line in lines]))
            advance(len(words))


def write_binary(path: Path, selection: Selection, advance: Advance) -> None:
    """Write for each word the word, a space, and its vector as little-endian float32."""
    with path.open("wb") as file:
        file.write(b"%d %d\n" % selection.shape)
        for words, vectors in selection.blocks():
            pairs = zip(words, vectors, strict=True)
            file.write(b"".join([encode(word) + b" " + vector.tobytes() for word, vector in pairs]))
            advance(len(words))


def _declared_count(line: bytes, path: Path, dim: int) -> int:
    """Return the number of vectors that a header declares.

    Raises:
        FormatError: The line is not a header, or it declares another dimension.
    """
    header = parse_header(line.removeprefix(codecs.BOM_UTF8))
    if header is None:
        raise FormatError(f"{path}: line 1: expected a header '<words> <dim>', got {line!r}.")
    declared, width = header
    if width != dim or width > MAX_DIM:
        raise FormatError(f"{path}: line 1: the header declares dimension {width}; expected {dim}.")
    return declared


def _check_end(stream: ByteStream) -> None:
    """Raise FormatError unless the remaining bytes are fewer than a word may have."""
    start = stream.offset
    remaining = stream.read(MAX_WORD_BYTES + 1)
    if len(remaining) > MAX_WORD_BYTES:
        raise stream.error(f"expected a word and a space, got {remaining[:40]!r}...", start)
