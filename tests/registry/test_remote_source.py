"""`RemoteSource` as data, and the interface that it shares with sources that are code."""

import pickle
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import embedhub
from embedhub import EmbeddingSource, RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.registry.builtin.glove import GLOVE_6B

TOML = """
name = "my-corpus"
description = "GloVe on my corpus"
language = "en"
cased = false
license = "CC0-1.0"
citation = "Me (2026)"
homepage = "https://example.org"
fallbacks = ["lower"]

[[files.2]]
url = "https://example.org/my.zip"
member = "my.2d.txt"
format = "glove"

[[files.2.companions]]
url = "https://example.org/tokenizer.json"
"""


def file_of(table: dict[str, Any]) -> RemoteFile:
    """Return the file that a table of TOML describes."""
    companions = tuple(map(file_of, table.pop("companions", [])))
    return RemoteFile(**table, companions=companions)


def source_of(table: dict[str, Any]) -> RemoteSource:
    """Return the source that a table of TOML describes."""
    files = {int(dim): tuple(map(file_of, candidates)) for dim, candidates in table.pop("files").items()}
    return RemoteSource(**(table | {"files": files, "fallbacks": tuple(table["fallbacks"])}))


def test_source_is_written_in_toml() -> None:
    """All fields of a source are plain data, so a table of TOML describes one."""
    source = source_of(tomllib.loads(TOML))
    assert source == source_of(tomllib.loads(TOML))
    assert source.files[2][0].companions[0].url == "https://example.org/tokenizer.json"
    assert source.cache_key(2) == "https://example.org/my.zip#my.2d.txt https://example.org/tokenizer.json"


def test_source_is_compared_hashed_and_pickled_by_value() -> None:
    """A source equals its copy, also in another process; one with another hash differs."""
    copy = pickle.loads(pickle.dumps(GLOVE_6B))  # noqa: S301 - our own bytes
    assert copy == GLOVE_6B
    assert hash(copy) == hash(GLOVE_6B)
    (member, release), other = GLOVE_6B.files[50], "sha256:" + 64 * "0"
    changed = replace(GLOVE_6B, files={50: (replace(member, known_hash=other), release)})
    assert changed != GLOVE_6B
    assert changed.cache_key(50) == other != GLOVE_6B.cache_key(50)
    values = asdict(GLOVE_6B)["files"][50][0].values()
    assert all(isinstance(value, str | int | tuple | None) for value in values)
    assert "format='glove'" in repr(GLOVE_6B)


def test_second_candidate_does_not_change_the_cache_key() -> None:
    """All candidates hold the same vectors, so a source and a dimension have one key."""
    more = replace(
        GLOVE_6B, files={50: (*GLOVE_6B.files[50], RemoteFile(url="https://a.org/b", format="glove"))}
    )
    assert more.cache_key(50) == GLOVE_6B.cache_key(50)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"2": ()}, "files has the dim '2'; expected a positive int"),
        ({2: ()}, r"files\[2\] is \(\); expected RemoteFile objects"),
        ({2: (RemoteFile(url="https://a.org/b"),)}, "format is None; expected one of 'fasttext', 'glove'"),
        ({2: (RemoteFile(url="https://a.org/b", format="w2v"),)}, "format is 'w2v'; expected one of"),
        ({2: (RemoteFile(url="https://a.org/b", format="numberbatch:"),)}, "format is 'numberbatch:'"),
    ],
)
def test_source_refuses_invalid_files(files: Any, words: str) -> None:
    """A dimension that is not a positive integer, no file, or an unknown format is an error at once."""
    with pytest.raises(ValueError, match=words):
        replace(GLOVE_6B, files=files)


def test_source_subclass_needs_the_whole_interface(tmp_path: Path) -> None:
    """A class without all four parts of the interface has no instances; one with them returns vectors."""
    with pytest.raises(TypeError, match="abstract"):
        EmbeddingSource(  # type: ignore[abstract]  # the point
            name="mine", description="", language="en", cased=True, license="", citation="", homepage=""
        )
    (tmp_path / "mine.txt").write_bytes(b"rain 1 2\n")

    class Mine(EmbeddingSource):
        dims = (2,)

        def cache_key(self, dim: int) -> str:
            return f"mine {dim}"

        def fetch(self, dim: int) -> Fetched:
            self.check_dim(dim)
            return Fetched(tmp_path / "mine.txt")

        def parse(self, fetched: Fetched, dim: int) -> Any:
            from embedhub.formats import glove

            return glove.read(fetched.path, dim)

    source = Mine(
        name="mine", description="", language="en", cased=True, license="", citation="", homepage=""
    )
    assert embedhub.load(source)["rain"].tolist() == [1, 2]
    assert (tmp_path / "mine.txt").exists()
