"""`EmbeddingSource`: the interface of all sources, and the way from a download to memory-mapped vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from embedhub import __version__
from embedhub import _cache as cache
from embedhub._names import check_name, shown_names
from embedhub.download.remote_file import Fetched
from embedhub.errors import DimNotFoundError, StoreError, UnexpectedEndError
from embedhub.registry.building import open_or_build
from embedhub.registry.dims import as_dim
from embedhub.vectors.blocks import Block, Composer, ExtraFile
from embedhub.vectors.fallbacks import Fallback, validate_fallbacks
from embedhub.vectors.store import store_path
from embedhub.vectors.vectors import Tokenization, Vectors

_INDEX_BYTES_PER_WORD = 32  # offset, hash and row, 8 bytes each, and about 8 of the word

Reopen = tuple[Callable[..., Vectors], tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class EmbeddingSource(ABC):
    """A named set of pretrained word vectors, in one or more dimensions.

    Files at URLs are a `RemoteSource`, vectors that a function computes a `ComputedSource`; both are made
    without a class of one's own. Others subclass this and define `dims`, `cache_key`, `fetch` and `parse`.

    Sources are values: they can be compared, hashed and pickled, and `dataclasses.replace` makes a copy with
    other metadata.

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
        name: What users type: printable characters without blanks and without ``: / | + # @``.
        description: One line.
        language: BCP 47 code; ``"mul"`` for several languages, ``"und"`` if unknown.
        cased: Whether ``The`` and ``the`` are different words in it.
        vocab_size: Number of words; None if unknown.
        license: SPDX expression, or the name of the license.
        citation: What to cite, in one line.
        bibtex: The same as an entry of BibTeX, or several; empty if there is none.
        homepage: Where to read more.
        unit: What its rows are: ``"word"``; or ``"token"`` for the tokens of a tokenizer, such as ``##ing``,
            which are parts of words.
        tokenization: How the texts were tokenized that the vectors were made from: one of the names in
            `embedhub.matrix.tokenizers`, which texts are then tokenized by. None if it is unknown; then it is
            ``"words"``, and for tokens that come with a ``tokenizer.json`` that tokenizer.
        fallbacks: What is tried for an out-of-vocabulary word unless the caller says otherwise:
            ``("lower",)`` for an uncased source. Names and functions as in `embedhub.embedding_matrix`.

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
    tokenization: Tokenization | None = None
    fallbacks: tuple[Fallback, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.unit not in {"word", "token"}:
            raise ValueError(f"{self.name}: unit is {self.unit!r}; expected 'word' or 'token'.")
        if self.tokenization not in {None, *get_args(Tokenization)}:
            raise ValueError(
                f"{self.name}: tokenization is {self.tokenization!r}; expected one of "
                f"{', '.join(get_args(Tokenization))}, or None if it is unknown."
            )
        object.__setattr__(self, "fallbacks", validate_fallbacks(self.fallbacks, f"{self.name}: fallbacks"))

    @property
    @abstractmethod
    def dims(self) -> tuple[int, ...]:
        """The available dimensions, smallest first."""

    @abstractmethod
    def cache_key(self, dim: int) -> str:
        """Identify the vectors of a dimension; their store is found by it.

        It has the hash of the bytes that they are read from, and the version of the code that reads or
        computes them, so that a correction of either reaches everybody.

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
        """Make the file with the vectors available on disk, verified; None if they come from no file.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].fetch(25).path.name
            'wordnet_ppmi.npz'

        Args:
            dim: One of `dims`.

        Returns:
            The file, or None. It may be removed when a store is built from it; see EMBEDHUB_KEEP_DOWNLOADS.

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

    def composer(
        self,
        files: Mapping[str, Path],  # noqa: ARG002 - for subclasses
        metadata: Mapping[str, Mapping[str, Any]],  # noqa: ARG002
    ) -> Composer | None:
        """Open what makes vectors for words that the source does not have (``oov="subword"``).

        A source whose `parse` yields an `ExtraFile` for that purpose opens it here. It becomes
        `embedhub.Vectors.composer`.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].composer({}, {}) is None
            True

        Args:
            files: Paths of the extra files in the store, by name.
            metadata: The metadata of each, by name.

        Returns:
            A `Composer`; None if the source has none.
        """
        return None

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
            StoreError: The store cannot be read or written, or is damaged and cannot be built again.

        Warns:
            StoreWarning: The store was damaged, and has been built again.
        """
        dim = self.check_dim(dim)
        key = self.cache_key(dim)
        folder = store_path(self.name, dim, key)
        reopen = reopen or self._reopen(dim, key)
        try:
            return open_or_build(self, folder, dim, key, reopen)
        except cache.RefusedError as error:
            return self._without_cache(dim, key, reopen, error)

    def _without_cache(
        self,
        dim: int,
        cache_key: str,  # noqa: ARG002 - for subclasses
        reopen: Reopen,  # noqa: ARG002
        error: StoreError,
    ) -> Vectors:
        """Open vectors that are not in the cache, which cannot be written, or raise an error.

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
        """Return what the manifest records of a file that ends too early, if its vectors are used.

        Example:
            >>> import embedhub
            >>> from embedhub.errors import UnexpectedEndError
            >>> error = UnexpectedEndError("vectors.txt: line 2 has no newline at its end.")
            >>> embedhub.sources()["wordnet-ppmi"].accept_end(error, None)
            Traceback (most recent call last):
                ...
            embedhub.errors.UnexpectedEndError: vectors.txt: line 2 has no newline at its end.

        Args:
            error: What the reader raised after the last vector.
            fetched: The file.

        Raises:
            UnexpectedEndError: They are not used, since some may be missing.
        """
        raise error

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:  # noqa: ARG002 - for subclasses
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
            "unit": self.unit,
            "tokenization": self.tokenization,
            "cache_key": cache_key,
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

    def _private_files(self) -> tuple[Path, ...]:
        """Return files of the user: who cannot read them cannot read the store that is built of them."""
        return ()

    def _remember_hashes(self, fetched: Fetched) -> None:  # noqa: B027 - most sources verify in `fetch`
        """Remember the hash of a file without a published one, when it has been parsed.

        Args:
            fetched: The result of `fetch`.
        """

    def _remove_unverified(self, fetched: Fetched) -> None:  # noqa: B027 - most sources have nothing to remove
        """Remove a file without a known hash, when it is malformed.

        Args:
            fetched: The result of `fetch`.
        """

    def _remove_downloads(self, fetched: Fetched) -> None:  # noqa: B027 - most sources have nothing to remove
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

    def check_dim(self, dim: int) -> int:
        """Return a dimension of the source; raise an error if it has no such dimension.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].check_dim(25)
            25

        Args:
            dim: The dimension.

        Returns:
            The dimension as an int, such as one that was given as an integer of NumPy.

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
