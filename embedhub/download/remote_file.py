"""`RemoteFile`: a file at an address, and how to verify and read it."""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from embedhub.vectors.blocks import Reader

_LONGEST_NAME = 80  # a path of more than 260 characters is too long for many a Windows
_DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """One file at one address, and how to know and read its bytes.

    Example:
        >>> from embedhub.formats import glove
        >>> file = RemoteFile(
        ...     url="https://example.org/vectors.zip",
        ...     member="vectors.50d.txt",
        ...     hash="sha256:" + 64 * "0",
        ...     size=1_000_000,
        ...     reader=glove.read,
        ... )

    Args:
        url: Address, https only.
        hash: ``"sha256:<hex>"`` (or sha512, sha1, md5, where only that is published) of the bytes that
            the reader reads; None where nobody has published one.
        size: Number of those bytes, None if unknown.
        member: Path inside the zip archive at ``url``; ``hash`` and ``size`` are then the member's.
        archive_hash: Hash of the whole archive, for servers that send no byte ranges.
        reader: Turns the file into blocks; that of a benchmark into pairs or questions.
        beside: Files that belong to it, such as the ``tokenizer.json`` of token vectors. Each is fetched and
            verified like itself; the reader gets their paths as further arguments.

    Raises:
        ValueError: An argument has not the form described here.
    """

    url: str
    hash: str | None
    size: int | None
    member: str | None = None
    archive_hash: str | None = None
    reader: Reader
    beside: "tuple[RemoteFile, ...]" = ()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.path in {"", "/"}:
            raise ValueError(f"url is {self.url!r}; expected 'https://<host>/<path>'.")
        for field in ("hash", "archive_hash"):
            digest = getattr(self, field)
            if digest is not None:
                _check_digest(field, digest)
        if self.size is not None and (type(self.size) is not int or self.size <= 0):
            raise ValueError(f"size is {self.size!r}; expected a positive number of bytes, or None.")
        if self.member == "":
            raise ValueError("member is ''; expected a path inside the archive, or None.")
        if self.archive_hash is not None and self.member is None:
            raise ValueError("archive_hash is given without a member; the file's own hash belongs in hash.")
        if not callable(self.reader):
            raise ValueError(f"reader is {self.reader!r}; expected a callable, as in embedhub.formats.")  # noqa: TRY004 - all arguments raise one type
        if not isinstance(self.beside, tuple) or not all(
            isinstance(file, RemoteFile) and not file.beside for file in self.beside
        ):
            raise ValueError(
                f"beside is {self.beside!r}; expected a tuple of RemoteFile objects with nothing beside them."
            )

    @property
    def parts(self) -> "tuple[RemoteFile, ...]":
        """The file itself, and what lies beside it."""
        return (self, *self.beside)

    @property
    def fingerprint(self) -> str:
        """Name the bytes of the file and of what lies beside it: by their hashes where they are known."""
        return " ".join(file.hash or file.address for file in self.parts)

    @property
    def address(self) -> str:
        """The url, and the member after ``#``, for messages."""
        return f"{self.url}#{self.member}" if self.member else self.url

    @property
    def local_name(self) -> str:
        """Name of the fetched file in the downloads folder: unlike any other file's, and harmless.

        A zip member is kept as gzip, which is the same deflated bytes in another envelope.
        """
        name = re.sub(r"[^A-Za-z0-9._-]", "_", (self.member or self.url).rsplit("/", 1)[-1])
        name = name[-_LONGEST_NAME:].rstrip(".")  # Windows drops a dot at the end
        # With the pin: when a source pins other bytes, what was fetched before is another file.
        key = hashlib.sha256(f"{self.address} {self.hash}".encode()).hexdigest()[:12]
        return f"{key}-{name}{'.gz' if self.member else ''}"


def _check_digest(field: str, digest: str) -> None:
    algorithm, _, value = digest.partition(":")
    if re.fullmatch(r"[0-9a-f]+", value) is None or len(value) != _DIGEST_LENGTHS.get(algorithm):
        raise ValueError(
            f"{field} is {digest!r}; expected '<algorithm>:<lower-case hex>' "
            f"with one of {', '.join(_DIGEST_LENGTHS)}."
        )
