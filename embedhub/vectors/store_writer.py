"""Writing a store: blocks as they arrive, the index, and publication by one rename."""

import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from embedhub import _atomic
from embedhub import _cache as cache
from embedhub._file_state import xxh3_of_file
from embedhub.errors import EmbedhubError, FormatError
from embedhub.vectors.block_checks import check_block, check_extra_file
from embedhub.vectors.blocks import ExtraFile
from embedhub.vectors.index_writer import TEMPORARY, UNSORTED, write_index
from embedhub.vectors.npy import NPY_HEADER, npy_header
from embedhub.vectors.store import (
    FORMAT_VERSION,
    HASHES,
    MANIFEST,
    MATRIX,
    OFFSETS,
    ROWS,
    WORDS,
    encode_manifest,
)
from embedhub.vectors.vocabulary import hash_words

_OWN_FILES = frozenset({MATRIX, WORDS, OFFSETS, HASHES, ROWS, MANIFEST}) | TEMPORARY  # in lower case
_COPIED_AT_ONCE = 1 << 22  # bytes


class StoreWriter:
    """A store being written. It is published, complete, when the ``with`` statement ends without an error.

    Memory use does not grow with the number of vectors. The caller must hold a lock for the folder.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp(), "store")
        >>> with StoreWriter(folder, name="tiny", dim=2) as writer:
        ...     writer.write((["rain"], np.ones((1, 2), np.float32)))
        >>> (folder / "manifest.json").exists()
        True

    Args:
        folder: Folder of the store. It must not exist yet, unless ``replace`` is true.
        name: Name of the source.
        dim: Dimension of the vectors.
        manifest: Further entries of the manifest (location, license, citation, ...).
        replace: Whether to replace an existing store.
        no_more_open_than: Files whose permissions limit those of the store: only users who can read all of
            them can read the store.

    Raises:
        FormatError: No vectors were written.
        StoreError: The store cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        dim: int,
        manifest: Mapping[str, Any] | None = None,
        replace: bool = False,
        no_more_open_than: Collection[Path] = (),
    ) -> None:
        self._folder = folder
        self._published = _atomic.publish(folder, replace=replace, no_more_open_than=no_more_open_than)
        self._name = name
        self._dim = dim
        self._label = f"{name} {dim}d"
        self._manifest = manifest or {}
        self._rows = 0
        self._files: dict[str, Mapping[str, Any]] = {}
        self._sealed: tuple[dict[str, int | str], dict[str, str]] | None = None
        self._publishing = ExitStack()
        self._outputs = ExitStack()

    def __enter__(self) -> Self:
        self._temporary = self._publishing.enter_context(self._published)
        try:
            with self._os_errors_as_store_errors():
                self._matrix, self._words, self._offsets, self._hashes = (
                    self._outputs.enter_context((self._temporary / name).open("wb"))
                    for name in (MATRIX, WORDS, OFFSETS, UNSORTED)
                )
                self._matrix.write(bytes(NPY_HEADER))
                self._offsets.write(bytes(NPY_HEADER))
                self._offsets.write(np.zeros(1, np.int64).data)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            with self._publishing, self._os_errors_as_store_errors():
                self._finish()
            return
        with suppress(OSError):  # the same full disk
            self._outputs.close()
        self._publishing.__exit__(kind, error, traceback)

    def write(self, block: tuple[list[str], NDArray[np.float32]] | ExtraFile) -> None:
        """Write words with their vectors, or an extra file.

        If a word occurs several times, its first vector is used.

        Args:
            block: A `Block`, ``k`` words and ``(k, dim)`` float32; or an `ExtraFile`.

        Raises:
            FormatError: The block is neither, or is malformed: a number is not finite, the name of a file is
                taken, a file is missing, or metadata are not JSON. The message names the source.
            StoreError: The store cannot be written.
        """
        if isinstance(block, ExtraFile):
            self._write_file(block)
            return
        encoded, vectors = check_block(block, self._dim, f"{self._label}, after {self._rows:,} vectors")
        with self._os_errors_as_store_errors():
            start = self._words.tell()
            ends = np.fromiter(accumulate(map(len, encoded), initial=start), np.int64, len(encoded) + 1)
            self._matrix.write(np.ascontiguousarray(vectors).data)
            self._words.write(b"".join(encoded))
            self._offsets.write(ends[1:].data)
            self._hashes.write(hash_words(encoded).data)
            self._rows += len(encoded)

    def require_vectors(self) -> None:
        """Raise FormatError if no vectors were written yet."""
        if not self._rows:
            raise FormatError(f"{self._label}: the source yielded no vectors; nothing was published.")

    def _write_file(self, file: ExtraFile) -> None:
        taken = _OWN_FILES | {name.lower() for name in self._files}
        metadata = check_extra_file(file, taken, self._label)
        target = self._temporary / file.name
        if isinstance(file.content, Path):
            try:
                source = file.content.open("rb")
            except OSError as error:
                raise FormatError(
                    f"{self._label}: {file.content}: this file cannot be read, for {file.name} "
                    f"({error.strerror}). Nothing was published."
                ) from error
            with source, self._os_errors_as_store_errors(), target.open("wb") as copy:
                shutil.copyfileobj(source, copy, _COPIED_AT_ONCE)
        else:
            # To an open file: np.save adds ".npy" to a path.
            with self._os_errors_as_store_errors(), target.open("wb") as copy:
                np.save(copy, file.content, allow_pickle=False)
        self._files[file.name] = metadata

    def seal(self) -> dict[str, str]:
        """Complete the files of the store, to which nothing more can be written, and return their digests.

        Raises:
            FormatError: No vectors were written.
            StoreError: The store cannot be written.
        """
        return self._seal()[1]

    def _seal(self) -> tuple[dict[str, int | str], dict[str, str]]:
        if self._sealed is None:
            with self._os_errors_as_store_errors():
                self._outputs.close()
                self._sealed = self._complete()
        return self._sealed

    def _complete(self) -> tuple[dict[str, int | str], dict[str, str]]:
        """Write index and headers; return the counts of the manifest, and the digest of each file."""
        self.require_vectors()
        folder = self._temporary
        try:
            duplicates = write_index(folder, self._rows, self._dim)
        except FormatError as error:
            raise FormatError(f"{self._label}: {error}") from error
        rows = self._rows - duplicates
        for name, dtype, shape in (
            (MATRIX, np.float32, (rows, self._dim)),
            (OFFSETS, np.int64, (rows + 1,)),
            (HASHES, np.uint64, (rows,)),
            (ROWS, np.int64, (rows,)),
        ):
            _write_header(folder / name, dtype, shape)
        counted: dict[str, int | str] = {
            "format_version": FORMAT_VERSION,
            "source": self._name,
            "dim": self._dim,
            "rows": rows,
            "duplicates": duplicates,
        }
        return counted, {file.name: xxh3_of_file(file) for file in sorted(folder.iterdir())}

    def _finish(self) -> None:
        counted, digests = self._seal()
        manifest = {
            **counted,
            **self._manifest,
            **counted,  # what the caller adds does not change it
            "files": self._files,
            "xxh3_128": digests,
        }
        try:
            encoded = encode_manifest(manifest)
        except (TypeError, ValueError, RecursionError) as error:
            raise FormatError(
                f"{self._label}: the manifest of the source cannot be written as JSON ({error}). Nothing was "
                "published."
            ) from error
        (self._temporary / MANIFEST).write_bytes(encoded)

    @contextmanager
    def _os_errors_as_store_errors(self) -> Iterator[None]:
        """Raise StoreError in place of an OSError."""
        try:
            yield
        except EmbedhubError:
            raise
        except OSError as error:
            action = "the store could not be written, and nothing was kept of it"
            raise cache.refusal(self._folder, action, error) from error


def _write_header(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    """Write the .npy header into the space reserved for it, now that the number of rows is known."""
    with path.open("r+b") as file:
        file.write(npy_header(dtype, shape))
