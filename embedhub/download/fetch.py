"""Brings a `RemoteFile` to disk and verifies it: `fetch`. pooch is the gate; only this module imports it."""

import hashlib
import logging
import os
import shutil
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pooch

from embedhub import _cache as cache
from embedhub import settings
from embedhub._progress import progress_bar
from embedhub._sniff import looks_like
from embedhub.download import verify
from embedhub.download import zip_member as zipmember
from embedhub.download.http import HttpFile, LocalFile, Remote, RemoteChangedError, SafeSession, head
from embedhub.download.remote_file import RemoteFile
from embedhub.download.resumable import Partial, patiently
from embedhub.errors import ChecksumError, DownloadError, EmbedhubError, FormatError, OfflineError, StoreError

_WGET_ON_WINDOWS = str.maketrans("?:", "@+")  # how `wget -x` writes the names of a mirror there
_FRESH_STARTS = 2  # after the first

Build = Callable[[Path, Callable[[], None]], None]
"""Makes something of a file that has arrived but may not be verified yet: it gets the file, and a function to
call before anything that it made is published, which verifies what of the file it has not read itself."""


def fetch_and_build(candidates: Sequence[RemoteFile], build: Build, *, what: str, command: str) -> None:
    """Bring the first candidate that can be had, have something built of it, and remove it.

    The bytes are verified while the build reads them. Another dim or source may use the same file, so the
    file's lock is held all the time. With EMBEDHUB_KEEP_DOWNLOADS the file stays.

    Args:
        candidates: Files with the same vectors, in order of preference; one that is here already comes first.
        build: What is built. Its errors end the search, but for a ChecksumError.
        what: As for `fetch`.
        command: As for `fetch`.

    Raises:
        EmbedhubError: What `fetch` raises, and ``build``.
    """
    folder = cache.downloads()
    _try_all(
        sorted(candidates, key=lambda file: not (folder / file.local_name).exists()),
        what=what,
        command=command,
        build=build,
    )


def fetch(candidates: Sequence[RemoteFile], *, what: str, command: str) -> Path:
    """Bring the first candidate that can be had, and return its place on disk.

    A file that is there already was verified before it got its name, and is not read again. What a broken
    download has brought stays, and the next call goes on from there.

    Args:
        candidates: Files with the same vectors, in order of preference.
        what: What is fetched, for messages: ``"glove-6b 50d"``.
        command: Python that fetches it, for the message of an offline machine.

    Returns:
        A file named by the candidate's `RemoteFile.local_name`, and in its folder what lies beside it; a zip
        member is kept as gzip.

    Raises:
        ChecksumError: No candidate could be had, and at least one arrived with wrong bytes.
        OfflineError: EMBEDHUB_OFFLINE is set, and no folder has it.
        DownloadError: No candidate could be had.
        StoreError: The cache cannot be written, or its disk is full.
    """
    folder = cache.downloads()
    for file in candidates:
        if all((folder / part.local_name).exists() for part in file.parts) and _admitted(file):
            return folder / file.local_name
    return _try_all(candidates, what=what, command=command, build=None)


def _try_all(candidates: Sequence[RemoteFile], *, what: str, command: str, build: Build | None) -> Path:
    folder = cache.ensure_folder(cache.downloads())
    failures: list[DownloadError] = []
    with SafeSession() as session:
        for file in candidates:
            if not _admitted(file):
                address = next(part.address for part in file.parts if part.hash is None)
                failures.append(
                    DownloadError(
                        f"{address}: nobody has published its hash, and EMBEDHUB_REQUIRE_HASH is set."
                    )
                )
                continue
            path: Path | None = None
            with ExitStack() as locks:
                for part in (*file.beside, file):  # the file last: what is built of it reads the others
                    # The lock is the file's, not the source's: two sources may share a file.
                    locks.enter_context(cache.lock(f"fetch-{part.local_name}", f"fetching {what}"))
                    builds = build if part is file else None
                    path = _fetch_one(part, session, folder, failures, what=what, build=builds)
                    if path is None:
                        break
                if path and build and not settings.keep_downloads():
                    for part in file.parts:
                        with suppress(OSError):
                            (folder / part.local_name).unlink()
            if path is not None:
                _tidy(candidates, folder)
                return path
    raise _refusal(candidates, failures, what, command)


def _admitted(file: RemoteFile) -> bool:
    return all(part.hash is not None for part in file.parts) or not settings.require_hash()


def _fetch_one(
    file: RemoteFile,
    session: SafeSession,
    folder: Path,
    failures: list[DownloadError],
    *,
    what: str,
    build: Build | None,
) -> Path | None:
    """Try every address of a file in turn; add what went wrong to the failures."""
    path = folder / file.local_name
    if path.exists():  # brought while we waited, or kept
        if build:
            build(path, lambda: None)
        return path
    for remote in _remotes(file, session):
        try:
            return _bring(file, remote, folder, what, build)
        except DownloadError as error:
            failures.append(error)
    return None


def _tidy(candidates: Sequence[RemoteFile], folder: Path) -> None:
    """Remove what broke off of any candidate, now that one is here; not what another process is bringing."""
    for file in (part for candidate in candidates for part in candidate.parts):
        for rest in folder.glob(f"{file.local_name}.*.part*"):
            with cache.lock_if_free(f"fetch-{file.local_name}") as free:
                if free:
                    rest.unlink(missing_ok=True)


def _refusal(
    candidates: Sequence[RemoteFile], failures: Sequence[DownloadError], what: str, command: str
) -> DownloadError:
    """Return the one error that says everything that was tried."""
    tried = "\n".join(f"  - {error}" for error in failures)
    if settings.offline():
        wanted = "\n".join(f"  - {part.address}" for file in candidates for part in file.parts)
        return OfflineError(
            f"{what} is not in the cache ({settings.cache_folder()}), and EMBEDHUB_OFFLINE is set. Wanted:\n"
            + wanted
            + (f"\nTried:\n{tried}" if failures else "")
            + f'\nOn a machine with a network, run: python -c "import embedhub; {command}" and bring its '
            "cache folder here, or set EMBEDHUB_MIRROR to a folder that has <host>/<path> of one of these."
        )
    kind = ChecksumError if any(isinstance(error, ChecksumError) for error in failures) else DownloadError
    return kind(
        f"{what} could not be had from any of its addresses:\n{tried}\n"
        "Try again later: what has been brought of a file that only broke off is kept, and the download goes "
        "on from there. Or set EMBEDHUB_MIRROR to a URL or folder that has <host>/<path> of these."
    )


def _remotes(file: RemoteFile, session: SafeSession) -> Iterator[Remote]:
    """Give the places to ask for a file: the mirror first; offline, only a folder."""
    if file.member:
        kept = cache.downloads() / _archive_of(file).local_name
        if kept.exists():
            yield LocalFile(kept)
    parts = urlsplit(file.url)
    # A file of `wget -x` has the query in its name; in the path of a mirror's URL it is quoted.
    inside = f"{parts.netloc}{parts.path}{f'?{parts.query}' if parts.query else ''}"
    match settings.mirror():
        case Path() as folder:
            other = folder / inside.translate(_WGET_ON_WINDOWS)
            # Not Path.exists: it raises an OSError for a name that is too long for a file.
            yield LocalFile(other if os.path.exists(other) else folder / inside)  # noqa: PTH110
        case str() as base if not settings.offline():
            yield HttpFile(f"{base}/{inside.replace('?', '%3F')}", session)
    if not settings.offline():
        yield HttpFile(file.url, session)


def _bring(
    file: RemoteFile, remote: Remote, folder: Path, what: str, build: Build | None, *, remember: bool = True
) -> Path:
    """Bring a file from one place; begin afresh where it changed, or the bytes kept of it are wrong."""
    for _ in range(_FRESH_STARTS):
        try:
            return _bring_once(file, remote, folder, what, build, remember=remember)
        except (RemoteChangedError, _StaleError):
            continue
    return _bring_once(file, remote, folder, what, build, remember=remember)


class _StaleError(ChecksumError):
    """Bytes were wrong, and some of them were kept from an earlier run: a fresh start may be right."""


def _bring_once(
    file: RemoteFile, remote: Remote, folder: Path, what: str, build: Build | None, *, remember: bool
) -> Path:
    patiently(remote.probe)
    if file.member and not remote.ranges:
        return _bring(file, LocalFile(_archive(file, remote, folder, what)), folder, what, build)
    member = patiently(lambda: zipmember.locate(remote, str(file.member))) if file.member else None
    promised = member.size if member else remote.size
    if file.size is not None and promised is not None and promised != file.size:
        seen = looks_like(head(remote))
        raise ChecksumError(
            f"{remote.address}: expected {file.size:,} bytes{f' of {file.member}' if member else ''}, "
            f"but {promised:,} are offered{f': {seen}' if seen else ''}. Nothing was downloaded."
        )
    # Each address has its own partial file, so that the next one does not undo what this one gave.
    place = hashlib.sha256(remote.address.encode()).hexdigest()[:8]
    partial = Partial(
        folder / f"{file.local_name}.{place}.part",
        remote,
        start=member.start if member else 0,
        stop=member.stop if member else remote.size,
        pinned=file.hash is not None,
        prefix=zipmember.GZIP_HEADER if member else b"",
        suffix=member.gzip_trailer if member else b"",
    )
    name = (file.member or urlsplit(file.url).path).rpartition("/")[2]
    with progress_bar(f"Downloading {what} ({name})", partial.total, in_bytes=True) as advance:
        partial.complete(advance)
    target = folder / file.local_name
    check = verify.Check(partial.path, file, member, remote.address, remember=remember)

    def accept() -> None:
        if partial.path.exists():
            check.finish()
            _publish(partial.path, target, file.url)
            partial.discard()

    try:
        if build:
            _build_while_checking(build, partial.path, target, check, accept)
        accept()
    except ChecksumError as error:
        partial.discard()
        if partial.resumed:
            raise _StaleError(str(error)) from error
        raise
    return target


def _build_while_checking(
    build: Build, path: Path, target: Path, check: verify.Check, accept: Callable[[], None]
) -> None:
    """Build; if that fails, wrong bytes are the better reason, and right ones are kept under their name."""
    try:
        with check.watching():
            build(path, accept)
    except EmbedhubError as error:
        # The reader's frames may have the file mapped, and Windows neither renames nor removes it then.
        traceback.clear_frames(error.__traceback__)
        if isinstance(error, FormatError):
            accept()
            raise FormatError(str(error).replace(str(path), str(target))) from error
        if isinstance(error, StoreError):
            with suppress(OSError):  # the same full disk
                accept()
        raise


def _archive(file: RemoteFile, remote: Remote, folder: Path, what: str) -> Path:
    """Bring the whole archive from a server without ranges, and keep it for the other members."""
    archive = _archive_of(file)
    target = folder / archive.local_name
    with cache.lock(f"fetch-{archive.local_name}", f"fetching the archive of {what}"):
        if target.exists():
            return target
        # Where the member is pinned, that decides: the archive may be packed anew.
        remember = file.hash is None
        return _bring(archive, remote, folder, f"the archive of {what}", None, remember=remember)


def _archive_of(member: RemoteFile) -> RemoteFile:
    return RemoteFile(url=member.url, hash=member.archive_hash, size=None, reader=member.reader)


def _publish(verified: Path, target: Path, url: str) -> None:
    """Let pooch give a verified file its final name, after one more look at the bytes."""
    private = target.with_name(f".{target.name}")
    shutil.rmtree(private, ignore_errors=True)  # of a killed process: the caller holds the lock

    def hand_over(_url: str, output: str, _pooch: object) -> None:
        # A link, so that a kill in between loses nothing; a copy where the disk has no links.
        Path(output).unlink()
        try:
            Path(output).hardlink_to(verified)
        except OSError:
            shutil.copyfile(verified, output)

    try:
        with _quiet_pooch():
            pooch.retrieve(
                url,
                # Over the bytes on disk, and fast: the published hash of a member is of its inflated bytes.
                known_hash=f"xxh3_128:{pooch.file_hash(verified, 'xxh3_128')}",
                fname=target.name,
                path=private,
                downloader=hand_over,
            )
        cache.share(private / target.name)
        (private / target.name).replace(target)
    except ValueError as error:
        raise ChecksumError(f"{target}: the disk gave back other bytes than were written. {error}") from error
    finally:
        shutil.rmtree(private, ignore_errors=True)


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Keep pooch from telling on stderr what our own bar and errors tell."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
