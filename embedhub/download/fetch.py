"""Download of remote files: candidates, locations, checksums and trust on first use.

Only this module imports pooch, which locates files in the cache and compares their hashes.
"""

import hashlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from embedhub import _cache as cache
from embedhub import settings
from embedhub._compression import open_bytes
from embedhub._frozen import FrozenDict
from embedhub._sniff import sniff
from embedhub._url import shown_url
from embedhub.download.downloader import Downloader
from embedhub.download.failures import combined_error, describe_mismatch
from embedhub.download.http import (
    ByteSource,
    FolderBytes,
    HttpBytes,
    RemoteChangedError,
    SafeSession,
    peek,
)
from embedhub.download.remembered import how_to_forget, remember_hash, remembered_hash
from embedhub.download.remote_file import PART_NAME, WGET_ON_WINDOWS, Fetched, RemoteFile
from embedhub.download.resumable import retry
from embedhub.download.verify import Verifier, git_hash, is_git_hash
from embedhub.download.zip_member import ByteRange, GzippedMember, Member, locate
from embedhub.errors import (
    ChecksumError,
    DownloadError,
    EmbedhubError,
)

with warnings.catch_warnings(
    action="ignore"
):  # of tqdm, which pooch imports, in a notebook without ipywidgets
    import pooch

FRESH_STARTS = 2  # after the first attempt
_CHUNK = 1 << 20


class Location(NamedTuple):
    """A location of a file; a kept part is a member or a byte range as another cache keeps it."""

    remote: ByteSource
    is_kept_part: bool = False


class Request(NamedTuple):
    """The context of the download of a candidate: connections, label and callback."""

    session: SafeSession
    label: str
    began: Callable[[], object]


def fetch_first(
    candidates: Sequence[RemoteFile],
    *,
    label: str,
    command: str | None = None,
    silent_hosts: set[str] | None = None,
    began: Callable[[RemoteFile], object] = lambda _: None,
) -> Fetched:
    """Download the first available candidate, and verify it.

    Candidates that are already in the cache are preferred, and verified again. The bytes of an interrupted
    download are kept, and the next call resumes it.

    Args:
        candidates: Files with the same content, in order of preference.
        label: Description of the vectors, for messages: ``"glove-6b 50d"``.
        command: Python code that downloads them, for the message in offline mode.
        silent_hosts: Hosts to skip. A host that does not answer is added after one attempt, which suits many
            files on few hosts. By default each host is tried several times.
        began: Called with a candidate that a server or folder has, before its bytes arrive.

    Returns:
        The file with its companions, and its candidate.

    Raises:
        ChecksumError: No candidate is available, and at least one had the wrong checksum.
        OfflineError: EMBEDHUB_OFFLINE is set, and neither the cache nor a mirror folder has the file.
        DownloadError: No candidate is available.
        StoreError: The cache cannot be written, or its disk is full.
    """
    fetched, failures = try_candidates(candidates, label=label, silent_hosts=silent_hosts, began=began)
    if fetched is None:
        raise combined_error(candidates, failures, label, command)
    return fetched


def try_candidates(
    candidates: Sequence[RemoteFile],
    *,
    label: str,
    silent_hosts: set[str] | None = None,
    began: Callable[[RemoteFile], object] = lambda _: None,
) -> tuple[Fetched | None, list[DownloadError]]:
    """Return the first available candidate like `fetch_first`, or None, and the failures.

    Args:
        candidates: Files with the same content, in order of preference.
        label: Description of the vectors, for messages.
        silent_hosts: As for `fetch_first`.
        began: As for `fetch_first`.
    """
    folder = cache.ensure_folder(cache.downloads_folder())
    failures: list[DownloadError] = []
    with SafeSession(silent_hosts) as session:
        for file in sorted(candidates, key=lambda file: not cache.exists(folder / file.cache_name)):
            if not _is_allowed(file):
                location = next(
                    shown_url(part.location) for part in file.all_files if part.known_hash is None
                )
                failures.append(
                    DownloadError(f"{location}: it has no published hash, and EMBEDHUB_REQUIRE_HASH is set.")
                )
                continue
            request = Request(session, label, partial(began, file))
            paths: dict[str, Path] = {}
            with ExitStack() as locks:
                # The locks are the files', not the source's: two sources may share a file. All take them in
                # one order, or two processes would wait for each other.
                for name in sorted(part.lock_name for part in file.all_files):
                    locks.enter_context(cache.lock(name, f"fetching {label}"))
                for part in (*file.companions, file):  # the small ones first
                    path = _first_available(part, request, failures)
                    if path is None:
                        break
                    if part is file:
                        _remove_stale_parts(candidates, folder)
                        return Fetched(path, file, FrozenDict(paths)), failures
                    name = Path(part.member or part.mirror_name).name
                    paths[part.cache_name if name in paths else name] = path
    return None, failures


def remember_hashes(fetched: Fetched) -> None:
    """Remember the hashes of files without a published hash, after their reader accepted them.

    Later downloads must have the same hash (trust on first use). Each new hash is a warning.

    Args:
        fetched: The result of `fetch_first`.
    """
    for file, path in _files(fetched):
        if known_hash_of(file) is None:
            digest = hashlib.sha256()
            with open_bytes(path) if file.member else path.open("rb") as content:
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
            remember_hash(file, f"sha256:{digest.hexdigest()}")


def remove_unverified(fetched: Fetched) -> None:
    """Remove downloaded files without a known hash, after their reader rejected them.

    Otherwise a wrong answer of a server would stay in the cache.

    Args:
        fetched: The result of `fetch_first`.
    """
    for file, path in _files(fetched):
        if known_hash_of(file) is None:
            _remove(path)


def remove_all(fetched: Fetched) -> None:
    """Remove a downloaded file and its companions; the caller holds their locks.

    Args:
        fetched: The result of `fetch_first`.
    """
    for _, path in _files(fetched):
        _remove(path)


def _files(fetched: Fetched) -> Iterator[tuple[RemoteFile, Path]]:
    if fetched.file:
        yield fetched.file, fetched.path
        yield from zip(fetched.file.companions, fetched.companions.values(), strict=True)


def _remove(path: Path) -> None:
    with suppress(OSError):  # in use on Windows; the next build removes it
        path.unlink()


def known_hash_of(file: RemoteFile) -> str | None:
    """Return the published hash of a file, or else that of its first download; None without either."""
    return file.known_hash or remembered_hash(file)


def _is_allowed(file: RemoteFile) -> bool:
    return all(part.known_hash is not None for part in file.all_files) or not settings.require_hash()


def _first_available(file: RemoteFile, request: Request, failures: list[DownloadError]) -> Path | None:
    """Return the path of a verified file, from the cache or the first location that has it."""
    known_hash = known_hash_of(file)
    path = cache.downloads_folder() / file.cache_name
    if cache.exists(path) and not _is_intact(path, file, known_hash):
        path.unlink()
    with suppress(_NotCachedError):
        return _pooch(file, known_hash, str(path), _not_cached)
    for location in locations(file, request.session):
        try:
            return _download(file, location, request, known_hash)
        except DownloadError as error:
            if isinstance(error, ChecksumError) and file.is_part and file.archive_hash is None:
                # A complete archive is verified only through its parts.
                _remove(cache.downloads_folder() / file.archive.cache_name)
            failures.append(error)
    return None


class _NotCachedError(Exception):
    """The file is not in the cache, or its checksum is wrong."""


def _not_cached(*_: object) -> None:
    """Refuse to download."""
    raise _NotCachedError


def _pooch(file: RemoteFile, known_hash: str | None, url: str, downloader: object) -> Path:
    """Find the file in the cache or download it, and verify it, with pooch."""
    registry = {file.cache_name: None if file.member or is_git_hash(known_hash) else known_hash}
    pooch.get_logger().addFilter(_filter_pooch_log)
    files = pooch.Pooch(
        path=cache.downloads_folder(), base_url="", registry=registry, urls={file.cache_name: url}
    )
    try:
        return Path(files.fetch(file.cache_name, downloader=downloader))
    except (EmbedhubError, ValueError):
        raise
    except OSError as error:
        path = cache.downloads_folder() / file.cache_name
        raise cache.refusal(path, "this file of the cache cannot be read or written", error) from error


def _filter_pooch_log(record: logging.LogRecord) -> bool:
    """Return False for the records that pooch logs, to stderr, of embedhub's own downloads.

    Those have a progress bar, and errors of their own.
    """
    return not (isinstance(record.args, tuple) and str(cache.downloads_folder()) in record.args)


def _is_intact(path: Path, file: RemoteFile, known_hash: str | None) -> bool:
    """Return whether a kept zip member inflates to the right bytes, or a file has the right id of Git.

    pooch verifies other files.
    """
    if file.member is None:
        return not is_git_hash(known_hash) or git_hash(path) == known_hash
    verifier = Verifier(str(path), (known_hash or "sha256:").partition(":")[0], file.size)
    try:
        with path.open("rb") as kept:
            while chunk := kept.read(_CHUNK):
                verifier.update(chunk)
        verifier.verify(known_hash)
    except ChecksumError:
        return False
    return True


def locations(file: RemoteFile, session: SafeSession) -> Iterator[Location]:
    """Yield the archive in the cache, the mirror, and the URL of a file; offline, only folders."""
    archive = cache.downloads_folder() / file.archive.cache_name
    if file.is_part and cache.exists(archive):
        yield Location(FolderBytes(archive))
    match settings.mirror():
        case Path() as folder:
            names = (file.cache_name, file.mirror_name.translate(WGET_ON_WINDOWS), file.archive.cache_name)
            # Not Path.exists: it raises an OSError for a name that is too long for a file.
            existing = [name for name in names if os.path.exists(folder / name)]  # noqa: PTH110
            if file.is_part and file.cache_name in existing:
                yield Location(FolderBytes(folder / file.cache_name), is_kept_part=True)
                existing.remove(file.cache_name)
            yield Location(FolderBytes(folder / (existing[0] if existing else file.mirror_name)))
        case str() as base if not settings.offline():
            yield Location(HttpBytes(f"{base}/{file.mirror_name.replace('?', '%3F')}", session))
    if not settings.offline():
        yield Location(HttpBytes(file.url, session, file.headers))


def _download(file: RemoteFile, location: Location, request: Request, known_hash: str | None) -> Path:
    """Download a file from one location; start over if it changed, or if its kept bytes are wrong."""
    for _ in range(FRESH_STARTS):
        try:
            return _download_once(file, location, request, known_hash)
        except (RemoteChangedError, _ResumedChecksumError):
            continue
    return _download_once(file, location, request, known_hash)


class _ResumedChecksumError(ChecksumError):
    """The bytes are wrong, and some of them are from an earlier run, so a fresh start may succeed."""


def _download_once(file: RemoteFile, location: Location, request: Request, known_hash: str | None) -> Path:
    remote, member = find_part(file, location, request)
    cache.ensure_folder((cache.downloads_folder() / file.cache_name).parent)
    request.began()
    downloader = Downloader(file, remote, member=member, known_hash=known_hash, label=request.label)
    try:
        path = _pooch(file, known_hash, remote.location, downloader)
    except ValueError as error:  # a ChecksumError, or pooch's for a wrong hash
        downloader.discard()
        message = str(error)
        if not isinstance(error, ChecksumError):
            message = f"{remote.location}: {describe_mismatch(message, known_hash)}"
            if downloader.identified_as:
                message += f" It is {downloader.identified_as}."
        if known_hash and file.known_hash is None:
            message += how_to_forget(file)
        raise (_ResumedChecksumError if downloader.resumed else ChecksumError)(message) from error
    downloader.discard()
    return path


def find_part(
    file: RemoteFile, location: Location, request: Request
) -> tuple[ByteSource, Member | ByteRange | None]:
    """Return the source of a file's bytes, and the position of a zip member or a byte range in it.

    The whole archive is downloaded if the server has no ranges, or the member is not deflated.
    """
    remote = location.remote
    retry(remote.stat)
    if not file.is_part or location.is_kept_part:
        return remote, None
    if file.byte_range and remote.ranges:
        _check_range(file, remote)
        return remote, ByteRange(*file.byte_range)
    if name := file.member:
        member = retry(lambda: locate(remote, name)) if remote.ranges else None
        if member and member.is_deflated:
            return remote, member
        if isinstance(remote, FolderBytes):
            return GzippedMember(remote, name), None
    archive = FolderBytes(_download_archive(file, remote, request))
    return find_part(file, Location(archive), request)


def _check_range(file: RemoteFile, remote: ByteSource) -> None:
    """Raise ChecksumError unless a file has its published size, and the bytes of the range."""
    size, (_, stop) = remote.size, file.byte_range or (0, 0)
    expected = file.archive_size if file.archive_size != size else None
    if size is None or (expected is None and stop <= size):
        return
    identified = sniff(peek(remote))
    raise ChecksumError(
        f"{remote.location}: expected {f'{expected:,}' if expected else f'at least {stop:,}'} bytes, but "
        f"{size:,} are offered{f': {identified}' if identified else ''}. Nothing was downloaded."
    )


def _download_archive(file: RemoteFile, remote: ByteSource, request: Request) -> Path:
    """Download the whole archive from a server without ranges, and keep it for the other members."""
    archive = file.archive
    request = request._replace(label=f"the archive of {request.label}")
    with cache.lock(archive.lock_name, f"fetching {request.label}"):
        path = cache.downloads_folder() / archive.cache_name
        with suppress(_NotCachedError):
            return _pooch(archive, archive.known_hash, str(path), _not_cached)
        # Without a published hash of the archive that of the member decides; the archive may be packed again.
        return _download(archive, Location(remote), request, archive.known_hash)


def _remove_stale_parts(candidates: Sequence[RemoteFile], folder: Path) -> None:
    """Remove interrupted downloads of all candidates, except those in progress."""
    for file in (part for candidate in candidates for part in candidate.all_files):
        path = folder / file.cache_name
        for stale in cache.entries(path.parent):
            part = PART_NAME.fullmatch(stale.name)
            if part and part[1] == path.name:
                with cache.lock_if_free(file.lock_name) as is_free:
                    if is_free:
                        stale.unlink(missing_ok=True)
