"""URLs in messages and notes, without what may be secret."""

from urllib.parse import urlsplit, urlunsplit


def shown_url(url: str, *, query: bool = True) -> str:
    """Return a URL without user and password; anything else is returned as it is.

    Example:
        >>> shown_url("https://me:secret@example.org/v.txt?token=1", query=False)
        'https://example.org/v.txt?...'

    Args:
        url: The URL.
        query: Whether to keep the query, which may be a signature in an address that a server gives.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if not parts.scheme or not parts.netloc:
        return url
    hidden = parts.query if query or not parts.query else "..."
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=hidden))
