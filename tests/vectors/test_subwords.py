"""Subword n-grams: the bits that fastText computes."""

import json
from pathlib import Path

import numpy as np
import pytest
import writers
from numpy.typing import NDArray

import embedhub
from embedhub.vectors.subwords import Subwords

GOLDEN = Path(__file__).parents[1] / "golden"


def test_vectors_have_the_bits_of_fasttext() -> None:
    """Vectors of known and unknown words have the bits that fastText 0.9.2 computed for its tiny model."""
    vectors = embedhub.load(GOLDEN / "fasttext.bin")
    expected = json.loads((GOLDEN / "fasttext.json").read_text("utf-8"))
    assert list(vectors) == list(expected["words"])
    assert vectors.matrix.tobytes().hex() == "".join(expected["words"].values())
    assert vectors.composer is not None
    composed = vectors.composer.compose(list(expected["unknown"]))
    assert composed.tobytes().hex() == "".join(expected["unknown"].values())
    assert repr(vectors.composer) == "<Subwords: n-grams of 2 to 4 characters in 40 buckets>"


def test_subword_policy_has_the_bits_of_fasttext() -> None:
    """With oov="subword", an out-of-vocabulary word has the vector that fastText computes."""
    expected = json.loads((GOLDEN / "fasttext.json").read_text("utf-8"))
    word_index = {"cat": 1, "unheard": 2}
    matrix = embedhub.embedding_matrix(GOLDEN / "fasttext.bin", None, word_index, oov="subword").matrix
    assert matrix[1].tobytes().hex() == expected["words"]["cat"]
    assert matrix[2].tobytes().hex() == expected["unknown"]["unheard"]


def naive(
    word: str, rows: NDArray[np.float32], min_n: int, max_n: int, own: NDArray[np.float32] | None = None
) -> bytes:
    """Compose one word by the definition, with its own vector if that is given."""
    framed = f"<{word}>"
    total = np.zeros(rows.shape[1], np.float32)
    count = 0
    if own is not None:
        total, count = own.copy(), 1
    for start in range(len(framed)):
        for length in range(1, max_n + 1):
            ngram = framed[start : start + length]
            frame = length == 1 and start in {0, len(framed) - 1}
            if len(ngram) < length or length < min_n or frame:
                continue
            value = 2166136261
            for byte in ngram.encode():
                value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
            total += rows[value % len(rows)]
            count += 1
    return (total * np.float32(1 / max(count, 1))).tobytes()


@pytest.mark.parametrize(("min_n", "max_n"), [(1, 1), (1, 3), (3, 6), (5, 5), (6, 3)])
def test_ngrams_follow_the_definition(min_n: int, max_n: int) -> None:
    """N-grams are characters, not bytes, of the enclosed word; bytes are hashed as signed numbers."""
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    words = [
        "unheardof",
        "naïve",
        "東京都",
        "a",
        "",
        "\U0001d518x",
        "a<b>",
        "e\u0301e",
        "x" * 500,
        "of the",
    ] * 500
    subwords = Subwords(rows, min_n=min_n, max_n=max_n)
    composed = subwords.compose(words)
    assert (composed.shape, composed.dtype) == ((5000, 3), np.dtype(np.float32))
    assert [row.tobytes() for row in composed[:10]] == [
        naive(word, rows, min_n, max_n) for word in words[:10]
    ]
    assert (composed.reshape(500, 10, 3) == composed[:10]).all()


@pytest.mark.parametrize("version", [11, 12])
def test_fasttext_model_composes_known_and_unknown_words(
    glove_sample: tuple[list[bytes], list[str], NDArray[np.float32]], tmp_path: Path, version: int
) -> None:
    """A known word is the mean of its own vector and its n-grams', an unknown word of its n-grams' alone."""
    _, words, rows = glove_sample
    known, own, ngrams = words[:500], rows[:500], rows[500:]
    path = tmp_path / "model.bin"
    path.write_bytes(writers.fasttext_bin(known, own, ngrams, version=version))
    vectors = embedhub.load(path)
    assert list(vectors) == known
    assert [row.tobytes() for row in vectors.matrix] == [
        naive(word, ngrams, 3, 6, row) for word, row in zip(known, own, strict=True)
    ]
    assert vectors.composer is not None
    unknown = ["unknownword", *words[1900:]]
    assert [row.tobytes() for row in vectors.composer.compose(unknown)] == [
        naive(word, ngrams, 3, 6) for word in unknown
    ]


def test_word_without_ngrams_is_zeros() -> None:
    """The end-of-sentence token and a word with a lone surrogate have no n-grams."""
    subwords = Subwords(np.ones((5, 2), np.float32), min_n=3, max_n=6)
    assert subwords.compose(["</s>", "\ud800", "", "ab"]).tolist() == [[0, 0], [0, 0], [0, 0], [1, 1]]
    assert subwords.compose([]).shape == (0, 2)


def test_invalid_utf8_is_composed() -> None:
    """Continuation bytes belong to the character before them; stray bytes count as well."""
    rows = np.arange(34, dtype=np.float32).reshape(17, 2)
    subwords = Subwords(rows, min_n=2, max_n=3)
    one, other = subwords.compose(["\udc80a", "\udc81a"])
    assert one.any()
    assert (one != other).any()


def test_source_without_ngrams_has_no_subwords() -> None:
    """Only fastText models with n-grams have `Vectors.composer`."""
    assert embedhub.load("wordnet-ppmi", 25).composer is None
