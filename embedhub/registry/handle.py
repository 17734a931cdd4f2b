"""Handles: one grammar for the strings that name vectors, and its canonical form.

A registered name, the path of a file or a folder, a URL, or ``scheme://...`` of a plugin; each may end
in a colon and the dimension, and in ``| limit(N)``. Several of them with ``+`` between, and other steps after
``|``, are an expression. Parsing looks at the text only: neither at the registry, nor at files.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import quote, unquote, urlsplit

from embedhub._names import check_name
from embedhub._url import is_loopback, shown_url
from embedhub.errors import SourceNotFoundError
from embedhub.registry.expression import Expression, StepCall, has_operator, parse_expression

DERIVED = "derived"  # the scheme of expressions, which is not written
MAX_LENGTH = 4096  # characters
_MAX_SHOWN = 200
_WITH_DIM = re.compile(r"(.+):([0-9]{1,9})", re.DOTALL)
_WITH_LIMIT = re.compile(r"(.*?)\s*\|\s*limit\(\s*([0-9](?:_?[0-9]){0,14})\s*\)\s*", re.DOTALL)
_ENDS_IN_URL = re.compile(r"://\S*\Z")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]+\]")
_ASCII = re.compile(r"[!-~]*")
_DRIVE = re.compile(r"[A-Za-z]:")
_CHECKSUM = re.compile(r"(sha256|sha512|sha1|md5)=(.*)", re.DOTALL)
_DIGITS = {"sha256": 64, "sha512": 128, "sha1": 40, "md5": 32}
_HEX = re.compile("[0-9a-f]*")
_PORTS = {"https": 443, "http": 80}
_SAFE_IN_MEMBER = "/!$'()*+,;=@:~"


class Handle(NamedTuple):
    """A parsed handle; ``str`` returns its canonical form, which parses to the same handle.

    Args:
        scheme: ``"name"``, ``"path"``, ``"https"`` or ``"http"``, the scheme of a plugin, or ``"derived"``.
        location: The name; the path; the URL without a fragment; what follows ``scheme://``; or the canonical
            form of an expression.
        dim: The dimension at its end; None if there is none.
        member: Path of the file inside the archive at a URL.
        known_hash: Checksum of the file at a URL, as `RemoteFile` has it.
        limit: Number of words, the first ones; None for all.
    """

    scheme: str
    location: str
    dim: int | None = None
    member: str | None = None
    known_hash: str | None = None
    limit: int | None = None

    @property
    def is_url(self) -> bool:
        """Whether it is the URL of a file on a server."""
        return self.scheme in _PORTS

    @property
    def source(self) -> str:
        """The canonical form without the dimension and the limit."""
        return str(self._replace(dim=None, limit=None))

    @property
    def without_dim(self) -> str:
        """The canonical form without the dimension."""
        return str(self._replace(dim=None))

    def __str__(self) -> str:
        text = self.location
        if self.scheme not in {"name", "path", DERIVED} and not self.is_url:
            text = f"{self.scheme}://{text}"
        fragment = [] if self.member is None else [quote(self.member, _SAFE_IN_MEMBER)]
        if self.known_hash is not None:
            fragment.append(self.known_hash.replace(":", "=", 1))
        text = "#".join([text, "&".join(fragment)] if fragment else [text])
        # Derived vectors have one dimension, which the expression determines.
        text = text if self.dim is None or self.scheme == DERIVED else f"{text}:{self.dim}"
        return text if self.limit is None else f"{text} | limit({self.limit})"


def parse_handle(text: str) -> Handle:
    """Parse a handle.

    Example:
        >>> parse_handle("glove-6b:50")
        Handle(scheme='name', location='glove-6b', dim=50, member=None, known_hash=None, limit=None)
        >>> str(parse_handle("HTTPS://Example.org:443/v.zip#v.txt"))
        'https://example.org/v.zip#v.txt'

    Args:
        text: The handle.

    Raises:
        SourceNotFoundError: It is not one.
    """
    if len(text) > MAX_LENGTH:
        raise SourceNotFoundError(
            f"{text[:_MAX_SHOWN]!r}...: a source is named by at most {MAX_LENGTH:,} characters, got "
            f"{len(text):,}."
        )
    limited = _WITH_LIMIT.fullmatch(text)
    if limited:
        inner, limit = parse_handle(limited[1]), int(limited[2])
        return inner._replace(limit=limit if inner.limit is None else min(limit, inner.limit))
    expression = _find_expression(text)
    return _parse_one(text) if expression is None else Handle(DERIVED, str(expression))


def _parse_one(text: str) -> Handle:
    """Parse the handle of one source, without a limit."""
    rest, dim = _split_dim(text)
    scheme = _SCHEME.fullmatch(rest)
    if scheme is None:
        if looks_like_path(rest):
            return Handle("path", _canonical_path(rest, text, dim), dim)
        if "|" in rest:  # no name has such a character
            _refuse(text, "expected a space before |, and a step after it, as in 'glove-6b:50 | unit'")
        if "limit(" in rest:
            _refuse(text, "expected a whole number of words, as in 'glove-6b:50 | limit(20000)'")
        return Handle("name", rest, dim)
    name, location = scheme[1].lower(), scheme[2]
    if name == "file":
        return Handle("path", _canonical_path(_path_of_uri(location, text), text, dim), dim)
    if name in _PORTS:
        return _parse_url(name, location, dim, text)
    if name == DERIVED:
        _refuse(text, "vectors are derived by + and steps, as in 'glove-6b:50 | unit'")
    if not location or not location.isprintable():
        _refuse(text, f"expected printable characters after {name}://")
    return Handle(name, location, dim)


def expression_of(handle: Handle) -> Expression:
    """Return the expression of a handle of derived vectors."""
    expression = parse_expression(handle.location, _canonical_term)
    if expression is None:
        raise ValueError(f"{handle!r} is not the handle of derived vectors.")
    return expression


def shown_handle(handle: Handle) -> str:
    """Return the canonical form of a handle without a dimension and a limit, and without secrets of URLs."""
    if handle.scheme != DERIVED:
        return shown_url(handle.source)
    expression = expression_of(handle)
    return str(expression._replace(terms=tuple(map(shown_url, expression.terms))))


def with_dim(name: str, dim: int) -> str:
    """Return the name of a source with a dimension; an expression has only one, which it does not name."""
    return name if has_operator(name) else f"{name}:{dim}"


def quoted_handle(name: str, dim: int) -> str:
    """Return the same for a command line."""
    import shlex

    return shlex.quote(with_dim(name, dim))


def check_source_name(name: str) -> None:
    """Raise ValueError unless a name is valid for a source, or the canonical form of an expression."""
    if isinstance(name, str) and has_operator(name):
        with suppress(SourceNotFoundError):
            handle = parse_handle(name)
            if handle.scheme == DERIVED and str(handle) == name:
                return
    check_name(name)


def map_paths(handle: Handle, function: Callable[[Path], str]) -> Handle:
    """Return a handle with other paths, also of the sources and in the steps of an expression.

    Args:
        handle: The handle.
        function: Returns the path to write in place of one.
    """
    if handle.scheme == "path":
        return handle._replace(location=_canonical_path(function(path_of(handle)), str(handle), handle.dim))
    if handle.scheme != DERIVED:
        return handle
    expression = expression_of(handle)
    terms = []
    for term in expression.terms:
        with suppress(SourceNotFoundError):  # a name that only a whole path can have
            term = _term(map_paths(parse_handle(term), function))  # noqa: PLW2901
        terms.append(term)
    steps = [
        StepCall(
            step.name,
            tuple(
                function(Path(argument))
                if isinstance(argument, str) and looks_like_path(argument) and "://" not in argument
                else argument
                for argument in step.arguments
            ),
        )
        for step in expression.steps
    ]
    return handle._replace(location=str(Expression(tuple(terms), tuple(steps), expression.fill)))


def refuse_malformed(text: str) -> None:
    """Raise SourceNotFoundError for a malformed expression, which is read as a path if it looks like one."""
    parse_expression(text, _canonical_term)


def _find_expression(text: str) -> Expression | None:
    """Return the expression that a text is, if it is one.

    A slash at its end, or before the dimension, makes it a path, unless it is that of a URL.
    """
    rest = _split_dim(text)[0].rstrip()
    if rest.endswith("/") and not _ENDS_IN_URL.search(rest):
        return None
    try:
        return parse_expression(text, _canonical_term)
    except SourceNotFoundError:
        scheme = _SCHEME.fullmatch(text)
        if looks_like_path(text) and (scheme is None or scheme[1].lower() == "file"):
            return None  # such characters may be in the name of a file
        raise


def _canonical_term(text: str) -> str:
    rest, dim = _split_dim(text)
    return _term(parse_handle(text if dim is None else f"{rest.rstrip()}:{dim}"))


def _term(handle: Handle) -> str:
    """Return the canonical form of a source in an expression."""
    text = str(handle)
    if handle.scheme != "path" or not (has_operator(text) or handle.location.endswith("/")):
        return text
    path = path_of(handle)
    uri = f"file://{quote(os.fsencode(path.as_posix()))}"
    if not path.is_absolute() or uri.endswith("/"):
        _refuse(text, "in an expression such a path is written as file:///folder/name")
    return uri if handle.dim is None else f"{uri}:{handle.dim}"


def looks_like_path(text: str) -> bool:
    """Return whether a string is a path: it has a separator or a drive, or starts with ``.`` or ``~``."""
    return text.startswith((".", "~")) or "/" in text or os.sep in text or bool(Path(text).drive)


def path_of(handle: Handle) -> Path:
    """Return the path of a handle."""
    # pathlib drops the "./", without which a "~" is the home folder.
    return Path.cwd() / handle.location if handle.location.startswith("./~") else Path(handle.location)


def _split_dim(text: str) -> tuple[str, int | None]:
    match = _WITH_DIM.fullmatch(text)
    return (match[1], int(match[2])) if match else (text, None)


def _refuse(text: str, problem: str) -> NoReturn:
    shown = shown_url(text)
    shown = shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."
    raise SourceNotFoundError(f"{shown!r}: {problem}.")


def _canonical_path(path: str, text: str, dim: int | None) -> str:
    """Return a path without empty parts, spelled so that it is read as the same path again."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        _refuse(text, f"the character {path[error.start]!r} cannot be in a path")
    if "\0" in path:
        _refuse(text, "a path cannot have a null character")
    plain = str(Path(path))
    is_home = path.startswith("~")
    if not looks_like_path(plain) or (plain.startswith("~") and not is_home):
        plain = f"./{plain}"
    # A slash at the end keeps a path from being read as one with a dimension or a limit, or as an expression,
    # and keeps its last space.
    is_read_otherwise = (
        dim is None and (_WITH_DIM.fullmatch(plain) or _WITH_LIMIT.fullmatch(plain))
    ) or _find_expression(plain if dim is None else f"{plain}:{dim}") is not None
    return f"{plain}/" if is_read_otherwise or plain[-1].isspace() else plain


def _path_of_uri(location: str, text: str) -> str:
    """Return the path of ``file://`` followed by a location."""
    host, slash, path = location.partition("/")
    if host.lower() not in {"", "localhost"} or not slash:
        _refuse(text, "expected a path on this machine, as in file:///data/v.txt")
    path = unquote(f"/{path}", errors="surrogateescape")
    return path[1:] if _DRIVE.match(path[1:]) and os.name == "nt" else path


def _parse_url(scheme: str, location: str, dim: int | None, text: str) -> Handle:
    """Parse what follows ``https://``."""
    if not _ASCII.fullmatch(location):
        strange = next((character for character in location if not "!" <= character <= "~"), "")
        hint = f", got {strange!r}; write it as {quote(strange)}" if strange.isprintable() and strange else ""
        _refuse(text, f"expected a URL of ASCII characters without spaces{hint}")
    address, hash_sign, fragment = location.partition("#")
    try:
        parts = urlsplit(f"{scheme}://{address}")
        port = parts.port
    except ValueError as error:
        _refuse(text, f"this is not a valid URL ({error})")
    if "@" in parts.netloc:
        _refuse(text, "a name and a password do not belong in a URL; put them in ~/.netrc")
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":")
    if not _HOST.fullmatch(host):
        _refuse(text, f"expected the name of a host after {scheme}://, got {host!r}")
    if scheme == "http" and not is_loopback(host):
        _refuse(
            text, "plain http is not supported, since anyone on the way can change the file; use https://"
        )
    if parts.path in {"", "/"}:
        _refuse(text, f"expected the path of a file after the host, as in {scheme}://{host.lower()}/v.txt")
    segments = re.split(r"[/\\]", f"{parts.path}/{parts.query}")
    if any(unquote(segment) in {".", ".."} for segment in segments) or "\\" in address:
        _refuse(text, "a URL cannot have a backslash, nor . or .. between slashes")
    netloc = host.lower() if port in {None, _PORTS[scheme]} else f"{host.lower()}:{port}"
    url = f"{scheme}://{netloc}{parts.path}{f'?{parts.query}' if parts.query else ''}"
    if _WITH_DIM.fullmatch(url) and dim is None and not hash_sign:  # so that it is not read as a dimension
        url = f"{url}?"
    member, known_hash = _parse_fragment(fragment, text) if hash_sign else (None, None)
    return Handle(scheme, url, dim, member, known_hash)


def _parse_fragment(fragment: str, text: str) -> tuple[str | None, str | None]:
    """Return the member of an archive, and the checksum, that follow ``#``."""
    member = known_hash = None
    for item in fragment.split("&"):
        checksum = _CHECKSUM.fullmatch(item)
        if checksum is not None and known_hash is None:
            algorithm, digest = checksum[1], checksum[2].lower()
            if not _HEX.fullmatch(digest) or len(digest) != _DIGITS[algorithm]:
                got = f"{len(digest)} of them" if _HEX.fullmatch(digest) else "other characters"
                _refuse(text, f"expected {_DIGITS[algorithm]} hex digits after {algorithm}=, got {got}")
            known_hash = f"{algorithm}:{digest}"
        elif checksum is None and member is None:
            member = unquote(item)
            if not member or not member.isprintable() or _CHECKSUM.fullmatch(member):
                _refuse(text, "expected the name of a file in the archive, or sha256=..., after the #")
        else:
            _refuse(
                text, "expected one file of the archive and one checksum after the #, as in #v.txt&sha256=..."
            )
    return member, known_hash
