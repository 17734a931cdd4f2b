"""The remembered hash of a first download, when its file in the cache is damaged."""

import warnings
from pathlib import Path

import pytest
from remote import HOST, pinned

from embedhub.download.fetch import fetch_first, remember_hashes
from embedhub.errors import StoreError, StoreWarning, UnverifiedWarning

TEXT = b"rain 1 2\n"
FILE = pinned(TEXT, known_hash=None, size=None)


@pytest.fixture
def memory(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fetch a file without a published hash once; return where its hash is remembered."""
    (tmp_path / HOST).mkdir()
    (tmp_path / HOST / "some.txt").write_bytes(TEXT)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    with pytest.warns(UnverifiedWarning):
        remember_hashes(fetch_first([FILE], label="some 2d"))
    (memory,) = (cache / "hashes").iterdir()
    return memory


@pytest.mark.parametrize("size", [0, 1, 6, 7, 40])
def test_cut_hash_is_forgotten_with_a_warning(memory: Path, size: int) -> None:
    """The next download counts as the first one again, and its hash is remembered."""
    content = memory.read_bytes()
    memory.write_bytes(content[:size])
    with pytest.warns(StoreWarning, match="is empty or truncated, so the next download counts as the first"):
        fetched = fetch_first([FILE], label="some 2d")
    with pytest.warns(UnverifiedWarning):
        remember_hashes(fetched)
    assert memory.read_bytes() == content


@pytest.mark.parametrize(
    "content", [b"\n", b"sha256:0\n", b"nonsense\n", b"sha256:\xff\xfe\n", b"crc32:" + 64 * b"0" + b"\n"]
)
def test_damaged_hash_is_an_error_that_names_its_file(memory: Path, content: bytes) -> None:
    """What is not a hash is not trusted and not forgotten: the message says what to remove."""
    memory.write_bytes(content)
    with pytest.raises(StoreError, match="This file is damaged: remove it to accept what is") as raised:
        fetch_first([FILE], label="some 2d")
    assert str(memory) in str(raised.value)
    assert memory.read_bytes() == content


def test_hash_without_its_file_name_is_used(memory: Path) -> None:
    """What was cut off after the hash does not matter."""
    memory.write_bytes(memory.read_bytes()[: len("sha256:") + 64])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fetch_first([FILE], label="some 2d").path.read_bytes() == TEXT
