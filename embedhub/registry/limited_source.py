"""`LimitedSource`: only the first words of a source."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from embedhub import _cache as cache
from embedhub.download.remote_file import Fetched
from embedhub.errors import UnexpectedEndError, VocabularyError
from embedhub.registry import lock
from embedhub.registry.origin import Origin
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.blocks import Block, ExtraFile

_BLOCK = 8192


@dataclass(frozen=True, kw_only=True)
class LimitedSource(EmbeddingSource):
    """The first words of another source, in a store of their own; `limited` returns it.

    Args:
        whole: The other source.
        limit: How many words.
    """

    whole: EmbeddingSource
    limit: int

    @property
    def dims(self) -> tuple[int, ...]:
        """The dimensions of the other source."""
        return self.whole.dims

    def cache_key(self, dim: int) -> str:
        """Identify the vectors of the other source, and how many there are."""
        return f"{self.whole.cache_key(dim)}, the first {self.limit} words"

    def fetch(self, dim: int) -> Fetched | None:
        """Make the first words available: None if the store of all is there."""
        if cache.exists(self.whole.store_path(dim)):
            return None
        return self.whole.fetch_words(dim, self.limit)

    def parse(self, fetched: Fetched | None, dim: int) -> Iterator[Block | ExtraFile]:
        """Read the first words of the file, or of the store of all."""
        if fetched is None and cache.exists(self.whole.store_path(dim)):
            with lock.ignored():  # which has the first words, and maybe not all
                vectors = self.whole.vectors(dim)
            for start in range(0, min(self.limit, len(vectors)), _BLOCK):
                rows = slice(start, min(start + _BLOCK, self.limit))
                yield Block(list(vectors.words[rows]), vectors.matrix[rows])
            return
        yield from first_blocks(self.whole.parse(cast("Fetched", fetched), dim), self.limit)

    def accept_end(self, error: UnexpectedEndError, fetched: Fetched | None) -> Mapping[str, Any]:
        """Accept the end as the other source does, if the file is whole."""
        if fetched and fetched.prefix:
            raise error
        return self.whole.accept_end(error, fetched)

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:
        """Return what the manifest of the other source has, and the limit."""
        metadata = self.whole.manifest(dim, cache_key, fetched) | {"limit": self.limit}
        if fetched and fetched.file and fetched.prefix:
            size, digest = fetched.prefix.size, fetched.prefix.known_hash
            is_published = (size, digest) in fetched.file.prefixes.values()
            metadata |= {"bytes": size, "hash": digest if is_published else None}
        return metadata

    def download_size(self, dim: int) -> int | None:
        """Return about how many bytes the first words take to download; None if that is unknown."""
        return self.whole._size_of_words(dim, self.limit)  # noqa: SLF001 - of the same class

    def _prepare(self, dim: int) -> bool:
        return self.whole._prepare(dim)  # noqa: SLF001 - of the same class

    def _origin(self, dim: int) -> Origin:
        return self.whole._origin(dim)._replace(limit=self.limit)  # noqa: SLF001

    def _file_locks(self, dim: int) -> tuple[str, ...]:
        return self.whole._file_locks(dim)  # noqa: SLF001 - of the same class

    def _private_files(self) -> tuple[Path, ...]:
        return self.whole._private_files()  # noqa: SLF001

    def _remember_hashes(self, fetched: Fetched) -> None:
        self.whole._remember_hashes(fetched)  # noqa: SLF001

    def _remove_unverified(self, fetched: Fetched) -> None:
        self.whole._remove_unverified(fetched)  # noqa: SLF001

    def _remove_downloads(self, fetched: Fetched) -> None:
        if fetched.prefix is None:  # a beginning stays, so that a larger limit continues it
            self.whole._remove_downloads(fetched)  # noqa: SLF001


def limited(source: EmbeddingSource, limit: int) -> EmbeddingSource:
    """Return a source of the first words of another one, or that one if it does not have more.

    Args:
        source: The other one.
        limit: How many words.

    Raises:
        TypeError: The limit is not an integer.
        VocabularyError: It is not positive, or the words of the source are not sorted by frequency.
    """
    if type(limit) is not int:
        raise TypeError(f"limit is {limit!r}; expected a number of words.")
    if limit < 1:
        raise VocabularyError(f"limit is {limit}; expected a positive number of words.")
    if source.unit != "word" or not source.frequent_first:
        reason = "its words are not sorted by frequency"
        if source.unit != "word":
            reason = "a tokenizer needs the vectors of all its tokens"
        raise VocabularyError(f"{source.name} cannot be limited to {limit:,} words, since {reason}.")
    if isinstance(source, LimitedSource):
        return limited(source.whole, min(limit, source.limit))
    size = source.vocab_size
    if size is not None and size <= limit:
        return source
    metadata = {field.name: getattr(source, field.name) for field in fields(EmbeddingSource)}
    metadata["vocab_size"] = None if size is None else limit
    return LimitedSource(whole=source, limit=limit, **metadata)


def first_blocks(blocks: Iterator[Block | ExtraFile], limit: int) -> Iterator[Block | ExtraFile]:
    """Yield blocks until they have a number of different words; of the last block only the words needed."""
    seen: set[str] = set()
    with closing(cast("Any", blocks)):
        for block in blocks:
            if isinstance(block, ExtraFile):
                yield block
                continue
            words, vectors = block
            for end, word in enumerate(words, 1):
                seen.add(word)
                if len(seen) == limit:
                    yield Block(words[:end], vectors[:end])
                    return
            yield block
