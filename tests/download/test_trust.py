"""Trust on first use trusts what its reader could read, and forgetting is a command."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from command import run
from remote import HOST, files_in, pinned, source_of, zipped

from embedhub import FormatError, RemoteFile, RemoteSource
from embedhub.errors import ChecksumError, UnverifiedWarning

TEXT = b"rain 0.5 1\nsnow 2 3\n"
OTHER = b"rain 0.5 2\nhail 4 5\n"


def unpinned(**changes: Any) -> RemoteFile:
    """Return a file without a hash and a size."""
    return pinned(b"", **({"known_hash": None, "size": None} | changes))


SOURCES = {
    "file": source_of(unpinned(url=f"https://{HOST}/a.txt")),
    "query": source_of(unpinned(url=f"https://{HOST}/a.txt?id=1&token=secret")),
    "member": source_of(unpinned(url=f"https://{HOST}/a.zip", member="deep/a.txt")),
}


def write(mirror: Path, kind: str, data: bytes) -> None:
    """Write what the server has."""
    name = {"file": "a.txt", "query": "a.txt?id=1&token=secret", "member": "a.zip"}[kind]
    (mirror / name).write_bytes(zipped(**{"deep/a.txt": data}) if kind == "member" else data)


@pytest.mark.posix
@pytest.mark.parametrize(("kind", "source"), SOURCES.items(), ids=SOURCES.keys())
def test_wrong_answer_is_not_remembered(kind: str, source: RemoteSource, mirror: Path, cache: Path) -> None:
    """After an answer that the reader refuses, nothing is left, and the right one is accepted."""
    for wrong in (b"Please sign in.\n", b"rain 1 2\nsnow 1\n", b"rain 0.5 nan\n", b"\0" * 100):
        write(mirror, kind, wrong)
        with pytest.raises((FormatError, ChecksumError)):
            source.vectors(2)
        assert files_in(cache / "downloads") == files_in(cache / "hashes") == []
    write(mirror, kind, TEXT)
    with pytest.warns(UnverifiedWarning):
        assert list(source.vectors(2)) == ["rain", "snow"]


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.parametrize(("kind", "source"), SOURCES.items(), ids=SOURCES.keys())
def test_message_names_the_command_that_forgets(
    kind: str, source: RemoteSource, mirror: Path, cache: Path
) -> None:
    """A file that its author has replaced is refused, until that command has run."""
    write(mirror, kind, TEXT)
    with pytest.warns(UnverifiedWarning):
        source.vectors(2)
    assert run("cache", "remove", "some", "--yes").returncode == 0
    write(mirror, kind, OTHER)
    with pytest.raises(ChecksumError, match=r"that of its first download; .* run:") as caught:
        source.vectors(2)
    command = re.search(r"run: (embedhub .*)", str(caught.value))
    assert command
    assert "secret" not in command[1]
    forgotten = run(*shlex.split(command[1])[1:])
    assert forgotten.stdout.startswith("Forgotten: sha256:")
    assert files_in(cache / "hashes") == []
    with pytest.warns(UnverifiedWarning):
        assert list(source.vectors(2)) == ["rain", "hail"]


def test_unknown_file_cannot_be_forgotten(cache: Path) -> None:
    """The error lists files whose hashes are remembered, ten at most."""
    assert "only of: nothing" in run("cache", "forget", f"https://{HOST}/none").stderr
    (cache / "hashes").mkdir(parents=True)
    for i in range(30):
        (cache / "hashes" / f"{i}").write_text(f"sha256:0  https://{HOST}/{i}.txt\n")
    result = run("cache", "forget", f"https://{HOST}/none")
    assert result.returncode == 1
    assert result.stderr.count(HOST) == 11
