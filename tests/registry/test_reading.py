"""How files of a `RemoteSource` are read: in a format that is recognized, or by an author's own reader."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers
from remote import files_in, pinned, source_of, zipped

import embedhub
from embedhub import Block, DownloadError, ExtraFile, Format, FormatError, RemoteFile, RemoteSource
from embedhub._compression import open_bytes
from embedhub.download.remote_file import Fetched
from embedhub.errors import UnexpectedEndError

WORDS = ["rain", "storm", "##s"]
ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
TOKENIZER = writers.tokenizer(WORDS)
BUILT_IN: dict[str, bytes] = {
    "glove": writers.glove(WORDS, ROWS),
    "word2vec-text": writers.word2vec_text(WORDS, ROWS),
    "word2vec-binary": writers.word2vec_binary(WORDS, ROWS),
    "fasttext": writers.fasttext_bin(WORDS, ROWS, ROWS[:2]),
    "static-embeddings": writers.safetensors({"embeddings": ("F32", ROWS)}),
}
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sorry</title></head></html>\n"


def put(mirror: Path, data: bytes, name: str = "vectors", **changes: Any) -> RemoteFile:
    """Put a file into the mirror, and return it pinned, without a format."""
    (mirror / name).parent.mkdir(parents=True, exist_ok=True)
    (mirror / name).write_bytes(data)
    return pinned(data, name, **({"format": None} | changes))


@pytest.mark.parametrize("packed", ["plain", "gzip", "zip", "member"])
@pytest.mark.parametrize("kind", BUILT_IN)
def test_format_is_recognized_by_the_bytes(mirror: Path, cache: Path, kind: str, packed: str) -> None:
    """A file of each of embedhub's formats is read without naming it, also out of gzip and zip."""
    data = BUILT_IN[kind]
    # Elsewhere than its companion would be looked for.
    tokenizer = put(mirror, TOKENIZER, "tokens/tokenizer.json")
    changes: dict[str, Any] = {"companions": (tokenizer,)} if kind == "static-embeddings" else {}
    if packed == "member":
        put(mirror, zipped(before=b"0", vectors=data), "all.zip")
        file = pinned(data, "all.zip", member="vectors", format=None, **changes)
    else:
        bytes_of = {"plain": data, "gzip": gzip.compress(data), "zip": zipped(vectors=data)}
        file = put(mirror, bytes_of[packed], **changes)
    vectors = embedhub.load(source_of(file, dim=4))
    assert list(vectors) == WORDS
    assert (vectors.matrix == ROWS).all() != (kind == "fasttext")  # whose words have their n-grams
    assert (vectors.composer is not None) == (kind == "fasttext")
    assert [*vectors.files] == {"static-embeddings": ["tokenizer.json"], "fasttext": ["subwords.npy"]}.get(
        kind, []
    )
    assert files_in(cache / "downloads") == []


ODD_ENDS = {
    "no last newline": ("glove", writers.glove(WORDS, ROWS)[:-1]),
    "a header of more": ("word2vec-text", b"9" + writers.word2vec_text(WORDS, ROWS)[1:]),
    "a header of fewer": ("word2vec-text", b"1" + writers.word2vec_text(WORDS, ROWS)[1:]),
    "a binary header of more": ("word2vec-binary", b"9" + writers.word2vec_binary(WORDS, ROWS)[1:]),
}


@pytest.mark.parametrize("named", [True, False], ids=["named", "recognized"])
@pytest.mark.parametrize("name", ODD_ENDS)
def test_pinned_file_is_whole_whatever_its_end(mirror: Path, name: str, named: bool) -> None:
    """A file whose hash has matched is neither an error nor a warning; without a hash it is an error."""
    kind, data = ODD_ENDS[name]
    file = put(mirror, data, format=kind if named else None)
    vectors = embedhub.load(source_of(file, dim=4))
    assert list(vectors) == WORDS
    assert (vectors.matrix == ROWS).all()
    with pytest.raises(UnexpectedEndError):
        embedhub.load(source_of(replace(file, known_hash=None), dim=4))


def test_recognized_file_of_another_dim_is_an_error(mirror: Path) -> None:
    """A file whose vectors have another dim than the source says is named, with both dims."""
    file = put(mirror, BUILT_IN["word2vec-text"])
    with pytest.raises(FormatError, match=r"/vectors has vectors of dim 4, but some names it for dim 3"):
        embedhub.load(source_of(file, dim=3))


@pytest.mark.parametrize(
    ("data", "words"), [(PAGE, "got a web page"), (b"\0\1\2\3", "expected vectors as GloVe text")]
)
def test_file_of_no_known_format_is_an_error(mirror: Path, cache: Path, data: bytes, words: str) -> None:
    """A page or other bytes are named as what they are, even if they are the pinned ones."""
    with pytest.raises(FormatError, match=words):
        embedhub.load(source_of(put(mirror, data)))
    unpinned = put(mirror, data, known_hash=None)
    with pytest.raises((FormatError, DownloadError), match=words.removeprefix("got ")):
        embedhub.load(source_of(unpinned))
    assert list(cache.glob("vectors/*/*")) == []
    assert not (cache / "hashes").exists()


def test_recognized_token_vectors_need_their_tokenizer_named(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens are read from a named tokenizer, not from one that is in the cache for another source."""
    data = BUILT_IN["static-embeddings"]
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    whole = put(mirror, data, companions=(put(mirror, TOKENIZER, "tokenizer.json"),))
    assert list(embedhub.load(source_of(whole, dim=4))) == WORDS
    alone = replace(whole, companions=())
    with pytest.raises(
        FormatError, match=r"need tokenizer.json, which some does not name; give it as one of"
    ):
        embedhub.load(source_of(alone, dim=4))


# ---- Readers of the author's own


def read_bread(path: Path, dim: int, *companions: Path) -> Iterator[Block | ExtraFile]:
    """Read rows of float64 after a word and a colon; companions are kept, and name a factor."""
    with open_bytes(path) as file:
        lines = file.read().split(b"\n")
    factor = float(companions[0].read_text()) if companions else 1.0
    for line in filter(None, lines):
        word, _, numbers = line.partition(b":")
        yield Block(
            [word.decode()], np.array(numbers.split(), np.float32).reshape(1, dim) * np.float32(factor)
        )
    for companion in companions:
        yield ExtraFile(companion.name, companion, {"of": "bread"})


def read_bread_twice(path: Path, dim: int, *companions: Path) -> Iterator[Block | ExtraFile]:
    """Read the same as `read_bread`, and double the numbers."""
    for block in read_bread(path, dim, *companions):
        yield Block(block.words, block.vectors * 2) if isinstance(block, Block) else block


CRUST = b"rain:1 2\nstorm:3 4\n"
BREAD = Format("bread", read_bread)


@pytest.mark.parametrize("packed", ["plain", "member"])
def test_own_reader_gets_the_file_and_its_companions(mirror: Path, cache: Path, packed: str) -> None:
    """A format of the author's own is called with the path, the dim and the companions, in their order."""
    companions = (put(mirror, b"10", "factor.txt"), put(mirror, b"{}", "about.json"))
    changes: dict[str, Any] = {"format": BREAD, "companions": companions}
    if packed == "member":
        put(mirror, zipped(crust=CRUST), "bread.zip")
        file = pinned(CRUST, "bread.zip", member="crust", **changes)
    else:
        file = put(mirror, CRUST, **changes)
    vectors = embedhub.load(source_of(file))
    assert (list(vectors), vectors.matrix.tolist()) == (["rain", "storm"], [[10, 20], [30, 40]])
    assert [*vectors.files] == ["factor.txt", "about.json"]
    assert vectors.manifest["files"] == {name: {"of": "bread"} for name in vectors.files}
    assert files_in(cache / "downloads") == []


def test_corrected_reader_builds_the_store_again(mirror: Path) -> None:
    """A reader with another version gives everybody its own vectors, though the file is the same."""
    file = put(mirror, CRUST, format=BREAD)
    source = source_of(file)
    assert embedhub.load(source)["storm"].tolist() == [3, 4]
    corrected = source_of(replace(file, format=Format("bread", read_bread_twice, version=2)))
    assert corrected.cache_key(2) == f"{file.known_hash}, bread 2"
    assert embedhub.load(corrected)["storm"].tolist() == [6, 8]
    assert embedhub.load(source)["storm"].tolist() == [3, 4]


def test_corrected_parse_builds_the_store_again(mirror: Path) -> None:
    """A source that parses in a way of its own has a version, which does the same."""

    class First(RemoteSource):
        def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
            return read_bread(fetched.path, dim)

    class Corrected(RemoteSource):
        def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
            return read_bread_twice(fetched.path, dim)

    file = put(mirror, CRUST)
    assert embedhub.load(source_of(file, kind=First))["storm"].tolist() == [3, 4]
    for version in (2, "2026-11"):
        source = source_of(file, kind=Corrected, version=version)
        assert source.cache_key(2).endswith(f", version {version}")
        assert embedhub.load(source)["storm"].tolist() == [6, 8]


@pytest.mark.parametrize("kind", ["glove", "word2vec-text", "fasttext"])
def test_error_of_a_reader_names_source_and_file(mirror: Path, kind: str) -> None:
    """A file in the cache is not one that the user knows, so the source and the dimension come first."""
    with pytest.raises(FormatError, match=r"^some 4d: .*vectors: "):
        embedhub.load(source_of(put(mirror, b"rain 1 2 3 4\nwind 1\n", format=kind), dim=4))
