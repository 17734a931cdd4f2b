"""Identity of files: metadata that changes when they are written, and a fast digest."""

from collections.abc import Callable
from pathlib import Path

import xxhash

_CHUNK = 1 << 20  # bytes


def file_state(path: Path) -> tuple[int, ...]:
    """Return the metadata that change when a file is written: size, times and inode."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def xxh3_of_file(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """Return the 128-bit XXH3 of a file. It detects corruption, but does not protect against tampering.

    Measured on a core without SHA instructions: sha256 203 MB/s, XXH3 23,000 MB/s. Of a store of GloVe 300d,
    sha256 would take longer than all the rest of the build.

    Args:
        path: The file.
        advance: Called with the number of bytes of each chunk.
    """
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()
