"""Base class of all sources: from a download to memory-mapped vectors."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from embedhub import __version__
from embedhub._names import shown_names
from embedhub.download.remote_file import Fetched
from embedhub.errors import DimNotFoundError, StoreError, UnexpectedEndError
from embedhub.registry.building import open_or_build
from embedhub.registry.dims import as_dim
from embedhub.registry.handle import check_source_name
from embedhub.registry.origin import Origin
from embedhub.vectors.blocks import Block, Composer, ExtraFile
from embedhub.vectors.fallbacks import Fallback, validate_fallbacks
from embedhub.vectors.store import store_path
from embedhub.vectors.vectors import Tokenization, Vectors

_INDEX_BYTES_PER_WORD = 32  # offset, hash and row, 8 bytes each, and about 8 of the word

Reopen = tuple[Callable[..., Vectors], tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class EmbeddingSource(ABC):
    """A named set of pretrained word vectors, in one or more dimensions.

    Use `RemoteSource` for files at URLs and `ComputedSource` for vectors computed by a function; neither
    needs a subclass. Other sources subclass this class and define `dims`, `cache_key`, `fetch` and `parse`.

    Sources are values: they can be compared, hashed, pickled, and copied by `dataclasses.replace`.

    Example:
        >>> import numpy as np
        >>> class Ones(EmbeddingSource):
        ...     dims = (2,)
        ...
        ...     def cache_key(self, dim):
        ...         return "ones, version 1"
        ...
        ...     def fetch(self, dim):
        ...         self.check_dim(dim)
        ...
        ...     def parse(self, fetched, dim):
        ...         yield Block(["rain", "storm"], np.ones((2, dim), np.float32))
        >>> about = dict.fromkeys(("description", "license", "citation", "homepage"), "")
        >>> Ones(name="ones", language="en", cased=False, **about).vectors(2)
        <Vectors ones: 2 words, dim 2>

    Args:
        name: Name of the source: printable characters, without spaces and ``: / | + # @``.
        description: Description in one line.
        language: BCP 47 code; ``"mul"`` for several languages, ``"und"`` if unknown.
        cased: Whether ``The`` and ``the`` are different words in it.
        vocab_size: Number of words; None if unknown.
        license: SPDX expression, or the name of the license.
        citation: Citation in one line.
        bibtex: Citation as one or more BibTeX entries; may be empty.
        homepage: URL with more information.
        unit: Unit of the vocabulary: ``"word"``, or ``"token"`` for the tokens of a tokenizer, such as
            ``##ing``, which may be parts of words.
        frequent_first: Whether the words are sorted by frequency, most frequent first, as ``limit`` of
            `embedhub.load` requires.
        tokenization: Tokenization of the training texts, which other texts should follow: one of the names in
            `embedhub.matrix.tokenizers`. None if unknown: texts are then tokenized by ``"words"``, or by the
            tokenizer of token vectors that come with a ``tokenizer.json``.
        fallbacks: Default fallbacks for out-of-vocabulary words, such as ``("lower",)`` for an uncased
            source; names and functions as in `embedhub.embedding_matrix`.

    Raises:
        ValueError: The name is invalid, a fallback or the tokenization is unknown, or the unit is neither of
            the two.
    """

    name: str
    description: str
    language: str
    cased: bool
    vocab_size: int | None = None
    license: str
    citation: str
    bibtex: str = ""
    homepage: str
    unit: Literal["word", "token"] = "word"
    frequent_first: bool = True
    tokenization: Tokenization | None = None
    fallbacks: tuple[Fallback, ...] = ()

    def __post_init__(self) -> None:
        check_source_name(self.name)
        if self.unit not in {"word", "token"}:
            raise ValueError(f"{self.name}: unit is {self.unit!r}; expected 'word' or 'token'.")
        if self.tokenization not in {None, *get_args(Tokenization)}:
            known = ", ".join(get_args(Tokenization))
            problem = f"expected one of {known}, or None if it is unknown"
            raise ValueError(f"{self.name}: tokenization is {self.tokenization!r}; {problem}.")
        object.__setattr__(self, "fallbacks", validate_fallbacks(self.fallbacks, f"{self.name}: fallbacks"))

    @property
    @abstractmethod
    def dims(self) -> tuple[int, ...]:
        """The available dimensions, smallest first."""

    @abstractmethod
    def cache_key(self, dim: int) -> str:
        """Return a key that identifies the vectors of a dimension, and thus their store.

        The key contains the hash of the file and the version of the code that reads or computes the vectors,
        so that stores are rebuilt when either changes.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].cache_key(50)
            'sha256:d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f, glove 2, ...'

        Args:
            dim: One of `dims`.

        Returns:
            Any string that changes whenever the vectors change.
        """

    @abstractmethod
    def fetch(self, dim: int) -> Fetched | None:
        """Make the file with the vectors available on disk, and verify it.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].fetch(25).path.name
            'wordnet_ppmi.npz'

        Args:
            dim: One of `dims`.

        Returns:
            The file; None for vectors that do not come from a file. The file may be removed when its store
            has been built; see EMBEDHUB_KEEP_DOWNLOADS.

        Raises:
            DimNotFoundError: The source does not have this dimension.
            DownloadError: The file is not available; a ChecksumError if its checksum is wrong.
        """

    def fetch_words(self, dim: int, words: int) -> Fetched | None:  # noqa: ARG002 - for subclasses
        """Make the first words available on disk; by default the whole file.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].fetch_words(25, 1000).path.name
            'wordnet_ppmi.npz'

        Args:
            dim: One of `dims`.
            words: Number of words.
        """
        return self.fetch(dim)

    @abstractmethod
    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
        """Yield blocks of words and float32 vectors, and extra files for the store.

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

    def composer(
        self,
        files: Mapping[str, Path],  # noqa: ARG002 - for subclasses
        metadata: Mapping[str, Mapping[str, Any]],  # noqa: ARG002
    ) -> Composer | None:
        """Open the composer of vectors for out-of-vocabulary words (``oov="subword"``).

        A source whose `parse` yields an `ExtraFile` for this purpose opens it here. The result becomes
        `embedhub.Vectors.composer`.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].composer({}, {}) is None
            True

        Args:
            files: Paths of the extra files in the store, by name.
            metadata: The metadata of each, by name.

        Returns:
            A `Composer`, or None.
        """
        return None

    def vectors(self, dim: int, *, reopen: Reopen | None = None) -> Vectors:
        """Open the vectors of a dimension; on first use, download the file and build the store.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].vectors(25)
            <Vectors wordnet-ppmi: 78,781 words, dim 25>

        Args:
            dim: One of `dims`.
            reopen: A function and its arguments that open the same vectors where they are unpickled. By
                default the source itself is pickled.

        Raises:
            DimNotFoundError: The source does not have this dimension.
            DownloadError: The file is not available.
            FormatError: The file is malformed; nothing is published.
            StoreError: The store cannot be read or written, or is damaged and cannot be built again.
            LockError: The vectors are not those of the lock file.

        Warns:
            StoreWarning: The store was damaged, and has been built again.
        """
        return open_or_build(self, self.check_dim(dim), reopen)

    def _without_cache(
        self,
        dim: int,
        cache_key: str,  # noqa: ARG002 - for subclasses
        reopen: Reopen,  # noqa: ARG002
        error: StoreError,
    ) -> Vectors:
        """Open vectors without a cache, if it cannot be written, or raise an error.

        Args:
            dim: One of `dims`.
            cache_key: The result of `cache_key`.
            reopen: As for `vectors`.
            error: Why the cache cannot be written.
        """
        raise StoreError(
            f"{self.name} {dim}d is not in the cache, and has to be built there. {error}"
        ) from error

    def accept_end(self, error: UnexpectedEndError, fetched: Fetched | None) -> Mapping[str, Any]:  # noqa: ARG002 - for subclasses
        """Return manifest entries that describe a truncated file, or raise an error if it must not be used.

        Example:
            >>> import embedhub
            >>> from embedhub.errors import UnexpectedEndError
            >>> error = UnexpectedEndError("vectors.txt: line 2 has no newline at its end.")
            >>> embedhub.sources()["wordnet-ppmi"].accept_end(error, None)
            Traceback (most recent call last):
                ...
            embedhub.errors.UnexpectedEndError: vectors.txt: line 2 has no newline at its end.

        Args:
            error: The error that the reader raised after the last vector.
            fetched: The file.

        Raises:
            UnexpectedEndError: The file must not be used, since vectors may be missing.
        """
        raise error

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:  # noqa: ARG002 - for subclasses
        """Return the manifest entries that describe the origin of the vectors.

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
            "unit": self.unit,
            "tokenization": self.tokenization,
            "cache_key": cache_key,
            "license": self.license,
            "citation": self.citation,
            "homepage": self.homepage,
            "written_by": f"embedhub {__version__}",
        }

    def _prepare(self, dim: int) -> bool:  # noqa: ARG002 - for subclasses
        """Make available what `cache_key` depends on, and return whether it may have changed."""
        return False

    def _origin(self, dim: int) -> Origin:
        """Return the files and readers of the vectors, for a lock file."""
        return Origin((), (self.cache_key(dim),))

    def _file_locks(self, dim: int) -> tuple[str, ...]:  # noqa: ARG002 - for subclasses
        """Return the names of the locks of the files that `fetch` may return, in alphabetical order."""
        return ()

    def _private_files(self) -> tuple[Path, ...]:
        """Return local files whose permissions limit those of the store that is built from them."""
        return ()

    def _remember_hashes(self, fetched: Fetched) -> None:  # noqa: B027 - most sources verify in `fetch`
        """Remember the hash of a file without a published one, when it has been parsed."""

    def _remove_unverified(self, fetched: Fetched) -> None:  # noqa: B027 - most sources have nothing to remove
        """Remove a file without a known hash, when it is malformed."""

    def _remove_downloads(self, fetched: Fetched) -> None:  # noqa: B027 - most sources have nothing to remove
        """Remove a downloaded file when the store is built."""

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

    def _size_of_words(self, dim: int, words: int) -> int | None:
        """Return about how many bytes `fetch_words` downloads; None if it is unknown."""
        size = self.download_size(dim)
        return math.ceil(size * words / self.vocab_size) if size and self.vocab_size else size

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

    def check_dim(self, dim: int) -> int:
        """Return a valid dimension of the source, or raise an error.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].check_dim(25)
            25

        Args:
            dim: The dimension.

        Returns:
            The dimension as an int, also for integers of NumPy.

        Raises:
            DimNotFoundError: The source does not have this dimension.
            TypeError: ``dim`` is not an integer.
        """
        number = as_dim(dim)
        if number is None or number not in self.dims:
            are = "only dim is" if len(self.dims) == 1 else "dims are"
            raise DimNotFoundError(f"{self.name!r} has no dim {dim!r}; its {are} {shown_names(self.dims)}.")
        return number


def _open(source: EmbeddingSource, dim: int) -> Vectors:
    return source.vectors(dim)
