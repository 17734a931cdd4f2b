"""`RemoteSource` as data, and the interface that it shares with sources that are code."""

import json
import pickle
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

import embedhub
from embedhub import Block, ComputedSource, EmbeddingSource, Format, RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.registry.local_file import open_source

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
    assert source.candidates(2)[0].companions[0].url == "https://example.org/tokenizer.json"
    bytes_read = "https://example.org/my.zip#my.2d.txt https://example.org/tokenizer.json"
    assert source.cache_key(2) == f"{bytes_read}, glove 2"


def read_nothing(path: Path, dim: int) -> Iterator[Block]:
    """Read no vectors."""
    return iter(())


def compute_nothing(dim: int) -> Iterator[Block]:
    """Compute no vectors."""
    return iter(())


def no_headers() -> dict[str, str]:
    """Return no headers."""
    return {}


ABOUT: dict[str, Any] = {
    "name": "mine", "description": "", "language": "en", "cased": True, "license": "", "citation": "",
    "homepage": "",
}  # fmt: skip
BREAD = RemoteFile(
    "https://a.org/b.zip",
    member="b",
    archive_size=10,
    format=Format("bread", read_nothing),
    companions=(RemoteFile("https://a.org/c"),),
    headers=no_headers,
)


def a_local_source(folder: Path) -> EmbeddingSource:
    """Return a source of a file of the user."""
    if not (folder / "mine.txt").exists():
        (folder / "mine.txt").write_bytes(b"rain 1 2\nstorm 3 4\n")
    return open_source(folder / "mine.txt")


VALUES: dict[str, Any] = {
    "RemoteFile": lambda _: BREAD,
    "RemoteSource": lambda _: RemoteSource(files={2: BREAD, 3: [BREAD]}, **ABOUT),
    "glove-6b": lambda _: GLOVE_6B,
    "ComputedSource": lambda _: ComputedSource(dims=(2, 3), version=1, compute=compute_nothing, **ABOUT),
    "PackagedSource": lambda _: embedhub.sources()["glove-6b-20k"],
    "LocalSource": a_local_source,
    "Fetched": lambda folder: Fetched(folder / "a", BREAD),
    "Fetched of a local file": lambda folder: a_local_source(folder).fetch(2),
    "Fetched of a package": lambda _: embedhub.sources()["wordnet-ppmi"].fetch(25),
}


@pytest.mark.parametrize("kind", VALUES)
def test_sources_and_files_are_values(kind: str, tmp_path: Path) -> None:
    """They equal their copies, which have the same hash, by whichever of Python's ways they are made."""
    value = VALUES[kind](tmp_path)
    copies = [VALUES[kind](tmp_path), pickle.loads(pickle.dumps(value)), deepcopy(value)]  # noqa: S301 - ours
    if isinstance(value, tuple):
        copies.append(value._replace())  # type: ignore[attr-defined]  # it is a named one
    else:
        copies.append(replace(value))
        assert asdict(value).keys() == {field.name for field in fields(value)}
    for copy in copies:
        assert copy == value
        assert type(copy) is type(value)
        assert len({copy, value}) == 1


def test_other_files_are_another_source() -> None:
    """Sources with other files differ, and their order of dims does not count."""
    member, release = GLOVE_6B.candidates(50)
    other = "sha256:" + 64 * "0"
    changed = replace(GLOVE_6B, files={50: (replace(member, known_hash=other), release)})
    assert changed != replace(GLOVE_6B, files={50: (member, release)})
    assert changed.cache_key(50) == f"{other}, glove 2, word2vec-text 2"
    backwards = replace(GLOVE_6B, files=dict(reversed(list(GLOVE_6B.files.items()))))
    assert (backwards, hash(backwards)) == (GLOVE_6B, hash(GLOVE_6B))


def test_source_of_plain_data_is_written_as_json() -> None:
    """The function `asdict` makes plain data of a source, its files and their companions."""
    table = json.loads(json.dumps(asdict(GLOVE_6B)))
    assert table["files"]["50"][0]["known_hash"] == GLOVE_6B.candidates(50)[0].known_hash
    assert "format='glove'" in repr(GLOVE_6B)


@pytest.mark.parametrize(
    ("method", "arguments"),
    {
        "__setitem__": (50, ()),
        "__delitem__": (50,),
        "__ior__": ({50: ()},),
        "clear": (),
        "pop": (50,),
        "popitem": (),
        "setdefault": (1, ()),
        "update": ({50: ()},),
    }.items(),
)
def test_files_of_a_source_are_read_only(method: str, arguments: tuple[Any, ...]) -> None:
    """The mapping of a source cannot be changed, and is a copy of the one that was given."""
    given: dict[int, Any] = {50: GLOVE_6B.candidates(50)}
    source = replace(GLOVE_6B, files=given)
    with pytest.raises(TypeError, match="read-only"):
        getattr(source.files, method)(*arguments)
    given.clear()
    assert source.dims == (50,)


def test_second_candidate_does_not_change_the_bytes_of_the_cache_key() -> None:
    """All candidates hold the same vectors, so those of the first identify them."""
    more = RemoteFile("https://a.org/b", format="glove")
    changed = replace(GLOVE_6B, files={50: (*GLOVE_6B.candidates(50), more)})
    assert changed.cache_key(50) == GLOVE_6B.cache_key(50)


def test_one_file_or_several_are_given_for_a_dim() -> None:
    """A file alone, a tuple and a list are the same; the URL is given by position."""
    file = RemoteFile("https://a.org/b")
    assert file == RemoteFile(url="https://a.org/b")
    for files in (file, (file,), [file]):
        assert replace(GLOVE_6B, files={2: files}).candidates(2) == (file,)


A_FILE = RemoteFile("https://a.org/b")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "files is empty; expected a RemoteFile for each dim"),
        ({"2": A_FILE}, "files has the dim '2'; expected a positive int"),
        ({0: A_FILE}, "files has the dim 0; expected a positive int"),
        ({True: A_FILE}, "files has the dim True; expected a positive int"),
        ({2: ()}, r"files\[2\] is \(\); expected a RemoteFile, or a tuple or list of them"),
        ({2: None}, r"files\[2\] is None; expected a RemoteFile, or a tuple or list"),
        ({2: "https://a.org/b"}, r"files\[2\] is 'https://a.org/b'; expected a RemoteFile"),
        ({2: ("https://a.org/b",)}, r"files\[2\] is \('https://a.org/b',\); expected a RemoteFile"),
        ({2: (file for file in [A_FILE])}, r"files\[2\] is <generator .*; expected a RemoteFile, or a tuple"),
        (
            {2: {A_FILE}},
            r"files\[2\] is {RemoteFile\('https://a.org/b'\)}; expected a RemoteFile, or a tuple",
        ),
        ({2: RemoteFile("https://a.org/b", format="w2v")}, "format is 'w2v'; expected one of"),
        ({2: RemoteFile("https://a.org/b", format="numberbatch:")}, "format is 'numberbatch:'"),
    ],
)
def test_source_refuses_invalid_files(files: Any, words: str) -> None:
    """A dimension that is not a positive integer, no file, or an unknown format is an error at once."""
    with pytest.raises(ValueError, match=words):
        replace(GLOVE_6B, files=files)


@pytest.mark.parametrize("files", [A_FILE, [A_FILE], "https://a.org/b", None])
def test_source_refuses_files_without_dims(files: Any) -> None:
    """Files that are not a mapping of dims are an error that shows one."""
    with pytest.raises(TypeError, match=r"expected a mapping of dims .* as in \{50: RemoteFile"):
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
