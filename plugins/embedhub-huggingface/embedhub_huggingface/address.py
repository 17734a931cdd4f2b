"""The grammar of handles: owner/repo@revision/path#part."""

import re
from typing import NamedTuple, NoReturn
from urllib.parse import quote, unquote

from embedhub._url import shown_url
from embedhub.errors import SourceNotFoundError

_REPO = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_MAX_NAME = 96  # characters
_REVISION = re.compile(r"(?!-)[^\s~^:?*\[\\#@%]{1,250}")
_WITH_SLASH = re.compile(r"refs/(?:convert/[A-Za-z0-9_.-]+|pr/[0-9]+)(?=/|$)")
_COMMIT = re.compile("[0-9a-f]{40}")
_KINDS = ("datasets", "spaces", "models", "kernels", "buckets")
_EXPECTED = "expected hf://owner/repo, with @revision, /path/of/file and #tensor after it where wanted"


class Address(NamedTuple):
    """What a handle names.

    Args:
        repo: Owner and name of the repository.
        revision: Branch, tag or commit; None for the main branch.
        path: Path of a file in the repository; None if the handle names none.
        part: Name of a tensor in a safetensors file, or of a member of a zip archive.
    """

    repo: str
    revision: str | None = None
    path: str | None = None
    part: str | None = None

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return self.revision is not None and _COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        revision = "" if self.revision is None else f"@{self.revision}"
        if "/" in revision and not _WITH_SLASH.fullmatch(revision[1:]):
            revision = revision.replace("/", "%2F")
        path = "" if self.path is None else f"/{self.path}"
        return f"hf://{self.repo}{revision}{path}{'' if self.part is None else f'#{self.part}'}"


def parse_address(location: str) -> Address:
    """Parse what follows ``hf://``.

    Example:
        >>> parse_address("owner/repo@main/a/v.vec")
        Address(repo='owner/repo', revision='main', path='a/v.vec', part=None)

    Args:
        location: The handle without its scheme and its dimension.

    Raises:
        SourceNotFoundError: It is malformed.
    """
    place, hash_sign, part = location.partition("#")
    kind, _, rest = place.partition("/")
    if kind in _KINDS and "/" in rest:
        what = "write it as hf://owner/repo" if kind == "models" else "only repositories of models are opened"
        _refuse(location, f"{kind}/ is not supported; {what}")
    name, at, after = rest.partition("@")
    if "/" in name:
        name, at, after = rest.partition("/")[0], "/", rest.partition("/")[2]
    revision, path = _split_revision(after) if at == "@" else (None, after if at else None)
    if not (_is_name(kind) and _is_name(name)):
        _refuse(location, _EXPECTED)
    if revision is not None and not (_REVISION.fullmatch(revision) and _has_plain_parts(revision)):
        _refuse(location, "the revision is not the name of a branch or a tag, nor a commit")
    if path is not None and not is_path(path):
        _refuse(location, "the path has an empty part, . or .., or a backslash")
    if hash_sign and not part:
        _refuse(location, "expected the name of a tensor after the #")
    return Address(f"{kind}/{name}", revision, path, part or None)


def is_path(path: object) -> bool:
    """Return whether a value is the path of a file in a repository, and safe in a URL."""
    return isinstance(path, str) and path.isprintable() and "\\" not in path and _has_plain_parts(path)


def url_of(endpoint: str, repo: str, commit: str, path: str) -> str:
    """Return the URL of a file at a commit."""
    return f"{endpoint}/{repo}/resolve/{commit}/{quote(path)}"


def _has_plain_parts(path: str) -> bool:
    return all(part not in {"", ".", ".."} for part in path.split("/"))


def _is_name(name: str) -> bool:
    is_plain = _REPO.fullmatch(name) and len(name) <= _MAX_NAME and not name.endswith(".git")
    return bool(is_plain) and "--" not in name and ".." not in name


def _split_revision(text: str) -> tuple[str, str | None]:
    special = _WITH_SLASH.match(text)
    revision = special[0] if special else text.partition("/")[0]
    path = text[len(revision) :]
    return unquote(revision), path[1:] if path else None


def _refuse(location: str, problem: str) -> NoReturn:
    raise SourceNotFoundError(f"{shown_url(f'hf://{location}')!r}: {problem}.")
