"""How much of a vocabulary was found."""

import copy
import json
import logging
import pickle
import re
from collections import Counter
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
import tensorflow as tf
from rich.console import Console

import embedhub
from embedhub import Coverage, Vectors, VocabularyError
from embedhub.errors import CoverageError, CoverageWarning

WORD_INDEX = {"music": 1, "Rain": 2, "qwxz": 3, "rock-music": 4, "zzyx": 5}
COUNTS = Counter({"music": 60, "Rain": 25, "zzyx": 10, "qwxz": 4, "rock-music": 1, "unasked": 1000})
CHAIN = ("lower", "title", "hyphen")


def cover(**options: Any) -> Coverage:
    """Return the coverage of the words above."""
    return embedhub.coverage("wordnet-ppmi", 25, WORD_INDEX, **{"fallbacks": CHAIN, **options})


def test_it_tells_what_was_found_by_which_fallback_and_what_is_missing() -> None:
    """Total, found, the words of each fallback, and the missing ones in the order of their indices."""
    coverage = cover()
    assert (coverage.total, coverage.found, coverage.share) == (5, 3, 0.6)
    assert coverage.by_fallback == {"lower": ("Rain",), "title": (), "hyphen": ("rock-music",)}
    assert coverage.missing == ("qwxz", "zzyx")
    assert (coverage.tokens, coverage.found_tokens, coverage.token_share) == (None, None, None)
    assert str(coverage) == "3 of 5 words found (60.0%; 1 by lower, 1 by hyphen); missing: qwxz, zzyx"


def test_counts_tell_the_share_of_tokens_and_the_order_of_importance() -> None:
    """With counts it tells how many tokens are found, and names the most frequent missing words first."""
    coverage = cover(counts=COUNTS)
    assert (coverage.tokens, coverage.found_tokens, coverage.token_share) == (100, 86, 0.86)
    assert coverage.missing == ("zzyx", "qwxz")
    assert str(coverage) == (
        "3 of 5 words found (60.0%; 1 by lower, 1 by hyphen), 86.0% of 100 tokens; missing: zzyx, qwxz"
    )
    assert cover(counts={"qwxz": 1}).token_share == 0


def test_the_counts_of_a_tokenizer_will_do() -> None:
    """Tokenizer.word_counts is such a mapping, and equal counts keep the order of the indices."""
    tokenizer = tf.keras.preprocessing.text.Tokenizer()
    tokenizer.fit_on_texts(["rain qwxz rain rain zzyx", "xxyy qwxz"])
    coverage = embedhub.coverage("wordnet-ppmi", 25, tokenizer, counts=tokenizer.word_counts)
    assert (coverage.tokens, coverage.found_tokens) == (7, 3)
    assert coverage.missing == ("qwxz", "zzyx", "xxyy")


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (["music"], "counts is of type list; expected word -> how often it occurs"),
        ({1: 60, 2: 3}, "counts has none of the words of word_index, such as 'music'"),
        ({"music": 0}, "counts has none of the words of word_index"),
        ({"music": -3}, "counts has 'music': -3; expected word -> how often"),
        ({"music": 0.5}, "counts has values that are no integers (float64)"),
        ({"music": "3"}, "counts has values that are no integers (<U"),
    ],
)
def test_counts_that_count_nothing_are_refused(counts: Any, words: str) -> None:
    """The error says what was passed and what is expected."""
    with pytest.raises(VocabularyError, match=re.escape(words)):
        cover(counts=counts)


def test_it_is_plain_data() -> None:
    """to_dict() is what JSON has, whatever is in the words; a coverage can be copied and pickled."""
    coverage = embedhub.coverage("wordnet-ppmi", 25, ["music", "\ud800", "Rain"], counts={"music": 3})
    assert json.loads(json.dumps(coverage.to_dict())) == {
        "total": 3,
        "found": 2,
        "share": 2 / 3,
        "by_fallback": {"lower": ["Rain"]},
        "missing": ["\ud800"],
        "tokens": 3,
        "found_tokens": 3,
        "token_share": 1.0,
    }
    assert pickle.loads(pickle.dumps(coverage)) == copy.deepcopy(coverage) == coverage  # noqa: S301 - our own


def test_its_summary_is_one_line_whatever_is_in_the_words() -> None:
    """Words that would break a line or a terminal are shown escaped, and no more than five of them."""
    words = ["music", "a\nb", "\ud800", "\x1b[31m", " ", "[red]", "qwxz"]
    coverage = embedhub.coverage("wordnet-ppmi", 25, words)
    assert str(coverage).endswith(r"missing: 'a\nb', '\ud800', '\x1b[31m',  , [red], ...")
    assert "\n" not in str(coverage)


def test_its_table_has_a_line_for_each_way_of_being_found() -> None:
    """A table of rich shows what was found as it is, by each fallback, and what is missing."""
    console = Console(file=StringIO(), width=100)
    console.print(cover(counts=COUNTS))
    console.print(embedhub.coverage("wordnet-ppmi", 25, ["music", "[bold]x"]))
    text = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO from above
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert cells == [
        ["found", "1", "20.0%", ""],
        ["found by lower", "1", "20.0%", "Rain"],
        ["found by title", "0", "0.0%", ""],
        ["found by hyphen", "1", "20.0%", "rock-music"],
        ["missing", "2", "40.0%", "zzyx, qwxz"],
        ["tokens found", "86", "86.0%", ""],
        ["found", "1", "50.0%", ""],
        ["found by lower", "0", "0.0%", ""],
        ["missing", "1", "50.0%", "[bold]x"],
    ]


def test_it_is_logged_when_a_layer_is_made(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever listens at INFO hears how much was found."""
    with caplog.at_level(logging.INFO, "embedhub"):
        embedhub.keras_embedding("wordnet-ppmi", 25, ["", "music", "qwxz"], counts={"music": 9, "qwxz": 1})
    assert caplog.record_tuples == [
        (
            "embedhub",
            logging.INFO,
            "wordnet-ppmi 25d: 1 of 2 words found (50.0%), 90.0% of 10 tokens; missing: qwxz",
        )
    ]


def test_too_little_coverage_is_an_error() -> None:
    """Below min_coverage there is no matrix, but the missing words and what to do."""
    options: Any = {"fallbacks": (), "counts": COUNTS}
    for make in (embedhub.embedding_matrix, embedhub.keras_embedding):
        make("wordnet-ppmi", 25, WORD_INDEX, min_coverage=0.2, **options)
        with pytest.raises(CoverageError) as caught:
            make("wordnet-ppmi", 25, WORD_INDEX, min_coverage=0.8, **options)
        assert isinstance(caught.value, ValueError)
        assert str(caught.value) == (
            "wordnet-ppmi 25d has 1 of the 5 words of word_index (20.0%); min_coverage asks for 80.0%. "
            "Missing, the most frequent ones: 'Rain', 'zzyx', 'qwxz', 'rock-music'. "
            "Of what is missing, in lower case 1 of 4 of them would be found (pass fallbacks=('lower',)). "
            "embedhub.coverage(...) tells more; fallbacks= finds more; another source, or a smaller "
            "min_coverage, may do."
        )
    with pytest.raises(CoverageError, match="Missing, the first ones: 'Rain', 'qwxz'"):
        embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX, min_coverage=1, fallbacks=())


@pytest.mark.parametrize("least", [-0.1, 1.1, 80, float("nan")])
def test_a_wrong_min_coverage_is_refused(least: float) -> None:
    """A share is between 0 and 1: 80 is no 80 %."""
    with pytest.raises(ValueError, match=f"min_coverage is {least!r}; expected a share between 0 and 1"):
        embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX, min_coverage=least)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["The", "Of", "qwxz"], "in lower case 2 of 3 of them would be found (pass fallbacks=('lower',))"),
        (["the\n", " of"], "without white space around them 2 of 2 of them would be found (strip the lines"),
        (["##the", "\u2581of", "\u0120a"], "without the marks of word pieces 3 of 3 of them would be found"),
        (["b'the'", 'b"of"'], "without b'...' around them 2 of 2 of them would be found (they were bytes"),
        (["The"], "in lower case it would be found"),
        (
            ["qwxz", "слово"],
            "Likely causes: words of another language, cased words in an uncased source, word",
        ),
    ],
)
def test_next_to_nothing_found_is_a_warning_with_its_cause(
    words: list[str], cause: str, make_vectors: Callable[..., Vectors]
) -> None:
    """Under 5 % found is hardly meant, so the likely cause is looked for and named."""
    vectors = make_vectors(["the", "of", "a"])
    for ask in (embedhub.coverage, embedhub.embedding_matrix):
        with pytest.warns(CoverageWarning, match=re.escape(cause)) as caught:
            ask(vectors, None, words)
        assert str(caught[0].message).startswith(f"tiny 4d: 0 of {len(words)} words found (0.0%)")
        assert caught[0].filename == __file__


def test_five_percent_is_enough(make_vectors: Callable[..., Vectors]) -> None:
    """The warning is for under 5 %, and an error that was asked for takes its place."""
    vectors = make_vectors(["the"])
    embedhub.coverage(vectors, None, ["the", *(f"qwxz{i}" for i in range(19))])
    with pytest.warns(CoverageWarning, match="1 of 21 words found"):
        embedhub.coverage(vectors, None, ["the", *(f"qwxz{i}" for i in range(20))])
    with pytest.raises(CoverageError):
        embedhub.embedding_matrix(vectors, None, ["qwxz"], min_coverage=0.5)
