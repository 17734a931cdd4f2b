"""Request headers of a file, such as credentials, set by the author of a source."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from embedhub.download.remote_file import Headers, function_name
from embedhub.errors import DownloadError, EmbedhubError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_RESERVED = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "proxy-authorization", "range", "te",
    "transfer-encoding",
})  # fmt: skip
"""Headers that determine the requested bytes and their encoding."""


class OwnHeaders(AuthBase):
    """The headers of one file, passed to requests as credentials, so that it does not read ``~/.netrc``.

    Their values may be secrets, so neither messages nor the repr show them.

    Args:
        function: Function that returns the headers; it is called immediately.
        location: The URL of the file, for messages.

    Raises:
        DownloadError: The function fails, or returns something other than headers.
    """

    def __init__(self, function: Headers, location: str) -> None:
        self.function = function_name(function)
        try:
            returned: object = function()
            self._headers = dict(returned) if isinstance(returned, Mapping) else None
        except (EmbedhubError, KeyboardInterrupt):
            raise
        except (Exception, SystemExit) as error:
            raise DownloadError(
                f"{location}: the headers of its requests are not available: {self.function} raised "
                f"{type(error).__name__}: {error}. Nothing was requested."
            ) from error
        if problem := self._problem(returned):
            raise DownloadError(f"{location}: {self.function} returned {problem}. Nothing was requested.")

    def _problem(self, returned: object) -> str:
        """Return the problem of the headers; empty if they are valid."""
        if self._headers is None:
            return f"an object of {type(returned).__name__}; expected a mapping of header names to values"
        for name, value in self._headers.items():
            if not isinstance(name, str) or not isinstance(value, str):
                types = f"{type(name).__name__} to {type(value).__name__}"
                return f"a mapping of {types}; expected one of str to str"
            if not _NAME.fullmatch(name):
                return "a header whose name is not one of HTTP; expected letters, digits and hyphens"
            if name.lower() in _RESERVED:
                return f"the header {name!r}, which embedhub sets itself; remove it"
            # http.client would refuse it too, and show it.
            if not (value.isascii() and value.isprintable() and value == value.strip()):
                return (
                    f"a value of the header {name!r} that starts or ends with a space, or has a line break "
                    "or characters that are not ASCII; strip() what was read from a file"
                )
        return ""

    @property
    def are_none(self) -> bool:
        """Whether the function returned no header."""
        return not self._headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the headers to a request."""
        request.headers.update(self._headers or {})
        return request

    def remove(self, request: requests.PreparedRequest, defaults: Mapping[str, str | bytes]) -> None:
        """Remove the headers from a request, and restore the defaults."""
        for name in self._headers or {}:
            request.headers.pop(name, None)
            if name in defaults:
                request.headers[name] = str(defaults[name])


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def proxy_hint(url: str) -> str:
    """Return a hint for a proxy that asks for a password, or rejects it."""
    variable = f"{urlsplit(url).scheme.upper()}_PROXY"
    return (
        " The proxy asks for a name and a password, or rejects the given ones. Set "
        f"{variable} to http://NAME:PASSWORD@HOST:PORT."
    )


def refusal_hint(response: requests.Response, location: str, own: OwnHeaders | None) -> str:
    """Return a hint for an answer without the file or one that asks for credentials; empty for others.

    Args:
        response: The answer.
        location: The requested URL, before redirects.
        own: The headers of the file.
    """
    if response.status_code in {requests.codes.not_found, requests.codes.gone}:
        return " The file was moved or removed; a newer version of its source may know where it is."
    if response.status_code == requests.codes.proxy_authentication_required:
        return proxy_hint(str(response.request.url))
    if response.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return _credentials_hint(response, location, own)
    return ""


def _credentials_hint(response: requests.Response, location: str, own: OwnHeaders | None) -> str:
    host = urlsplit(response.url).netloc.rpartition("@")[2]
    if own and origin(response.url) != origin(location):
        return f" This is the answer of {host}, where a redirect led: it does not get the file's headers."
    if own and own.are_none:
        return f" {own.function} returned no credentials, which this file may need."
    if own:
        return (
            f" The credentials that {own.function} returned were refused: they may have expired, or do not "
            "permit to read this file."
        )
    if "Authorization" in response.request.headers:
        return f" The name and password for {host} were refused; they are those of ~/.netrc or of the URL."
    return (
        " Credentials may be missing: a name and a password for the host are read from ~/.netrc, and a "
        "source gives others by `headers` of its RemoteFile, which are not sent to a mirror."
    )
