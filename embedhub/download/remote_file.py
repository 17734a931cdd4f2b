"""Remote files: URL, checksum and format."""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from embedhub._frozen import FrozenDict
from embedhub._names import is_reserved_on_windows
from embedhub._url import is_loopback, shown_url
from embedhub.vectors.blocks import Format

_MAX_NAME = 80
_MAX_PART = 100  # of a path; file systems that encrypt names have 143 bytes for one, and a note needs more
_MAX_PATH = 180  # Windows refuses paths of more than 260 characters, and the folder of the cache takes some
_DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "git-sha1": 40}
_PLAIN = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~%+,=@()#&!?:-]*[A-Za-z0-9_~%+,=@()#&!?:-]")

PART_NAME = re.compile(r"(.+)\.[0-9a-f]{8}\.part(?:\.json)?")
"""Suffix pattern of interrupted downloads: a hash of the location, and the metadata in JSON."""

WGET_ON_WINDOWS = str.maketrans("?:", "@+")
"""Replacements by ``wget -x`` of characters that Windows does not allow in file names."""


Headers = Callable[[], Mapping[str, str]]
"""A function that returns headers for the requests of a file."""


@dataclass(frozen=True, slots=True, repr=False)
class RemoteFile:
    """A file at a URL, with its checksum and format.

    Example:
        >>> file = RemoteFile(
        ...     "https://example.org/vectors.zip",
        ...     member="vectors.50d.txt",
        ...     known_hash="sha256:" + 64 * "0",
        ...     size=1_000_000,
        ...     format="glove",
        ... )

    Args:
        url: URL of the file: https, or plain http to this machine.
        known_hash: Published hash of the bytes that the reader reads, as ``"sha256:<hex>"`` (sha512, sha1 and
            md5 are also allowed, and for a whole file git-sha1, the id of a blob in Git); None if no hash is
            published.
        size: Number of those bytes; None if unknown.
        member: Path inside the zip archive at ``url``; ``known_hash`` and ``size`` are then the member's.
        byte_range: The first byte of a part of the file at ``url``, and the byte after its last one, as in
            ``(104, 40_104)``; None for the whole file. Only the part is downloaded, and ``known_hash`` is
            the part's.
        archive_hash: Published hash of the whole archive, or of the whole file of a ``byte_range``, which is
            downloaded from servers without byte ranges.
        archive_size: Number of bytes of the whole archive or file.
        format: Name of a built-in format, or a `Format` with your own reader. None detects a built-in format
            from the content of the file; companion files also have None.
        companions: Companion files, such as the ``tokenizer.json`` of token vectors. They are downloaded and
            verified together with the file, and the reader gets their paths as further arguments.
        prefixes: Published hashes of the beginning of the file, for ``limit`` of `embedhub.load`: for each
            number of words, how many bytes of the download contain them, and the hash of these bytes, as in
            ``{20_000: (3_805_184, "sha256:...")}``. For a zip member, these are deflated bytes.
        headers: A function without arguments that returns headers for the requests of this file, such as
            ``{"Authorization": "Bearer ..."}``. It is called when a download starts, not for a file in the
            cache. The headers are sent only to the host and port of the URL, neither to other hosts after a
            redirect nor to a mirror. Companion files have their own headers. To pickle the file, use a
            function defined in a module, not a lambda.

    Raises:
        ValueError: The URL is not an https URL of a file, a hash is malformed, a size is not a positive
            integer, the member is empty, ``byte_range`` is empty or given with a member, ``archive_hash`` or
            ``archive_size`` is given without either, ``headers`` is not a function, or a companion is not a
            RemoteFile without companions.
    """

    url: str
    known_hash: str | None = field(default=None, kw_only=True)
    size: int | None = field(default=None, kw_only=True)
    member: str | None = field(default=None, kw_only=True)
    byte_range: tuple[int, int] | None = field(default=None, kw_only=True)
    archive_hash: str | None = field(default=None, kw_only=True)
    archive_size: int | None = field(default=None, kw_only=True)
    format: str | Format | None = field(default=None, kw_only=True)
    companions: "tuple[RemoteFile, ...]" = field(default=(), kw_only=True)
    prefixes: Mapping[int, tuple[int, str]] = field(default=FrozenDict(), kw_only=True)
    headers: Headers | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _check_url(self.url)
        for name in ("known_hash", "archive_hash"):
            digest = getattr(self, name)
            if digest is not None:
                _check_digest(name, digest)
        for name in ("size", "archive_size"):
            _check_size(name, getattr(self, name))
        self._check_part()
        if self.format is not None and not isinstance(self.format, str | Format):
            raise ValueError(
                f"format is {self.format!r}; expected the name of a format, such as 'glove', or a Format."
            )
        if not isinstance(self.companions, tuple) or not all(
            isinstance(file, RemoteFile) and not file.companions for file in self.companions
        ):
            raise ValueError(
                f"companions is {self.companions!r}; expected a tuple of RemoteFile objects that have no "
                "companions themselves."
            )
        object.__setattr__(self, "prefixes", FrozenDict(self.prefixes))
        _check_prefixes(self.prefixes)
        if self.headers is not None and not callable(self.headers):
            # Their values may be secrets, so they are not shown.
            raise ValueError(
                f"headers is a {type(self.headers).__name__}; expected a function without arguments that "
                "returns the headers, so that they are made when they are needed."
            )

    def _check_part(self) -> None:
        """Check the member or the byte range, and set the size of the latter."""
        if self.member is not None and not (isinstance(self.member, str) and self.member):
            raise ValueError(f"member is {self.member!r}; expected a path inside the archive, or None.")
        if self.byte_range is not None:
            object.__setattr__(self, "size", _size_of_range(self.byte_range, self.size, self.member))
        for name, own in {"archive_hash": "known_hash", "archive_size": "size"}.items():
            if getattr(self, name) is not None and not self.is_part:
                raise ValueError(f"{name} is given without a member; {own} is that of the file itself.")
        if self.member is not None and str(self.known_hash).startswith("git-sha1:"):
            raise ValueError("known_hash is a git-sha1, which is of a whole file, but a member is given.")

    def __repr__(self) -> str:
        """Show the given fields without secrets; of the headers, only the name of their function."""
        given = [
            f"{field.name}={value!r}"
            for field in fields(self)
            if field.name not in {"url", "headers"} and (value := getattr(self, field.name)) != field.default
        ]
        if self.headers is not None:
            given.append(f"headers=<{function_name(self.headers)}>")
        return f"RemoteFile({', '.join([repr(shown_url(self.url)), *given])})"

    @property
    def all_files(self) -> "tuple[RemoteFile, ...]":
        """The file itself and its companions."""
        return (self, *self.companions)

    @property
    def cache_key(self) -> str:
        """Key of the file and its companions: their published hashes, or else their locations."""
        return " ".join(file.known_hash or _without_secrets(file.location) for file in self.all_files)

    @property
    def is_part(self) -> bool:
        """Whether it is a member of an archive, or a byte range."""
        return self.member is not None or self.byte_range is not None

    @property
    def location(self) -> str:
        """The URL, with the member or the byte range after ``#``."""
        if self.byte_range:
            return f"{self.url}#bytes={self.byte_range[0]}-{self.byte_range[1] - 1}"
        return f"{self.url}#{self.member}" if self.member else self.url

    @property
    def archive(self) -> "RemoteFile":
        """The archive or the whole file that contains the part; the file itself if it is not a part."""
        if not self.is_part:
            return self
        return RemoteFile(
            self.url, known_hash=self.archive_hash, size=self.archive_size, headers=self.headers
        )

    @property
    def size_at_most(self) -> int | None:
        """Upper bound of the bytes of the download, without companions; None if unknown.

        For a zip member, this is the inflated size of the member or the size of its archive, whichever is
        smaller. Only servers without byte ranges send a larger archive.
        """
        return min((size for size in (self.size, self.archive_size) if size is not None), default=None)

    @property
    def mirror_name(self) -> str:
        """Path of the file, or of its archive, in a mirror: ``<host>/<path>``, including the query.

        This is the layout of ``wget -x``.
        """
        return _mirror_name(self.url)

    @property
    def cache_name(self) -> str:
        """Path of the downloaded file in the downloads folder.

        The path equals `mirror_name` if that is safe, so that the downloads of one cache can serve as a
        mirror for another. A zip member is kept as gzip (the same deflated bytes with another header) next to
        the path of its archive; its name contains its published hash, which is not a hash of the kept file.
        Names never contain secrets of the URL.
        """
        name, shown = self.mirror_name, _mirror_name(shown_url(self.url))
        if self.member:
            key = _short_hash(f"{self.member} {self.known_hash}")
            name, shown = (f"{path}#{key}-{_safe(self.member)}.gz" for path in (name, shown))
        elif self.byte_range:
            name, shown = (f"{path}#{self.byte_range[0]}-{self.byte_range[1]}" for path in (name, shown))
        if os.name == "nt":
            name, shown = (path.translate(WGET_ON_WINDOWS) for path in (name, shown))
        if shown == name and len(name) <= _MAX_PATH and all(_is_plain(part) for part in name.split("/")):
            return name
        return f"{_safe(urlsplit(self.url).hostname or '')}/{_short_hash(name)}-{_safe(shown.rstrip('/'))}"

    @property
    def lock_name(self) -> str:
        """Name of the lock that is held while the file is downloaded or read."""
        return lock_name(self.cache_name)


class Prefix(NamedTuple):
    """The beginning of a file, which has its first words.

    Args:
        words: How many words are wanted.
        size: How many bytes of the download have them.
        known_hash: Hash of those bytes; None if none is published or remembered.
    """

    words: int
    size: int
    known_hash: str | None


def published_prefix(file: RemoteFile, words: int) -> Prefix | None:
    """Return the smallest published beginning of a file with so many words; None if there is none."""
    number = min((number for number in file.prefixes if number >= words), default=None)
    return None if number is None else Prefix(words, *file.prefixes[number])


class Fetched(NamedTuple):
    """A verified file on disk, as returned by `EmbeddingSource.fetch` and passed to `parse`.

    Example:
        >>> Fetched(Path("vectors.txt")).path.name
        'vectors.txt'

    Args:
        path: Path of the file; a zip member is kept as gzip.
        file: The candidate that was downloaded; None if the file has another origin.
        companions: Paths of the companion files by name, in their order.
        prefix: The part of the file that was downloaded; None if it is complete.
    """

    path: Path
    file: RemoteFile | None = None
    companions: Mapping[str, Path] = FrozenDict()
    prefix: Prefix | None = None


def function_name(function: Callable[..., object]) -> str:
    """Return the name of a function for messages, without bound arguments, which may be secret."""
    while isinstance(function, partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def lock_name(cache_name: str) -> str:
    """Return the name of the lock of a file in the downloads folder."""
    return f"fetch-{flat_name(cache_name)}"


def flat_name(cache_name: str) -> str:
    """Return a file name that stands for a path in the downloads folder."""
    return f"{_short_hash(cache_name)}-{_safe(cache_name)}"


def _mirror_name(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{host}{parts.path}{f'?{parts.query}' if parts.query else ''}"


def _without_secrets(url: str) -> str:
    """Return a URL without its secrets; if it has any, with a hash of the URL."""
    shown = shown_url(url)
    return shown if shown == url else f"{shown} {_short_hash(url)}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _safe(name: str) -> str:
    """Return the last part of a path, shortened, with harmless characters only."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", name.rsplit("/", 1)[-1])
    return name[-_MAX_NAME:].rstrip(".")  # Windows drops a dot at the end


def _is_plain(part: str) -> bool:
    """Return whether a part of a path is the same file name on every system."""
    if len(part) > _MAX_PART:
        return False
    return _PLAIN.fullmatch(part) is not None and not is_reserved_on_windows(part.lower())


def _check_url(url: object) -> None:
    parts = urlsplit(url if isinstance(url, str) else "")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not is_safe or not parts.hostname or parts.path in {"", "/"}:
        shown = shown_url(url) if isinstance(url, str) else url
        raise ValueError(f"url is {shown!r}; expected 'https://<host>/<path>'.")


def _check_size(name: str, size: object) -> None:
    if size is not None and (type(size) is not int or size <= 0):
        raise ValueError(f"{name} is {size!r}; expected a positive number of bytes, or None.")


def _size_of_range(byte_range: object, size: int | None, member: str | None) -> int:
    """Return the number of bytes of a range, after checking it."""
    match byte_range:
        case (int(start), int(stop)) if 0 <= start < stop and isinstance(byte_range, tuple):
            if member is None and size in {None, stop - start}:
                return stop - start
            given = "a member" if member else f"size {size}"
            raise ValueError(f"byte_range is {byte_range!r}, and {given} is given too.")
    raise ValueError(
        f"byte_range is {byte_range!r}; expected the first byte of a part and the byte after its last one."
    )


def _check_prefixes(prefixes: Mapping[int, tuple[int, str]]) -> None:
    for words, (size, digest) in prefixes.items():
        _check_size(f"prefixes[{words}]", size)
        _check_digest(f"prefixes[{words}]", digest, whole=False)


def _check_digest(name: str, digest: object, *, whole: bool = True) -> None:
    algorithm, _, value = str(digest).partition(":")
    length = _DIGEST_LENGTHS.get(algorithm)
    if length is None or (algorithm == "git-sha1" and not whole):
        known = ", ".join(f"{known} ({length} digits)" for known, length in _DIGEST_LENGTHS.items())
        raise ValueError(
            f"{name} is {digest!r}; expected '<algorithm>:<lower-case hex>' with one of {known}."
        )
    if re.fullmatch(rf"[0-9a-f]{{{length}}}", value) is None:
        got = "other characters" if re.fullmatch(r"[0-9a-f]*", value) is None else f"{len(value)} of them"
        raise ValueError(
            f"{name} is {digest!r}; expected {length} lower-case hex digits after '{algorithm}:', got {got}."
        )
