"""Placeholders in the metadata of a source, which its author has yet to replace."""

import re
from urllib.parse import urlsplit

# The placeholders of `embedhub new-plugin`, and those that people commonly write.
_PLACEHOLDER = re.compile(r"(?i)(fill in|todo|tbd|fixme|xxx+)\b.*|\?+|<.*>")
_HOSTS = re.compile(r"(.+\.)?example\.(org|com|net)")


def is_placeholder(text: str) -> bool:
    """Return whether a description, a license or a citation is empty or a placeholder.

    Example:
        >>> is_placeholder("TODO"), is_placeholder(""), is_placeholder("CC0-1.0")
        (True, True, False)

    Args:
        text: The value of the field.
    """
    return not text.strip() or _PLACEHOLDER.fullmatch(text.strip()) is not None


def is_placeholder_url(url: str) -> bool:
    """Return whether a URL is at example.org or a similar reserved host.

    Example:
        >>> is_placeholder_url("https://www.example.org/my.txt")
        True

    Args:
        url: The URL.
    """
    return _HOSTS.fullmatch(urlsplit(url).hostname or "") is not None
