"""Excerpts of vector files, as samples for the tests of a plugin."""

import json
import struct
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub._compression import open_bytes
from embedhub.cli._measure import Measured, measure
from embedhub.errors import FormatError
from embedhub.formats import fasttext, static_embeddings
from embedhub.formats.detect import DetectedFormat
from embedhub.vectors.vocabulary import encode

COUNT = 5
"""Number of vectors in an excerpt, at most."""


class Excerpt(NamedTuple):
    """Contents of a small file in the format of a large one.

    Args:
        suffix: Suffix for its name.
        content: Its bytes, uncompressed.
        companions: Contents of its companion files by name.
    """

    suffix: str
    content: bytes
    companions: dict[str, bytes]


def excerpt(path: Path, detected: DetectedFormat, measured: Measured) -> Excerpt:
    """Return a file with the first vectors of another file, bit for bit as its reader reads them.

    Args:
        path: The file.
        detected: Its format.
        measured: The measured content, with the first words and vectors.

    Raises:
        FormatError: No excerpt can be written in this format.
    """
    name = detected.format.name
    written = _WRITERS[name](path, detected, measured) if name in _WRITERS else None
    if written is None or not _is_faithful(written, detected, measured):
        raise FormatError(
            f"{path}: embedhub cannot write an excerpt of the format {name!r}, which the tests of a plugin "
            "need. Write the table alone with --toml; or run new-plugin without files, and give its tests a "
            "small file of your own."
        )
    return written


def _is_faithful(written: Excerpt, detected: DetectedFormat, measured: Measured) -> bool:
    """Return whether the reader finds the first words and vectors in an excerpt."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"sample{written.suffix}")
        path.write_bytes(written.content)
        others = [Path(folder, name) for name in written.companions]
        for other, content in zip(others, written.companions.values(), strict=True):
            other.write_bytes(content)
        try:
            blocks = detected.format.read(path, detected.dim, *others)
            found = measure(blocks, detected.dim, path.name, first=COUNT + 1)
        except FormatError:
            return False
    return (
        found.first_words == measured.first_words
        and found.first_vectors.tobytes() == measured.first_vectors.tobytes()
    )


def _lines(path: Path, count: int) -> bytes:
    with open_bytes(path) as file:
        lines = b"".join(islice(file, count))
    return lines if lines.endswith(b"\n") else lines + b"\n"


def _glove(path: Path, _: DetectedFormat, measured: Measured) -> Excerpt:
    return Excerpt(".txt", _lines(path, len(measured.first_words)), {})


def _word2vec_text(path: Path, detected: DetectedFormat, measured: Measured) -> Excerpt:
    count = len(measured.first_words)
    lines = _lines(path, 1 + count).partition(b"\n")[2]
    return Excerpt(".txt", b"%d %d\n" % (count, detected.dim) + lines, {})


def _word2vec_binary(_: Path, detected: DetectedFormat, measured: Measured) -> Excerpt:
    vectors = (
        encode(word) + b" " + row.astype("<f4").tobytes()
        for word, row in zip(measured.first_words, measured.first_vectors, strict=True)
    )
    header = b"%d %d\n" % (len(measured.first_words), detected.dim)
    return Excerpt(".bin", header + b"".join(vectors), {})


def _fasttext(_: Path, detected: DetectedFormat, measured: Measured) -> Excerpt:
    """Return a model without n-grams, whose own vectors are those that the large one composes."""
    words, rows = measured.first_words, measured.first_vectors.astype("<f4")
    skipgram, softmax = 2, 3
    arguments = (detected.dim, 5, 5, 1, 5, 1, softmax, skipgram, 0, 0, 0, 100)
    head = fasttext.MAGIC + struct.pack("<i12id", 12, *arguments, 1e-4)
    dictionary = struct.pack("<3i2q", len(words), len(words), 0, len(words), -1) + b"".join(
        encode(word) + b"\0" + struct.pack("<qb", 1, 0) for word in words
    )
    output = struct.pack("<b2q", 0, 1, detected.dim) + bytes(4 * detected.dim)
    return Excerpt(
        ".bin", head + dictionary + struct.pack("<b2q", 0, *rows.shape) + rows.tobytes() + output, {}
    )


def _static_embeddings(_: Path, detected: DetectedFormat, measured: Measured) -> Excerpt:
    """Return the vectors of the first tokens, with a tokenizer of these alone if the file has one."""
    words = measured.first_words
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = {"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", "vocab": vocabulary}}
    companions = {static_embeddings.TOKENIZER: json.dumps(tokenizer).encode()} if detected.companions else {}
    metadata = {} if companions else {"words": json.dumps(words)}
    return Excerpt(".safetensors", _safetensors(measured.first_vectors, metadata), companions)


def _safetensors(rows: NDArray[np.float32], metadata: dict[str, str]) -> bytes:
    content = rows.astype("<f4").tobytes()
    tensor = {"dtype": "F32", "shape": list(rows.shape), "data_offsets": [0, len(content)]}
    header = json.dumps({"__metadata__": metadata, "embeddings": tensor}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content


_WRITERS: dict[str, Callable[[Path, DetectedFormat, Measured], Excerpt]] = {
    "glove": _glove,
    "word2vec-text": _word2vec_text,
    "word2vec-binary": _word2vec_binary,
    "fasttext": _fasttext,
    "static-embeddings": _static_embeddings,
}
