"""What holds for every format: round trips, compression, and whatever the bytes."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import writers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedhub import FormatError
from embedhub.formats import fasttext, glove, numberbatch, static_embeddings, word2vec
from embedhub.formats.detect import detect
from embedhub.vectors.blocks import Reader

QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
NGRAMS = np.arange(14, dtype=np.float32).reshape(7, 2)


class Format(NamedTuple):
    """A reader, and a writer of what it reads."""

    reader: Reader
    write: Callable[[list[str], writers.Rows], bytes]


def write_prefixed(words: list[str], rows: writers.Rows) -> bytes:
    """Write multilingual Numberbatch."""
    return writers.word2vec_text([f"/c/en/{word}" for word in words], rows)


def write_static(words: list[str], rows: writers.Rows, name: str = "embeddings") -> bytes:
    """Write token embeddings; the tokens go into the tokenizer.json."""
    return writers.safetensors({name: ("F32", rows)})


FORMATS = {
    "glove": Format(glove.read, writers.glove),
    "word2vec text": Format(word2vec.read_text, writers.word2vec_text),
    "word2vec text, blanks": Format(word2vec.read_text, partial(writers.word2vec_text, end=b" \n")),
    "word2vec text, blanks and returns": Format(
        word2vec.read_text, partial(writers.word2vec_text, end=b" \r\n")
    ),
    "word2vec binary": Format(word2vec.read_binary, writers.word2vec_binary),
    "word2vec binary, newlines": Format(word2vec.read_binary, partial(writers.word2vec_binary, end=b"\n")),
    "numberbatch": Format(numberbatch.read, writers.word2vec_text),
    "numberbatch, one language": Format(numberbatch.language("en"), write_prefixed),
    "fasttext": Format(fasttext.read, writers.fasttext_bin),
    "fasttext 11": Format(fasttext.read, partial(writers.fasttext_bin, version=11)),
    "model2vec": Format(static_embeddings.read, write_static),
    "sentence-transformers": Format(static_embeddings.read, partial(write_static, name="embedding.weight")),
}
SAMPLES = {
    name: written.write(["the", "café"], np.eye(2, dtype=np.float32)) for name, written in FORMATS.items()
}
SAMPLES["fasttext"] = writers.fasttext_bin(["the", "café"], np.eye(2, dtype=np.float32), NGRAMS)


def zipped(data: bytes, *names: str) -> bytes:
    """Return a zip archive with the same bytes under each name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda data: zipped(data, "deep/vectors.txt", "__MACOSX/deep/._vectors.txt"),
}


def write(folder: Path, data: bytes, tokens: list[str] | None = None) -> Path:
    """Write a file and a tokenizer.json beside it."""
    path = folder / "vectors"
    path.write_bytes(data)
    path.with_name("tokenizer.json").write_bytes(writers.tokenizer(tokens or ["the", "café"]))
    return path


def read(reader: Reader, path: Path, dim: int) -> tuple[list[str], writers.Rows]:
    """Read all blocks of a file, each of which must have the promised form."""
    blocks = [block for block in reader(path, dim) if isinstance(block, tuple)]
    for words, rows in blocks:
        assert rows.shape == (len(words), dim)
        assert rows.dtype == np.float32
    return [word for words, _ in blocks for word in words], np.concatenate([rows for _, rows in blocks])


WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \n\0"), max_size=8),
    min_size=1,
    max_size=5,
    unique=True,
)


@pytest.mark.parametrize("name", FORMATS)
@QUIET
@given(data=st.data())
def test_what_is_written_is_read_again(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Words and float32 rows survive each format, whatever they are."""
    words = data.draw(WORDS)
    dim = data.draw(st.integers(1, 4))
    finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
    rows = data.draw(hnp.arrays(np.float32, (len(words), dim), elements=finite))
    path = write(tmp_path, FORMATS[name].write(words, rows), words)
    found = read(FORMATS[name].reader, path, dim)
    assert found[0] == words
    assert (found[1] == rows).all()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_compressed_files_are_read_as_they_are(
    tmp_path: Path, cache: Path, name: str, compressor: str
) -> None:
    """Every format comes out of gzip, bzip2, xz and zip as out of the plain file, and is recognised there."""
    plain = read(FORMATS[name].reader, write(tmp_path, SAMPLES[name]), 2)
    path = write(tmp_path, COMPRESSORS[compressor](SAMPLES[name]))
    packed = read(FORMATS[name].reader, path, 2)
    assert packed[0] == plain[0]
    assert (packed[1] == plain[1]).all()
    assert detect(path).dim == 2
    assert not list(cache.glob("downloads/*"))


def readers_of(name: str) -> Reader:
    """Return the reader that the bytes of a sample ask for."""
    return word2vec.read_text if name.startswith("numberbatch") else FORMATS[name].reader


@pytest.mark.parametrize("name", FORMATS)
def test_the_bytes_tell_the_format(tmp_path: Path, name: str) -> None:
    """Each format is recognised without a look at the file's name."""
    found = detect(write(tmp_path, SAMPLES[name]))
    assert found.reader is readers_of(name)
    assert found.dim == 2
    assert [path.name for path in found.companions] == (
        ["tokenizer.json"] if found.reader is static_embeddings.read else []
    )


EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2), st.binary(min_size=1, max_size=4)), max_size=4)


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Overwrite, insert or cut at some places."""
    for place, kind, piece in edits:
        at = int(place * len(data))
        if kind == 0:
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == 1:
            data = data[:at] + piece + data[at:]
        else:
            data = data[:at] + data[at + piece[0] :]
    return data


def survives(reader: Reader, path: Path, dim: int) -> None:
    """Read whatever is there: blocks or FormatError, and nothing else."""
    try:
        read(reader, path, dim)
    except FormatError as error:
        complaint = str(error)
    else:
        return
    assert complaint.startswith((str(path), str(path.parent / "tokenizer.json")))


@pytest.mark.parametrize("name", FORMATS)
@QUIET
@given(edits=EDITS, dim=st.integers(1, 3))
def test_damaged_files_give_blocks_or_a_format_error(
    tmp_path: Path, name: str, edits: list[tuple[float, int, bytes]], dim: int
) -> None:
    """However a valid file is damaged, its reader gives blocks or FormatError."""
    path = write(tmp_path, edited(SAMPLES[name], edits))
    survives(FORMATS[name].reader, path, 2)
    survives(FORMATS[name].reader, path, dim)


@pytest.mark.parametrize("name", FORMATS)
@QUIET
@given(data=st.binary(max_size=300))
def test_any_bytes_give_blocks_or_a_format_error(tmp_path: Path, name: str, data: bytes) -> None:
    """Whatever the bytes, a reader gives blocks or FormatError, also behind a good start."""
    survives(FORMATS[name].reader, write(tmp_path, data), 2)
    survives(FORMATS[name].reader, write(tmp_path, SAMPLES[name][: len(SAMPLES[name]) // 2] + data), 2)


@pytest.mark.parametrize("compressor", COMPRESSORS)
@QUIET
@given(edits=EDITS)
def test_damaged_compression_gives_blocks_or_a_format_error(
    tmp_path: Path, compressor: str, edits: list[tuple[float, int, bytes]]
) -> None:
    """However compressed bytes are damaged, a reader gives blocks or FormatError."""
    for name in ("word2vec text", "fasttext"):
        path = write(tmp_path, edited(COMPRESSORS[compressor](SAMPLES[name]), edits))
        survives(FORMATS[name].reader, path, 2)


@QUIET
@given(edits=EDITS, data=st.binary(max_size=200))
def test_any_tokenizer_gives_blocks_or_a_format_error(
    tmp_path: Path, edits: list[tuple[float, int, bytes]], data: bytes
) -> None:
    """Whatever lies in tokenizer.json, the reader gives blocks or FormatError."""
    path = write(tmp_path, SAMPLES["model2vec"])
    good = path.with_name("tokenizer.json").read_bytes()
    for text in (edited(good, edits), data):
        path.with_name("tokenizer.json").write_bytes(text)
        survives(static_embeddings.read, path, 2)


@settings(QUIET, max_examples=200)
@given(
    data=st.one_of(st.binary(max_size=300), st.builds(edited, st.sampled_from(list(SAMPLES.values())), EDITS))
)
def test_any_bytes_have_a_format_or_none(tmp_path: Path, data: bytes) -> None:
    """Whatever the bytes, detect gives a format or FormatError, and that format's reader likewise."""
    path = write(tmp_path, data)
    try:
        found = detect(path)
    except FormatError:
        return
    survives(found.reader, path, found.dim)


HUGE = 10**12
FLAT = np.ones((1, 2), np.float32)


def fasttext_with(at: int, number: int) -> bytes:
    """Return a fastText model in which an int32 at some byte is another."""
    data = bytearray(SAMPLES["fasttext"])
    data[at : at + 4] = number.to_bytes(4, "little", signed=True)
    return bytes(data)


def safetensors_with(**facts: Any) -> bytes:
    """Return a safetensors file with a false header."""
    text = str({"embeddings": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]} | facts})
    text = text.replace("'", '"')
    return len(text).to_bytes(8, "little") + text.encode() + bytes(8)


LIES = {
    "rows of text": (word2vec.read_text, b"%d 2\nthe 1 2\n" % HUGE),
    "rows of binary": (word2vec.read_binary, b"%d 2\nthe 12345678" % HUGE),
    "a word without end": (word2vec.read_binary, b"1 2\n" + bytes(1 << 20)),
    "a header without end": (word2vec.read_text, b"1" * (1 << 20)),
    "buckets": (fasttext.read, fasttext_with(40, 2**31 - 1)),
    "longest n-gram": (fasttext.read, fasttext_with(48, 2**31 - 1)),
    "words": (fasttext.read, fasttext_with(68, 2**31 - 1)),
    "words and entries": (fasttext.read, fasttext_with(64, 2**31 - 1)),
    "length of header": (static_embeddings.read, HUGE.to_bytes(8, "little") + b"{}"),
    "length within the limit": (static_embeddings.read, (10**8).to_bytes(8, "little") + b"{}"),
    "rows of a tensor": (
        static_embeddings.read,
        safetensors_with(shape=[HUGE, 2], data_offsets=[0, 8 * HUGE]),
    ),
    "offsets": (static_embeddings.read, safetensors_with(data_offsets=[HUGE, HUGE + 8])),
    "columns of nothing": (static_embeddings.read, safetensors_with(shape=[0, HUGE], data_offsets=[0, 0])),
    "nested header": (static_embeddings.read, (10**5).to_bytes(8, "little") + b"[" * 10**5),
    "a bomb for text": (word2vec.read_text, gzip.compress(b"1 2\n" + bytes(1 << 27))),
    "a bomb for binary": (word2vec.read_binary, gzip.compress(b"1 2\n" + bytes(1 << 27))),
}


@pytest.mark.parametrize("what", LIES)
def test_lies_cost_no_memory(tmp_path: Path, what: str) -> None:
    """Whatever size a file claims, or unpacks to, the memory is that of its bytes and a few blocks."""
    reader, data = LIES[what]
    path = write(tmp_path, data, ["the"])
    read(
        FORMATS["glove"].reader, write(tmp_path, SAMPLES["glove"]), 2
    )  # compiles outside of what is measured
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            read(reader, path, 2)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        b"1 1000000000\nthe 1 2\n",
        b"1 1000000000\nthe 12345678",
        fasttext_with(8, 10**9),
        safetensors_with(shape=[1, 10**9], data_offsets=[0, 4 * 10**9]),
        b"400000 200000\nthe 1 2\n",
    ],
)
def test_no_row_is_wider_than_any_is(tmp_path: Path, data: bytes) -> None:
    """A dim that no vectors have is refused before a row of it is made."""
    path = write(tmp_path, data, ["the"])

    def load() -> None:
        found = detect(path)
        read(found.reader, path, found.dim)

    with pytest.raises(FormatError):
        load()
