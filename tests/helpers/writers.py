"""Minimal writers of each file format, as a specification of what the readers must read."""

import io
import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
FASTTEXT_MAGIC = 793712314


def encode(word: str) -> bytes:
    """Return the bytes of a word."""
    return word.encode("utf-8", "surrogateescape")


def glove(words: Sequence[str], rows: Rows, end: bytes = b"\n") -> bytes:
    """Write GloVe text; repr() of a float32 as a float has all its digits."""
    lines = (
        b" ".join([encode(word), *(repr(x).encode() for x in row)])
        for word, row in zip(words, rows.tolist(), strict=True)
    )
    return b"".join(line + end for line in lines)


def word2vec_text(words: Sequence[str], rows: Rows, end: bytes = b"\n") -> bytes:
    """Write word2vec text; other programs write other line ends."""
    return b"%d %d\n" % rows.shape + glove(words, rows, end)


def word2vec_binary(words: Sequence[str], rows: Rows, end: bytes = b"") -> bytes:
    """Write word2vec binary, with or without a newline after each vector."""
    return b"%d %d\n" % rows.shape + b"".join(
        encode(word) + b" " + row.astype("<f4").tobytes() + end for word, row in zip(words, rows, strict=True)
    )


def fasttext_bin(
    words: Sequence[str],
    rows: Rows,
    ngrams: Rows | None = None,
    *,
    labels: Sequence[str] = (),
    version: int = 12,
    kind: int = 2,
    min_n: int = 3,
    max_n: int = 6,
    pruned: int = -1,
    quantized: bool = False,
) -> bytes:
    """Write a fastText model: vectors of words and of n-grams, and a small output matrix."""
    dim = rows.shape[1]
    table = rows if ngrams is None else np.concatenate([rows, ngrams])
    buckets = 0 if ngrams is None else len(ngrams)
    max_n = 0 if ngrams is None else max_n
    head = struct.pack(
        "<2i12id", FASTTEXT_MAGIC, version, dim, 5, 5, 1, 5, 1, 2, kind, buckets, min_n, max_n, 100, 1e-4
    )
    entries = [(encode(word), 0) for word in words] + [(encode(label), 1) for label in labels]
    dictionary = struct.pack("<3i2q", len(entries), len(words), len(labels), 1000, pruned) + b"".join(
        word + b"\0" + struct.pack("<qb", 7, entry_kind) for word, entry_kind in entries
    )
    matrix = struct.pack("<?2q", quantized, *table.shape) + table.astype("<f4").tobytes()
    output = struct.pack("<b2q", 0, 1, dim) + bytes(4 * dim)
    return head + dictionary + matrix + output


def npz(words: Sequence[str], rows: Rows) -> bytes:
    """Write the arrays ``words`` and ``matrix``."""
    file = io.BytesIO()
    np.savez(file, matrix=rows, words=np.array(words, str))
    return file.getvalue()


def safetensors(tensors: dict[str, tuple[str, NDArray[Any]]]) -> bytes:
    """Write named arrays with the given dtypes."""
    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    data = b""
    for name, (dtype, values) in tensors.items():
        raw = values.tobytes()
        header[name] = {
            "dtype": dtype,
            "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def tokenizer(tokens: Sequence[str]) -> bytes:
    """Write a tokenizer.json whose tokens have the ids 0, 1, ..."""
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return json.dumps(
        {"added_tokens": [], "model": {"type": "WordPiece", "vocab": vocabulary}}, ensure_ascii=False
    ).encode()
