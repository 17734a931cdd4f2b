"""URLs without secrets, for messages and metadata."""

import re
from urllib.parse import urlsplit, urlunsplit

_USER = re.compile(r"(?<=://)[^/?#]*@")
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[?::1\]?", re.IGNORECASE)
_NAME_OF_SECRET = re.compile(
    r"(?i).*(?:token|secret|password|passwd|signature|credentials?|api-?key)"
    r"|(?:.*[-_.])?(?:key|sig|auth|authorization|pass|pwd|jwt|session)"
)


def shown_url(url: str, *, query: bool = True) -> str:
    """Return a URL without user, password, and values of its query whose names suggest secrets.

    Other texts are returned unchanged, except for such a query.

    Example:
        >>> shown_url("https://me:secret@example.org/v.txt?id=1&token=2")
        'https://example.org/v.txt?id=1&token=...'

    Args:
        url: The URL.
        query: Whether to keep the query, which may be a signature in a URL from a server.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return _USER.sub("", url)
    if not parts.scheme or not parts.netloc:
        path, sign, query_of_mirror = url.partition("?")  # a path in a mirror has the query of its URL
        return f"{path}{sign}{_shown_query(query_of_mirror)}"
    shown = _shown_query(parts.query) if query else parts.query and "..."
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=shown))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name or address.

    Args:
        host: The host of a URL, without its port.
    """
    return _LOOPBACK.fullmatch(host) is not None


def _shown_query(query: str) -> str:
    fields = (field.partition("=") for field in query.split("&"))
    return "&".join(
        f"{name}=..." if value and _NAME_OF_SECRET.fullmatch(name) else f"{name}{sign}{value}"
        for name, sign, value in fields
    )
