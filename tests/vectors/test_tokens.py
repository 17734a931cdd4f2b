"""Sources of tokens: their unit, and which rows are whole words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_files import REAL_DATA

import embedhub
from embedhub import Block, ComputedSource, Vectors, VocabularyError
from embedhub.vectors.tokens import whole_words

Make = Callable[..., Vectors]
ABOUT: dict[str, Any] = dict.fromkeys(("description", "license", "citation", "homepage"), "")


def vectors_of(tokens: list[str], unit: Any = "token", fallbacks: tuple[str, ...] = ()) -> Vectors:
    """Return vectors whose first number is the row of the token."""
    numbers = np.arange(2 * len(tokens), dtype=np.float32).reshape(2, -1).T
    return embedhub.load(
        ComputedSource(
            **ABOUT,
            name="pieces",
            language="en",
            cased=True,
            dims=(2,),
            version="-".join(tokens),
            unit=unit,
            fallbacks=fallbacks,
            compute=lambda _: [Block(tokens, np.ascontiguousarray(numbers))],
        )
    )


def test_vectors_know_their_unit(make_vectors: Make) -> None:
    """The unit is that of the source, also of an older store, and is in the manifest; without it, words."""
    assert vectors_of(["rain"]).unit == "token"
    assert vectors_of(["rain"], "word").unit == "word"
    assert embedhub.load("wordnet-ppmi", 25).unit == "word"
    assert make_vectors(["rain"]).unit == "word"
    with pytest.raises(AttributeError):
        vectors_of(["rain"]).unit = "word"  # type: ignore[misc]  # the point


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (
            ["[PAD]", "[unused1]", "[CLS]", "rain", "##ing", "[", "]", "\u2581", "a", "##a", "\u0120x"],
            {"rain": 3, "[": 5, "]": 6, "\u2581": 7, "a": 8, "\u0120x": 10},
        ),
        (
            ["<unk>", "<s>", "</s>", "\u2581", "\u2581rain", "ing", "rain", "\u2581a", "##b", "\u2581<s>"],
            {"rain": 4, "a": 7, "<s>": 9},
        ),
        (["<|endoftext|>", "rain", "\u0120rain", "ing", "\u0120", "\u0120Rain"], {"rain": 2, "Rain": 5}),
        (["<unk>", "rain", "<", "<3", "snow"], {"rain": 1, "<": 2, "<3": 3, "snow": 4}),
    ],
    ids=["WordPiece", "SentencePiece", "byte-level BPE", "no marks"],
)
def test_whole_words_are_neither_pieces_nor_control_tokens(tokens: list[str], words: dict[str, int]) -> None:
    """A word has no mark of a continuation, or where words have a mark it has that one, and is without it."""
    whole = whole_words(vectors_of(tokens))
    assert list(whole) == list(words)
    assert whole.matrix[:, 0].tolist() == list(words.values())
    assert whole.indices([*words, "ing", "##ing", "[CLS]", "</s>", "qwxz"]).tolist() == [
        *range(len(words)),
        *[-1] * 5,
    ]
    assert (whole.name, whole.unit) == ("pieces", "word")
    assert whole_words(whole) is whole


def test_vectors_of_words_are_returned_as_they_are() -> None:
    """Of a source of words nothing is dropped, whatever its words look like."""
    vectors = vectors_of(["##ing", "[CLS]", "rain"], "word")
    assert whole_words(vectors) is vectors


def test_tokens_without_a_word_are_an_error() -> None:
    """There is nothing to compare with a word."""
    with pytest.raises(VocabularyError, match="pieces 2d has 2 tokens, none of which is a whole word"):
        whole_words(vectors_of(["[CLS]", "##ing"]))


@pytest.mark.skipif(not (REAL_DATA / "formats" / "static").is_dir(), reason="needs ../shared/data")
def test_file_of_static_embeddings_has_tokens(tmp_path: Path) -> None:
    """A file that comes with a tokenizer has tokens, a file that embedhub exported has words."""
    path = REAL_DATA / "formats" / "static" / "model2vec-float32" / "model.safetensors"
    vectors = embedhub.load(path)
    assert vectors.unit == "token"
    whole = whole_words(vectors)
    assert (len(vectors), len(whole)) == (29_528, 23_695)
    assert (whole["rain"] == vectors["rain"]).all()
    assert {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##ing"}.isdisjoint(whole)
    embedhub.export("wordnet-ppmi", 25, tmp_path / "few.safetensors", words=["rain", "sun"])
    assert embedhub.load(tmp_path / "few.safetensors").unit == "word"
