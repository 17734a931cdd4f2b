"""Download of the first words of a file only."""

import hashlib
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, cast

from embedhub import _cache as cache
from embedhub import settings
from embedhub._url import shown_url
from embedhub.download.downloader import Downloader
from embedhub.download.failures import combined_error
from embedhub.download.fetch import (
    FRESH_STARTS,
    Location,
    Request,
    fetch_first,
    find_part,
    known_hash_of,
    locations,
)
from embedhub.download.http import RemoteChangedError, SafeSession
from embedhub.download.remembered import how_to_forget_prefix, remember_prefix, remembered_prefix
from embedhub.download.remote_file import Fetched, Prefix, RemoteFile, published_prefix
from embedhub.download.zip_member import GZIP_HEADER
from embedhub.errors import ChecksumError, DownloadError

_FIRST_BYTES = 1 << 20  # also what a reader may leave at the end of a part, as it reads blocks
_MARGIN = 1.05
_CHUNK = 1 << 20


class _Request(NamedTuple):
    """How many words of how many are wanted, and how the download is announced."""

    words: int
    vocab_size: int | None
    has_words: Callable[[Fetched], bool]
    label: str
    began: Callable[[RemoteFile], object]


def fetch_words(
    candidates: Sequence[RemoteFile],
    words: int,
    vocab_size: int | None,
    *,
    label: str,
    command: str,
    has_words: Callable[[Fetched], bool],
    began: Callable[[RemoteFile], object] = lambda _: None,
) -> Fetched:
    """Download the beginning of the first available candidate, with so many words.

    It is the whole file if that is in the cache, if the server does not send parts of it, or if no part of it
    can be read. A later call for more words, or for all, continues the same partial file.

    Args:
        candidates: As for `fetch_first`.
        words: How many words.
        vocab_size: How many words the whole has; None if unknown.
        label: As for `fetch_first`.
        command: As for `fetch_first`.
        has_words: Whether so many words can be read from a part.
        began: As for `fetch_first`.

    Raises:
        DownloadError: As for `fetch_first`; also if EMBEDHUB_REQUIRE_HASH is set, and there is no published
            hash of a beginning with so many words.
    """
    folder = cache.ensure_folder(cache.downloads_folder())
    fetched: Fetched | None = None
    failures: list[DownloadError] = []
    if not any(
        file.companions or file.byte_range or cache.exists(folder / file.cache_name) for file in candidates
    ):
        part = f"the first {words:,} words" if words > 1 else "its beginning"
        request = _Request(words, vocab_size, has_words, f"{label}, {part}", began)
        fetched, failures = _first_available(candidates, request)
        if failures and fetched is None:
            raise combined_error(candidates, failures, label, command)
    return fetched or fetch_first(candidates, label=label, command=command, began=began)


def remember_first_words(fetched: Fetched) -> None:
    """Remember the hash of the beginning of a file, if none is known, when its reader has accepted it."""
    file, prefix = fetched.file, fetched.prefix
    if file and prefix and prefix.known_hash is None:
        remember_prefix(file, prefix, _digest(fetched, "sha256"))


def _first_available(
    candidates: Sequence[RemoteFile], request: _Request
) -> tuple[Fetched | None, list[DownloadError]]:
    """Return the beginning of the first available candidate, or None, and what has failed.

    Nothing has failed if the whole is needed.
    """
    failures: list[DownloadError] = []
    with SafeSession() as session:
        for file in candidates:
            with cache.lock(file.lock_name, f"fetching {request.label}"):
                for location in locations(file, session):
                    try:
                        return _from_location(file, location, session, request), []
                    except DownloadError as error:
                        failures.append(error)
    return None, failures


def _from_location(
    file: RemoteFile, location: Location, session: SafeSession, request: _Request
) -> Fetched | None:
    """Download a beginning from one location; start again if it changed, or bytes kept of it are wrong.

    Returns:
        None if the whole is needed.
    """
    prefix = _expected_prefix(file, request.words)
    if location.is_kept_part:  # its bytes are other ones
        return None
    for attempt in range(FRESH_STARTS + 1):
        remote, member = find_part(
            file, location, Request(session, request.label, partial(request.began, file))
        )
        total = member.stop - member.start if member else remote.size
        if total is None or not remote.ranges:
            return None
        request.began(file)
        downloader = Downloader(
            file, remote, member=member, known_hash=known_hash_of(file), label=request.label
        )
        try:
            return _download(file, downloader, total, prefix, request)
        except (RemoteChangedError, ChecksumError) as error:
            is_stale = isinstance(error, RemoteChangedError) or downloader.resumed
            if attempt == FRESH_STARTS or not is_stale:
                raise
    return None


def _download(
    file: RemoteFile, downloader: Downloader, total: int, prefix: Prefix | None, request: _Request
) -> Fetched | None:
    """Download the expected beginning, or ever more until it has enough words."""
    folder = cache.ensure_folder((cache.downloads_folder() / file.cache_name).parent)
    size = _FIRST_BYTES
    if prefix:
        size = prefix.size
    elif request.vocab_size:
        size += math.ceil(total * _MARGIN * request.words / request.vocab_size)
    while size < total:
        path = downloader.download_first(folder, size)
        # All that is there, which may be more, since the reader reads all of it.
        there = path.stat().st_size - (len(GZIP_HEADER) if file.member else 0)
        fetched = Fetched(path, file, prefix=prefix or Prefix(request.words, there, None))
        if prefix:
            _verify(fetched, prefix, downloader)
        if request.has_words(fetched):
            return fetched
        prefix = None
        size += max(size // 2, _FIRST_BYTES)
    return None


def _expected_prefix(file: RemoteFile, words: int) -> Prefix | None:
    """Return the smallest published beginning with so many words, or the remembered one; None if neither."""
    published = published_prefix(file, words)
    if published:
        return published
    if settings.require_hash():
        raise DownloadError(
            f"{shown_url(file.location)}: there is no published hash of its first {words:,} words, and "
            "EMBEDHUB_REQUIRE_HASH is set. Load it without a limit."
        )
    return remembered_prefix(file, words)


def _verify(fetched: Fetched, prefix: Prefix, downloader: Downloader) -> None:
    expected = str(prefix.known_hash)
    actual = _digest(fetched, expected.partition(":")[0])
    if actual != expected:
        downloader.discard()
        file = cast("RemoteFile", fetched.file)
        raise ChecksumError(
            f"{shown_url(file.location)}: expected {expected} of its first {prefix.size:,} bytes, got "
            f"{actual}. The bytes were thrown away.{how_to_forget_prefix(file, prefix)}"
        )


def _digest(fetched: Fetched, algorithm: str) -> str:
    """Return the hash of the bytes of a prefix, as the server has them."""
    file, prefix = fetched.file, cast("Prefix", fetched.prefix)
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with fetched.path.open("rb") as part:
        if file and file.member:
            part.seek(len(GZIP_HEADER))
        left = prefix.size
        while left and (chunk := part.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return f"{algorithm}:{digest.hexdigest()}"
