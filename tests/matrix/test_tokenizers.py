"""Tokenizers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedhub.matrix.tokenizers import (
    TOKENIZERS,
    count_words,
    get_tokenizer,
    splits_at_spaces,
    treebank_tokenize,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's a well-known film , isn't it?", "It 's a well-known film , is n't it ?"),
        ("They\u2019ll pay $1,000.50 in the U.S. by 3pm.", "They 'll pay $ 1,000.50 in the U.S. by 3pm ."),
        ("can't won't CAN'T rock'n'roll", "ca n't wo n't CA N'T rock ' n ' roll"),
        ("naïve café Straße 北京", "naïve café Straße 北京"),
        ("", ""),
    ],
)
def test_treebank_tokenize_splits_contractions_and_punctuation(text: str, expected: str) -> None:
    """Contractions are split, numbers and hyphenated words stay whole, punctuation marks are tokens."""
    assert treebank_tokenize(text) == expected.split()


@given(st.text())
def test_treebank_tokenize_drops_only_white_space(text: str) -> None:
    """The tokens together are the text without its white space."""
    straight = text.replace("\u2019", "'")
    assert "".join(treebank_tokenize(text)) == "".join(c for c in straight if not c.isspace())


def test_get_tokenizer_takes_names_functions_and_tokenizers() -> None:
    """Names, functions and Hugging Face tokenizers work; anything else is an error that lists the names."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    hugging_face = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    hugging_face.pre_tokenizer = pre_tokenizers.Whitespace()
    for tokenize in ("words", "whitespace", str.split, hugging_face):
        assert get_tokenizer(tokenize)("b a") == ["b", "a"]
    with pytest.raises(ValueError, match="expected one of words, whitespace"):
        get_tokenizer("spaces")
    with pytest.raises(TypeError, match="expected one of words, whitespace"):
        get_tokenizer(3)


def test_count_words_counts_over_all_texts() -> None:
    """Each occurrence in any text counts."""
    assert count_words(["a b", "a c"]) == {"a": 2, "b": 1, "c": 1}


@given(st.text())
def test_tokenizers_that_split_at_spaces_handle_pieces_independently(text: str) -> None:
    """Where ``splits_at_spaces`` holds, the tokens of a text are those of its pieces between white space."""
    names = list(filter(splits_at_spaces, TOKENIZERS))
    assert names == ["words"]
    for tokenize in map(get_tokenizer, names):
        assert tokenize(text) == [token for piece in text.split() for token in tokenize(piece)]
