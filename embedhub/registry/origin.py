"""What a source says about its vectors before they are opened: files with their hashes, and readers."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from embedhub._url import shown_url
from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.formats import versions
from embedhub.registry.handle import Handle

FIRST = "first_download"  # in a manifest: hash and size of each file without a published hash
_CHUNK = 1 << 20  # bytes


class OriginFile(NamedTuple):
    """A file that vectors are read from.

    Args:
        address: Its URL without secrets, with a byte range after ``#``, or the name of a local file.
        member: Path inside the archive.
        size: Number of bytes; None if unknown.
        hash: Hash of these bytes, with its algorithm; None if unknown.
    """

    address: str
    member: str | None = None
    size: int | None = None
    hash: str | None = None

    @property
    def location(self) -> str:
        """The address, with the member after ``#``."""
        return f"{self.address}#{self.member}" if self.member else self.address


class Origin(NamedTuple):
    """The files of a source, and the names and versions of the code that reads them.

    Args:
        files: All files that the vectors may be read from, alternatives too.
        readers: What else the cache key of the source has.
        handle: Handle of a file or a URL; None for a source that its name says enough of.
        limit: Number of words of a limit; None without one.
    """

    files: tuple[OriginFile, ...]
    readers: tuple[str, ...]
    handle: Handle | None = None
    limit: int | None = None


def remote_origin(candidates: Sequence[RemoteFile], version: int | str) -> Origin:
    """Return the origin of vectors in one of several remote files.

    Args:
        candidates: The files, in order of preference.
        version: Version of the source's own code; 1 is that of a source without any.
    """
    files = tuple(
        OriginFile(
            shown_url(part.location if part.byte_range else part.url), part.member, part.size, part.known_hash
        )
        for file in candidates
        for part in file.all_files
    )
    return Origin(files, readers_of(candidates, version))


def readers_of(candidates: Sequence[RemoteFile], version: int | str) -> tuple[str, ...]:
    """Return the names and versions of the readers of several remote files.

    Args:
        candidates: The files.
        version: Version of the source's own code; 1 is that of a source without any.
    """
    readers = dict.fromkeys(versions(file.format) for file in candidates)
    return (*readers, *([] if version == 1 else [f"version {version}"]))


def describe_file(file: RemoteFile) -> dict[str, Any]:
    """Return the manifest entries of a remote file and its companions."""
    origin: dict[str, Any] = {"url": shown_url(file.url), "member": file.member, "hash": file.known_hash}
    if file.companions:
        origin["companions"] = [
            {"url": shown_url(other.url), "hash": other.known_hash} for other in file.companions
        ]
    return origin


def first_download(fetched: Fetched) -> dict[str, Any]:
    """Return the manifest entry of files without a published hash: the hash and size of what was read."""
    from embedhub.download.remembered import remembered_hash

    entries = {
        shown_url(file.location): {
            "hash": remembered_hash(file) or digest_of(file, path),
            "size": file.size if file.member else path.stat().st_size,
        }
        for file, path in _unpublished(fetched)
    }
    return {FIRST: entries} if entries else {}


def with_first_download(files: Sequence[OriginFile], manifest: Mapping[str, Any]) -> tuple[OriginFile, ...]:
    """Return files with the hash and size of their first download, if none are published."""
    first = manifest.get(FIRST, {})
    return tuple(
        file._replace(**{"size": file.size, **first[file.location]})
        if file.hash is None and file.location in first
        else file
        for file in files
    )


def revision_of(manifest: Mapping[str, Any]) -> str | None:
    """Return the revision of the repository that a store was built from, or its commit; None without one."""
    revision: str | None = manifest.get("revision") or manifest.get("commit")
    return revision


def wrong_files(fetched: Fetched, expected: Sequence[OriginFile]) -> list[str]:
    """Return what differs between files without a published hash, as fetched, and the expected ones."""
    hashes = {file.location: file.hash for file in expected if file.hash}
    differences = []
    for file, path in _unpublished(fetched):
        location = shown_url(file.location)
        if location in hashes and hashes[location] != (actual := digest_of(file, path)):
            differences.append(f"{location}: expected {hashes[location]}, got {actual}")
    return differences


def _unpublished(fetched: Fetched) -> list[tuple[RemoteFile, Path]]:
    """Return the complete files without a published hash, and their paths."""
    if fetched.file is None or fetched.prefix is not None:
        return []
    paths = (fetched.path, *fetched.companions.values())
    files = zip(fetched.file.all_files, paths, strict=True)
    return [(file, path) for file, path in files if file.known_hash is None]


def digest_of(file: RemoteFile, path: Path) -> str:
    """Return the SHA-256 of a downloaded file, of a zip member that of its inflated bytes."""
    from embedhub._compression import open_bytes

    digest = hashlib.sha256()
    with open_bytes(path) if file.member else path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
