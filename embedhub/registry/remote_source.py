"""Sources that consist of files at URLs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from embedhub import settings
from embedhub._frozen import FrozenDict
from embedhub._url import shown_url
from embedhub.download.remote_file import Fetched, RemoteFile, published_prefix
from embedhub.errors import FormatError, StoreError, UnexpectedEndError
from embedhub.formats import check_format, get_composer, get_format, prepare
from embedhub.registry.origin import Origin, describe_file, readers_of, remote_origin
from embedhub.registry.source import EmbeddingSource, Reopen
from embedhub.vectors.blocks import Block, Composer, ExtraFile, Format
from embedhub.vectors.vectors import Vectors

_STATIC = "static-embeddings"  # and static-embeddings-prefix


@dataclass(frozen=True, kw_only=True)
class RemoteSource(EmbeddingSource):
    """A named set of pretrained word vectors in files at URLs.

    The format of a file is detected from its content unless `RemoteFile` names it.

    Example:
        >>> source = RemoteSource(
        ...     name="my-corpus",
        ...     files={50: RemoteFile("https://example.org/my.50d.txt")},
        ...     description="GloVe on my corpus",
        ...     language="en",
        ...     cased=False,
        ...     vocab_size=1000,
        ...     license="CC-BY-4.0",
        ...     citation="Me (2026)",
        ...     homepage="https://example.org",
        ... )
        >>> source.dims
        (50,)

    Args:
        name: Name of the source; this and all arguments but the last two are as in `EmbeddingSource`.
        description: Description in one line.
        language: BCP 47 code.
        cased: Whether ``The`` and ``the`` are different words in it.
        vocab_size: Number of words; None if unknown.
        license: SPDX expression, or the name of the license.
        citation: Citation in one line.
        bibtex: Citation in BibTeX.
        homepage: URL with more information.
        unit: Unit of the vocabulary, ``"word"`` or ``"token"``.
        frequent_first: Whether the words are sorted by frequency, most frequent first.
        tokenization: Tokenization of the training texts; None if unknown.
        fallbacks: Default fallbacks for out-of-vocabulary words.
        files: For each dimension, the file with its vectors, or a tuple or list of alternative files with the
            same vectors, in order of preference: if one is not available, the next is tried.
        version: Version of `parse`, for subclasses that override it. Change it whenever `parse` yields other
            vectors from the same bytes: stores are then rebuilt. A `Format` has its own version.

    Raises:
        ValueError: ``files`` is empty, a dimension is not a positive integer or lacks a file, or the format
            of a file is unknown; or as for `EmbeddingSource`.
        TypeError: ``files`` is not a mapping.
    """

    files: Mapping[int, RemoteFile | Sequence[RemoteFile]]
    version: int | str = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.files, Mapping):
            raise TypeError(
                f"{self.name}: files is {self.files!r}; expected a mapping of dims to RemoteFile objects, as "
                "in {50: RemoteFile(...)}."
            )
        if not self.files:
            raise ValueError(f"{self.name}: files is empty; expected a RemoteFile for each dim.")
        for dim in self.files:
            if type(dim) is not int or dim <= 0:
                raise ValueError(f"{self.name}: files has the dim {dim!r}; expected a positive int.")
        candidates = {dim: self._as_tuple(dim, files) for dim, files in self.files.items()}
        object.__setattr__(self, "files", FrozenDict(candidates))
        for file in self._all_candidates():
            if isinstance(file.format, str):
                check_format(file.format)

    def _as_tuple(self, dim: int, files: object) -> tuple[RemoteFile, ...]:
        several = [files] if isinstance(files, RemoteFile) else files
        if (
            not isinstance(several, tuple | list)
            or not several
            or not all(isinstance(file, RemoteFile) for file in several)
        ):
            raise ValueError(
                f"{self.name}: files[{dim}] is {files!r}; expected a RemoteFile, or a tuple or list of them."
            )
        return tuple(several)

    def candidates(self, dim: int) -> tuple[RemoteFile, ...]:
        """Return the files with the vectors of a dimension, in order of preference.

        Example:
            >>> import embedhub
            >>> len(embedhub.sources()["glove-6b"].candidates(50))
            2

        Args:
            dim: A dimension; the result is empty for one that the source does not have.
        """
        # Made tuples in __post_init__.
        return cast("tuple[RemoteFile, ...]", self.files.get(dim, ()))

    def _all_candidates(self) -> Iterator[RemoteFile]:
        return (file for dim in self.files for file in self.candidates(dim))

    @property
    def dims(self) -> tuple[int, ...]:
        """The available dimensions, smallest first."""
        return tuple(sorted(self.files))

    def cache_key(self, dim: int) -> str:
        """Identify the first candidate by hash or location, with the reader versions of all candidates.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].cache_key(200)
            'sha1:17d0355ddaa253e298ede39877d1be70f99d9148, glove 2, word2vec-text 2'

        Args:
            dim: One of `dims`.
        """
        return ", ".join([self.candidates(dim)[0].cache_key, *readers_of(self.candidates(dim), self.version)])

    def fetch(self, dim: int) -> Fetched:
        """Download and verify the first available candidate.

        Example:
            >>> import embedhub, os
            >>> os.environ["EMBEDHUB_OFFLINE"] = "1"  # otherwise it would be downloaded
            >>> embedhub.sources()["glove-6b"].fetch(50)
            Traceback (most recent call last):
                ...
            embedhub.errors.OfflineError: glove-6b 50d is not in the cache (...), and ...

        Args:
            dim: One of `dims`.

        Raises:
            DimNotFoundError: The source does not have this dimension.
            DownloadError: No candidate is available; a ChecksumError if one had the wrong checksum.
        """
        # pooch and requests cost more time to import than a store takes to open.
        from embedhub.download.fetch import fetch_first

        self.check_dim(dim)
        label, command = self._label_and_command(dim)
        return fetch_first(
            self.candidates(dim), label=label, command=command, began=lambda file: prepare(file.format)
        )

    def fetch_words(self, dim: int, words: int) -> Fetched:
        """Download the beginning of the first available candidate, with so many words.

        Example:
            >>> import embedhub, os
            >>> os.environ["EMBEDHUB_OFFLINE"] = "1"  # otherwise it would be downloaded
            >>> embedhub.sources()["glove-6b"].fetch_words(100, 1000)
            Traceback (most recent call last):
                ...
            embedhub.errors.OfflineError: glove-6b 100d is not in the cache (...), and ...

        Args:
            dim: One of `dims`.
            words: Number of words.
        """
        from embedhub.download.prefix import fetch_words

        self.check_dim(dim)
        label, command = self._label_and_command(dim)
        return fetch_words(
            self.candidates(dim),
            words,
            self.vocab_size,
            label=label,
            command=f"{command[:-1]}, limit={words})",
            has_words=partial(self._has_words, dim, words),
            began=lambda file: prepare(file.format),
        )

    def _has_words(self, dim: int, words: int, fetched: Fetched) -> bool:
        """Return whether more than so many words can be read from a part of a file: the last may be cut."""
        seen: set[str] = set()
        with suppress(FormatError):
            for block in self.parse(fetched, dim):
                if not isinstance(block, ExtraFile):
                    seen.update(block[0])
                if len(seen) > words:
                    return True
        return False

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
        """Read a file in its format.

        Example:
            >>> import embedhub
            >>> from pathlib import Path
            >>> from embedhub.download.remote_file import Fetched
            >>> source = embedhub.sources()["glove-6b"]
            >>> _ = Path("copy.txt").write_text("rain" + 50 * " 0.5")
            >>> words, vectors = next(source.parse(Fetched(Path("copy.txt"), source.candidates(50)[0]), 50))
            >>> words, vectors.shape
            (['rain'], (1, 50))

        Args:
            fetched: The result of `fetch`.
            dim: Dimension of the vectors.

        Raises:
            FormatError: The file is malformed.
        """
        file = fetched.file or self.candidates(dim)[0]
        companions = tuple(fetched.companions.values())
        if isinstance(file.format, Format):
            return file.format.read(fetched.path, dim, *companions)
        if file.format is not None:
            return self._read_named(file, file.format, fetched.path, dim, *companions)
        from embedhub.formats.detect import detect

        advice = "A format of your own has to be named: RemoteFile(..., format=FORMAT), a Format, in Python."
        detected = detect(fetched.path, advice=advice)
        if not file.companions:
            self._refuse_companions(detected.companions, fetched.path, file)
        if detected.dim != dim:
            raise FormatError(
                f"{fetched.path}: {shown_url(file.location)} has vectors of dim {detected.dim}, but "
                f"{self.name} names it for dim {dim}."
            )
        return detected.format.read(fetched.path, dim, *(companions or detected.companions))

    def _read_named(
        self, file: RemoteFile, name: str, path: Path, dim: int, *companions: Path
    ) -> Iterator[Block | ExtraFile]:
        """Read a file in the built-in format that its table names."""
        from embedhub.formats.foreign import explained

        with explained(path):
            if name.startswith(_STATIC) and not file.companions:
                from embedhub.formats.static_embeddings import read_dim_and_companions

                self._refuse_companions(read_dim_and_companions(path)[1], path, file)
            yield from get_format(name).read(path, dim, *companions)

    def _refuse_companions(self, needed: tuple[Path, ...], path: Path, file: RemoteFile) -> None:
        """Raise FormatError if a file needs companion files that its table does not name."""
        if needed:
            # One that happens to be next to it in the cache belongs to another file, and is not verified.
            names = ", ".join(other.name for other in needed)
            raise FormatError(
                f"{path}: the vectors of {shown_url(file.location)} need {names}, which {self.name} does not "
                "name; give it as one of the companions of this RemoteFile."
            )

    def composer(
        self, files: Mapping[str, Path], metadata: Mapping[str, Mapping[str, Any]]
    ) -> Composer | None:
        """Open the composer of the format of a candidate, if it has one.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].composer({}, {}) is None
            True

        Args:
            files: Paths of the extra files in the store, by name.
            metadata: The metadata of each, by name.
        """
        openers = dict.fromkeys(get_composer(file.format) for file in self._all_candidates())
        composers = (opener(files, metadata) for opener in openers if opener)
        return next((composer for composer in composers if composer), None)

    def accept_end(self, error: UnexpectedEndError, fetched: Fetched | None) -> Mapping[str, Any]:
        """Accept a file whose published hash matches as complete, whatever its header declares.

        Example:
            >>> import embedhub
            >>> from pathlib import Path
            >>> from embedhub.download.remote_file import Fetched
            >>> from embedhub.errors import UnexpectedEndError
            >>> source = embedhub.sources()["glove-6b"]
            >>> error = UnexpectedEndError("glove.6B.50d.txt: line 400000 has no newline at its end.")
            >>> source.accept_end(error, Fetched(Path("copy.txt"), source.candidates(50)[0]))
            {}

        Args:
            error: The error that the reader raised after the last vector.
            fetched: The file.

        Raises:
            UnexpectedEndError: The file has no published hash.
        """
        if fetched and fetched.file and fetched.file.known_hash:
            return {}
        raise error

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:
        """Return the manifest entries that describe the origin of the vectors.

        Example:
            >>> import embedhub
            >>> from pathlib import Path
            >>> from embedhub.download.remote_file import Fetched
            >>> source = embedhub.sources()["glove-6b"]
            >>> fetched = Fetched(Path("copy.txt"), source.candidates(50)[0])
            >>> source.manifest(50, source.cache_key(50), fetched)["url"]
            'https://nlp.stanford.edu/data/glove.6B.zip'

        Args:
            dim: One of `dims`.
            cache_key: The result of `cache_key`.
            fetched: The file that the store is built from.
        """
        metadata = super().manifest(dim, cache_key, fetched)
        file = (fetched and fetched.file) or self.candidates(dim)[0]
        return {"cache_key": metadata.pop("cache_key"), **describe_file(file), **metadata}

    def _origin(self, dim: int) -> Origin:
        """Return the candidates with their companions, and the readers of all."""
        return remote_origin(self.candidates(dim), self.version)

    def _label_and_command(self, dim: int) -> tuple[str, str]:
        """Return what is downloaded, for messages, and Python that downloads it."""
        return f"{self.name} {dim}d", f"embedhub.load({self.name!r}, {dim})"

    def _file_locks(self, dim: int) -> tuple[str, ...]:
        """Return the names of the locks of all candidates and their companions."""
        return tuple(sorted({file.lock_name for first in self.candidates(dim) for file in first.all_files}))

    def _without_cache(self, dim: int, cache_key: str, reopen: Reopen, error: StoreError) -> Vectors:
        """Raise an error; offline, it says where to get the file."""
        if settings.offline():
            from embedhub.download.failures import offline_error

            label, command = self._label_and_command(dim)
            raise offline_error(self.candidates(dim), (), label, command, reason=str(error)) from error
        return super()._without_cache(dim, cache_key, reopen, error)

    def _remember_hashes(self, fetched: Fetched) -> None:
        """Remember the hash of a file without a published one, when it has been parsed."""
        from embedhub.download.fetch import remember_hashes
        from embedhub.download.prefix import remember_first_words

        (remember_first_words if fetched.prefix else remember_hashes)(fetched)

    def _remove_unverified(self, fetched: Fetched) -> None:
        """Remove a file without a known hash, when it is malformed."""
        from embedhub.download.fetch import remove_unverified

        remove_unverified(fetched)

    def _remove_downloads(self, fetched: Fetched) -> None:
        """Remove a downloaded file and its companions."""
        from embedhub.download.fetch import remove_all

        remove_all(fetched)

    def download_size(self, dim: int) -> int | None:
        """Return the number of bytes of the download; None if it is unknown.

        Of a zip member, only the inflated size is known; the result is then the size of the next candidate, a
        compressed file with the same vectors. `RemoteFile.size_at_most` is an upper bound.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].download_size(50)
            69182535

        Args:
            dim: One of `dims`.
        """
        for file in self.candidates(dim):
            sizes = [part.size for part in file.all_files if part.member is None]
            if len(sizes) == len(file.all_files) and None not in sizes:
                return sum(size for size in sizes if size is not None)
        return None

    def _size_of_words(self, dim: int, words: int) -> int | None:
        prefix = published_prefix(self.candidates(dim)[0], words)
        return prefix.size if prefix else super()._size_of_words(dim, words)
