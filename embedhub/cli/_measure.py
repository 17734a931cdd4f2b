"""Measurement of files for the commands new-plugin and check: hashes and vectors."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub._compression import open_bytes, split_member
from embedhub._progress import progress_bar
from embedhub.errors import FormatError
from embedhub.vectors.block_checks import check_block
from embedhub.vectors.blocks import Block, ExtraFile

_CHUNK = 1 << 20


class FileState(NamedTuple):
    """Hash and number of bytes of a file."""

    known_hash: str
    size: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Summary of blocks of words and vectors.

    Args:
        words: Number of distinct words.
        cased: Whether a word has an upper-case letter.
        digest: Digest of the words and vectors in their order.
        first_words: The first words.
        first_vectors: Their vectors.
    """

    words: int
    cased: bool
    digest: str
    first_words: list[str]
    first_vectors: NDArray[np.float32]


def hash_file(path: Path, algorithm: str = "sha256", *, inflate: bool = False) -> FileState:
    """Return hash and size of the bytes that a table of a source states.

    Args:
        path: The file; of ``archive.zip#member`` the bytes of the member.
        algorithm: Name of the hash.
        inflate: Whether to hash the uncompressed bytes of a compressed file.
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)
    size = 0
    with open_bytes(path) if inflate or split_member(path)[1] else path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileState(f"{algorithm}:{digest.hexdigest()}", size)


def measure(blocks: Iterable[Block | ExtraFile], dim: int, label: str, *, first: int = 0) -> Measured:
    """Read all blocks of a file.

    Args:
        blocks: The blocks that a reader yields.
        dim: Dimension of the vectors.
        label: Name of the file, for the progress bar and messages.
        first: Number of first words and vectors to return.

    Raises:
        FormatError: The file is malformed, or has no vectors.
    """
    distinct: set[bytes] = set()
    cased = False
    digests = hashlib.sha256(), hashlib.sha256()
    first_words: list[str] = []
    first_vectors = np.empty((0, dim), np.float32)
    with progress_bar(f"Reading {label}", None, in_bytes=False) as advance:
        for block in blocks:
            if isinstance(block, ExtraFile):
                continue
            encoded, vectors = check_block(block, dim, label)
            words = block[0]
            distinct.update(encoded)
            text = "\n".join(words)
            cased = cased or text != text.lower()
            digests[0].update(b"".join(b"%d:%b" % (len(word), word) for word in encoded))
            digests[1].update(np.ascontiguousarray(vectors).data)
            wanted = first - len(first_words)
            if wanted > 0:
                first_words += words[:wanted]
                first_vectors = np.concatenate([first_vectors, vectors[:wanted]])
            advance(len(words))
    if not distinct:
        raise FormatError(f"{label}: the file has no vectors. Give a file with at least one.")
    digest = " ".join(digest.hexdigest() for digest in digests)
    return Measured(len(distinct), cased, digest, first_words, first_vectors)
