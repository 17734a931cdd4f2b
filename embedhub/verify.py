"""Tells whether bytes that arrived are the pinned ones, and if not, what they look like."""

import gzip
import hashlib
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

from embedhub import cache, settings
from embedhub.errors import ChecksumError, UnpinnedWarning
from embedhub.files import RemoteFile
from embedhub.remote import HEAD, looks_like
from embedhub.zipmember import Member

_CHUNK = 1 << 20
_THROWN_AWAY = "The bytes were thrown away."


def check(path: Path, file: RemoteFile, member: Member | None, address: str, *, remember: bool) -> None:
    """Compare the bytes that the reader will read with what is known of them.

    A file without a published hash is compared with the digest of its first download on this cache.

    Args:
        path: The bytes; a member as gzip.
        file: What they should be.
        member: What the archive says of the member.
        address: Where they come from, for messages.
        remember: Whether the digest of a file without a published hash is remembered, and must be the same
            later; not for an archive whose members are pinned.

    Raises:
        ChecksumError: They are other bytes.
    """
    where = f"{address}#{file.member}" if file.member else address
    seen = looks_like(_head(path)) if member is None else None
    pin = file.hash or (_remembered(file) if remember else None)
    algorithm = (pin or "sha256:").partition(":")[0]
    digest = hashlib.new(algorithm, usedforsecurity=False)
    limit = file.size if file.size is not None else (member.size if member else None)
    size = 0
    try:
        for data in _bytes(path, member, limit):
            digest.update(data)
            size += len(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ChecksumError(f"{where}: the deflated bytes are damaged ({error}). {_THROWN_AWAY}") from error
    actual = f"{algorithm}:{digest.hexdigest()}"
    hint = f" It is {seen}." if seen else ""
    if limit is not None and size != limit:
        got = f"more than {limit:,}" if size > limit else f"{size:,}"
        raise ChecksumError(f"{where}: expected {limit:,} bytes, got {got}.{hint} {_THROWN_AWAY}")
    if pin is not None and actual != pin:
        known = (
            "" if file.hash else f" (of its first download; remove {_memory(file)} to accept the new file)"
        )
        raise ChecksumError(f"{where}: expected {pin}{known}, got {actual}.{hint} {_THROWN_AWAY}")
    if pin is None:
        if seen:
            raise ChecksumError(f"{where}: expected vectors, but this is {seen}. {_THROWN_AWAY}")
        if remember:
            _remember(file, actual)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _bytes(path: Path, member: Member | None, limit: int | None) -> Iterator[bytes]:
    """Give the bytes that the reader will read, and at most one more than expected: no bomb goes off here."""
    left = None if limit is None else limit + 1
    with path.open("rb") if member is None else gzip.open(path, "rb") as file:
        while data := file.read(_CHUNK if left is None else min(_CHUNK, left)):
            if left is not None:
                left -= len(data)
            yield data


def _memory(file: RemoteFile) -> Path:
    return settings.cache_folder() / "hashes" / file.local_name


def _remembered(file: RemoteFile) -> str | None:
    memory = _memory(file)
    return memory.read_text("utf-8").split()[0] if memory.exists() else None


def _remember(file: RemoteFile, digest: str) -> None:
    cache.ensure_folder(_memory(file).parent)
    fresh = _memory(file).with_suffix(".tmp")
    fresh.write_text(f"{digest}  {file.address}\n", "utf-8")
    fresh.replace(_memory(file))
    warnings.warn(
        f"{file.address}: nobody has published a hash of this file. Its digest {digest} is remembered, and "
        "later downloads must have the same. EMBEDHUB_REQUIRE_HASH=1 refuses such files.",
        UnpinnedWarning,
        stacklevel=2,
    )
