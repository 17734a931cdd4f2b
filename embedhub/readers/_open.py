"""Opens a file for its bytes, whatever it is compressed with."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from embedhub.errors import FormatError

_GZIP = b"\x1f\x8b"


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzip file for its uncompressed bytes; the first bytes tell which it is.

    Raises:
        FormatError: The compressed bytes are damaged or end too early.
    """
    with path.open("rb") as file:
        compressed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if not compressed:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as inner:
                yield cast("BinaryIO", inner)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FormatError(f"{path}: the compressed bytes are damaged or cut off ({error}).") from error
