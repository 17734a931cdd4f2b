"""Export: files that other programs and the readers of embedhub read bit for bit."""

import json
import os
import subprocess
import tempfile
import tracemalloc
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PATIENCE
from command import executable, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import embedhub
from embedhub.formats import static_embeddings, word2vec
from embedhub.vectors.blocks import Block
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

Rows = NDArray[np.float32]
Pairs = tuple[list[str], Rows]
FORMATS: dict[str, str] = {
    "npz": "out.npz",
    "safetensors": "out.safetensors",
    "word2vec-text": "out.txt",
    "word2vec-binary": "out.bin",
    "projector": "out",
}


def bits(rows: Any) -> Any:
    """Return float32 as integers, since 0 equals -0."""
    return np.ascontiguousarray(rows, np.float32).view(np.uint32).tolist()


def by_our_reader(read: Callable[..., Iterator[Any]], path: Path, dim: int) -> Pairs:
    """Read a file with a reader of embedhub."""
    words: list[str] = []
    parts = []
    for block, rows in read(path, dim):
        words += block
        parts.append(rows)
    return words, np.concatenate(parts)


def by_gensim(path: Path, **options: Any) -> Pairs:
    """Read a file of word2vec with gensim."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors.load_word2vec_format(str(path), unicode_errors="surrogateescape", **options)
    return vectors.index_to_key, vectors.vectors


def by_numpy(path: Path) -> Pairs:
    """Open an .npz."""
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["matrix"].dtype == np.float32
        return arrays["words"].tolist(), arrays["matrix"]


def by_safetensors(path: Path) -> Pairs:
    """Open a safetensors file with its own package."""
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["words"]), file.get_tensor("embeddings")


def as_the_projector(folder: Path) -> Pairs:
    """Read the folder like TensorBoard and its page: numbers with float(), and lines that are not blank."""
    words = (folder / "metadata.tsv").read_bytes().decode().split("\n")
    lines = (folder / "vectors.tsv").read_text().splitlines()
    rows = [[float(field) for field in line.split("\t")] for line in lines]
    return [word for word in words if word.strip()], np.array(rows, np.float32)


READERS: dict[str, list[Callable[[Path, int], Pairs]]] = {
    "npz": [lambda path, _: by_numpy(path)],
    "safetensors": [
        lambda path, _: by_safetensors(path),
        lambda path, dim: by_our_reader(static_embeddings.read, path, dim),
    ],
    "word2vec-text": [
        lambda path, _: by_gensim(path),
        lambda path, dim: by_our_reader(word2vec.read_text, path, dim),
    ],
    "word2vec-binary": [
        lambda path, _: by_gensim(path, binary=True),
        lambda path, dim: by_our_reader(word2vec.read_binary, path, dim),
    ],
    "projector": [lambda path, _: as_the_projector(path)],
}

# Any bytes, as a source decodes them; more often those that are special in some format.
special = st.sampled_from(
    [b" ", b"\n", b"\t", b"\r", b"\0", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\xc2\xa0", b'"']
)
texts = st.lists(special | st.text(max_size=4).map(lambda text: text.encode("utf-8", "replace")), max_size=3)
words_of_any_kind = texts.map(lambda parts: b"".join(parts).decode("utf-8", "surrogateescape"))
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def vocabularies(draw: st.DrawFn) -> Pairs:
    """Draw distinct words, and vectors of any float32."""
    words = draw(st.lists(words_of_any_kind, min_size=1, max_size=6, unique=True))
    dim = draw(st.integers(1, 4))
    row = st.lists(numbers, min_size=dim, max_size=dim)
    rows = draw(st.lists(row, min_size=len(words), max_size=len(words)))
    return words, np.array(rows, np.float32)


def opened(folder: Path, words: list[str], rows: Rows) -> embedhub.Vectors:
    """Write a store and open it."""
    with StoreWriter(folder, name="tiny", dim=rows.shape[1]) as writer:
        writer.write(Block(words, rows))
    return open_store(folder)


@pytest.fixture(scope="module", params=FORMATS)
def format_(request: pytest.FixtureRequest) -> str:
    """Return each format in turn."""
    return request.param  # type: ignore[no-any-return]


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=vocabularies())
def test_exported_word_is_read_bit_for_bit_or_rejected(format_: str, pairs: Pairs) -> None:
    """Every reader gets the words and bits that were written; a word that would change is rejected."""
    words, rows = pairs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vectors = opened(folder / "store", words, rows)
        accepted = []
        for number, word in enumerate(words):
            path = folder / str(number) / FORMATS[format_]
            with suppress(embedhub.errors.FormatError):
                embedhub.export(vectors, None, path, words=[word], format=format_)
            if path.exists():
                accepted.append(word)
        if not accepted:
            return
        path = folder / FORMATS[format_]
        result = embedhub.export(vectors, None, path, words=accepted, format=format_)
        assert (result.count, result.dim, result.missing) == (len(accepted), rows.shape[1], ())
        for read in READERS[format_]:
            exported, matrix = read(path, rows.shape[1])
            assert exported == accepted
            assert bits(matrix) == bits(rows[[words.index(word) for word in accepted]])


ACCEPTS: dict[str, Collection[str]] = {
    "New York": {"npz", "safetensors", "projector"},
    "two\nlines": {"npz", "safetensors"},
    "a\ttab": {"npz", "safetensors", "word2vec-binary"},
    "\udcff": {"npz", "word2vec-text", "word2vec-binary"},
    "zero\0": {"safetensors", "word2vec-text", "word2vec-binary", "projector"},
    "\u00a0": {"npz", "safetensors", "word2vec-text", "word2vec-binary"},
    "": {"npz", "safetensors"},
    '"': set(FORMATS),
    "naïve": set(FORMATS),
}


@pytest.mark.parametrize("word", ACCEPTS, ids=ascii)
def test_format_rejects_words_that_it_cannot_represent(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path, word: str
) -> None:
    """The words that a format rejects are known; the error lists the formats that accept them."""
    vectors = make_vectors(["the", word, "cat"])
    for name, file in FORMATS.items():
        if name in ACCEPTS[word]:
            embedhub.export(vectors, None, tmp_path / file, format=name)
            continue
        with pytest.raises(embedhub.errors.FormatError) as caught:
            embedhub.export(vectors, None, tmp_path / file, format=name)
        assert f"so it cannot be written as {name}. Nothing was written." in str(caught.value)
        assert str(caught.value).endswith(
            f"{', '.join(other for other in FORMATS if other in ACCEPTS[word])}."
        )
        assert not (tmp_path / file).exists()


def test_projector_config_is_read_by_tensorboard(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path
) -> None:
    """TensorBoard parses the configuration, which names the files and the shape of the tensor."""
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    config, *_ = embedhub.export(
        make_vectors(["the", "cat"]), None, tmp_path / "out", format="projector"
    ).files
    (tensor,) = text_format.Parse(config.read_text("utf-8"), ProjectorConfig()).embeddings
    assert tensor.tensor_name == "tiny-4d"
    assert list(tensor.tensor_shape) == [2, 4]
    assert (config.parent / tensor.tensor_path).read_text("utf-8").count("\n") == 2
    assert (config.parent / tensor.metadata_path).read_text("utf-8") == "the\ncat\n"


def test_number_of_rejected_words_is_reported(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path
) -> None:
    """The error names one word, and counts the others that have such a problem."""
    vectors = make_vectors(["a b", "c", "d e", "f\ng"])
    with pytest.raises(
        embedhub.errors.FormatError,
        match=r"'a b' contains a space .* \(and 2 more words have such a problem\)",
    ):
        embedhub.export(vectors, None, tmp_path / "out.txt")


def test_safetensors_header_size_is_limited(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More words than the safetensors package can open are rejected; the limit is small here."""
    monkeypatch.setattr("embedhub.formats.static_embeddings.MAX_HEADER_BYTES", 200)
    with pytest.raises(embedhub.errors.FormatError, match=r"50 words need a safetensors header of \d+ bytes"):
        embedhub.export(make_vectors([f"w{i}" for i in range(50)]), None, tmp_path / "out.safetensors")
    assert not list(tmp_path.iterdir())


def test_exported_text_has_the_fewest_digits(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path
) -> None:
    """In text a number has no more digits than NumPy prints for a float32."""
    vectors = make_vectors([f"w{i}" for i in range(500)], dim=8)
    embedhub.export(vectors, None, tmp_path / "out.txt")
    lines = (tmp_path / "out.txt").read_text().splitlines()[1:]
    for line, row in zip(lines, vectors.matrix, strict=True):
        for field, number in zip(line.split(" ")[1:], row, strict=True):
            assert len(field.strip("-0.").partition("e")[0]) <= len(
                str(number).strip("-0.").partition("e")[0]
            )


def test_export_keeps_the_order_of_the_source(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path
) -> None:
    """Words are in the order of the source, whatever the order of the request; topn= selects the first."""
    vectors = make_vectors(list("abcdefgh"))
    path = tmp_path / "out.npz"
    result = embedhub.export(vectors, None, path, words={"g": 1, "?": 2, "b": 3, "e": 4, "!": 5}, topn=2)
    assert by_numpy(path)[0] == ["b", "e"]
    assert bits(by_numpy(path)[1]) == bits(vectors.lookup(["b", "e"]))
    assert result == embedhub.ExportResult((path,), "npz", 2, 4, ("?", "!"))
    embedhub.export(vectors, None, path, words=["c", "c", "a"], overwrite=True)
    assert by_numpy(path)[0] == ["a", "c"]
    embedhub.export(vectors, None, path, topn=3, overwrite=True)
    assert by_numpy(path)[0] == ["a", "b", "c"]


def test_equal_vectors_make_equal_files(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path, format_: str
) -> None:
    """An export contains no time and no path, so that a second one has the same bytes."""
    vectors = make_vectors(["the", "cat"])
    first, second = (
        embedhub.export(vectors, None, tmp_path / name / FORMATS[format_], format=format_).files
        for name in ("one", "two")
    )
    assert [file.name for file in first] == [file.name for file in second]
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_export_rejects_wrong_arguments(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path
) -> None:
    """Absent words, an unknown format and topn=0 are errors before anything is written."""
    vectors = make_vectors(["the"])
    with pytest.raises(embedhub.errors.VocabularyError, match=r"None of the 2 words is in tiny 4d: 'x', 'y'"):
        embedhub.export(vectors, None, tmp_path / "out.npz", words=["x", "y"])
    with pytest.raises(
        ValueError, match=r"out.foo: the format cannot be inferred from the suffix; expected one of .npz"
    ):
        embedhub.export(vectors, None, tmp_path / "out.foo")
    with pytest.raises(ValueError, match="format is 'glove'; expected one of npz, safetensors"):
        embedhub.export(vectors, None, tmp_path / "out.npz", format="glove")
    with pytest.raises(ValueError, match="topn is 0"):
        embedhub.export(vectors, None, tmp_path / "out.npz", topn=0)
    with pytest.raises(TypeError, match="expected several words, got one str"):
        embedhub.export(vectors, None, tmp_path / "out.npz", words="the")
    assert not list(tmp_path.iterdir())


def test_existing_output_is_replaced_only_with_overwrite(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path, format_: str
) -> None:
    """An existing output stays, unless overwrite= replaces all of it; no other file is left."""
    one, other = make_vectors(["the"]), make_vectors(["the", "cat"])
    path = tmp_path / FORMATS[format_]
    files = embedhub.export(one, None, path, format=format_).files
    before = [file.read_bytes() for file in files]
    with pytest.raises(embedhub.errors.OutputError, match=r"the output exists already, and was not changed"):
        embedhub.export(other, None, path, format=format_)
    assert [file.read_bytes() for file in files] == before
    embedhub.export(other, None, path, format=format_, overwrite=True)
    assert READERS[format_][0](path, 4)[0] == ["the", "cat"]
    assert sorted(tmp_path.iterdir()) == sorted(
        {path, *files} - {file for file in files if path in file.parents}
    )


def test_folder_with_other_files_is_never_replaced(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path
) -> None:
    """A folder with other files stays even with overwrite=; an empty one is used."""
    vectors = make_vectors(["the", "cat"])
    (tmp_path / "mine").mkdir()
    embedhub.export(vectors, None, tmp_path / "mine", format="projector")
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(embedhub.errors.OutputError, match=r"this folder has other files \(thesis.tex\)"):
        embedhub.export(vectors, None, tmp_path / "mine", format="projector", overwrite=True)
    with pytest.raises(embedhub.errors.OutputError, match="this is a folder"):
        embedhub.export(vectors, None, tmp_path / "mine", format="npz", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(embedhub.errors.OutputError, match="this is a file"):
        embedhub.export(vectors, None, tmp_path / "file", format="projector", overwrite=True)


@pytest.mark.slow
@pytest.mark.posix
def test_full_disk_keeps_the_existing_file(tmp_path: Path) -> None:
    """When the disk refuses to write, the old file stays, and no part of the new one."""
    out = tmp_path / "out.npz"
    assert run("export", "wordnet-ppmi:25", out, "--topn", 10).returncode == 0
    before = out.read_bytes()
    script = 'ulimit -f 500; exec "$0" export wordnet-ppmi:25 "$1" --force'  # blocks of a file, 1 KB each
    done = subprocess.run(
        ["/bin/bash", "-c", script, executable(), str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1, done.stderr
    assert f"{out}: it could not be written (File too large), and nothing was kept of it." in done.stderr
    assert out.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.name != "cache"] == ["out.npz"]


ROWS, DIM, BLOCK = 60_000, 256, 4_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> embedhub.Vectors:
    """Return vectors of 61 MB."""
    folder = tmp_path_factory.mktemp("large") / "store"
    rows = np.random.default_rng(0).normal(size=(BLOCK, DIM)).astype(np.float32)
    with StoreWriter(folder, name="large", dim=DIM) as writer:
        for start in range(0, ROWS, BLOCK):
            writer.write(Block([f"w{i}" for i in range(start, start + BLOCK)], rows))
    return open_store(folder)


@pytest.mark.slow
def test_export_memory_does_not_grow_with_the_matrix(
    large: embedhub.Vectors, tmp_path: Path, format_: str
) -> None:
    """Writing 61 MB needs at most a third of that, most of it for the words."""
    embedhub.export(large, None, tmp_path / "first" / FORMATS[format_], format=format_, topn=1)  # imports
    tracemalloc.start()
    try:
        embedhub.export(large, None, tmp_path / FORMATS[format_], format=format_)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * ROWS * DIM / 3


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_export_command_writes_every_format(tmp_path: Path, name: str) -> None:
    """`embedhub export` writes vectors in which other programs find the same words and bits."""
    done = run(
        "export", "wordnet-ppmi:25", tmp_path / "sub" / FORMATS[name], "--topn", 2000, "--format", name
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Wrote 2,000 vectors of dimension 25, ")
    vectors = embedhub.load("wordnet-ppmi", 25)
    words, rows = READERS[name][0](tmp_path / "sub" / FORMATS[name], 25)
    assert words == vectors.words[:2000]
    assert bits(rows) == bits(vectors.matrix[:2000])


@pytest.mark.slow
def test_export_command_reads_a_file_of_words(tmp_path: Path) -> None:
    """--words is a file with one word per line; missing words are counted and listed."""
    (tmp_path / "words.txt").write_bytes(
        "\ufeffmusic\r\nqwxz\n\nrain\n\udcff\n".encode("utf-8", "surrogateescape")
    )
    done = run("export", "wordnet-ppmi:25", "out.safetensors", "--words", "words.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Wrote 2 vectors of dimension 25" in done.stdout
    assert done.stderr == "Not in wordnet-ppmi:25: 2 of the words of words.txt: qwxz, \\udcff\n"
    ours = embedhub.load(str(tmp_path / "out.safetensors"))
    assert list(ours) == ["music", "rain"]
    assert bits(ours.matrix) == bits(embedhub.load("wordnet-ppmi", 25).lookup(["music", "rain"]))


def test_exported_file_is_a_source_by_its_path(tmp_path: Path) -> None:
    """Files of three formats can be loaded by their path alone."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    for name in ("out.safetensors", "out.txt", "out.bin"):
        embedhub.export(vectors, None, tmp_path / name, topn=300)
        again = embedhub.load(tmp_path / name)
        assert list(again) == vectors.words[:300]
        assert bits(again.matrix) == bits(vectors.matrix[:300])


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("nothing", "expected a JSON list of words in the metadata"),
        ("17", "expected a JSON list of words in the metadata"),
        ("[1, 2]", "expected a JSON list of words in the metadata"),
        ('["the"]', "the metadata has 1 words; expected 2, one for each vector"),
    ],
)
def test_words_in_safetensors_metadata_must_match(tmp_path: Path, metadata: str, message: str) -> None:
    """A safetensors file whose metadata does not have a word for each vector is a FormatError."""
    from safetensors.numpy import save_file

    save_file({"embeddings": np.ones((2, 3), np.float32)}, tmp_path / "a.safetensors", {"words": metadata})
    with pytest.raises(embedhub.FormatError, match=message):
        embedhub.load(tmp_path / "a.safetensors")


@pytest.mark.slow
def test_export_command_exit_codes(tmp_path: Path) -> None:
    """A wrong suffix and an absent file of words are usage errors; an existing output is a failure."""
    assert run("export", "wordnet-ppmi:25", tmp_path / "out.foo").returncode == 2
    assert run("export", "wordnet-ppmi:25", tmp_path / "out.npz", "--words", tmp_path / "no").returncode == 2
    (tmp_path / "out.npz").touch()
    done = run("export", "wordnet-ppmi:25", tmp_path / "out.npz")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--force" in done.stderr


@pytest.mark.slow
def test_export_shows_progress_in_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A progress bar on stderr names the file and counts vectors."""
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "1")
    monkeypatch.setitem(os.environ, "COLUMNS", "120")
    done = run("export", "wordnet-ppmi:25", tmp_path / "out.npz")
    assert "Writing out.npz" in done.stderr
    assert "78781/78781" in done.stderr


def test_exported_glove_text_is_as_short_as_the_original(
    glove_20k: embedhub.Vectors, glove_lines: list[bytes], tmp_path: Path
) -> None:
    """The vectors of GloVe survive in text of the length of Stanford's, to a thousandth."""
    path = tmp_path / "out.txt"
    embedhub.export(glove_20k, None, path)
    assert path.stat().st_size < 1.001 * sum(map(len, glove_lines))
    words, rows = by_our_reader(word2vec.read_text, path, 50)
    assert words == list(glove_20k)
    assert np.array_equal(rows.view(np.uint32), np.asarray(glove_20k.matrix).view(np.uint32))


def test_exported_npz_is_a_source(make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path) -> None:
    """What export writes as .npz loads again with the same words and bits; float64 is converted."""
    vectors = make_vectors(["the", "New York", "\udcff", "two\nlines"])
    embedhub.export(vectors, None, tmp_path / "mine.npz")
    again = embedhub.load(tmp_path / "mine.npz")
    assert list(again) == list(vectors)
    assert again.matrix.tobytes() == vectors.matrix.tobytes()
    np.savez_compressed(
        tmp_path / "other.npz", matrix=vectors.matrix.astype(np.float64), words=np.array(["a", "b", "c", "d"])
    )
    other = embedhub.load(tmp_path / "other.npz")
    assert list(other) == ["a", "b", "c", "d"]
    assert other.matrix.tobytes() == vectors.matrix.tobytes()
