"""Texts cut into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedhub.matrix import tokenizers as tokens


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
def test_words_are_cut_near_to_the_treebanks_way(text: str, expected: str) -> None:
    """Contractions come apart, numbers and hyphenated words stay whole, marks stand alone."""
    assert tokens.words(text) == expected.split()


@given(st.text())
def test_nothing_but_white_space_is_lost(text: str) -> None:
    """All characters of a text but white space come out again, in their order."""
    straight = text.replace("\u2019", "'")
    assert "".join(tokens.words(text)) == "".join(c for c in straight if not c.isspace())


def test_a_rule_is_a_name_a_function_or_a_tokenizer() -> None:
    """Each kind of rule gives words; anything else is refused with what there is."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    hugging_face = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    hugging_face.pre_tokenizer = pre_tokenizers.Whitespace()
    for rule in ("words", "whitespace", str.split, hugging_face):
        assert tokens.tokenizer(rule)("b a") == ["b", "a"]
    with pytest.raises(ValueError, match="expected one of words, whitespace"):
        tokens.tokenizer("spaces")
    with pytest.raises(TypeError, match="expected one of words, whitespace"):
        tokens.tokenizer(3)


def test_words_are_counted() -> None:
    """Counts are of tokens over all texts."""
    assert tokens.count(["a b", "a c"]) == {"a": 2, "b": 1, "c": 1}
