"""All formats: round trips, detection, compression, and damaged or arbitrary bytes."""

import bz2
import gzip
import io
import lzma
import tarfile
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
from embedhub.formats import fasttext, glove, npz, numberbatch, static_embeddings, word2vec
from embedhub.formats.detect import detect
from embedhub.vectors.blocks import Reader

QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
NGRAMS = np.arange(14, dtype=np.float32).reshape(7, 2)


class Format(NamedTuple):
    """The name that is detected for a format, its reader, and a writer of its files."""

    detected: str
    reader: Reader
    write: Callable[[list[str], writers.Rows], bytes]


def write_prefixed(words: list[str], rows: writers.Rows) -> bytes:
    """Write multilingual Numberbatch."""
    return writers.word2vec_text([f"/c/en/{word}" for word in words], rows)


def write_static(words: list[str], rows: writers.Rows, name: str = "embeddings") -> bytes:
    """Write token embeddings; the tokens go into the tokenizer.json."""
    return writers.safetensors({name: ("F32", rows)})


FORMATS = {
    "glove": Format("glove", glove.read, writers.glove),
    "word2vec text": Format("word2vec-text", word2vec.read_text, writers.word2vec_text),
    "word2vec text, spaces": Format(
        "word2vec-text", word2vec.read_text, partial(writers.word2vec_text, end=b" \n")
    ),
    "word2vec text, spaces and returns": Format(
        "word2vec-text", word2vec.read_text, partial(writers.word2vec_text, end=b" \r\n")
    ),
    "word2vec binary": Format("word2vec-binary", word2vec.read_binary, writers.word2vec_binary),
    "word2vec binary, newlines": Format(
        "word2vec-binary", word2vec.read_binary, partial(writers.word2vec_binary, end=b"\n")
    ),
    "numberbatch": Format("word2vec-text", numberbatch.read, writers.word2vec_text),
    "numberbatch, one language": Format("word2vec-text", numberbatch.language("en"), write_prefixed),
    "npz": Format("npz", npz.read, writers.npz),
    "fasttext": Format("fasttext", fasttext.read, writers.fasttext_bin),
    "fasttext 11": Format("fasttext", fasttext.read, partial(writers.fasttext_bin, version=11)),
    "model2vec": Format("static-embeddings", static_embeddings.read, write_static),
    "sentence-transformers": Format(
        "static-embeddings", static_embeddings.read, partial(write_static, name="embedding.weight")
    ),
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


def tarred(data: bytes, mode: str, *names: str) -> bytes:
    """Return a tar archive with the same bytes under each name."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]  # any mode
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def tarred_alone(data: bytes, mode: str) -> bytes:
    """Return a tar archive of a folder with one file, as macOS writes it."""
    return tarred(data, mode, "./deep/vectors.txt", "./deep/._vectors.txt")


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda data: zipped(data, "deep/vectors.txt", "__MACOSX/deep/._vectors.txt"),
    **{f"tar, {mode}": partial(tarred_alone, mode=f"w:{mode}") for mode in ("", "gz", "bz2", "xz")},
}


def write(folder: Path, data: bytes, tokens: list[str] | None = None) -> Path:
    """Write a file, and a tokenizer.json in its folder."""
    path = folder / "vectors"
    path.write_bytes(data)
    path.with_name("tokenizer.json").write_bytes(writers.tokenizer(tokens or ["the", "café"]))
    return path


def read(reader: Reader, path: Path, dim: int) -> tuple[list[str], writers.Rows]:
    """Read all blocks of a file, and check their shapes."""
    blocks = [block for block in reader(path, dim) if isinstance(block, tuple)]
    for words, rows in blocks:
        assert rows.shape == (len(words), dim)
        assert rows.dtype == np.float32
    return [word for words, _ in blocks for word in words], np.concatenate([rows for _, rows in blocks])


WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \n\t\0\ufeff"), max_size=8),
    min_size=1,
    max_size=5,
    unique=True,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@QUIET
@given(data=st.data())
def test_written_vectors_are_read_bit_for_bit(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Any words and float32 survive each format."""
    words = data.draw(WORDS)
    dim = data.draw(st.integers(1, 4))
    finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
    rows = data.draw(hnp.arrays(np.float32, (len(words), dim), elements=finite))
    path = write(tmp_path, FORMATS[name].write(words, rows), words)
    result = read(FORMATS[name].reader, path, dim)
    assert result[0] == words
    assert (result[1] == rows).all()


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "npz"])  # is compressed itself
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_compressed_file_has_the_vectors_of_the_plain_one(
    tmp_path: Path, cache: Path, name: str, compressor: str
) -> None:
    """Every format is read and detected in gzip, bzip2, xz and zip as in the plain file."""
    plain = read(FORMATS[name].reader, write(tmp_path, SAMPLES[name]), 2)
    path = write(tmp_path, COMPRESSORS[compressor](SAMPLES[name]))
    packed = read(FORMATS[name].reader, path, 2)
    assert packed[0] == plain[0]
    assert (packed[1] == plain[1]).all()
    assert detect(path).dim == 2
    assert not list(cache.glob("downloads/*"))


@pytest.mark.parametrize("name", FORMATS)
def test_format_is_detected_from_the_content(tmp_path: Path, name: str) -> None:
    """Each format is detected without the file's name."""
    detected = detect(write(tmp_path, SAMPLES[name]))
    assert detected.format.name == FORMATS[name].detected
    assert detected.dim == 2
    assert [path.name for path in detected.companions] == (
        ["tokenizer.json"] if detected.format.name == "static-embeddings" else []
    )


@pytest.mark.parametrize("mode", ["", "gz", "bz2", "xz"])
def test_tar_member_is_named_unless_it_is_the_only_one(tmp_path: Path, mode: str) -> None:
    """As of a zip archive; a folder's name may begin with a dot and a slash."""
    path = tmp_path / "all.tar"
    path.write_bytes(tarred(b"rain 1 2\n", f"w:{mode}", "./a.txt", "./deep/b.txt"))
    assert read(glove.read, Path(f"{path}#deep/b.txt"), 2)[0] == ["rain"]
    with pytest.raises(FormatError, match=r"has 2 members, not one; they are: a.txt, deep/b.txt. Name one"):
        detect(path)
    with pytest.raises(FormatError, match=r"has no member 'c.txt'; they are: a.txt, deep/b.txt"):
        read(glove.read, Path(f"{path}#c.txt"), 2)


EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2), st.binary(min_size=1, max_size=4)), max_size=4)


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Overwrite, insert or delete bytes."""
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
    """Check that reading yields blocks or raises a FormatError that names the file."""
    try:
        read(reader, path, dim)
    except FormatError as error:
        message = str(error)
    else:
        return
    assert message.startswith((str(path), str(path.parent / "tokenizer.json")))


@pytest.mark.parametrize("name", FORMATS)
@QUIET
@given(edits=EDITS, dim=st.integers(1, 3))
def test_damaged_file_yields_blocks_or_raises_format_error(
    tmp_path: Path, name: str, edits: list[tuple[float, int, bytes]], dim: int
) -> None:
    """However a valid file is damaged, its reader yields blocks or raises FormatError."""
    path = write(tmp_path, edited(SAMPLES[name], edits))
    survives(FORMATS[name].reader, path, 2)
    survives(FORMATS[name].reader, path, dim)


@pytest.mark.parametrize("name", FORMATS)
@QUIET
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_yield_blocks_or_raise_format_error(tmp_path: Path, name: str, data: bytes) -> None:
    """Whatever the bytes, also after a valid start, a reader yields blocks or raises FormatError."""
    survives(FORMATS[name].reader, write(tmp_path, data), 2)
    survives(FORMATS[name].reader, write(tmp_path, SAMPLES[name][: len(SAMPLES[name]) // 2] + data), 2)


@pytest.mark.parametrize("compressor", COMPRESSORS)
@QUIET
@given(edits=EDITS)
def test_damaged_compression_yields_blocks_or_raises_format_error(
    tmp_path: Path, compressor: str, edits: list[tuple[float, int, bytes]]
) -> None:
    """However compressed bytes are damaged, a reader yields blocks or raises FormatError."""
    for name in ("word2vec text", "fasttext"):
        path = write(tmp_path, edited(COMPRESSORS[compressor](SAMPLES[name]), edits))
        survives(FORMATS[name].reader, path, 2)


@QUIET
@given(edits=EDITS, data=st.binary(max_size=200))
def test_arbitrary_tokenizer_yields_blocks_or_raises_format_error(
    tmp_path: Path, edits: list[tuple[float, int, bytes]], data: bytes
) -> None:
    """Whatever tokenizer.json contains, the reader yields blocks or raises FormatError."""
    path = write(tmp_path, SAMPLES["model2vec"])
    good = path.with_name("tokenizer.json").read_bytes()
    for text in (edited(good, edits), data):
        path.with_name("tokenizer.json").write_bytes(text)
        survives(static_embeddings.read, path, 2)


@settings(QUIET, max_examples=200)
@given(
    data=st.one_of(st.binary(max_size=300), st.builds(edited, st.sampled_from(list(SAMPLES.values())), EDITS))
)
def test_arbitrary_bytes_are_detected_or_rejected(tmp_path: Path, data: bytes) -> None:
    """Whatever the bytes, detect returns a format or raises FormatError, and so does that format's reader."""
    path = write(tmp_path, data)
    try:
        detected = detect(path)
    except FormatError:
        return
    survives(detected.format.read, path, detected.dim)


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


FALSE_SIZES = {
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


@pytest.mark.parametrize("name", FALSE_SIZES)
def test_false_sizes_cost_no_memory(tmp_path: Path, name: str) -> None:
    """Whatever size a file declares or decompresses to, memory is that of its bytes and a few blocks."""
    reader, data = FALSE_SIZES[name]
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
def test_too_large_dimension_is_rejected(tmp_path: Path, data: bytes) -> None:
    """A dimension beyond that of any vectors is rejected before memory is allocated for it."""
    path = write(tmp_path, data, ["the"])

    def load() -> None:
        detected = detect(path)
        read(detected.format.read, path, detected.dim)

    with pytest.raises(FormatError):
        load()
