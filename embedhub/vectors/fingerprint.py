"""Fingerprint of vectors: a short digest of words, vectors and extra files, whatever their name and place."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from embedhub._file_state import xxh3_of_file
from embedhub.vectors.npy import npy_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedhub.vectors.vocabulary import Vocabulary

_INDEX = {"hashes.npy", "rows.npy"}  # made from the words
_DIGITS = 16


def fingerprint(digests: Mapping[str, str]) -> str:
    """Return the fingerprint of vectors, 16 hexadecimal digits.

    Args:
        digests: The result of `stored_digests` or `digests_in_memory`.
    """
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:_DIGITS]


def stored_digests(manifest_digests: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of the files of a store that vectors consist of: words, matrix and extra files.

    Args:
        manifest_digests: Those of all files, as the manifest has them.
    """
    return {name: digest for name, digest in sorted(manifest_digests.items()) if name not in _INDEX}


def digests_in_memory(
    matrix: "NDArray[np.float32]", words: "Vocabulary", files: Mapping[str, Path]
) -> dict[str, str]:
    """Return the digests that the files of a store would have, for vectors without one.

    Args:
        matrix: ``(n, dim)``.
        words: The word of each row.
        files: Extra files by name.
    """
    text, offsets = words.encoded
    digests = {
        "matrix.npy": _digest(npy_header(np.float32, (len(matrix), matrix.shape[1])), matrix),
        "offsets.npy": _digest(npy_header(np.int64, offsets.shape), offsets),
        "words.utf8": _digest(b"", text),
    }
    return digests | {name: xxh3_of_file(path) for name, path in sorted(files.items())}


def _digest(header: bytes, data: "NDArray[np.generic]") -> str:
    digest = xxhash.xxh3_128(header)
    digest.update(np.ascontiguousarray(data).data)
    return digest.hexdigest()
