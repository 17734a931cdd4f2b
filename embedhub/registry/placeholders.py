"""Placeholders in the table of a source: what stands where its author has yet to write something."""

import re
from urllib.parse import urlsplit

# What `embedhub new-plugin` writes where it cannot know better, and what people write in such places.
_PLACEHOLDER = re.compile(r"(?i)(fill in|todo|tbd|fixme|xxx+)\b.*|\?+|<.*>")
_HOSTS = re.compile(r"(.+\.)?example\.(org|com|net)")


def is_placeholder(text: str) -> bool:
    """Return whether a description, a license or a citation has yet to be written; an empty one has.

    Example:
        >>> is_placeholder("TODO"), is_placeholder(""), is_placeholder("CC0-1.0")
        (True, True, False)

    Args:
        text: The value of the field.
    """
    return not text.strip() or _PLACEHOLDER.fullmatch(text.strip()) is not None


def is_placeholder_url(url: str) -> bool:
    """Return whether a URL is at example.org or one of its like, where no server has anything.

    Example:
        >>> is_placeholder_url("https://www.example.org/my.txt")
        True

    Args:
        url: The URL.
    """
    return _HOSTS.fullmatch(urlsplit(url).hostname or "") is not None
