"""Vectors at a URL, as a source: the format is detected, and the dimension is the file's own."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from embedhub import _cache as cache
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import slug
from embedhub._url import shown_url
from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.errors import DimNotFoundError, FormatError
from embedhub.registry.handle import Handle
from embedhub.registry.handle_source import HandleSource
from embedhub.registry.remote_dim import dim_of_remote_file
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.store import MANIFEST


@dataclass(frozen=True, kw_only=True)
class URLSource(HandleSource):
    """The vectors in the file at a URL; `open_url` returns it."""

    how_to_pin = "Add the checksum to the URL, after a #, or copy the cache."

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
    shown = shown_url(handle.source)
    (file,) = _source(handle, 1).candidates(1)
    with cache.lock(file.lock_name, f"reading {shown}"):
        # Another process may have built the store, and removed the file.
        return _dim_of_store(handle) or dim_of_remote_file(file, shown, f"embedhub.load({shown!r})")
