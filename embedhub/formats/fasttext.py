"""fastText ``.bin`` models of versions 11 and 12, with their subword n-grams.

The format is that of fastText's ``FastText::saveModel`` (https://github.com/facebookresearch/fastText). A
word's vector is the mean of its own row of the input matrix and of the rows of its n-grams, which is what
``get_word_vector`` gives. The output matrix, which only training needs, is not looked at.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from embedhub._compression import open_bytes
from embedhub.formats._byte_stream import LONGEST_WORD, ByteStream
from embedhub.formats._header import WIDEST
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.subwords import FILE, Subwords

MAGIC = struct.pack("<i", 793712314)
_VERSIONS = (11, 12)
_SUPERVISED = 3
_LONGEST_NGRAM = 100
_BLOCK = 4096


class _Model(NamedTuple):
    """What the head of a model says, as far as its vectors need it."""

    dim: int
    buckets: int
    shortest: int
    longest: int


def read(path: Path, dim: int) -> Iterator[Block | ExtraFile]:
    """Read a fastText model, plain or compressed (gzip, bzip2, xz, zip).

    A compressed model is unpacked to a nameless file in the cache while it is read.

    Example:
        >>> from embedhub import RemoteFile
        >>> file = RemoteFile(
        ...     url="https://example.org/model.bin", format="fasttext"
        ... )

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.
        dim: Width of a row.

    Yields:
        ``(k,)`` words and ``(k, dim)`` float32 rows, most frequent first; after them, unless the model has no
        n-grams, their table for `embedhub.Vectors.subwords`.

    Raises:
        FormatError: With path and byte: this is no such model, it is quantised or supervised, of another dim,
            or cut off.
    """
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        model = _head(stream)
        if model.dim != dim:
            raise stream.error(f"the model has dim {model.dim}; expected {dim}.", 8)
        words, has_ngrams = _dictionary(stream)
        at = stream.at
        quantised, rows, width = struct.unpack("<?2q", stream.take(17, "the matrix's shape"))
        if quantised:
            raise stream.error(
                "the model is quantised (.ftz), which is not supported. Use the .bin that it was made from.",
                at,
            )
        if (rows, width) != (len(words) + model.buckets, dim):
            raise stream.error(
                f"the matrix is {rows} x {width}; expected {len(words)} words and {model.buckets} buckets, "
                f"so {len(words) + model.buckets} x {dim}.",
                at + 1,
            )
        at = stream.at
        table = stream.map(4 * rows * dim, "the matrix").view("<f4").reshape(rows, dim)
    for start in range(0, rows, _BLOCK):
        if not np.isfinite(table[start : start + _BLOCK]).all():
            raise stream.error(f"rows {start} to {start + _BLOCK} hold a number that is not finite.", at)
    own, ngrams = table[: len(words)], table[len(words) :]
    if not has_ngrams or model.longest < model.shortest:
        ngrams = ngrams[:0]
    subwords = Subwords(ngrams, shortest=model.shortest, longest=model.longest if len(ngrams) else 0)
    for start in range(0, len(words), _BLOCK):
        some = words[start : start + _BLOCK]
        with np.errstate(over="ignore", invalid="ignore"):  # the store refuses infinity, naming the word
            vectors = subwords.average(some, own[start : start + _BLOCK])
        yield [word.decode("utf-8", "surrogateescape") for word in some], vectors
    if len(ngrams):
        facts = {"buckets": model.buckets, "shortest": model.shortest, "longest": model.longest}
        yield ExtraFile(FILE, ngrams, facts)


def dim_of(path: Path) -> int:
    """Return the dim that the head of a model says.

    Raises:
        FormatError: This is no model of fastText, or one that is not supported.
    """
    with open_bytes(path) as file:
        return _head(ByteStream(file, path)).dim


def _head(stream: ByteStream) -> _Model:
    """Read the magic number, the version and the arguments of the training."""
    magic = stream.read(4)
    if magic != MAGIC:
        raise stream.error(
            f"expected fastText's magic number {MAGIC.hex()}, found {magic.hex() or 'nothing'}. The earliest "
            "models have none; load such a one with the fastText of its time and save it anew.",
            0,
        )
    (version,) = struct.unpack("<i", stream.take(4, "the version"))
    if version not in _VERSIONS:
        raise stream.error(f"the model has version {version}; expected one of 11 and 12.", 4)
    dim, _, _, _, _, _, _, kind, buckets, shortest, longest, _ = struct.unpack(
        "<12i8x", stream.take(56, "the arguments")
    )
    if kind == _SUPERVISED:
        raise stream.error(
            "the model is a supervised classifier, which is not supported: its vectors are no word vectors "
            "of their own. Use a cbow or skipgram model.",
            36,
        )
    if not 0 < dim <= WIDEST:
        raise stream.error(f"the model has dim {dim}; expected 1 to {WIDEST}.", 8)
    if buckets < 0 or longest > _LONGEST_NGRAM or (buckets == 0 and longest > 0):
        raise stream.error(
            f"the model has n-grams of {shortest} to {longest} characters in {buckets} buckets; expected at "
            f"most {_LONGEST_NGRAM} characters, and a bucket.",
            40,
        )
    return _Model(dim, buckets, max(shortest, 1), longest)


def _dictionary(stream: ByteStream) -> tuple[list[bytes], bool]:
    """Read the words, most frequent first, and whether their n-grams are used."""
    at = stream.at
    size, count, labels, _, pruned = struct.unpack("<3i2q", stream.take(28, "the dictionary's head"))
    if count < 1 or labels < 0 or size != count + labels:
        raise stream.error(
            f"the dictionary has {size} entries, {count} words and {labels} labels; expected words and "
            "labels to make up the entries.",
            at,
        )
    if pruned > 0:
        raise stream.error("the n-grams are pruned, as in quantised models (.ftz): not supported.", at + 20)
    words = []
    for number in range(size):
        at = stream.at
        word = stream.until(b"\0")
        # Some models hold a label or two, where a word of the corpus looked like one; they come last.
        if word is None or stream.take(9, "a word's count and kind")[8] != (number >= count):
            raise stream.error(
                f"expected entry {number + 1} of {size} of the dictionary: a word or label of at "
                f"most {LONGEST_WORD} bytes, a zero byte, a count, a kind.",
                at,
            )
        if number < count:
            words.append(word)
    return words, pruned != 0
