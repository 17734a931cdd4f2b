"""The caller's own files: found by path, recognised by bytes, built once, and again when they change."""

import gzip
import os
import pickle
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import writers

import embedhub
from embedhub import FormatError, FormatWarning, LocalFileError, SourceNotFoundError, StoreError, local

WORDS = ["the", "café", "new york"]
ROWS = np.array([[1, 2], [3, -0.5], [0.25, 0]], np.float32)
OLD = 1_700_000_000  # seconds: a file that is not written any more


def write(path: Path, data: bytes, *, age: int = 0) -> Path:
    """Write a file as if that many seconds ago."""
    path.write_bytes(data)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return a file of vectors."""
    return write(tmp_path / "My Vectors.vec", writers.word2vec_text(WORDS, ROWS, b" \n"), age=100)


def stores(cache: Path) -> list[Path]:
    """Return the stores of a cache."""
    return sorted(cache.glob("vectors/*/*"))


def test_a_path_is_a_source(mine: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Path, or a string with a separator, a dot, a tilde, or of an existing file, gives its vectors."""
    monkeypatch.chdir(mine.parent)
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(mine.parent))
    for path in (mine, str(mine), f"./{mine.name}", f"~/{mine.name}", mine.name, Path(mine.name)):
        vectors = embedhub.load(path)
        assert list(vectors) == WORDS
        assert (vectors.matrix == ROWS).all()
    assert repr(vectors) == "<Vectors my-vectors-vec: 3 words, dim 2>"
    assert vectors.manifest["path"] == str(mine)
    assert len(stores(cache)) == 1
    assert mine.exists()


def test_a_path_gives_a_layer(mine: Path) -> None:
    """What takes a source takes a path: a layer, a matrix, a prefetch."""
    layer = embedhub.keras_embedding(str(mine), None, {"café": 1, "qwxz": 2})
    assert isinstance(layer, keras.layers.Embedding)
    assert layer.get_weights()[0].tolist() == [[0, 0], [3, -0.5], [0, 0]]
    assert embedhub.embedding_matrix(mine, 2, {"the": 0}).matrix.tolist() == [[1, 2]]
    embedhub.fetch(mine)


def test_a_name_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered name means its source, even where a file of that name lies."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "wordnet-ppmi", writers.glove(WORDS, ROWS))
    assert embedhub.load("wordnet-ppmi", 25).name == "wordnet-ppmi"
    assert len(embedhub.load("./wordnet-ppmi")) == 3


def test_what_is_not_there_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a folder and an unknown user are errors that a caller of open() would expect."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"absent.vec: there is no such file\."):
        embedhub.load("./absent.vec")
    with pytest.raises(LocalFileError, match=r"absent.zip: there is no such file\."):
        embedhub.load("./absent.zip#member.txt")
    with pytest.raises(LocalFileError, match="expected a file of vectors, but it cannot be read"):
        embedhub.load(tmp_path)
    with pytest.raises(LocalFileError, match=r"cannot be read|no such file"):
        embedhub.load("~nobody-has-this-name/x.vec")
    with pytest.raises(SourceNotFoundError, match=r"named by its path, as in './vectors.vec'"):
        embedhub.load("absent.vec")


@pytest.mark.parametrize("age", [0, 100])
def test_a_changed_file_is_built_again(mine: Path, cache: Path, age: int) -> None:
    """When the bytes change, also within a moment and to the same length, the new ones are loaded."""
    rows = ROWS.copy()
    for value in (1, 2, 3):
        rows[0, 0] = value
        write(mine, writers.word2vec_text(WORDS, rows), age=age)
        assert embedhub.load(mine)["the"].tolist() == [value, 2]
    assert len(stores(cache)) == 3


def test_a_moved_file_is_the_same_store(mine: Path, cache: Path) -> None:
    """The bytes are the key: a copy of the same name elsewhere, or a touched file, is not built again."""
    embedhub.load(mine)
    copy = mine.parent / "elsewhere" / mine.name
    copy.parent.mkdir()
    shutil.copyfile(mine, copy)
    embedhub.load(copy)
    write(mine, mine.read_bytes(), age=50)
    embedhub.load(mine)
    assert len(stores(cache)) == 1


def test_a_file_is_hashed_once(mine: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of a settled file is remembered; that of one that was written just now is not."""
    embedhub.load(mine)
    assert not (cache / "hashes").exists()
    monkeypatch.setattr(local, "_SETTLED", 0)  # as if it had been written longer ago
    embedhub.load(mine)
    (memory,) = (cache / "hashes").glob("*-own.json")
    with monkeypatch.context() as patch:
        patch.setattr("xxhash.xxh3_128", None)  # nothing is hashed any more
        assert len(embedhub.load(mine)) == 3
    memory.write_text("{", "utf-8")
    assert len(embedhub.load(mine)) == 3
    write(mine, writers.word2vec_text(WORDS, -ROWS), age=100)
    assert embedhub.load(mine)["the"].tolist() == [-1, -2]


def test_a_read_only_cache_still_opens(mine: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is there is opened where nothing can be remembered."""
    monkeypatch.setattr(local, "_SETTLED", 0)
    embedhub.load(mine)
    shutil.rmtree(cache / "hashes")
    (cache / "hashes").write_text("in the way")
    assert len(embedhub.load(mine)) == 3


def test_a_file_that_changes_meanwhile_is_not_kept(mine: Path, cache: Path) -> None:
    """A file that is written while it is read is an error, and nothing is published."""
    source = local.open_source(mine)
    write(mine, writers.word2vec_text(WORDS[:2], ROWS[:2]), age=60)
    with pytest.raises(StoreError, match=r"the file was changed while it was read. Nothing was kept"):
        source.vectors(2)
    blocks = local.open_source(mine).parse(mine, 2)
    next(blocks)
    write(mine, writers.word2vec_text(WORDS, ROWS), age=60)
    with pytest.raises(StoreError, match="changed while it was read"):
        list(blocks)
    assert stores(cache) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"3 2\nthe 1 2\na 3 4\n", "the header promises 3 rows, the file has 2. It may be cut off. All rows"),
        (b"1 2\nthe 1 2\na 3 4\n", "the header promises 1 rows, the file has 2. All rows that are there"),
        (b"the 1 2\na 3 4", "line 2 ends without a newline"),
        (
            b"3 2\nthe " + ROWS[0].tobytes() + b"a " + ROWS[0].tobytes() + b"b ",
            "byte 26: the file ends inside row 3",
        ),
    ],
)
def test_an_odd_end_of_an_own_file_is_a_warning(tmp_path: Path, data: bytes, words: str) -> None:
    """A count that is not true, or a missing newline, is told, and all rows that are there are used."""
    path = write(tmp_path / "odd", data)
    with pytest.warns(FormatWarning) as caught:
        vectors = embedhub.load(path)
    assert list(vectors) == ["the", "a"]
    (warning,) = caught
    assert words in str(warning.message)
    assert str(path) in str(warning.message)


def test_a_malformed_file_is_an_error(tmp_path: Path, cache: Path) -> None:
    """What is wrong inside is an error with path and line, and no store appears."""
    path = write(tmp_path / "bad.txt", b"the 1 2\na 3\nb 4 5\n")
    with pytest.raises(FormatError, match=r"bad.txt: line 2: expected a word and 2 numbers"):
        embedhub.load(path)
    assert stores(cache) == []


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "found b''."),
        (b"just\nwords\n", r"found b'just\nwords\n'."),
        (b"\x89HDF\r\n\x1a\n", "found b'\\x89HDF"),
        (b"<!DOCTYPE html>\n<html>\n", "This is a web page."),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "This is a git-lfs pointer"),
        (b"the\t1\t2\n", "found b'the"),
    ],
)
def test_what_is_no_vectors_is_refused(tmp_path: Path, data: bytes, hint: str) -> None:
    """A file in no known format is an error that lists those, and says what it looks like."""
    path = write(tmp_path / "x", data)
    with pytest.raises(
        FormatError, match="expected vectors as GloVe text, word2vec text or binary"
    ) as caught:
        embedhub.load(path)
    assert hint in str(caught.value)


def test_headers_that_are_words(tmp_path: Path) -> None:
    """A first row with a number for a word is a row; a bad line among the first does not hide the format."""
    path = write(tmp_path / "numbers.txt", b"1990 0.5 2\n3 4 5\nfrom 7 to 8 9 10\nbad\n6 7 8\n9 1 2\n")
    with pytest.raises(FormatError, match="line 4: expected a word and 2 numbers"):
        embedhub.load(path)
    path.write_bytes(path.read_bytes().replace(b"bad\n", b""))
    assert list(embedhub.load(path)) == ["1990", "3", "from 7 to 8", "6", "9"]


def test_a_member_of_an_archive(tmp_path: Path, cache: Path) -> None:
    """One of several members is named after a #; each has a store of its own."""
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.txt", writers.glove(WORDS, ROWS))
        archive.writestr("two.txt", writers.glove(WORDS, -ROWS))
    assert (embedhub.load(f"{path}#one.txt").matrix == ROWS).all()
    assert (embedhub.load(f"{path}#two.txt").matrix == -ROWS).all()
    assert len(stores(cache)) == 2
    with pytest.raises(FormatError, match=r"has 2 members, not one; they are: one.txt, two.txt"):
        embedhub.load(path)


def test_token_vectors_need_and_keep_their_tokenizer(tmp_path: Path, cache: Path) -> None:
    """The tokenizer.json beside names the rows, stays in the store, and is a part of its key."""
    path = write(tmp_path / "model.safetensors", writers.safetensors({"embeddings": ("F32", ROWS)}))
    with pytest.raises(
        LocalFileError, match=r"tokenizer.json: there is no such file, which .*needs beside it"
    ):
        embedhub.load(path)
    for tokens in (["a", "b", "c"], ["d", "e", "f"]):
        (tmp_path / "tokenizer.json").write_bytes(writers.tokenizer(tokens))
        vectors = embedhub.load(path)
        assert list(vectors) == tokens
        assert vectors.extras["tokenizer.json"].read_bytes() == writers.tokenizer(tokens)
    assert len(stores(cache)) == 2


def test_fasttext_models_keep_their_ngrams(tmp_path: Path) -> None:
    """The table of n-grams is memory-mapped from the store, also when the model was compressed."""
    ngrams = np.arange(20, dtype=np.float32).reshape(10, 2)
    data = writers.fasttext_bin(WORDS, ROWS, ngrams)
    composed = []
    for name, packed in (("a.bin", data), ("b.bin", gzip.compress(data))):
        vectors = embedhub.load(write(tmp_path / name, packed))
        assert vectors.subwords is not None
        assert not vectors.subwords.rows.flags.writeable
        assert vectors.manifest["extras"] == {"subwords.npy": {"buckets": 10, "shortest": 3, "longest": 6}}
        composed.append(vectors.subwords.compose(["unheardof"]).tolist())
    assert composed[0] == composed[1] != [[0, 0]]


def test_own_vectors_are_pickled_by_path(mine: Path) -> None:
    """What travels is the path."""
    vectors = embedhub.load(mine)
    data = pickle.dumps(vectors)
    assert len(data) < 400
    assert (pickle.loads(data).matrix == vectors.matrix).all()  # noqa: S301 - our own bytes


def test_names_of_files_become_names_of_sources(tmp_path: Path) -> None:
    """Whatever a file is called, its source has a harmless name."""
    for name, expected in [("Ä ö#1.VEC", "1-vec"), ("東京", "file"), (100 * "x" + ".vec", 80 * "x")]:
        path = write(tmp_path / name, writers.glove(WORDS, ROWS))
        assert embedhub.load(path).name == expected


def same(*paths: Path) -> bool:
    """Tell whether files give stores with the same bytes of words and rows."""
    manifests: list[dict[str, Any]] = [embedhub.load(path).manifest for path in paths]
    digests = [{name: m["xxh3_128"][name] for name in ("matrix.npy", "words.utf8")} for m in manifests]
    return all(digest == digests[0] for digest in digests)


def test_twins_give_equal_stores(real_data: Path) -> None:
    """The same real vectors in three formats give stores that are equal byte by byte."""
    samples = real_data / "formats" / "word2vec"
    assert same(*(samples / f"similarity.{suffix}" for suffix in ("bin", "txt", "nodims")))


SAMPLES: dict[str, tuple[int, int, str, bool]] = {
    "fasttext/lee_fasttext.vec": (1762, 10, "the", False),
    "fasttext/lee_fasttext_new.bin": (1763, 10, "the", False),
    "fasttext/pytorchnlp_wiki.simple.vec": (5, 300, "</s>", True),
    "fasttext/toy-model.bin": (22, 5, "the", False),
    "fasttext/toy-model.vec": (22, 5, "the", False),
    "fasttext/wiki.en.first100.vec": (99, 300, ",", True),
    "glove/glove.6B.100d.first100.txt.gz": (100, 100, "the", False),
    "glove/glove.840B.300d.first100.zip": (100, 300, ",", False),
    "glove/glove.twitter.27B.25d.first10.txt": (15, 25, "<user>", True),
    "glove/nbsp.glove.txt": (3, 300, "topaz", False),
    "static/model2vec-float32/model.safetensors": (29528, 2, "[PAD]", False),
    "word2vec/euclidean_vectors.bin": (2747, 10, "the", False),
}


@pytest.mark.filterwarnings("default::embedhub.FormatWarning")
@pytest.mark.parametrize("name", SAMPLES)
def test_real_samples_are_recognised(real_data: Path, name: str, recwarn: pytest.WarningsRecorder) -> None:
    """Each real sample is opened by its path alone; those that were cut are said to be."""
    words, dim, first, odd = SAMPLES[name]
    vectors = embedhub.load(real_data / "formats" / name)
    assert (len(vectors), vectors.dim, vectors.words[0]) == (words, dim, first)
    assert [warning.category for warning in recwarn] == ([FormatWarning] if odd else [])


def test_broken_real_samples_are_refused(real_data: Path) -> None:
    """A web page, a git-lfs pointer and a server's error, saved under names of vectors, are named as such."""
    broken = real_data / "broken"
    for name, words in [
        ("html_page_named_glove.6B.50d.txt", "This is a web page"),
        ("git_lfs_pointer_glove.6B.50d.txt", "This is a git-lfs pointer"),
        ("s3_error_xml_named_GoogleNews.bin.gz", r"an error document of the server \(NoSuchKey\)"),
    ]:
        with pytest.raises(FormatError, match=words):
            embedhub.load(broken / name)
    assert embedhub.load(broken / "glove.6B.50d.crlf-cut.txt").words[0] == "apan"
