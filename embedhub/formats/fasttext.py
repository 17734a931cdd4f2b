"""fastText ``.bin`` models of versions 11 and 12, with the vectors of their character n-grams.

The format is that of fastText's ``FastText::saveModel`` (https://github.com/facebookresearch/fastText). The
vector of a word is the mean of its own vector and those of its n-grams, as ``get_word_vector`` returns it.
The output matrix, which only training needs, is not read.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from embedhub._compression import open_bytes
from embedhub.formats._byte_stream import MAX_WORD_BYTES, ByteStream
from embedhub.formats._rows import MAX_DIM
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.subwords import FILE, Subwords

MAGIC = struct.pack("<i", 793712314)
_VERSIONS = (11, 12)
_SUPERVISED = 3
_MAX_NGRAM = 100  # characters
_BLOCK = 4096  # vectors


class _Header(NamedTuple):
    """Training arguments that determine the vectors."""

    dim: int
    buckets: int
    min_n: int
    max_n: int


def read(path: Path, dim: int) -> Iterator[Block | ExtraFile]:
    """Read a fastText model, plain or compressed (gzip, bzip2, xz, zip).

    A compressed model is decompressed to an unnamed file in the cache while it is read.

    Example:
        >>> from embedhub.formats import fasttext
        >>> blocks = fasttext.read(Path("cc.en.300.bin"), 300)

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        dim: Dimension of the vectors.

    Yields:
        Words, and their vectors as ``(k, dim)`` float32, most frequent first; then, if the model has n-grams,
        the table of their vectors for `embedhub.Vectors.composer`.

    Raises:
        FormatError: The file is not a fastText model, is quantized, supervised or truncated, or has another
            dimension.
    """
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        header = _read_header(stream)
        if header.dim != dim:
            raise stream.error(f"the model has dimension {header.dim}; expected {dim}.", 8)
        words, has_ngrams = _read_dictionary(stream)
        offset = stream.offset
        quantized, rows, width = struct.unpack("<?2q", stream.read_exactly(17, "the matrix's shape"))
        if quantized:
            raise stream.error(
                "the model is quantized (.ftz), which is not supported. Use the .bin that it was made from.",
                offset,
            )
        if (rows, width) != (len(words) + header.buckets, dim):
            raise stream.error(
                f"the matrix is {rows} x {width}; expected {len(words)} words and {header.buckets} buckets, "
                f"so {len(words) + header.buckets} x {dim}.",
                offset + 1,
            )
        offset = stream.offset
        matrix = stream.memory_map(4 * rows * dim, "the matrix").view("<f4").reshape(rows, dim)
    for start in range(0, rows, _BLOCK):
        if not np.isfinite(matrix[start : start + _BLOCK]).all():
            raise stream.error(
                f"rows {start} to {start + _BLOCK} of the matrix have a number that is not finite.", offset
            )
    word_vectors, ngram_vectors = matrix[: len(words)], matrix[len(words) :]
    if not has_ngrams or header.max_n < header.min_n:
        ngram_vectors = ngram_vectors[:0]
    subwords = Subwords(ngram_vectors, min_n=header.min_n, max_n=header.max_n if len(ngram_vectors) else 0)
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK]
        with np.errstate(over="ignore", invalid="ignore"):  # the store rejects infinity, and names the word
            vectors = subwords.average(block, word_vectors[start : start + _BLOCK])
        yield Block([word.decode("utf-8", "surrogateescape") for word in block], vectors)
    if len(ngram_vectors):
        metadata = {"buckets": header.buckets, "min_n": header.min_n, "max_n": header.max_n}
        yield ExtraFile(FILE, ngram_vectors, metadata)


def read_dim(path: Path) -> int:
    """Return the dimension of a model.

    Raises:
        FormatError: The file is not a fastText model, or not of a supported kind.
    """
    with open_bytes(path) as file:
        return _read_header(ByteStream(file, path)).dim


def _read_header(stream: ByteStream) -> _Header:
    """Read the magic number, the version and the arguments of the training."""
    magic = stream.read(4)
    if magic != MAGIC:
        raise stream.error(
            f"expected fastText's magic number {MAGIC.hex()}, got {magic.hex() or 'nothing'}.", 0
        )
    (version,) = struct.unpack("<i", stream.read_exactly(4, "the version"))
    if version not in _VERSIONS:
        raise stream.error(f"the model has version {version}; expected 11 or 12.", 4)
    dim, _, _, _, _, _, _, kind, buckets, min_n, max_n, _ = struct.unpack(
        "<12i8x", stream.read_exactly(56, "the arguments")
    )
    if kind == _SUPERVISED:
        raise stream.error(
            "the model is a supervised classifier, which is not supported, since it has no word vectors of "
            "general use. Use a cbow or skipgram model.",
            36,
        )
    if not 0 < dim <= MAX_DIM:
        raise stream.error(f"the model has dimension {dim}; expected 1 to {MAX_DIM}.", 8)
    if buckets < 0 or max_n > _MAX_NGRAM or (buckets == 0 and max_n > 0):
        raise stream.error(
            f"the model has n-grams of {min_n} to {max_n} characters in {buckets} buckets; expected at most "
            f"{_MAX_NGRAM} characters, and at least one bucket.",
            40,
        )
    return _Header(dim, buckets, max(min_n, 1), max_n)


def _read_dictionary(stream: ByteStream) -> tuple[list[bytes], bool]:
    """Read the words, most frequent first, and whether the model uses their n-grams."""
    offset = stream.offset
    size, count, labels, _, pruned = struct.unpack(
        "<3i2q", stream.read_exactly(28, "the dictionary's header")
    )
    if count < 1 or labels < 0 or size != count + labels:
        raise stream.error(
            f"the dictionary has {size} entries, {count} words and {labels} labels; expected as many entries "
            "as words and labels.",
            offset,
        )
    if pruned > 0:
        raise stream.error(
            "the n-grams are pruned, as in quantized models (.ftz), which is not supported.", offset + 20
        )
    words = []
    for number in range(size):
        offset = stream.offset
        word = stream.read_until(b"\0")
        # Some models have a few labels, from words of the corpus that look like one; they come last.
        if word is None or stream.read_exactly(9, "a word's count and kind")[8] != (number >= count):
            raise stream.error(
                f"expected entry {number + 1} of {size} of the dictionary: a word or label of at most "
                f"{MAX_WORD_BYTES} bytes, a null byte, a count and a kind.",
                offset,
            )
        if number < count:
            words.append(word)
    return words, pruned != 0
