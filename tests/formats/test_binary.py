"""Readers of word2vec binary, fastText models, and static token embeddings in safetensors."""

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

from embedhub import FormatError
from embedhub.errors import UnexpectedEndError
from embedhub.formats import fasttext, static_embeddings, word2vec
from embedhub.vectors.blocks import ExtraFile, Reader

GOLDEN = Path(__file__).parents[1] / "golden"
ROWS = np.array([[1, 2], [3, -0.5]], np.float32)
NGRAMS = np.arange(20, dtype=np.float32).reshape(10, 2)


def read(reader: Reader, path: Path, dim: int) -> tuple[list[str], NDArray[np.float32]]:
    """Read all blocks of a file."""
    blocks = [block for block in reader(path, dim) if isinstance(block, tuple)]
    return [word for words, _ in blocks for word in words], np.concatenate([rows for _, rows in blocks])


def extras(reader: Reader, path: Path, dim: int) -> list[ExtraFile]:
    """Return the further files that a reader yields."""
    return [block for block in reader(path, dim) if isinstance(block, ExtraFile)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes bytes to a file, and tokens to a tokenizer.json in its folder."""

    def write(data: bytes, *tokens: str) -> Path:
        path = tmp_path / "vectors.bin"
        path.write_bytes(data)
        if tokens:
            (tmp_path / "tokenizer.json").write_bytes(writers.tokenizer(tokens))
        return path

    return write


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_word2vec_binary_words_are_bytes(write: Callable[..., Path], end: bytes) -> None:
    """Words that are not UTF-8 survive, with and without newlines, also several, between any vectors."""
    words = ["\udcff\udcfe", "</s>", "new_york", ""]
    rows = np.frombuffer(b"\n \n \0\n\n\n" * len(words), "<f4").reshape(-1, 2)
    assert read(word2vec.read_binary, write(writers.word2vec_binary(words, rows, end)), 2)[0] == words
    assert (read(word2vec.read_binary, write(writers.word2vec_binary(words, rows, end)), 2)[1] == rows).all()


def test_word2vec_binary_blocks_keep_the_order_of_the_file(write: Callable[..., Path]) -> None:
    """The vectors of a file of several blocks are complete and in order."""
    words = [f"word{i}" for i in range(30_000)]
    rows = np.arange(600_000, dtype=np.float32).reshape(-1, 20)
    result = read(word2vec.read_binary, write(writers.word2vec_binary(words, rows)), 20)
    assert result[0] == words
    assert (result[1] == rows).all()


BINARY = writers.word2vec_binary(["a", "bc"], ROWS)  # 4 bytes of header, rows from 4 and 14, 25 in all


@pytest.mark.parametrize(
    ("data", "message", "error"),
    [
        (b"a 1 2\n", "line 1: expected a header '<words> <dim>', got b'a 1 2'", FormatError),
        (b"\xff" * 200, "line 1: expected a header '<words> <dim>', got b'\\xff", FormatError),
        (b"2 3\n", "line 1: the header declares dimension 3; expected 2", FormatError),
        (b"2 2\n", "the file contains no vectors; expected 2 of dimension 2", FormatError),
        (b"0 2\n", "the file contains no vectors", FormatError),
        (
            BINARY[:-1],
            "byte 14: the file ends inside vector 2 of the 2 that the header declares",
            UnexpectedEndError,
        ),
        (BINARY[:16], "byte 14: the file ends inside vector 2", UnexpectedEndError),
        (b"3" + BINARY[1:], "byte 25: the file ends inside vector 3 of the 3", UnexpectedEndError),
        (b"1" + BINARY[1:], "byte 14: the file continues after the 1 vectors", UnexpectedEndError),
        (BINARY + b"\n\n!", "byte 25: the file continues after the 2 vectors", UnexpectedEndError),
        (
            BINARY[:14] + bytes(20_000),
            "byte 14: expected a word and a space, got b'\\x00",
            FormatError,
        ),
    ],
)
def test_malformed_word2vec_binary_is_reported_with_its_byte(
    write: Callable[..., Path], data: bytes, message: str, error: type[FormatError]
) -> None:
    """An error names the path and the byte; an unexpected end is raised after all vectors."""
    path = write(data)
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        read(word2vec.read_binary, path, 2)
    assert type(caught.value) is error
    assert str(caught.value).startswith(f"{path}: ")


MODEL = writers.fasttext_bin(["the", "of"], ROWS, NGRAMS)
ENTRIES = 92  # two of 13 and 12 bytes, up to 117; then the matrix: a flag, 16 bytes of shape, 96 of rows


def with_int(at: int, number: int, size: int = 4) -> bytes:
    """Return the model with another integer at some byte."""
    data = bytearray(MODEL)
    data[at : at + size] = number.to_bytes(size, "little", signed=True)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "byte 0: expected fastText's magic number ba164f2f, got nothing"),
        (b"\0" + MODEL[1:], "byte 0: expected fastText's magic number ba164f2f, got 00164f2f"),
        (with_int(4, 13), "byte 4: the model has version 13; expected 11 or 12"),
        (with_int(8, 3), "byte 8: the model has dimension 3; expected 2"),
        (with_int(8, 0), "byte 8: the model has dimension 0; expected 1 to 65536"),
        (with_int(36, 3), "byte 36: the model is a supervised classifier, which is not supported"),
        (with_int(40, 0), "byte 40: the model has n-grams of 3 to 6 characters in 0 buckets"),
        (with_int(48, 1000), "byte 40: the model has n-grams of 3 to 1000 characters"),
        (with_int(64, 3), "byte 64: the dictionary has 3 entries, 2 words and 0 labels"),
        (with_int(84, 5, 8), "byte 84: the n-grams are pruned, as in quantized models (.ftz)"),
        (MODEL[:30], "byte 8: expected 56 bytes of the arguments, but the file ends after 22"),
        (MODEL[:94], "byte 92: expected entry 1 of 2 of the dictionary"),
        (MODEL[:100], "byte 96: expected 9 bytes of a word's count and kind, but the file ends after 4"),
        (MODEL[:104] + b"\1" + MODEL[105:], "byte 92: expected entry 1 of 2 of the dictionary"),
        (
            MODEL[:117] + b"\1" + MODEL[118:],
            "byte 117: the model is quantized (.ftz), which is not supported",
        ),
        (with_int(118, 11, 8), "byte 118: the matrix is 11 x 2; expected 2 words and 10 buckets, so 12 x 2"),
        (MODEL[:200], "byte 134: expected 96 bytes of the matrix, but the file ends after 66"),
        (
            MODEL[:134] + struct.pack("<f", np.inf) + MODEL[138:],
            "byte 134: rows 0 to 4096 of the matrix have a number that is not finite",
        ),
    ],
)
def test_malformed_fasttext_model_is_reported_with_its_byte(
    write: Callable[..., Path], data: bytes, message: str
) -> None:
    """An error names the path and the byte; quantized and supervised models are rejected as such."""
    path = write(data)
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        read(fasttext.read, path, 2)
    assert str(caught.value).startswith(f"{path}: byte ")


def test_fasttext_model_may_have_labels_and_no_ngrams(write: Callable[..., Path]) -> None:
    """Labels are not words; a model without n-grams has only its words' own vectors."""
    path = write(writers.fasttext_bin(["the", "of"], ROWS, NGRAMS, labels=["__label__other"]))
    assert read(fasttext.read, path, 2)[0] == ["the", "of"]
    (table,) = extras(fasttext.read, path, 2)
    assert isinstance(table.content, np.ndarray)
    assert (table.content == NGRAMS).all()
    for data in (
        writers.fasttext_bin(["the", "of"], ROWS),
        writers.fasttext_bin(["the", "of"], ROWS, NGRAMS, pruned=0),
        writers.fasttext_bin(["the", "of"], ROWS, NGRAMS, max_n=0),
    ):
        path = write(data)
        assert (read(fasttext.read, path, 2)[1] == ROWS).all()
        assert extras(fasttext.read, path, 2) == []


def test_fasttext_model_equals_its_vec_file(
    glove_sample: tuple[list[bytes], list[str], NDArray[np.float32]], write: Callable[..., Path]
) -> None:
    """The .vec twin of a model, with five digits and a space at each line's end, has the same vectors."""
    _, words, expected = glove_sample
    printed = (
        f"{word} {' '.join(f'{x:.5g}' for x in row)} \n" for word, row in zip(words, expected, strict=True)
    )
    text = f"{len(words)} 50\n{''.join(printed)}".encode()
    for version in (11, 12):
        model = writers.fasttext_bin(words, expected, version=version)
        for reader, data in ((fasttext.read, model), (word2vec.read_text, text)):
            result, rows = read(reader, write(data), 50)
            assert result == words
            assert rows.tobytes() == expected.tobytes()  # GloVe's numbers have five digits, too


def test_model2vec_model_has_the_vectors_of_model2vec() -> None:
    """The vectors are those of model2vec 0.10, for a quantized vocabulary with weights."""
    path = GOLDEN / "model2vec" / "model.safetensors"
    words, rows = read(static_embeddings.read, path, 3)
    assert words == ["[PAD]", "[UNK]", "the", "cat", "sat", "##s", "café", "東", "a"]
    expected = json.loads((path.parent / "expected.json").read_text("utf-8"))
    for word, row in expected.items():
        assert rows[words.index(word)].tolist() == row
    (tokenizer,) = extras(static_embeddings.read, path, 3)
    assert tokenizer == ExtraFile("tokenizer.json", path.parent / "tokenizer.json", {"saved_by": "model2vec"})


VALUES = np.array([[1, -2, 0.5], [3, 4, -0.25]])


@pytest.mark.parametrize("name", ["embeddings", "embedding.weight"])
@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16", "I8"])
def test_static_embeddings_of_each_dtype_become_float32(
    write: Callable[..., Path], name: str, dtype: str
) -> None:
    """float64, float32, float16, bfloat16 and int8 are converted to the float32 of the same value."""
    values: NDArray[Any]
    match dtype:
        case "BF16":
            values = (VALUES.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        case "I8":
            values = VALUES.astype(np.int8)
        case _:
            values = VALUES.astype(f"f{int(dtype[1:]) // 8}")
    expected = VALUES.astype(np.int8) if dtype == "I8" else VALUES
    path = write(writers.safetensors({name: (dtype, values)}), "a", "b")
    assert read(static_embeddings.read, path, 3)[1].tolist() == expected.tolist()


def test_static_embeddings_apply_mapping_and_weights(write: Callable[..., Path]) -> None:
    """A token's vector is the row that mapping selects, times its weight."""
    tensors: dict[str, tuple[str, NDArray[Any]]] = {
        "mapping": ("I32", np.array([1, 0, 1], np.int32)),
        "embeddings": ("F16", VALUES.astype(np.float16)),
        "weights": ("F64", np.array([2, 10, -1], np.float64)),
    }
    words, rows = read(static_embeddings.read, write(writers.safetensors(tensors), "a", "b", "c"), 3)
    assert words == ["a", "b", "c"]
    assert rows.tolist() == [[6, 8, -0.5], [10, -20, 5], [-3, -4, 0.25]]


def test_static_embeddings_prefix_needs_its_own_reader(write: Callable[..., Path]) -> None:
    """`read` requires the exact dimension; `read_prefix` returns the first columns."""
    path = write(writers.safetensors({"embeddings": ("F32", VALUES.astype(np.float32))}), "a", "b")
    assert read(static_embeddings.read_prefix, path, 2)[1].tolist() == VALUES[:, :2].tolist()
    for reader, dim in (
        (static_embeddings.read, 2),
        (static_embeddings.read, 4),
        (static_embeddings.read_prefix, 4),
    ):
        with pytest.raises(FormatError, match=f"the tensor 'embeddings' has dimension 3; expected {dim}"):
            read(reader, path, dim)


@pytest.mark.parametrize(
    ("tokens", "model"),
    [
        (["[PAD]", "the"], {"type": "WordPiece", "vocab": {"[PAD]": 0, "the": 1}}),
        (["<unk>", "▁the"], {"type": "Unigram", "vocab": [["<unk>", 0.0], ["▁the", -2.5]]}),
        (["a", "b"], {"type": "BPE", "vocab": {"b": 1, "a": 0}, "merges": []}),
    ],
    ids=["WordPiece", "Unigram", "BPE"],
)
def test_tokens_are_in_the_order_of_their_ids(
    write: Callable[..., Path], tmp_path: Path, tokens: list[str], model: dict[str, object]
) -> None:
    """Each kind of tokenizer, with added tokens in any order, yields its tokens by id."""
    added = [{"id": 3, "content": "[B]"}, {"id": 2, "content": "[A]"}]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model, "added_tokens": added}), "utf-8")
    path = write(writers.safetensors({"embeddings": ("F32", np.ones((4, 1), np.float32))}))
    assert read(static_embeddings.read, path, 1)[0] == [*tokens, "[A]", "[B]"]


def tensors(name: str, shape: list[int], begin: int, end: int, dtype: str = "F32") -> bytes:
    """Return a header of safetensors padded to 100 bytes, and 16 bytes of data."""
    text = json.dumps({name: {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}}).encode()
    return (100).to_bytes(8, "little") + text.ljust(100) + bytes(16)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\1\0", "byte 0: expected 8 bytes of the header's length, but the file ends after 2"),
        (b"\xff" * 9, "byte 0: the header has 18446744073709551615 bytes; expected 100000000 at"),
        (
            (9).to_bytes(8, "little") + b"{}",
            "byte 8: expected 9 bytes of the header, but the file ends after 2",
        ),
        ((2).to_bytes(8, "little") + b"[]", "byte 8: expected a JSON header"),
        (
            (2).to_bytes(8, "little") + b"{}",
            "expected a tensor 'embeddings' or 'embedding.weight', got none",
        ),
        (tensors("lm_head", [2, 2], 0, 16), "or 'embedding.weight', got lm_head"),
        (
            tensors("embeddings", [4], 0, 16),
            "byte 108: the tensor 'embeddings' is F32 [4]; expected 2 axes of",
        ),
        (
            tensors("embeddings", [2, 2], 0, 16, "U8"),
            "byte 108: the tensor 'embeddings' is U8 [2, 2]; expected",
        ),
        (
            tensors("embeddings", [2, 2], 4, 16),
            "byte 112: the tensor 'embeddings' has 12 bytes, which is not the size of F32",
        ),
        (
            tensors("embeddings", [2, 2], 4, 20),
            "byte 108: expected 20 bytes of tensors, but the file ends after",
        ),
        (tensors("embeddings", [2, 2], 16, 0), "byte 8: expected a JSON header"),
        (
            tensors("embeddings", [1, 4], 0, 16),
            "byte 108: the tensor 'embeddings' has dimension 4; expected 2",
        ),
    ],
)
def test_malformed_safetensors_is_reported_with_its_byte(
    write: Callable[..., Path], data: bytes, message: str
) -> None:
    """An error names the path and the byte."""
    path = write(data, "a", "b")
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        read(static_embeddings.read, path, 2)
    assert str(caught.value).startswith(f"{path}: byte ")


def test_tensors_and_tokenizer_must_fit_each_other(write: Callable[..., Path], tmp_path: Path) -> None:
    """Wrong rows in mapping, missing weights, and the tokenizer of another model are errors."""
    embeddings = ("F32", np.ones((2, 2), np.float32))
    for other, message in [
        ({"mapping": ("I64", np.array([0, 2]))}, "'mapping' has values from 0 to 2; expected 0 to 1"),
        ({"mapping": ("I64", np.array([-1, 0]))}, "'mapping' has values from -1 to 0; expected 0 to 1"),
        ({"weights": ("F32", np.ones(3, np.float32))}, "'weights' has 3 factors; expected 2"),
    ]:
        path = write(writers.safetensors({"embeddings": embeddings, **other}), "a", "b")
        with pytest.raises(FormatError, match=message):
            read(static_embeddings.read, path, 2)
    path = write(writers.safetensors({"embeddings": embeddings}), "a", "b", "c")
    with pytest.raises(
        FormatError, match=r"tokenizer.json: the tokenizer has 3 tokens, but .* has vectors for 2"
    ):
        read(static_embeddings.read, path, 2)
    (tmp_path / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0, "b": 2}}}')
    with pytest.raises(FormatError, match=r"tokenizer.json: expected a tokenizer with a token for each id"):
        read(static_embeddings.read, path, 2)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(
        FormatError, match=r"tokenizer.json: no such file; expected the tokenizer of .*vectors.bin"
    ):
        read(static_embeddings.read, path, 2)


@pytest.mark.parametrize("name", ["embeddings", "embedding.weight"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_static_embeddings_written_by_safetensors_are_read_bit_for_bit(
    glove_sample: tuple[list[bytes], list[str], NDArray[np.float32]],
    tmp_path: Path,
    name: str,
    dtype: type[np.floating[Any]],
) -> None:
    """Tensors with the names of model2vec and sentence-transformers have a vector for each token."""
    _, words, expected = glove_sample
    save_file({name: expected.astype(dtype)}, tmp_path / "model.safetensors")
    vocabulary = {word: index for index, word in reversed([*enumerate(words)])}
    Tokenizer(models.WordLevel(vocabulary, unk_token="the")).save(str(tmp_path / "tokenizer.json"))
    result, rows = read(static_embeddings.read, tmp_path / "model.safetensors", 50)
    assert result == words
    assert rows.tobytes() == expected.astype(dtype).astype(np.float32).tobytes()
