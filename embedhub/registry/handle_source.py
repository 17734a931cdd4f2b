"""Base class of the sources that a handle names, such as a URL or what a scheme of a plugin opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from embedhub._url import shown_url
from embedhub.download.remote_file import Fetched
from embedhub.errors import StoreError
from embedhub.registry.handle import parse_handle
from embedhub.registry.origin import Origin
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import Reopen
from embedhub.vectors.vectors import Vectors


@dataclass(frozen=True, kw_only=True)
class HandleSource(RemoteSource):
    """A source of remote files that a handle names.

    The handle is in the manifest of its stores, so `embedhub cache` shows and takes it. A pickle of vectors
    whose files have no published hash opens the same vectors only.

    Args:
        handle: The handle, without a dimension and a limit.
    """

    handle: str = field(repr=False)  # it may have a secret
    how_to_pin: ClassVar[str] = "Copy the cache of the machine that pickled them."

    def vectors(self, dim: int, *, reopen: Reopen | None = None) -> Vectors:
        """Open the vectors; without a checksum, a pickle of them opens the same ones only."""
        vectors = super().vectors(dim, reopen=reopen)
        files = [part for file in self.candidates(vectors.dim) for part in file.all_files]
        if reopen or all(file.known_hash for file in files):
            return vectors
        return super().vectors(dim, reopen=(_open_same, (self, dim, vectors.manifest["xxh3_128"])))

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:
        """Return what the manifest of a store records about the origin of its vectors."""
        manifest = super().manifest(dim, cache_key, fetched)
        # A handle without its secrets is that of another file.
        return manifest if shown_url(self.handle) != self.handle else manifest | {"handle": self.handle}

    def _origin(self, dim: int) -> Origin:
        """Return the files, their readers, and the handle without its secrets."""
        return super()._origin(dim)._replace(handle=parse_handle(shown_url(self.handle)))

    def _label_and_command(self, dim: int) -> tuple[str, str]:
        shown = shown_url(self.handle)
        return f"{shown} {dim}d", f"embedhub.load({shown!r}, {dim})"


def _open_same(source: HandleSource, dim: int, digests: Mapping[str, str]) -> Vectors:
    """Open the same vectors in another process, whose machine may have downloaded another file.

    Raises:
        StoreError: The vectors are not the same.
    """
    vectors = source.vectors(dim)
    if vectors.manifest["xxh3_128"] != digests:
        shown = shown_url(source.handle)
        raise StoreError(
            f"{shown}: the vectors that were pickled came from another file than the one that this machine "
            "downloaded from there, or were read by another version of embedhub. Nothing was opened. "
            f"{source.how_to_pin}"
        )
    return vectors
