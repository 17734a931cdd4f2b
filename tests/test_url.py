"""Addresses in messages."""

import pytest

from embedhub._url import shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/v.txt?x=1#m", "https://example.org/v.txt?x=1#m"),
        ("https://me:secret@example.org:8/v.txt", "https://example.org:8/v.txt"),
        ("http://secret@[::1]:80/", "http://[::1]:80/"),
        ("/home/me@work/v.txt", "/home/me@work/v.txt"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_user_and_password_are_not_shown(url: str, shown: str) -> None:
    """An address is shown without them, and anything else as it is."""
    assert shown_url(url) == shown


def test_query_is_shown_if_it_is_no_secret() -> None:
    """What a server has signed is not shown."""
    assert shown_url("https://example.org/v?sign=1", query=False) == "https://example.org/v?..."
