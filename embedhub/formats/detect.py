"""Detection of the format of a file from its content, never from its name."""

import codecs
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mode
from typing import NamedTuple

from embedhub._compression import open_bytes
from embedhub._warn import warn
from embedhub.errors import FormatError, FormatWarning
from embedhub.formats import fasttext, get_format, npz, static_embeddings, word2vec
from embedhub.formats._byte_stream import ByteStream
from embedhub.formats._layout import count_numbers, find_layout, first_lines
from embedhub.formats._rows import MAX_DIM
from embedhub.formats.foreign import foreign_error, recognize
from embedhub.vectors.blocks import Format

_SNIFF_BYTES = 1 << 20
_LENGTH_BYTES = 8  # of the header of safetensors, a JSON object, which follows
_DIGITS = frozenset(b"0123456789+-.eE infaINFA\t,;")


class DetectedFormat(NamedTuple):
    """The format of a file.

    Args:
        format: The format.
        dim: Dimension of the vectors.
        companions: Paths of other files that the reader needs.
    """

    format: Format
    dim: int
    companions: tuple[Path, ...] = ()


def detect(
    path: Path, others: Callable[[], Iterable[Format]] | None = None, *, advice: str = ""
) -> DetectedFormat:
    r"""Detect the format and the dimension of a file of vectors from its first bytes.

    The formats are GloVe text, word2vec text and fastText ``.vec``, word2vec binary, fastText ``.bin``, and
    static token embeddings in safetensors, each also compressed (gzip, bzip2, xz) or in an archive (zip,
    tar); and an ``.npz`` of `embedhub.export`. Formats of plugins are tried after formats with a signature,
    and before plain lines of words and numbers.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "mine.txt")
        ...     _ = path.write_bytes(b"the 0.1 0.2 0.3\n")
        ...     found = detect(path)
        >>> found.format.name, found.dim
        ('glove', 3)

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        others: Function that returns the formats of plugins; None to ignore them.
        advice: Advice for a file in none of the formats.

    Raises:
        FormatError: The file is in none of these formats, or the formats of two plugins recognize it.

    Warns:
        FormatWarning: A plugin's format recognizes a file that can also be read as plain lines of words and
            numbers.
    """
    if npz.is_npz(path):
        return DetectedFormat(get_format("npz"), npz.read_dim(path))
    with open_bytes(path) as file:
        start = ByteStream(file, path).read(_SNIFF_BYTES).removeprefix(codecs.BOM_UTF8)
    if start.startswith(fasttext.MAGIC):
        return DetectedFormat(get_format("fasttext"), fasttext.read_dim(path))
    if start[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{" and not start[_LENGTH_BYTES - 1]:
        dim, companions = static_embeddings.read_dim_and_companions(path)
        return DetectedFormat(get_format("static-embeddings"), dim, companions)
    first, newline, remaining = start.partition(b"\n")
    header = word2vec.parse_header(first) if newline and len(first) < word2vec.MAX_HEADER_BYTES else None
    if header:
        return _with_header(*header, remaining, path)
    claimed = _claimed(start, path, others() if others else ())
    if claimed:
        return claimed
    foreign = recognize(start)
    if foreign:
        raise foreign_error(path, foreign, advice)
    dim = _dim_of_lines(start, path)
    if not 0 < dim <= MAX_DIM:
        sent = recognize(start, sent=True)
        if sent:
            raise foreign_error(path, sent, advice)
        raise FormatError(
            f"{path}: expected vectors as GloVe text, word2vec text or binary, fastText .vec or .bin, or "
            f"token vectors in safetensors{', or in a format of a plugin' if others else ''}; got "
            f"{start[:40]!r}.{advice and ' '}{advice}"
        )
    return DetectedFormat(get_format("glove"), dim)


def _with_header(count: int, dim: int, remaining: bytes, path: Path) -> DetectedFormat:
    """Return the format of a file with a header: word2vec text or binary."""
    exchanged = f"If the dimension comes first, write the header as '{dim} {count}'."
    if not 0 < dim <= MAX_DIM:
        hint = f" {exchanged}" if 0 < count <= MAX_DIM else ""
        raise FormatError(
            f"{path}: line 1: the header declares dimension {dim}; expected 1 to {MAX_DIM}.{hint}"
        )
    if not _is_text(remaining, dim):
        return DetectedFormat(get_format("word2vec-binary"), dim)
    actual = find_layout(first_lines(remaining), f"{path}: line 2").dim
    if actual == count != dim:
        raise FormatError(
            f"{path}: line 1: the header declares {count} words of dimension {dim}, but the next line has "
            f"{actual} numbers. {exchanged}"
        )
    return DetectedFormat(get_format("word2vec-text"), dim)


def _claimed(start: bytes, path: Path, formats: Iterable[Format]) -> DetectedFormat | None:
    """Return the one format of a plugin that recognizes a file; None if none does."""
    asked = ((other, other.detect(start, path)) for other in formats if other.detect)
    claims = [(other, detected) for other, detected in asked if detected is not None]
    if len(claims) > 1:
        raise FormatError(
            f"{path}: {' and '.join(_describe(other) for other, _ in claims)} recognize this file, and only "
            "one can read it. Name the plugins of the others in EMBEDHUB_DISABLE_PLUGINS."
        )
    if not claims:
        return None
    (other, detected), dims = claims[0], _dims_of_lines(start)
    if dims and 0 < min(dims) <= MAX_DIM:
        warn(
            f"{path}: {_describe(other)} recognizes this file and reads it, but its lines can be read as "
            f"GloVe text of dim {mode(dims)} too. If they are that, name the plugin in "
            "EMBEDHUB_DISABLE_PLUGINS.",
            FormatWarning,
        )
    return DetectedFormat(other, *detected)


def _describe(format: Format) -> str:  # noqa: A002 - what it is
    provider = getattr(format.detect, "provider", None)
    return f"the format {format.name!r}{f' of the plugin {provider}' if provider else ''}"


def _is_text(data: bytes, dim: int) -> bool:
    """Return whether the first line after a header ends with at least ``dim`` characters of numbers."""
    line = data.partition(b"\n")[0].rstrip(b" \r")
    return len(line) > dim and _DIGITS.issuperset(line[-dim:])


def _dim_of_lines(start: bytes, path: Path) -> int:
    """Return the most common number of numbers at the end of the first lines; 0 if these are not vectors."""
    layout = find_layout(first_lines(start), f"{path}: line 1")
    # Most, not all: a word may itself be numbers, and the reader reports a malformed line.
    return layout.dim if layout.split else mode(_dims_of_lines(start) or [0])


def _dims_of_lines(start: bytes) -> list[int]:
    """Return how many numbers end each of the first lines, except for a header of one number."""
    if len(start) == _SNIFF_BYTES and b"\n" not in start:
        return []
    lines = [line.removesuffix(b" ") for line in first_lines(start)]
    return [count_numbers(line) for line in lines[lines[0].isdigit() and len(lines) > 1 :]]
