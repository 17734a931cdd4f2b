"""Files that were made to take all memory or time, or to raise what no reader expects."""

import bz2
import gzip
import io
import json
import lzma
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from children import PATIENCE

import embedhub
from embedhub import FormatError, _compression
from embedhub._compression import read_small
from embedhub._json import parse_json
from embedhub._text_lines import read_lines
from embedhub.matrix.word_counts import read_counts
from embedhub.vectors.subwords import Subwords

TEXT = b"rain 1 2\nsnow 3 4\n" * 100

JSON = {
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"":' * 100_000,
    "5000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "no value": b"",
    "other bytes": b"\xff\xfe\x00",
    "half of a text": b'{"a": "',
    "another value": b"7",
    "null": b"null",
    "a list": b"[[], {}, null]",
    "an infinite number": b'{"a": 1e999, "data_offsets": [NaN, Infinity]}',
    "a lone surrogate": b'["\\ud800"]',
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON.keys())
def test_json_is_a_value_or_a_value_error(text: bytes) -> None:
    """Whatever the text is, nothing else is raised."""
    with suppress(ValueError):
        parse_json(text)


def safetensors(header: bytes) -> bytes:
    """Return a file of safetensors with this header."""
    return len(header).to_bytes(8, "little") + header


FILES: dict[str, Callable[[bytes], dict[str, bytes]]] = {
    "header": lambda text: {"a.safetensors": safetensors(b'{"embeddings": ' + text + b"}")},
    "whole header": lambda text: {"a.safetensors": safetensors(b"{" + text)},
    "words": lambda text: {
        "a.safetensors": safetensors(
            json.dumps(
                {
                    "__metadata__": {"words": text.decode("latin-1")},
                    "embeddings": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
                }
            ).encode()
        )
        + bytes(8)
    },
    "tokenizer": lambda text: {
        "a.safetensors": safetensors(
            b'{"embeddings": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}'
        )
        + bytes(8),
        "tokenizer.json": text,
    },
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON.keys())
@pytest.mark.parametrize("make", FILES.values(), ids=FILES.keys())
def test_json_in_a_file_is_a_format_error(
    make: Callable[[bytes], dict[str, bytes]], text: bytes, tmp_path: Path
) -> None:
    """JSON in headers, metadata and side files raises nothing else."""
    for name, data in make(text).items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError):
        embedhub.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("text", JSON.values(), ids=JSON.keys())
def test_json_in_the_cache_is_never_foreign(text: bytes, tmp_path: Path, cache: Path) -> None:
    """A manifest, a record of a hash and a vocabulary of any JSON lead to embedhub's errors, or to none."""
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    embedhub.load(path)
    for name in ("vectors/*/*/manifest.json", "hashes/*"):
        for file in cache.glob(name):
            file.write_bytes(text)
    with pytest.warns(embedhub.errors.StoreWarning):
        assert len(embedhub.load(path)) == 2
    path.write_bytes(b'["' + text)
    with pytest.raises(FormatError):
        read_counts(path)


def xz_of_a_huge_dictionary() -> bytes:
    """Return an xz file that says to need 4 GiB, the most that the format has."""
    data = bytearray(lzma.compress(TEXT))
    at = data.index(b"\x21\x01", 12)  # the filter LZMA2, and the size of its properties
    data[at + 2] = 40
    size = (data[12] + 1) * 4
    data[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(data[12 : 12 + size - 4]))
    return bytes(data)


LIMITED = """
import resource, sys
from pathlib import Path
import embedhub
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
try:
    embedhub.load(Path(sys.argv[1]))
except embedhub.FormatError as error:
    print(error)
"""


@pytest.mark.linux
def test_memory_error_of_a_decompressor_is_a_format_error(tmp_path: Path) -> None:
    """A file that needs more memory than there is to be decompressed is refused like a damaged one."""
    path = tmp_path / "a.txt.xz"
    path.write_bytes(xz_of_a_huge_dictionary())
    command = [sys.executable, "-c", LIMITED, str(path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    assert f"{path}: the compressed bytes are damaged or truncated" in shown


@pytest.mark.parametrize(
    "compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"]
)
def test_small_file_has_a_limit(
    compress: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of words, a benchmark and a side file are not inflated beyond it."""
    monkeypatch.setattr(_compression, "MAX_SMALL_BYTES", 1_000)
    path = tmp_path / "words"
    path.write_bytes(compress(b"a" * 1_000))
    assert read_small(path) == b"a" * 1_000
    path.write_bytes(compress(b"a" * 1_001))
    with pytest.raises(FormatError, match="more than 1,000 bytes"):
        list(read_lines(path))
    files = FILES["tokenizer"](b" " * 1_001)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError, match="more than 1,000 bytes"):
        embedhub.load(tmp_path / "a.safetensors")


def test_small_file_has_a_limit_of_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line takes memory, an empty one too."""
    monkeypatch.setattr("embedhub._text_lines._MAX_LINES", 10)
    path = tmp_path / "words"
    path.write_bytes(b"a\n" * 11)
    with pytest.raises(FormatError, match="more than 10 lines"):
        list(read_lines(path))


def packed(headers: dict[str, str], *names: str) -> bytes:
    """Return a compressed tar archive, whose members are the same text."""
    packing = io.BytesIO()
    with tarfile.open(fileobj=packing, mode="w:gz", pax_headers=headers) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(TEXT)
            archive.addfile(info, io.BytesIO(TEXT))
    return packing.getvalue()


def test_headers_of_tar_archives_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressed header that would take all memory is not read, nor an endless list of members."""
    path = tmp_path / "vectors.tar.gz"
    path.write_bytes(packed({}, "vectors.txt"))
    assert len(embedhub.load(path)) == 2
    path.write_bytes(packed({"comment": "x" * (1 << 21)}, "vectors.txt"))
    with pytest.raises(FormatError, match=r"cannot be opened \(a header has 2,097,\d+ bytes\)"):
        embedhub.load(path)
    monkeypatch.setattr(_compression, "_MAX_TAR_MEMBERS", 3)
    path.write_bytes(packed({}, "._a", "._b", "vectors.txt"))
    assert len(embedhub.load(path)) == 2
    path.write_bytes(packed({}, "._a", "._b", "vectors.txt", "._c"))
    with pytest.raises(FormatError, match="more than 3 members"):
        embedhub.load(path)


@pytest.mark.slow
def test_names_of_tensors_in_a_message_are_few(tmp_path: Path) -> None:
    """A file of 65,000 tensors is refused with the names of ten."""
    entry = {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}
    header = json.dumps({f"tensor{i}": entry for i in range(65_000)}).encode()
    (tmp_path / "a.safetensors").write_bytes(safetensors(header) + bytes(8))
    with pytest.raises(FormatError) as caught:
        embedhub.load(tmp_path / "a.safetensors")
    assert str(caught.value).count("tensor") <= 14


def test_names_of_members_in_a_message_are_few(tmp_path: Path) -> None:
    """So is an archive of as many members."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(2_000):
            archive.writestr(f"member{i}.txt", b"")
    with pytest.raises(FormatError) as caught:
        embedhub.load(tmp_path / "a.zip")
    assert str(caught.value).count("member") <= 14


def test_long_word_is_summed_as_fasttext_does() -> None:
    """N-grams of a word of 16 kB are added in their order, as those of short ones, but not one by one."""
    random = np.random.default_rng(0)
    for dim in (1, 2, 7):
        subwords = Subwords(random.normal(size=(1_000, dim)).astype(np.float32), min_n=3, max_n=20)
        words = ["word" * 500, "x", "ä" * 700, "rain", "</s>"]
        own = random.normal(size=(len(words), dim)).astype(np.float32)
        means = subwords.average([word.encode() for word in words], own)
        for word, vector, mean in zip(words, own, means, strict=True):
            ngrams, _ = subwords._ngrams([word.encode()])  # noqa: SLF001 - their rows are tested elsewhere
            total = vector.copy()
            for row in subwords.rows[ngrams]:
                total += row
            assert (total * np.float32(1 / (len(ngrams) + 1)) == mean).all()


def test_calls_for_a_long_word_are_few() -> None:
    """A word of 16 kB with n-grams of up to 100 characters takes no call for each of 1.6 million n-grams."""
    subwords = Subwords(np.ones((100, 4), np.float32), min_n=1, max_n=100)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        subwords.compose(["x" * 16_000])
    finally:
        sys.setprofile(None)
    assert calls < 100_000
