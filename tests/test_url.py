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
        ("/mirror/v.txt?id=1&token=secret", "/mirror/v.txt?id=1&token=..."),
        ("http://[broken", "http://[broken"),
    ],
)
def test_user_and_password_are_not_shown(url: str, shown: str) -> None:
    """An address is shown without them, and anything else unchanged."""
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("id=1&dl=1&x=%20", "id=1&dl=1&x=%20"),
        ("X-Amz-Expires=9&X-Amz-Signature=secret", "X-Amz-Expires=9&X-Amz-Signature=..."),
        ("X-Goog-Credential=secret&a", "X-Goog-Credential=...&a"),
        ("sv=2&sig=secret", "sv=2&sig=..."),
        ("private_token=secret", "private_token=..."),
        ("accessToken=secret&API-KEY=secret", "accessToken=...&API-KEY=..."),
        ("author=me&design=2&monkey=3&token", "author=me&design=2&monkey=3&token"),
    ],
)
def test_secrets_in_a_query_are_not_shown(query: str, shown: str) -> None:
    """The value of a key that names a secret is not shown; the rest of an address can be used."""
    assert shown_url(f"https://example.org/v?{query}#m") == f"https://example.org/v?{shown}#m"


def test_query_that_a_server_gives_is_not_shown() -> None:
    """What a server has signed is not shown."""
    assert shown_url("https://example.org/v?sign=1", query=False) == "https://example.org/v?..."
