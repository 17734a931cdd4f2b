"""`EmbeddingSource`: the interface fetch, parse, vectors. Data by default, code where a source needs it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from embedhub import __version__
from embedhub import _cache as cache
from embedhub._names import check_name
from embedhub._progress import progress_bar
from embedhub.download.remote_file import RemoteFile
from embedhub.errors import DimNotFoundError
from embedhub.vectors import store
from embedhub.vectors.blocks import Block, Extra
from embedhub.vectors.fallbacks import Fallback, validate_fallbacks
from embedhub.vectors.vectors import Vectors

_BYTES_PER_WORD = 32  # of the index, and of the word itself


def _opened(folders: list[Path]) -> Iterator[Vectors]:
    return (store.open_store(folder) for folder in folders if folder.exists())


@dataclass(frozen=True, kw_only=True)
class EmbeddingSource:
    """A named pretrained set of word vectors, in one or more dims.

    Most sources are this table and no code. One that does not come from plain files overrides `dims`,
    `fingerprints`, `fetch` and `parse`.

    Example:
        >>> from embedhub.formats import glove
        >>> source = EmbeddingSource(
        ...     name="my-corpus",
        ...     files={
        ...         50: (
        ...             RemoteFile(
        ...                 url="https://example.org/my.50d.txt", hash=None, size=None, reader=glove.read
        ...             ),
        ...         )
        ...     },
        ...     description="GloVe on my corpus",
        ...     language="en",
        ...     cased=False,
        ...     words=1000,
        ...     license="CC-BY-4.0",
        ...     citation="Me (2026)",
        ...     homepage="https://example.org",
        ... )
        >>> source.dims
        (50,)

    Args:
        name: Lower-case letters, digits, and ``- . _`` between them.
        files: For each dim the files with its vectors in order of preference: the next is tried when one
            cannot be had. All candidates of a dim hold the same vectors.
        description: One line.
        language: BCP 47 code; ``"mul"`` for several languages, ``"und"`` if unknown.
        cased: Whether ``The`` and ``the`` are different words in it.
        words: Number of words, None if unknown.
        license: SPDX expression or the licence's name.
        citation: What to cite.
        homepage: Where to read more.
        fallbacks: What is tried for a word that is missing, unless the caller says otherwise: ``("lower",)``
            for an uncased source. Names and functions as in `embedhub.embedding_matrix`.

    Raises:
        ValueError: An argument has not the form described here.
    """

    name: str
    files: Mapping[int, tuple[RemoteFile, ...]] = field(default_factory=dict)
    description: str
    language: str
    cased: bool
    words: int | None
    license: str
    citation: str
    homepage: str
    fallbacks: tuple[Fallback, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.name)
        for dim, candidates in self.files.items():
            if type(dim) is not int or dim <= 0:
                raise ValueError(f"{self.name}: files has the dim {dim!r}; expected a positive int.")
            if not candidates or not all(isinstance(file, RemoteFile) for file in candidates):
                raise ValueError(
                    f"{self.name}: files[{dim}] is {candidates!r}; expected RemoteFile objects in a tuple."
                )
        object.__setattr__(self, "fallbacks", validate_fallbacks(self.fallbacks, f"{self.name}: fallbacks"))
        object.__setattr__(
            self, "files", MappingProxyType({dim: tuple(self.files[dim]) for dim in self.files})
        )

    @property
    def dims(self) -> tuple[int, ...]:
        """The dims it comes in, smallest first."""
        return tuple(sorted(self.files))

    def fingerprints(self, dim: int) -> tuple[str, ...]:
        """Name the bytes of each candidate, by their hash where one is known: the key of its store.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].fingerprints(50)[0]
            'sha256:d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f'

        Args:
            dim: One of `dims`.

        Returns:
            One string for each candidate, in their order.
        """
        return tuple(file.fingerprint for file in self.files[dim])

    def fetch(self, dim: int) -> Path:
        """Bring the file for a dim to disk, verified.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].fetch(25).name
            'wordnet_ppmi.npz'

        Args:
            dim: One of `dims`.

        Returns:
            The place of the file. It may go when a store is built of it; see EMBEDHUB_KEEP_DOWNLOADS.

        Raises:
            DimNotFoundError: The source has no such dim.
            DownloadError: The file could not be had; a ChecksumError if its bytes are not the pinned ones.
        """
        # pooch and requests cost more time to import than a store takes to open.
        from embedhub.download.fetch import fetch

        self.check_dim(dim)
        return fetch(self.files[dim], **self._wanted(dim))

    def _wanted(self, dim: int) -> dict[str, str]:
        """Return what the messages of a download say."""
        return {"what": f"{self.name} {dim}d", "command": f"embedhub.load({self.name!r}, {dim})"}

    def parse(self, path: Path, dim: int) -> Iterator[Block | Extra]:
        """Read a file of this source as blocks of words and float32 rows, and what else its store keeps.

        Example:
            >>> import embedhub
            >>> source = embedhub.sources()["wordnet-ppmi"]
            >>> words, rows = next(source.parse(source.fetch(25), 25))
            >>> words[:3], rows.shape, rows.dtype
            (['the', 'a', 'of'], (8192, 25), dtype('float32'))

        Args:
            path: What `fetch` gave, or a copy of the first candidate from elsewhere.
            dim: Width of a row.

        Raises:
            FormatError: The file is not what its reader expects.
        """
        file = self.files[dim][self._candidate(path, dim)]
        # Of a copy from elsewhere the reader itself finds what lies beside it.
        beside = file.beside if path.name.startswith(file.local_name) else ()
        return file.reader(path, dim, *(path.with_name(other.local_name) for other in beside))

    def vectors(self, dim: int) -> Vectors:
        """Open the vectors of a dim; the first time on a machine, fetch the file and build the store.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].vectors(25)
            <Vectors wordnet-ppmi: 78,781 words, dim 25>

        Args:
            dim: One of `dims`.

        Raises:
            DimNotFoundError: The source has no such dim.
            DownloadError: The file could not be had.
            FormatError: The file is not what its reader expects; nothing is published.
        """
        self.check_dim(dim)
        folders = [store.folder_for(self.name, dim, fingerprint) for fingerprint in self.fingerprints(dim)]
        opened = next(_opened(folders), None)
        if opened is None:
            with cache.lock(f"build-{self.name}-{dim}d", f"building {self.name} {dim}d"):
                opened = next(_opened(folders), None)
                if opened is None:
                    self._build(folders, dim)
                    opened = next(_opened(folders))
        # Not a fact of the file, and so not of its store: an update of the source may change it.
        opened.fallbacks = self.fallbacks
        return opened

    def rebuild(self, dim: int) -> Vectors:
        """Build the store of a dim anew; the one that is there stays until the new one is whole.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].rebuild(25)
            <Vectors wordnet-ppmi: 78,781 words, dim 25>

        Args:
            dim: One of `dims`.

        Raises:
            EmbedhubError: What `vectors` raises; then all is as it was before.
            StoreError: A process has the store open, on Windows; likewise.
        """
        self.check_dim(dim)
        folders = [store.folder_for(self.name, dim, fingerprint) for fingerprint in self.fingerprints(dim)]
        fresh = [folder.with_name(f".{folder.name}.fresh") for folder in folders]
        with cache.lock(f"build-{self.name}-{dim}d", f"building {self.name} {dim}d"):
            for folder in fresh:
                shutil.rmtree(folder, ignore_errors=True)  # of a killed process
            self._build(fresh, dim)
            store.forget()
            try:
                for folder in folders:
                    cache.remove(folder)
                for built, folder in zip(fresh, folders, strict=True):
                    if built.exists():
                        cache.put(built, folder)
            finally:
                for folder in fresh:
                    shutil.rmtree(folder, ignore_errors=True)
            opened = next(_opened(folders))
        opened.fallbacks = self.fallbacks
        return opened

    def store_folder(self, dim: int) -> Path | None:
        """Return the folder of the store of a dim, None where this cache has none.

        Example:
            >>> import embedhub
            >>> vectors = embedhub.load("wordnet-ppmi", 25)
            >>> embedhub.sources()["wordnet-ppmi"].store_folder(25).parent.name
            'wordnet-ppmi'

        Args:
            dim: One of `dims`.
        """
        folders = (store.folder_for(self.name, dim, fingerprint) for fingerprint in self.fingerprints(dim))
        return next((folder for folder in folders if folder.exists()), None)

    def download_size(self, dim: int) -> int | None:
        """Return how many bytes a fetch brings, None where that is not known.

        Of a member of a zip archive only the inflated size is known; then it is that of the next candidate,
        which holds the same vectors in a compressed file.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].download_size(50)
            69182535

        Args:
            dim: One of `dims`.
        """
        for file in self.files.get(dim, ()):
            sizes = [part.size for part in file.parts if part.member is None]
            if len(sizes) == len(file.parts) and None not in sizes:
                return sum(size for size in sizes if size is not None)
        return None

    def store_size(self, dim: int) -> int | None:
        """Return about how many bytes a store takes, None where the number of words is not known.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["glove-6b"].store_size(50)
            92800000

        Args:
            dim: One of `dims`.
        """
        return None if self.words is None else self.words * (4 * dim + _BYTES_PER_WORD)

    def _build(self, folders: list[Path], dim: int) -> None:
        def build(path: Path, accept: Callable[[], None]) -> None:
            self._build_from(path, accept, folders, dim)

        if type(self).fetch is EmbeddingSource.fetch:
            from embedhub.download.fetch import fetch_and_build

            fetch_and_build(self.files[dim], build, **self._wanted(dim))
        else:  # who fetches in its own way verifies in its own way
            build(self.fetch(dim), lambda: None)

    def _build_from(self, path: Path, accept: Callable[[], None], folders: list[Path], dim: int) -> None:
        candidate = self._candidate(path, dim)
        room = self.store_size(dim)
        if room is not None:
            cache.check_space(cache.ensure_folder(folders[candidate].parent), room, "the store")
        with progress_bar(f"Building {self.name} {dim}d", self.words, in_bytes=False) as advance:
            store.build(
                folders[candidate],
                self.parse(path, dim),
                name=self.name,
                dim=dim,
                provenance=self._provenance(dim, candidate),
                advance=advance,
                accept=accept,
            )

    def _provenance(self, dim: int, candidate: int) -> dict[str, Any]:
        """Return what the manifest says of where the vectors come from."""
        facts: dict[str, Any] = {"fingerprint": self.fingerprints(dim)[candidate]}
        if self.files:
            file = self.files[dim][candidate]
            facts |= {"url": file.url, "member": file.member, "hash": file.hash}
            if file.beside:
                facts["beside"] = [{"url": other.url, "hash": other.hash} for other in file.beside]
        return facts | {
            "license": self.license,
            "citation": self.citation,
            "homepage": self.homepage,
            "written_by": f"embedhub {__version__}",
        }

    def _candidate(self, path: Path, dim: int) -> int:
        """Return which candidate a file on disk is, by its name; the first if it came from elsewhere."""
        for candidate, file in enumerate(self.files.get(dim, ())):
            if path.name.startswith(file.local_name):  # more follows while the file is not verified
                return candidate
        return 0

    def check_dim(self, dim: int) -> None:
        """Raise DimNotFoundError unless the source comes in this dim.

        Example:
            >>> import embedhub
            >>> embedhub.sources()["wordnet-ppmi"].check_dim(25)

        Args:
            dim: What was asked for.
        """
        if dim not in self.dims:
            raise DimNotFoundError(
                f"{self.name!r} has no dim {dim!r}; its dims are {', '.join(map(str, self.dims))}."
            )
