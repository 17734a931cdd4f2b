"""Tells the format of a file by its bytes, never by its name."""

from itertools import takewhile
from pathlib import Path
from statistics import mode
from typing import BinaryIO, NamedTuple

from embedhub._compression import open_bytes
from embedhub._sniff import sniff
from embedhub.errors import FormatError
from embedhub.formats import fasttext as fasttext_bin
from embedhub.formats import glove, word2vec_binary, word2vec_text
from embedhub.formats import static_embeddings as static
from embedhub.formats._header import LONGEST_HEADER, WIDEST, parse
from embedhub.formats._rows import is_number
from embedhub.vectors.blocks import Reader

_LOOK = 1 << 20
_LINES = 10
_HEADER_LENGTH = 8  # of safetensors: then comes the brace of a JSON object
_TEXT = frozenset(b"0123456789+-.eE infaINFA")


class Format(NamedTuple):
    """How to read a file.

    Args:
        reader: Reads its bytes.
        dim: Width of its rows.
        companions: Files in the same folder that the reader reads too.
    """

    reader: Reader
    dim: int
    companions: tuple[Path, ...] = ()


def detect(path: Path) -> Format:
    r"""Find out the format and the dim of a file of vectors by looking at its first bytes.

    It may be compressed (gzip, bzip2, xz, zip). Known are GloVe text, word2vec text and fastText ``.vec``,
    word2vec binary, fastText ``.bin``, and static token embeddings in safetensors.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "mine.txt")
        ...     _ = path.write_bytes(b"the 0.1 0.2 0.3\n")
        ...     detect(path).dim
        3

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.

    Raises:
        FormatError: It is none of these.
    """
    with open_bytes(path) as file:
        start = _read(file, _LOOK)
    if start.startswith(fasttext_bin.MAGIC):
        return Format(fasttext_bin.read, fasttext_bin.dim_of(path))
    if start[_HEADER_LENGTH : _HEADER_LENGTH + 1] == b"{" and not start[_HEADER_LENGTH - 1]:
        return Format(static.read, static.dim_of(path), static.beside(path))
    first, newline, rest = start.partition(b"\n")
    header = parse(first) if newline and len(first) < LONGEST_HEADER else None
    if header:
        if not 0 < header[1] <= WIDEST:
            raise FormatError(f"{path}: line 1: the header says dim {header[1]}; expected 1 to {WIDEST}.")
        reader = word2vec_text.read if _is_text(rest, header[1]) else word2vec_binary.read
        return Format(reader, header[1])
    dim = _dim_of_lines(start)
    if not dim:
        raise FormatError(
            f"{path}: expected vectors as GloVe text, word2vec text or binary, fastText .vec or .bin, or "
            f"token vectors in safetensors; found {start[:40]!r}.{_hint(start)}"
        )
    return Format(glove.read, dim)


def _read(file: BinaryIO, count: int) -> bytes:
    """Return the first bytes; a decompressor may give fewer at a time than it is asked for."""
    parts = []
    while count > 0 and (chunk := file.read(count)):
        parts.append(chunk)
        count -= len(chunk)
    return b"".join(parts)


def _is_text(rows: bytes, dim: int) -> bool:
    """Tell whether the first row after a header ends in digits and the like, as many bytes as numbers."""
    row = rows.partition(b"\n")[0].rstrip(b" \r")
    return len(row) > dim and _TEXT.issuperset(row[-dim:])


def _dim_of_lines(start: bytes) -> int:
    """Return how many numbers most of the first lines end with; 0 where there are none."""
    *lines, cut = start.split(b"\n")
    if not lines and len(start) < _LOOK:
        lines = [cut]
    dims = []
    for line in lines[:_LINES]:
        _, *fields = line.removesuffix(b"\r").split(b" ")
        dims.append(sum(1 for _ in takewhile(is_number, reversed(fields))))
    # Most, not all: a word may be numbers itself, and a bad line is named by the reader.
    dim = mode(dims) if dims else 0
    return dim if dim <= WIDEST else 0


def _hint(start: bytes) -> str:
    seen = sniff(start)
    return f" This is {seen}." if seen else ""
