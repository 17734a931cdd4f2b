"""`RemoteFile`."""

import re
from typing import Any

import pytest

from embedhub import RemoteFile

GOOD: dict[str, Any] = {
    "url": "https://example.org/a/vectors.zip",
    "member": "folder/vectors 50d.txt",
    "known_hash": "sha256:" + 64 * "0",
    "size": 10,
    "archive_hash": "md5:" + 32 * "f",
    "archive_size": 100,
    "format": "glove",
}

PLAIN = RemoteFile(url="https://example.org/t", known_hash="md5:" + 32 * "0")
NESTED = RemoteFile(url="https://example.org/n", companions=(PLAIN,))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "http://example.org/a", "expected 'https://<host>/<path>'"),
        ("url", "https://example.org", "expected 'https://<host>/<path>'"),
        ("url", "example.org/a", "expected 'https://<host>/<path>'"),
        ("known_hash", 64 * "0", "known_hash is '0000"),
        ("known_hash", "sha256:" + 63 * "0", "expected 64 lower-case hex digits after 'sha256:', got 63 of"),
        ("known_hash", "md5:", "expected 32 lower-case hex digits after 'md5:', got 0 of them"),
        ("known_hash", "sha256:" + 64 * "G", "expected 64 lower-case hex digits after 'sha256:', got other"),
        ("archive_hash", "crc32:00000000", "archive_hash is 'crc32:00000000'"),
        ("archive_hash", "crc32:00000000", "md5 (32 digits), sha1 (40 digits), sha256 (64 digits), sha512 ("),
        ("size", 0, "expected a positive number of bytes"),
        ("size", True, "expected a positive number of bytes"),
        ("size", "10", "expected a positive number of bytes"),
        ("member", "", "expected a path inside the archive"),
        ("url", None, "url is None; expected 'https://<host>/<path>'"),
        ("known_hash", 7, "known_hash is 7; expected '<algorithm>"),
        ("archive_size", 0, "archive_size is 0; expected a positive number of bytes"),
        ("archive_size", 1.5, "archive_size is 1.5; expected a positive number of bytes"),
        ("member", 7, "member is 7; expected a path inside the archive"),
        ("member", None, "archive_hash is given without a member"),
        ("format", print, "expected the name of a format"),
        ("companions", ["tokenizer.json"], "expected a tuple of RemoteFile objects"),
        ("companions", ("tokenizer.json",), "expected a tuple of RemoteFile objects"),
        (
            "companions",
            (NESTED,),
            "expected a tuple of RemoteFile objects that have no companions themselves",
        ),
    ],
)
def test_invalid_field_raises_value_error(field: str, value: object, words: str) -> None:
    """A wrong field is an error at once, with the expected form; it ends with one full stop."""
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        RemoteFile(**{**GOOD, field: value})
    assert re.search(r"[^.]\.\Z", str(caught.value))


@pytest.mark.posix
@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/a/vectors.txt", "example.org/a/vectors.txt"),
        ("https://example.org:8443/get?id=1&x=%20", "example.org:8443/get?id=1&x=%20"),
        ("https://user:secret@example.org/a", "example.org/a"),
    ],
)
def test_cache_name_is_the_path_of_wget(url: str, name: str) -> None:
    """The path in the downloads folder is that of a mirror: host, path and query."""
    file = RemoteFile(url=url)
    assert file.cache_name == file.mirror_name == name


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "a/./b",
        "a//b",
        "a/",
        "con.txt",
        "a./b",
        "a\\b",
        "a b",
        300 * "x",
        "x/" * 100 + "x",
    ],
)
def test_cache_names_are_safe(path: str) -> None:
    """Whatever the URL, the path in the downloads folder is short, and stays inside on every system."""
    name = RemoteFile(url=f"https://example.org/{path}").cache_name
    assert re.fullmatch(r"example\.org/[0-9a-f]{12}-[A-Za-z0-9._-]*[A-Za-z0-9_-]", name)
    assert len(name) <= 180


def test_cache_names_are_distinct() -> None:
    """Two members, two hashes of a member, a member and its archive never share a file.

    Two hashes of a URL do: the hash decides whether the file that is there is the right one.
    """
    names = [
        RemoteFile(**{**GOOD, **change}).cache_name
        for change in (
            {},
            {"member": "../../etc/vectors 50d.txt"},
            {"known_hash": "sha256:" + 64 * "1"},
            {"url": "https://example.org/b/vectors.zip"},
            {"member": None, "archive_hash": None, "archive_size": None},
        )
    ]
    assert len(set(names)) == len(names)
    assert all(
        re.fullmatch(r"example.org/[ab]/vectors\.zip(#[0-9a-f]{12}-vectors_50d\.txt\.gz)?", name)
        for name in names
    )
    assert RemoteFile(url=PLAIN.url).cache_name == PLAIN.cache_name


def test_published_hash_and_size_may_be_unknown() -> None:
    """A file without a published hash or size is allowed; its location stands for its bytes."""
    file = RemoteFile(url="https://example.org/a")
    assert file.location == file.cache_key == "https://example.org/a"


def test_size_of_an_archive_is_that_of_a_member() -> None:
    """Without a member there is no archive: the size of a file is its own."""
    with pytest.raises(ValueError, match="archive_size is given without a member; size is that of the file"):
        RemoteFile("https://example.org/a.zip", archive_size=10)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((None, None), None), ((5, None), 5), ((None, 3), 3), ((5, 3), 3), ((3, 5), 3)],
)
def test_download_has_at_most_the_size_of_the_member_or_its_archive(
    sizes: tuple[int | None, int | None], expected: int | None
) -> None:
    """The smaller of the known sizes is the bound; of a whole file it is its own size."""
    size, archive_size = sizes
    file = RemoteFile("https://example.org/a.zip", member="a", size=size, archive_size=archive_size)
    assert file.size_at_most == expected
    assert file.archive.size_at_most == file.archive.size == archive_size
    assert RemoteFile("https://example.org/a", size=size).size_at_most == size


def test_repr_shows_what_is_given() -> None:
    """The repr of a file has its URL and the other fields that are set."""
    assert repr(RemoteFile("https://example.org/a", size=3)) == "RemoteFile('https://example.org/a', size=3)"


def test_secrets_of_an_address_are_in_no_message() -> None:
    """Neither the repr nor the error of a wrong scheme has the password or the token of the URL."""
    url = "https://me:hunter2@example.org/a?token=hunter3"
    assert repr(RemoteFile(url)) == "RemoteFile('https://example.org/a?token=...')"
    with pytest.raises(ValueError, match=r"url is 'http://example.org/a\?token=...'; expected"):
        RemoteFile(url.replace("https", "http"))


def test_companions_are_part_of_the_cache_key() -> None:
    """The key identifies the bytes of the file and its companions."""
    assert PLAIN.cache_key == PLAIN.known_hash
    assert NESTED.all_files == (NESTED, PLAIN)
    assert NESTED.cache_key == f"https://example.org/n {PLAIN.known_hash}"
