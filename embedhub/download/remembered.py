"""Trust on first use: remembered hashes of files without a published hash."""

import re
from contextlib import suppress
from pathlib import Path

from embedhub import _atomic, settings
from embedhub import _cache as cache
from embedhub._names import shown_names
from embedhub._url import shown_url
from embedhub._warn import warn, warn_or_log
from embedhub.download.remote_file import Prefix, RemoteFile, flat_name
from embedhub.errors import StoreError, StoreWarning, UnverifiedWarning

_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_SIZE = re.compile(r" \[:([1-9][0-9]*)\]$", re.MULTILINE)  # of the beginning of a file, after its location
_SEPARATOR = "  "  # between a digest and its file, as sha256sum writes it


def remembered_hash(file: RemoteFile) -> str | None:
    """Return the hash of a file's first download to this cache; None before that.

    Raises:
        StoreError: The record is not a hash, or cannot be read.

    Warns:
        StoreWarning: The record is empty or truncated, and is discarded.
    """
    return _read(_folder() / flat_name(file.cache_name), shown_url(file.location))[0]


def remember_hash(file: RemoteFile, digest: str) -> None:
    """Remember the hash of a file that its reader accepted, and warn about it."""
    location = shown_url(file.location)
    _atomic.publish_text(_folder() / flat_name(file.cache_name), f"{digest}{_SEPARATOR}{location}\n")
    warn(
        f"{location}: there is no published hash of this file. Its hash {digest} is remembered, and "
        "later downloads must have the same. EMBEDHUB_REQUIRE_HASH=1 refuses such files.",
        UnverifiedWarning,
    )


def remembered_prefix(file: RemoteFile, words: int) -> Prefix | None:
    """Return the beginning of a file with so many words that was first downloaded; None if none was.

    Raises:
        StoreError: As for `remembered_hash`.

    Warns:
        StoreWarning: As for `remembered_hash`.
    """
    digest, location = _read(_prefix_path(file, words), shown_url(file.location))
    size = _SIZE.search(location)
    return Prefix(words, int(size[1]), digest) if digest and size else None


def how_to_forget_prefix(file: RemoteFile, prefix: Prefix) -> str:
    """Return the same sentence for the beginning of a file; empty if its hash is published."""
    if not cache.exists(_prefix_path(file, prefix.words)):
        return ""
    return _how_to_forget(_prefix_location(file, prefix))


def remember_prefix(file: RemoteFile, prefix: Prefix, digest: str) -> None:
    """Remember the hash of the beginning of a file that its reader has accepted, with a warning."""
    record = f"{digest}{_SEPARATOR}{_prefix_location(file, prefix)}\n"
    _atomic.publish_text(_prefix_path(file, prefix.words), record)
    warn(
        f"{shown_url(file.location)}: there is no published hash of its first {prefix.size:,} bytes. Their "
        f"hash {digest} is remembered, and later downloads must have the same. EMBEDHUB_REQUIRE_HASH=1 "
        "refuses them.",
        UnverifiedWarning,
    )


def _prefix_location(file: RemoteFile, prefix: Prefix) -> str:
    return f"{shown_url(file.location)} [:{prefix.size}]"


def _prefix_path(file: RemoteFile, words: int) -> Path:
    return _folder() / f"{flat_name(file.cache_name)}-first-{words}"


def forget_hash(location: str) -> str:
    """Forget the hash of a file's first download, so that the next download is accepted.

    Args:
        location: Location of the file as shown in messages: its URL, with the member of an archive after
            ``#``.

    Returns:
        The hash.

    Raises:
        StoreError: The file has no remembered hash, or its record cannot be removed.
    """
    lines: dict[Path, tuple[str, str, str]] = {}
    try:
        for path in _folder().glob("[!.]*"):
            lines[path] = path.read_text("utf-8", "replace").strip().partition(_SEPARATOR)
        same = [path for path, (_, _, of) in lines.items() if of == shown_url(location)]
        for path in same:  # several, if the URLs differ in a secret
            path.unlink()
    except OSError as error:
        raise StoreError(f"{error.filename or _folder()}: {error.strerror}.") from error
    if same:
        return lines[same[0]][0]
    others = sorted(of for _, _, of in lines.values() if of)
    raise StoreError(
        f"No hash of {shown_url(location)} is remembered in {_folder()}, only of: "
        f"{shown_names(others) or 'nothing'}."
    )


def how_to_forget(file: RemoteFile) -> str:
    """Return a sentence on the origin of an expected hash, and on how to accept another file."""
    return _how_to_forget(shown_url(file.location))


def _how_to_forget(location: str) -> str:
    return (
        " The expected hash is that of its first download; if the new file is the right one, run: "
        f'embedhub cache forget "{location}"'
    )


def _read(path: Path, location: str) -> tuple[str | None, str]:
    """Return the hash in a file and its location; None and "" if the file does not exist, or is truncated."""
    if not cache.exists(path):
        return None, ""
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise cache.refusal(path, "this file of the cache cannot be read", error) from error
    digest, _, recorded = text.partition(_SEPARATOR)
    if _HASH.fullmatch(digest.strip()):
        return digest.strip(), recorded
    if text.endswith("\n"):
        raise StoreError(
            f"{path}: expected the hash of the first download of {location}, got "
            f"{text[:80]!r}. This file is damaged: remove it to accept what is at that address now."
        )
    # A complete record ends with a newline; a full disk or an interrupted copy truncates it.
    warn_or_log(
        f"{path}: this file is empty or truncated, so the next download counts as the first.", StoreWarning
    )
    with suppress(OSError):
        path.unlink()
    return None, ""


def _folder() -> Path:
    return settings.cache_folder() / "hashes"
