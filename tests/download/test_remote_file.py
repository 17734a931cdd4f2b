"""`RemoteFile`."""

import re
from typing import Any

import pytest

from embedhub import RemoteFile
from embedhub.formats import glove

GOOD: dict[str, Any] = {
    "url": "https://example.org/a/vectors.zip",
    "member": "folder/vectors 50d.txt",
    "hash": "sha256:" + 64 * "0",
    "size": 10,
    "archive_hash": "md5:" + 32 * "f",
    "reader": glove.read,
}

PLAIN = RemoteFile(url="https://example.org/t", hash="md5:" + 32 * "0", size=None, reader=glove.read)
NESTED = RemoteFile(url="https://example.org/n", hash=None, size=None, reader=glove.read, beside=(PLAIN,))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "http://example.org/a", "expected 'https://<host>/<path>'"),
        ("url", "https://example.org", "expected 'https://<host>/<path>'"),
        ("url", "example.org/a", "expected 'https://<host>/<path>'"),
        ("hash", 64 * "0", "hash is '0000"),
        ("hash", "sha256:" + 63 * "0", "expected '<algorithm>:<lower-case hex>'"),
        ("hash", "sha256:" + 64 * "G", "expected '<algorithm>:<lower-case hex>'"),
        ("archive_hash", "crc32:00000000", "archive_hash is 'crc32:00000000'"),
        ("size", 0, "expected a positive number of bytes"),
        ("size", True, "expected a positive number of bytes"),
        ("size", "10", "expected a positive number of bytes"),
        ("member", "", "expected a path inside the archive"),
        ("member", None, "archive_hash is given without a member"),
        ("reader", "glove", "expected a callable"),
        ("beside", ["tokenizer.json"], "expected a tuple of RemoteFile objects"),
        ("beside", ("tokenizer.json",), "expected a tuple of RemoteFile objects"),
        ("beside", (NESTED,), "expected a tuple of RemoteFile objects with nothing beside them"),
    ],
)
def test_a_remote_file_is_checked_when_it_is_made(field: str, value: object, words: str) -> None:
    """A wrong field is an error at once, which says what was expected."""
    with pytest.raises(ValueError, match=re.escape(words)):
        RemoteFile(**{**GOOD, field: value})


def test_local_names_are_harmless_and_distinct() -> None:
    """A member's name never becomes a path, and two addresses never share a file."""
    names = {
        RemoteFile(**{**GOOD, **change}).local_name
        for change in (
            {},
            {"member": "../../etc/vectors 50d.txt"},
            {"url": "https://example.org/b/vectors.zip"},
            {"member": None, "archive_hash": None},
        )
    }
    assert len(names) == 4
    assert all(re.fullmatch(r"[0-9a-f]{12}-vectors(_50d\.txt\.gz|\.zip)", name) for name in names)


def test_hash_may_be_unknown() -> None:
    """A file that nobody has published a hash or size of is allowed."""
    file = RemoteFile(url="https://example.org/a", hash=None, size=None, reader=glove.read)
    assert file.address == "https://example.org/a"


def test_what_lies_beside_is_a_part() -> None:
    """The fingerprint names the bytes of all parts; without any beside, those of the file alone."""
    assert PLAIN.fingerprint == PLAIN.hash
    assert NESTED.parts == (NESTED, PLAIN)
    assert NESTED.fingerprint == f"https://example.org/n {PLAIN.hash}"
