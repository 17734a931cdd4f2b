"""Handles: the strings that name vectors."""

import random
from pathlib import Path

import pytest

import embedhub
from embedhub.errors import EmbedhubError, SourceNotFoundError
from embedhub.registry.handle import MAX_LENGTH, parse_handle, path_of
from embedhub.registry.loading import get_source

SHA256 = 64 * "0"

PIECES = [
    "https://", "http://", "file://", "hf://", "HTTPS://", "127.0.0.1", "localhost", "Example.org", "[::1]",
    "C:",
    ":", "/", "//", "\\", "#", "&", "?", "=", "%", "@", "~", ".", "..", "|", "[", "]",
    "| limit(5)", " | limit( 1_0 )", "%7Climit(3)", " ", "\n", "\0",
    "sha256=", SHA256, "md5=", 32 * "aB", "v.zip", "v.txt", "%2e", "%00", "%3A50", ":50", "050", "glove-6b",
    "me",
    "token=x", "é", "\ud800", "\udc80", "\u202e",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("glove-6b", "glove-6b"),
        ("glove-6b:050", "glove-6b:50"),
        ("./v.vec", "./v.vec"),
        (".//v.vec:3", "./v.vec:3"),
        ("~/v.zip#member.txt", "~/v.zip#member.txt"),
        ("./~v.vec", "./~v.vec"),
        ("folder/", "./folder"),
        ("./v:50/", "./v:50/"),
        ("./v | limit(5)/", "./v | limit(5)/"),
        ("file:///v%7Climit(5)", "/v|limit(5)/"),
        ("./v:3|limit(5)", "./v:3 | limit(5)"),
        ("file:///data/my%20v.txt", "/data/my v.txt"),
        ("FILE://localhost/data/v.txt:3", "/data/v.txt:3"),
        ("HTTPS://Example.org:443/V.txt", "https://example.org/V.txt"),
        ("https://example.org:8443/v.txt?download=1:50", "https://example.org:8443/v.txt?download=1:50"),
        (f"https://example.org/v.gz#sha256={SHA256}", f"https://example.org/v.gz#sha256={SHA256}"),
        (
            f"https://example.org/v.zip#sha1={40 * 'A'}&a%20b/c.txt:9",
            f"https://example.org/v.zip#a%20b/c.txt&sha1={40 * 'a'}:9",
        ),
        ("http://127.0.0.1:8000/v.txt", "http://127.0.0.1:8000/v.txt"),
        ("hf://owner/repo@main/a.vec#tensor:7", "hf://owner/repo@main/a.vec#tensor:7"),
    ],
)  # fmt: skip
def test_handle_has_a_canonical_form(text: str, canonical: str) -> None:
    """Equal handles are printed in one form, which is read as the same handle."""
    handle = parse_handle(text)
    assert str(handle) == canonical
    assert parse_handle(canonical) == handle


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://", "expected the name of a host after https://, got ''"),
        ("https://example.org", "expected the path of a file after the host, as in https://example.org/v.txt"),
        ("https://example.org:port/v.txt", "this is not a valid URL"),
        ("https://-x/v.txt", "expected the name of a host after https://, got '-x'"),
        ("https://example.org/my v.txt", "ASCII characters without spaces, got ' '; write it as %20"),
        ("https://example.org/é.txt", "got 'é'; write it as %C3%A9"),
        ("https://example.org/a/../v.txt", "nor . or .. between slashes"),
        ("https://example.org/%2e%2E/v.txt", "nor . or .. between slashes"),
        ("https://example.org/a\\v.txt", "a URL cannot have a backslash"),
        ("http://example.org/v.txt", "use https://"),
        ("https://example.org/v.txt#", "expected the name of a file in the archive, or sha256=..."),
        ("https://example.org/v.txt#sha256=12", "expected 64 hex digits after sha256=, got 2 of them"),
        (f"https://example.org/v.txt#md5={32 * 'x'}", "after md5=, got other characters"),
        ("https://example.org/v.zip#a.txt&b.txt", "one file of the archive and one checksum after the #"),
        ("https://me:hunter2@example.org/v.txt", "put them in ~/.netrc"),
        ("https://me:hunter2@[bad/v.txt", "this is not a valid URL"),
        ("file://server/v.txt", "expected a path on this machine"),
        ("./a\0b", "a path cannot have a null character"),
        ("./\ud800", "'\\ud800' cannot be in a path"),
        ("x" * (MAX_LENGTH + 1), "at most 4,096 characters, got 4,097"),
    ],
)  # fmt: skip
def test_malformed_handle_is_an_error(text: str, problem: str) -> None:
    """The message names the part that is wrong, and does not show passwords."""
    with pytest.raises(SourceNotFoundError) as error:
        embedhub.load(text)
    assert problem in str(error.value)
    assert "hunter2" not in str(error.value)
    assert len(str(error.value)) < 500


def test_home_folder_is_not_meant_by_a_name_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./~v.vec` is a file of the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("~v.vec").write_text("rain 0.5 1\n")
    assert path_of(parse_handle("./~v.vec")) == tmp_path / "~v.vec"
    assert "rain" in embedhub.load("./~v.vec")
    assert "rain" in embedhub.load(f"file://{tmp_path}/%7Ev.vec")


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_random_strings_are_handles_or_errors(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is passed, the canonical form is a fixed point, and an error is one of embedhub."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    choose = random.Random(count)  # noqa: S311 - not a secret
    canonical = 0
    for number in range(count):
        text = "".join(choose.choices(PIECES, k=choose.randrange(12)))
        try:
            handle = parse_handle(text)
        except EmbedhubError:
            continue
        assert parse_handle(str(handle)) == handle, text
        canonical += 1
        if number % 50 == 0:
            with pytest.raises(EmbedhubError):
                get_source(text).check_dim(-1)
    assert canonical > count / 2
