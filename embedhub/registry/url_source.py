"""Vectors at a URL, as a source: the format is detected, and the dimension is the file's own."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from embedhub import _cache as cache
from embedhub import settings
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import slug
from embedhub._url import shown_url
from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.errors import DimNotFoundError, FormatError, StoreError
from embedhub.registry.handle import Handle
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import Reopen
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.store import MANIFEST
from embedhub.vectors.vectors import Vectors


@dataclass(frozen=True, kw_only=True)
class URLSource(RemoteSource):
    """The vectors in the file at a URL; `open_url` returns it.

    Args:
        handle: Its handle, without a dimension.
    """

    handle: str = field(repr=False)  # it may have a secret

    def vectors(self, dim: int, *, reopen: Reopen | None = None) -> Vectors:
        """Open the vectors; without a checksum, a pickle of them opens the same ones only."""
        vectors = super().vectors(dim, reopen=reopen)
        (file,) = self.candidates(dim)
        if reopen or file.known_hash:
            return vectors
        return super().vectors(dim, reopen=(_open_same, (self, dim, vectors.manifest["xxh3_128"])))

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:
        """Return what the manifest of a store records about the origin of its vectors."""
        manifest = super().manifest(dim, cache_key, fetched)
        # A handle without its secrets is that of another file.
        return manifest if shown_url(self.handle) != self.handle else manifest | {"handle": self.handle}

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
        """Read the file, if it has vectors of that dimension."""
        from embedhub.formats.detect import detect

        detected = detect(fetched.path)
        if detected.dim != dim:
            raise DimNotFoundError(
                f"{shown_url(self.handle)} has vectors of dim {detected.dim}; {dim} was given."
            )
        if detected.companions:
            names = " and ".join(path.name for path in detected.companions)
            raise FormatError(
                f"{shown_url(self.handle)}: these vectors need {names} in the same folder. Download both and "
                "pass the folder, or describe them as a RemoteSource with companions."
            )
        return detected.format.read(fetched.path, dim)

    def _label_and_command(self, dim: int) -> tuple[str, str]:
        shown = shown_url(self.handle)
        return f"{shown} {dim}d", f"embedhub.load({shown!r}, {dim})"


def _open_same(source: URLSource, dim: int, digests: Mapping[str, str]) -> Vectors:
    """Open the same vectors in another process, whose machine may have downloaded another file.

    Raises:
        StoreError: The vectors are not the same.
    """
    vectors = source.vectors(dim)
    if vectors.manifest["xxh3_128"] != digests:
        shown = shown_url(source.handle)
        raise StoreError(
            f"{shown}: the vectors that were pickled came from another file than the one that this machine "
            "downloaded from there, or were read by another version of embedhub. Nothing was opened. Add "
            "the checksum to the URL, after a #, or copy the cache."
        )
    return vectors


def open_url(handle: Handle, dim: int | None) -> URLSource:
    """Return the source of a URL.

    Args:
        handle: The handle of a URL.
        dim: Dimension of its vectors. By default the file's own: that of its store, or else its beginning is
            downloaded now.

    Raises:
        DimNotFoundError: ``dim`` is not positive.
        DownloadError: The file is not available.
        FormatError: It is in none of the known formats.
    """
    if dim is not None and dim < 1:
        raise DimNotFoundError(f"dim is {dim}; expected a positive integer.")
    return _source(handle, dim or _dim_of_store(handle) or _dim_of_file(handle))


def _source(handle: Handle, dim: int) -> URLSource:
    file = RemoteFile(handle.location, member=handle.member, known_hash=handle.known_hash)
    shown = shown_url(handle.source)
    return URLSource(
        name=slug(Path(file.member or urlsplit(file.url).path).name),
        handle=handle.source,
        files={dim: file},
        description=f"vectors at {shown}",
        language="und",
        cased=True,
        license="",
        citation="",
        homepage="",
    )


def _dim_of_store(handle: Handle) -> int | None:
    """Return the dimension of a store of a URL, or of its first words; None if there is none."""
    place = _source(handle, 1).store_path(1)
    _, _, key = place.name.partition("-")
    for folder in cache.entries(place.parent):
        dim = re.fullmatch("([1-9][0-9]*)d-([0-9a-f]{16})", folder.name)
        if dim and (dim[2] == key or _recorded_handle(folder) == handle.source):
            return int(dim[1])
    return None


def _recorded_handle(folder: Path) -> str | None:
    """Return the handle in the manifest of a store; None without one."""
    with suppress(OSError, *CONTENT_ERRORS):
        return str(parse_json((folder / MANIFEST).read_text("utf-8"))["handle"])
    return None


def _dim_of_file(handle: Handle) -> int:
    """Return the dimension of the file at a URL, by its beginning, which stays for its store."""
    # pooch, requests and the formats take longer to import than a store to open.
    from embedhub.download.fetch import fetch_first, remove_unverified
    from embedhub.download.prefix import fetch_words
    from embedhub.formats.detect import detect

    def is_detected(fetched: Fetched) -> bool:
        with suppress(FormatError):
            return detect(fetched.path).dim > 0
        return False

    shown = shown_url(handle.source)
    (file,) = _source(handle, 1).candidates(1)
    with cache.lock(file.lock_name, f"reading {shown}"):
        dim = _dim_of_store(handle)  # another process may have built it, and removed the file
        if dim:
            return dim
        command = f"embedhub.load({shown!r})"
        if settings.require_hash():  # a beginning has none
            fetched = fetch_first([file], label=shown, command=command)
        else:
            fetched = fetch_words([file], 1, None, label=shown, command=command, has_words=is_detected)
        try:
            return detect(fetched.path).dim
        except FormatError as error:
            remove_unverified(fetched)
            raise type(error)(f"{shown}: {error}") from error
