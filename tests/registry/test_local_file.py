"""Local files: given by path, recognized by content, parsed once, and again when they change."""

import bz2
import gzip
import lzma
import os
import pickle
import re
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
import writers
from numpy.typing import NDArray
from remote import zipped
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

import embedhub
from embedhub import FormatError
from embedhub.errors import (
    FormatWarning,
    LocalFileError,
    SourceNotFoundError,
    StoreError,
    UnexpectedEndError,
)
from embedhub.registry import local_file as local
from embedhub.vectors.subwords import Subwords

WORDS = ["the", "café", "new york"]
Rows = NDArray[np.float32]
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


def test_path_is_a_source(mine: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Path, or a string with a separator, a dot, a tilde, or of an existing file, is read as vectors."""
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


def test_functions_accept_a_path(mine: Path) -> None:
    """A layer, a matrix and a download take a path in place of a source."""
    layer = embedhub.keras_embedding(str(mine), None, {"café": 1, "qwxz": 2})
    assert isinstance(layer, keras.layers.Embedding)
    assert layer.get_weights()[0].tolist() == [[0, 0], [3, -0.5], [0, 0]]
    assert embedhub.embedding_matrix(mine, 2, {"the": 0}).matrix.tolist() == [[1, 2]]
    embedhub.load(mine)


def test_source_name_has_precedence_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered name means its source, even where a file of that name exists."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "wordnet-ppmi", writers.glove(WORDS, ROWS))
    assert embedhub.load("wordnet-ppmi", 25).name == "wordnet-ppmi"
    assert len(embedhub.load("./wordnet-ppmi")) == 3


@pytest.mark.posix
@pytest.mark.parametrize("name", ["pipe", "pipe.zip#a.txt"])
def test_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    """A pipe would wait for its writer, and can be read only once."""
    os.mkfifo(tmp_path / name.partition("#")[0])
    with pytest.raises(LocalFileError, match=r"cannot be read \(it is a pipe .* to a file first\)\.$"):
        embedhub.load(tmp_path / name)


def test_missing_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a folder and an unknown user are errors that a caller of open() would expect."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"absent.vec: there is no such file\."):
        embedhub.load("./absent.vec")
    with pytest.raises(LocalFileError, match=r"absent.zip: there is no such file\."):
        embedhub.load("./absent.zip#member.txt")
    with pytest.raises(
        LocalFileError, match=r"expected a file of vectors in this folder, but it has no files"
    ):
        embedhub.load(tmp_path)
    with pytest.raises(LocalFileError, match=r"cannot be read|no such file"):
        embedhub.load("~no-such-user/x.vec")
    with pytest.raises(SourceNotFoundError, match=r"named by its path, as in './vectors.vec'"):
        embedhub.load("absent.vec")


@pytest.mark.parametrize("age", [0, 100])
def test_changed_file_is_built_again(mine: Path, cache: Path, age: int) -> None:
    """When the bytes change, also within a moment and to the same length, the new ones are loaded."""
    rows = ROWS.copy()
    for value in (1, 2, 3):
        rows[0, 0] = value
        write(mine, writers.word2vec_text(WORDS, rows), age=age)
        assert embedhub.load(mine)["the"].tolist() == [value, 2]
    assert len(stores(cache)) == 3


def test_moved_file_has_the_same_store(mine: Path, cache: Path) -> None:
    """The bytes are the key: a copy in another folder, or a touched file, is not built again."""
    embedhub.load(mine)
    copy = mine.parent / "elsewhere" / mine.name
    copy.parent.mkdir()
    shutil.copyfile(mine, copy)
    embedhub.load(copy)
    write(mine, mine.read_bytes(), age=50)
    embedhub.load(mine)
    assert len(stores(cache)) == 1


def test_settled_file_is_hashed_once(mine: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of a settled file is remembered; that of one that was written just now is not."""
    embedhub.load(mine)
    assert not (cache / "hashes").exists()
    monkeypatch.setattr(local, "_CLOCK_TICK_NS", 0)  # as if it had been written longer ago
    embedhub.load(mine)
    (memory,) = (cache / "hashes").glob("*-own.json")
    with monkeypatch.context() as patch:
        patch.setattr("xxhash.xxh3_128", None)  # nothing is hashed any more
        assert len(embedhub.load(mine)) == 3
    memory.write_text("{", "utf-8")
    assert len(embedhub.load(mine)) == 3
    write(mine, writers.word2vec_text(WORDS, -ROWS), age=100)
    assert embedhub.load(mine)["the"].tolist() == [-1, -2]


def test_store_opens_where_no_digest_can_be_written(
    mine: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An existing store is opened where no digest can be remembered."""
    monkeypatch.setattr(local, "_CLOCK_TICK_NS", 0)
    embedhub.load(mine)
    shutil.rmtree(cache / "hashes")
    (cache / "hashes").write_text("in the way")
    assert len(embedhub.load(mine)) == 3


def test_file_changed_during_the_build_is_an_error(mine: Path, cache: Path) -> None:
    """A file that is written while it is read is an error, and no store is published."""
    source = local.open_source(mine)
    write(mine, writers.word2vec_text(WORDS[:2], ROWS[:2]), age=60)
    with pytest.raises(StoreError, match=r"the file was changed while it was read. Nothing was kept"):
        source.vectors(2)
    changing = local.open_source(mine)
    blocks = changing.parse(changing.fetch(2), 2)
    next(blocks)
    write(mine, writers.word2vec_text(WORDS, ROWS), age=60)
    with pytest.raises(StoreError, match="changed while it was read"):
        list(blocks)
    assert stores(cache) == []


CUT = {
    "a header of more": (
        b"3 2\nthe 1 2\na 3 4\n",
        "the header declares 3 vectors, but the file has 2. It may be",
    ),
    "a header of fewer": (b"1 2\nthe 1 2\na 3 4\n", "the header declares 1 vectors, but the file has 2."),
    "no last newline": (b"the 1 2\na 3 4", "line 2 has no newline at its end"),
    "binary": (
        b"3 2\nthe " + ROWS[0].tobytes() + b"a " + ROWS[0].tobytes() + b"b ",
        "byte 26: the file ends inside vector 3",
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_truncated_file_is_an_error(tmp_path: Path, cache: Path, name: str) -> None:
    """A wrong count or a missing newline is an error at every open, with a way out; nothing is kept."""
    data, words = CUT[name]
    path = write(tmp_path / "cut", data)
    for _ in range(2):
        with pytest.raises(UnexpectedEndError, match=rf"^{re.escape(f'{path}: {words}')}") as caught:
            embedhub.load(path)
        assert "allow_truncated=True" in str(caught.value)
        assert stores(cache) == []


@pytest.mark.parametrize("name", CUT)
def test_allowed_truncated_file_warns_at_every_open(tmp_path: Path, cache: Path, name: str) -> None:
    """All vectors before the end are used; the manifest says so, and so does each open, also of a copy."""
    data, words = CUT[name]
    paths = [write(tmp_path / file, data) for file in ("cut", "copy", "cut")]
    for path in paths:
        with pytest.warns(FormatWarning, match=re.escape(f"{path}: {words}")) as caught:
            vectors = embedhub.load(path, allow_truncated=True)
        assert list(vectors) == ["the", "a"]
        assert vectors.manifest["truncated"].startswith(words)
        assert str(caught[0].message).endswith("The 2 vectors before its end are used.")
    assert len(stores(cache)) == 2  # the name of the file is a part of the place
    with pytest.warns(FormatWarning, match=re.escape(words)):
        assert list(pickle.loads(pickle.dumps(vectors))) == ["the", "a"]  # noqa: S301 - our own bytes
    with pytest.raises(UnexpectedEndError, match=re.escape(words)):
        embedhub.load(paths[0])


def test_whole_file_may_be_truncated(mine: Path, recwarn: pytest.WarningsRecorder) -> None:
    """A whole file has the same store whether or not it was allowed to be truncated, without a warning."""
    assert "truncated" not in embedhub.load(mine, allow_truncated=True).manifest
    assert embedhub.load(mine).manifest == embedhub.load(mine, allow_truncated=True).manifest
    assert not recwarn.list


def test_malformed_line_is_an_error(tmp_path: Path, cache: Path) -> None:
    """A malformed line is an error with path and line, and no store is published."""
    path = write(tmp_path / "bad.txt", b"the 1 2\na 3\nb 4 5\n")
    with pytest.raises(FormatError, match=r"bad.txt: line 2: expected a word and 2 numbers"):
        embedhub.load(path)
    assert stores(cache) == []


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"just\nwords\n", r"got b'just\nwords\n'."),
        (b"the 1/2 2/3 1/4\n", "got b'the"),
    ],
)
def test_unknown_format_is_an_error(tmp_path: Path, data: bytes, hint: str) -> None:
    """A file in no known format is an error that lists those, and names the content."""
    path = write(tmp_path / "x", data)
    with pytest.raises(
        FormatError, match="expected vectors as GloVe text, word2vec text or binary"
    ) as caught:
        embedhub.load(path)
    assert hint in str(caught.value)


def test_number_in_the_first_line_is_not_a_header(tmp_path: Path) -> None:
    """A first line with a number for a word is a vector; a bad line does not hide the format."""
    path = write(tmp_path / "numbers.txt", b"1990 0.5 2\n3 4 5\nfrom 7 to 8 9 10\nbad\n6 7 8\n9 1 2\n")
    with pytest.raises(FormatError, match="line 4: expected a word and 2 numbers"):
        embedhub.load(path)
    path.write_bytes(path.read_bytes().replace(b"bad\n", b""))
    assert list(embedhub.load(path)) == ["1990", "3", "from 7 to 8", "6", "9"]


def test_archive_member_is_named_after_a_hash_sign(tmp_path: Path, cache: Path) -> None:
    """One of several members, also in a folder, is named after a #; each has a store of its own."""
    path = tmp_path / "all.zip"
    members = {"one.txt": writers.glove(WORDS, ROWS), "folder/two.txt": writers.glove(WORDS, -ROWS)}
    path.write_bytes(zipped(**members))
    assert (embedhub.load(f"{path}#one.txt").matrix == ROWS).all()
    assert (embedhub.load(f"{path}#folder/two.txt").matrix == -ROWS).all()
    assert len(stores(cache)) == 2
    with pytest.raises(FormatError, match=r"has 2 members, not one; they are: one.txt, folder/two.txt"):
        embedhub.load(path)


def test_token_vectors_need_their_tokenizer(tmp_path: Path, cache: Path) -> None:
    """The tokenizer.json of the same folder names the tokens, is stored, and is a part of the key."""
    path = write(tmp_path / "model.safetensors", writers.safetensors({"embeddings": ("F32", ROWS)}))
    with pytest.raises(
        LocalFileError, match=r"tokenizer.json: there is no such file, which .*needs beside it"
    ):
        embedhub.load(path)
    for tokens in (["a", "b", "c"], ["d", "e", "f"]):
        (tmp_path / "tokenizer.json").write_bytes(writers.tokenizer(tokens))
        vectors = embedhub.load(path)
        assert list(vectors) == tokens
        assert vectors.files["tokenizer.json"].read_bytes() == writers.tokenizer(tokens)
    assert len(stores(cache)) == 2


def test_fasttext_ngrams_are_stored(tmp_path: Path) -> None:
    """The table of n-grams is memory-mapped from the store, also when the model was compressed."""
    ngrams = np.arange(20, dtype=np.float32).reshape(10, 2)
    data = writers.fasttext_bin(WORDS, ROWS, ngrams)
    composed = []
    for name, packed in (("a.bin", data), ("b.bin", gzip.compress(data))):
        vectors = embedhub.load(write(tmp_path / name, packed))
        assert isinstance(vectors.composer, Subwords)
        assert not vectors.composer.rows.flags.writeable
        assert vectors.manifest["files"] == {"subwords.npy": {"buckets": 10, "min_n": 3, "max_n": 6}}
        composed.append(vectors.composer.compose(["unheardof"]).tolist())
    assert composed[0] == composed[1] != [[0, 0]]


def test_local_vectors_are_pickled_by_path(mine: Path) -> None:
    """The pickle has the path, not the vectors."""
    vectors = embedhub.load(mine)
    data = pickle.dumps(vectors)
    assert len(data) < 500
    assert (pickle.loads(data).matrix == vectors.matrix).all()  # noqa: S301 - our own bytes


def test_source_name_is_made_from_the_file_name(tmp_path: Path) -> None:
    """Whatever a file is called, its source has a harmless name."""
    for name, expected in [("Ä ö#1.VEC", "1-vec"), ("東京", "file"), (100 * "x" + ".vec", 80 * "x")]:
        path = write(tmp_path / name, writers.glove(WORDS, ROWS))
        assert embedhub.load(path).name == expected


def as_vec(text: bytes) -> bytes:
    """Return lines as fastText writes them: under a header, each with a space at its end."""
    return b"%d 50\n" % text.count(b"\n") + text.replace(b"\n", b" \n")


def by_gensim(path: Path, words: list[str], rows: Rows, *, binary: bool) -> None:
    """Write word2vec text or binary with gensim."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(rows.shape[1])
    vectors.add_vectors(words, rows)
    vectors.save_word2vec_format(str(path), binary=binary)


def by_safetensors(path: Path, words: list[str], rows: Rows) -> None:
    """Write token vectors with safetensors, and their tokenizer.json with tokenizers."""
    save_file({"embeddings": rows}, path)
    vocabulary = {word: index for index, word in enumerate(words)}
    Tokenizer(models.WordLevel(vocabulary, unk_token=words[0])).save(str(path.parent / "tokenizer.json"))


def by_these_tests(path: Path, words: list[str], rows: Rows, *, form: Callable[..., bytes]) -> None:
    """Write a form that no library writes, with one of the tests' own writers."""
    path.write_bytes(form(words, rows))


TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "GloVe text": bytes,
    "GloVe text with CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda text: zipped(**{"glove.txt": text}),
    "fastText .vec": as_vec,
}
OTHERS: dict[str, Callable[[Path, list[str], Rows], None]] = {
    "word2vec text": partial(by_gensim, binary=False),
    "word2vec binary": partial(by_gensim, binary=True),
    "word2vec binary with newlines": partial(
        by_these_tests, form=partial(writers.word2vec_binary, end=b"\n")
    ),
    "fastText .bin": partial(by_these_tests, form=writers.fasttext_bin),
    "safetensors": by_safetensors,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TEXTS, *OTHERS])
def test_vectors_are_the_same_in_every_format(
    glove_sample: tuple[list[bytes], list[str], Rows], tmp_path: Path, name: str
) -> None:
    """Real vectors load by their path alone, and their store has the same bytes whatever the format."""
    lines, words, rows = glove_sample
    path = tmp_path / "mine"
    if name in TEXTS:
        path.write_bytes(TEXTS[name](b"".join(lines)))
    else:
        OTHERS[name](path, words, rows)
    vectors = embedhub.load(path)
    assert list(vectors) == words
    assert vectors.matrix.tobytes() == rows.tobytes()
    plain = write(tmp_path / "plain.txt", b"".join(lines))
    digests = [embedhub.load(file).manifest["xxh3_128"] for file in (path, plain)]
    for part in ("matrix.npy", "words.utf8"):
        assert digests[0][part] == digests[1][part]


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda text, _: text[:-1], "line 2000 has no newline at its end"),
        (
            lambda text, _: as_vec(text).replace(b"2000", b"400000", 1),
            "the header declares 400000 vectors, but",
        ),
        (lambda _, binary: binary[:-1], "the file ends inside vector 2000"),
    ],
    ids=["GloVe text", "fastText .vec", "word2vec binary"],
)
def test_truncated_glove_vectors_load_if_that_is_allowed(
    glove_sample: tuple[list[bytes], list[str], Rows],
    tmp_path: Path,
    cut: Callable[[bytes, bytes], bytes],
    words: str,
) -> None:
    """Of real vectors that end too early all complete ones load, and one warning says where the end is."""
    lines, all_words, rows = glove_sample
    path = write(tmp_path / "cut", cut(b"".join(lines), writers.word2vec_binary(all_words, rows)))
    with pytest.warns(FormatWarning) as caught:
        vectors = embedhub.load(path, allow_truncated=True)
    (warning,) = caught
    assert words in str(warning.message)
    complete = len(vectors)
    assert complete in {len(rows) - 1, len(rows)}
    assert list(vectors) == all_words[:complete]
    assert vectors.matrix.tobytes() == rows[:complete].tobytes()
