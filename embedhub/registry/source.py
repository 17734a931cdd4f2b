"""`EmbeddingSource`: the interface of all sources, and the way from a download to memory-mapped vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedhub import __version__, settings
from embedhub import _cache as cache
from embedhub._names import check_name
from embedhub._progress import progress_bar
from embedhub.download.remote_file import Fetched
from embedhub.errors import DimNotFoundError, EmbedhubError, FormatError, StoreError
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.fallbacks import validate_fallbacks
from embedhub.vectors.store import open_store, store_path
from embedhub.vectors.store_writer import StoreWriter
from embedhub.vectors.vectors import Fallback, Vectors

_INDEX_BYTES_PER_WORD = 32  # offset, hash and row, 8 bytes each, and about 8 of the word

Reopen = tuple[Callable[..., Vectors], tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class EmbeddingSource(ABC):
    """A named set of pretrained word vectors, in one or more dimensions.

    Most sources are files at a URL and need no code: see `RemoteSource`. Others subclass this and define
    `dims`, `cache_key`, `fetch` and `parse`.

    Example:
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from embedhub.download.remote_file import Fetched
        >>> class Constant(EmbeddingSource):
        ...     dims = (2,)
        ...
        ...     def cache_key(self, dim):
        ...         return "constant, version 1"
        ...
        ...     def fetch(self, dim):
        ...         self.check_dim(dim)
        ...         return Fetched(Path("nothing-to-download"))
        ...
        ...     def parse(self, fetched, dim):
        ...         yield ["rain", "storm"], np.ones((2, dim), np.float32)
        >>> about = dict.fromkeys(("description", "license", "citation", "homepage"), "")
        >>> Constant(name="constant", language="en", cased=False, **about).vectors(2)
        <Vectors constant: 2 words, dim 2>

    Args:
        name: Lower-case letters, digits, and ``- . _`` between them.
        description: One line.
        language: BCP 47 code; ``"mul"`` for several languages, ``"und"`` if unknown.
        cased: Whether ``The`` and ``the`` are different words in it.
        vocab_size: Number of words; None if unknown.
        license: SPDX expression, or the name of the license.
        citation: What to cite.
        homepage: Where to read more.
        fallbacks: What is tried for an out-of-vocabulary word unless the caller says otherwise:
            ``("lower",)`` for an uncased source. Names and functions as in `embedhub.embedding_matrix`.

    Raises:
        ValueError: The name is invalid, or a fallback is unknown.
    """

    name: str
    description: str
    language: str
    cased: bool
    vocab_size: int | None = None
    license: str
    citation: str
    homepage: str
    fallbacks: tuple[Fallback, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.name)
        object.__setattr__(self, "fallbacks", validate_fallbacks(self.fallbacks, f"{self.name}: fallbacks"))

    @property
    @abstractmethod
    def dims(self) -> tuple[int, ...]:
        """The available dimensions, smallest first."""

    @abstractmethod
    def cache_key(self, dim: int) -> str:
        """Identify the bytes that the vectors are read from; it names their store.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].cache_key(50)
            'sha256:d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f'

        Args:
            dim: One of `dims`.

        Returns:
            The published hash if there is one; any string that changes whenever the vectors change.
        """

    @abstractmethod
    def fetch(self, dim: int) -> Fetched:
        """Make the file with the vectors available on disk, verified.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].fetch(25).path.name
            'wordnet_ppmi.npz'

        Args:
            dim: One of `dims`.

        Returns:
            The file. It may be removed when a store is built from it; see EMBEDHUB_KEEP_DOWNLOADS.

        Raises:
            DimNotFoundError: The source does not have this dimension.
            DownloadError: The file is not available; a ChecksumError if its bytes are wrong.
        """

    @abstractmethod
    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
        """Yield the words and their float32 vectors in blocks, and further files for the store.

        Example:
            >>> import embedhub
            >>> source = embedhub.sources()["wordnet-ppmi"]
            >>> words, vectors = next(source.parse(source.fetch(25), 25))
            >>> words[:3], vectors.shape, vectors.dtype
            (['the', 'a', 'of'], (8192, 25), dtype('float32'))

        Args:
            fetched: The result of `fetch`.
            dim: Dimension of the vectors.

        Raises:
            FormatError: The file is malformed.
        """

    def vectors(self, dim: int, *, reopen: Reopen | None = None) -> Vectors:
        """Open the vectors of a dimension; the first time, download the file and build the store.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].vectors(25)
            <Vectors wordnet-ppmi: 78,781 words, dim 25>

        Args:
            dim: One of `dims`.
            reopen: A function and its arguments that open the same vectors in another process, where they are
                unpickled. By default the source itself is pickled.

        Raises:
            DimNotFoundError: The source does not have this dimension.
            DownloadError: The file is not available.
            FormatError: The file is malformed; nothing is published.
        """
        self.check_dim(dim)
        key = self.cache_key(dim)
        folder = store_path(self.name, dim, key)
        if not folder.exists():
            with ExitStack() as locks:
                locks.enter_context(cache.lock(f"build-{self.name}-{dim}d", f"building {self.name} {dim}d"))
                # Another source may read the same file, and removes it when its own store is built.
                for name in self._file_locks(dim):
                    locks.enter_context(cache.lock(name, f"reading a file of {self.name} {dim}d"))
                if not folder.exists():
                    self._build(folder, dim, key)
        reopen = reopen or self._reopen(dim, key)
        return open_store(folder, fallbacks=self.fallbacks, reopen=reopen)

    def _build(self, folder: Path, dim: int, key: str) -> None:
        """Fetch the file, write the store, publish it, and discard the file."""
        space = self.store_size(dim)
        if space is not None:
            cache.check_space(cache.ensure_folder(settings.cache_folder()), space, "the store")
        fetched = self.fetch(dim)
        manifest = self.manifest(dim, key, fetched)
        label = f"Building {self.name} {dim}d"
        try:
            with (
                progress_bar(label, self.vocab_size, in_bytes=False) as advance,
                StoreWriter(folder, name=self.name, dim=dim, manifest=manifest) as writer,
            ):
                _write_blocks(writer, _input_errors_as_store_errors(self.parse(fetched, dim)), advance)
                self._trust(fetched)
        except FormatError:
            self._reject(fetched)
            raise
        if not settings.keep_downloads():
            self._discard(fetched)

    def manifest(self, dim: int, cache_key: str, fetched: Fetched) -> dict[str, Any]:  # noqa: ARG002 - for subclasses
        """Return what the manifest of a store records about the origin of its vectors.

        Example:
            >>> import embedhub
            >>> source = embedhub.sources()["wordnet-ppmi"]
            >>> source.manifest(25, source.cache_key(25), source.fetch(25))["license"]
            'LicenseRef-WordNet-3.0'

        Args:
            dim: One of `dims`.
            cache_key: The result of `cache_key`.
            fetched: The file that the store is built from.
        """
        return {
            "fingerprint": cache_key,
            "license": self.license,
            "citation": self.citation,
            "homepage": self.homepage,
            "written_by": f"embedhub {__version__}",
        }

    def _file_locks(self, dim: int) -> tuple[str, ...]:  # noqa: ARG002 - for subclasses
        """Return the names of the locks of the files that `fetch` may return, in alphabetical order.

        Args:
            dim: One of `dims`.
        """
        return ()

    def _trust(self, fetched: Fetched) -> None:  # noqa: B027 - most sources verify in `fetch`
        """Remember the hash of a file without a published one, when it has been parsed.

        Args:
            fetched: The result of `fetch`.
        """

    def _reject(self, fetched: Fetched) -> None:  # noqa: B027 - most sources have nothing to remove
        """Remove a file without a known hash, when it is malformed.

        Args:
            fetched: The result of `fetch`.
        """

    def _discard(self, fetched: Fetched) -> None:  # noqa: B027 - most sources have nothing to remove
        """Remove a downloaded file when the store is built.

        Args:
            fetched: The result of `fetch`.
        """

    def _reopen(self, dim: int, cache_key: str) -> Reopen:  # noqa: ARG002 - for subclasses
        """Return a function and its arguments that open the vectors in another process.

        Args:
            dim: One of `dims`.
            cache_key: The result of `cache_key`.
        """
        return _open, (self, dim)

    def download_size(self, dim: int) -> int | None:  # noqa: ARG002 - for subclasses
        """Return the number of bytes that `fetch` downloads; None if it is unknown.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].download_size(25)
            0

        Args:
            dim: One of `dims`.
        """
        return 0

    def store_size(self, dim: int) -> int | None:
        """Return the approximate number of bytes of the store; None if the vocabulary size is unknown.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].store_size(50)
            92800000

        Args:
            dim: One of `dims`.
        """
        return None if self.vocab_size is None else self.vocab_size * (4 * dim + _INDEX_BYTES_PER_WORD)

    def store_path(self, dim: int) -> Path:
        """Return the folder of the store of a dimension, whether or not it exists.

        Example:
            >>> import embedhub
            >>> embedhub.load("wordnet-ppmi", 25)
            <Vectors wordnet-ppmi: 78,781 words, dim 25>
            >>> embedhub.sources()["wordnet-ppmi"].store_path(25).exists()
            True

        Args:
            dim: One of `dims`.
        """
        return store_path(self.name, dim, self.cache_key(dim))

    def check_dim(self, dim: int) -> None:
        """Raise DimNotFoundError unless the source has this dimension.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].check_dim(25)

        Args:
            dim: The dimension.
        """
        if dim not in self.dims:
            raise DimNotFoundError(
                f"{self.name!r} has no dim {dim!r}; its dims are {', '.join(map(str, self.dims))}."
            )


def _open(source: EmbeddingSource, dim: int) -> Vectors:
    return source.vectors(dim)


def _write_blocks(
    writer: StoreWriter, blocks: Iterator[Block | ExtraFile], advance: Callable[[int], None]
) -> None:
    # A function of its own: its last block may map the downloaded file, which Windows then does not remove.
    for block in blocks:
        writer.write(block)
        advance(0 if isinstance(block, ExtraFile) else len(block[0]))
    writer.require_vectors()  # before the hash of the file is trusted


def _input_errors_as_store_errors(blocks: Iterator[Block | ExtraFile]) -> Iterator[Block | ExtraFile]:
    """Yield the blocks; report read errors of the input as such, not as write errors of the store."""
    try:
        yield from blocks
    except EmbedhubError:
        raise
    except OSError as error:
        raise StoreError(f"The input of the store cannot be read: {error}. Nothing was published.") from error
