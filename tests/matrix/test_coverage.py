"""Coverage of a vocabulary."""

import copy
import json
import logging
import pickle
import re
from collections import Counter
from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
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


def test_coverage_has_found_words_by_fallback_and_missing_words() -> None:
    """Words found by a fallback are listed by its name, missing words in the order of their indices."""
    coverage = cover()
    assert (coverage.total, coverage.found, coverage.ratio) == (5, 3, 0.6)
    assert coverage.by_fallback == {"lower": ("Rain",), "title": (), "hyphen": ("rock-music",)}
    assert coverage.missing == ("qwxz", "zzyx")
    assert (coverage.tokens, coverage.tokens_found, coverage.token_ratio) == (None, None, None)
    assert str(coverage) == "3 of 5 words found (60.0%; 1 by lower, 1 by hyphen); missing: qwxz, zzyx"


def test_counts_add_token_ratio_and_sort_missing_words() -> None:
    """With counts, coverage includes tokens, and the most frequent missing words come first."""
    coverage = cover(counts=COUNTS)
    assert (coverage.tokens, coverage.tokens_found, coverage.token_ratio) == (100, 86, 0.86)
    assert coverage.missing == ("zzyx", "qwxz")
    assert str(coverage) == (
        "3 of 5 words found (60.0%; 1 by lower, 1 by hyphen), 86.0% of 100 tokens; missing: zzyx, qwxz"
    )
    assert cover(counts={"qwxz": 1}).token_ratio == 0


def test_counts_may_come_from_a_keras_tokenizer() -> None:
    """``Tokenizer.word_counts`` works; missing words with equal counts keep the order of their indices."""
    tokenizer = tf.keras.preprocessing.text.Tokenizer()
    tokenizer.fit_on_texts(["rain qwxz rain rain zzyx", "xxyy qwxz"])
    coverage = embedhub.coverage("wordnet-ppmi", 25, tokenizer, counts=tokenizer.word_counts)
    assert (coverage.tokens, coverage.tokens_found) == (7, 3)
    assert coverage.missing == ("qwxz", "zzyx", "xxyy")


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (["music"], "counts is of type list; expected a mapping of word -> number"),
        ({1: 60, 2: 3}, "counts has none of the words of word_index, such as 'music'"),
        ({"music": 0}, "counts has none of the words of word_index"),
        ({"music": -3}, "counts has 'music': -3; expected a mapping of word"),
        ({"music": 0.5}, "counts has values that are not integers (float64)"),
        ({"music": "3"}, "counts has values that are not integers (<U"),
    ],
)
def test_invalid_counts_are_rejected(counts: Any, words: str) -> None:
    """The error shows what was passed and what is expected."""
    with pytest.raises(VocabularyError, match=re.escape(words)):
        cover(counts=counts)


def test_coverage_is_plain_data() -> None:
    """``to_dict()`` can be written as JSON for any words; a coverage can be copied and pickled."""
    coverage = embedhub.coverage("wordnet-ppmi", 25, ["music", "\ud800", "Rain"], counts={"music": 3})
    assert json.loads(json.dumps(coverage.to_dict())) == {
        "total": 3,
        "found": 2,
        "ratio": 2 / 3,
        "by_fallback": {"lower": ["Rain"]},
        "missing": ["\ud800"],
        "tokens": 3,
        "tokens_found": 3,
        "token_ratio": 1.0,
    }
    assert pickle.loads(pickle.dumps(coverage)) == copy.deepcopy(coverage) == coverage  # noqa: S301 - our own


def test_summary_is_one_line_for_any_words() -> None:
    """At most five words are listed, and those that are not printable are escaped."""
    words = ["music", "a\nb", "\ud800", "\x1b[31m", " ", "[red]", "qwxz"]
    coverage = embedhub.coverage("wordnet-ppmi", 25, words)
    assert str(coverage).endswith(r"missing: 'a\nb', '\ud800', '\x1b[31m',  , [red], ...")
    assert "\n" not in str(coverage)


def test_reprs_fit_a_screen() -> None:
    """A notebook's output stays short for any vocabulary, and shows what was found."""
    words = ["rain", *(f"qwxz{i}" * 100 for i in range(2000))]
    with pytest.warns(CoverageWarning):
        result = embedhub.embedding_matrix("wordnet-ppmi", 25, words)
    for shown in (repr(result), repr(result.coverage), str(result.coverage)):
        assert "1 of 2,001 words found" in shown
        assert len(shown) < 500
    assert "(2001, 25) float32" in repr(result)


def test_rich_table_has_a_line_for_each_fallback() -> None:
    """The table shows the words found exactly, found by each fallback, and missing."""
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


def test_coverage_is_logged_when_a_layer_is_created(caplog: pytest.LogCaptureFixture) -> None:
    """The coverage is logged at level INFO."""
    with caplog.at_level(logging.INFO, "embedhub"):
        embedhub.keras_embedding("wordnet-ppmi", 25, ["", "music", "qwxz"], counts={"music": 9, "qwxz": 1})
    assert caplog.record_tuples == [
        (
            "embedhub",
            logging.INFO,
            "wordnet-ppmi 25d: 1 of 2 words found (50.0%), 90.0% of 10 tokens; missing: qwxz",
        )
    ]


def test_coverage_below_min_coverage_is_an_error() -> None:
    """The error lists missing words, the likely cause, and what to do."""
    options: Any = {"fallbacks": (), "counts": COUNTS}
    for make in (embedhub.embedding_matrix, embedhub.keras_embedding):
        make("wordnet-ppmi", 25, WORD_INDEX, min_coverage=0.2, **options)
        with pytest.raises(CoverageError) as caught:
            make("wordnet-ppmi", 25, WORD_INDEX, min_coverage=0.8, **options)
        assert isinstance(caught.value, ValueError)
        assert str(caught.value) == (
            "wordnet-ppmi 25d has 1 of the 5 words of word_index (20.0%); min_coverage requires 80.0%. "
            "The most frequent missing words: 'Rain', 'zzyx', 'qwxz', 'rock-music'. "
            "Of the missing words, 1 of 4 would be found in lower case (pass fallbacks=('lower',)). "
            "Try fallbacks=, another source, or a smaller min_coverage; embedhub.coverage(...) returns all "
            "missing words."
        )
    with pytest.raises(CoverageError, match="The first missing words: 'Rain', 'qwxz'"):
        embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX, min_coverage=1, fallbacks=())


@pytest.mark.parametrize("least", [-0.1, 1.1, 80, float("nan")])
def test_invalid_min_coverage_is_rejected(least: float) -> None:
    """``min_coverage`` is between 0 and 1: 80 does not mean 80 %."""
    with pytest.raises(ValueError, match=f"min_coverage is {least!r}; expected a fraction between 0 and 1"):
        embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX, min_coverage=least)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["The", "Of", "qwxz"], "2 of 3 would be found in lower case (pass fallbacks=('lower',))"),
        (["the\n", " of"], "2 of 2 would be found without surrounding white space (strip the lines"),
        (["##the", "\u2581of", "\u0120a"], "3 of 3 would be found without the marks of word pieces"),
        (["b'the'", 'b"of"'], "2 of 2 would be found without b'...' around them (they are bytes"),
        (["The"], "1 of 1 would be found in lower case"),
        (
            ["qwxz", "слово"],
            "Likely causes: words of another language, cased words with an uncased source, word",
        ),
    ],
)
def test_low_coverage_is_a_warning_with_its_likely_cause(
    words: list[str], cause: str, make_vectors: Callable[..., Vectors]
) -> None:
    """Coverage below 5 % is a warning that names what would find more words."""
    vectors = make_vectors(["the", "of", "a"])
    for ask in (embedhub.coverage, embedhub.embedding_matrix):
        with pytest.warns(CoverageWarning, match=re.escape(cause)) as caught:
            ask(vectors, None, words)
        assert str(caught[0].message).startswith(f"tiny 4d: 0 of {len(words)} words found (0.0%)")
        assert caught[0].filename == __file__


def test_texts_as_a_vocabulary_are_an_error(make_vectors: Callable[..., Vectors]) -> None:
    """Texts would become a layer of zeros. A report of them, and vectors of an own policy, are allowed."""
    vectors = make_vectors(["the", "of", "new york"])
    texts = ["Great coffee", "It was late."]
    cause = "2 of 2 contain spaces: they may be texts, where words are expected"
    with pytest.raises(VocabularyError, match=f"0 of 2 words found.*{cause}"):
        embedhub.embedding_matrix(vectors, None, texts)
    with pytest.warns(CoverageWarning, match=cause):
        assert embedhub.coverage(vectors, None, texts).found == 0
    with pytest.warns(CoverageWarning, match=cause):
        own = embedhub.embedding_matrix(
            vectors, None, texts, oov=lambda words, dim: np.ones((len(words), dim))
        )
    assert own.matrix.all()
    with pytest.warns(CoverageWarning, match="1 of 2 contain spaces"):
        embedhub.embedding_matrix(vectors, None, ["qwxz", "It was late."])
    assert embedhub.embedding_matrix(vectors, None, ["new york", *texts]).coverage.found == 1


def test_low_coverage_warning_is_for_less_than_five_percent(make_vectors: Callable[..., Vectors]) -> None:
    """At 5 % there is no warning; a CoverageError takes the place of the warning."""
    vectors = make_vectors(["the"])
    embedhub.coverage(vectors, None, ["the", *(f"qwxz{i}" for i in range(19))])
    with pytest.warns(CoverageWarning, match="1 of 21 words found"):
        embedhub.coverage(vectors, None, ["the", *(f"qwxz{i}" for i in range(20))])
    with pytest.raises(CoverageError):
        embedhub.embedding_matrix(vectors, None, ["qwxz"], min_coverage=0.5)


def tokens(words: list[str]) -> embedhub.ComputedSource:
    """Return a source of tokens."""
    about: dict[str, Any] = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    return embedhub.ComputedSource(
        **about,
        name="pieces",
        language="en",
        cased=False,
        unit="token",
        dims=(2,),
        version="-".join(words),
        compute=lambda dim: [embedhub.Block(words, np.ones((len(words), dim), np.float32))],
    )


def test_words_that_a_source_of_tokens_lacks_are_made_of_several() -> None:
    """The warning says that the rows are tokens, and to tokenize with the tokenizer of the source."""
    with pytest.warns(CoverageWarning) as caught:
        embedhub.coverage(tokens(["[CLS]", "rain", "##ing"]), 2, ["raining", "storming"])
    message = str(caught[0].message)
    assert (
        "The vectors of pieces belong to the tokens of a tokenizer, not to words: a missing word consists of "
        "several tokens, such as 'rain' and '##ing'. Tokenize texts with its tokenizer"
    ) in message
    assert "Likely causes" not in message
    with pytest.raises(CoverageError, match="belong to the tokens of a tokenizer"):
        embedhub.embedding_matrix(tokens(["rain"]), 2, ["raining", "rain"], min_coverage=0.9)


@pytest.mark.parametrize("mark", ["\u2581", "\u0120"])
def test_words_that_a_source_has_with_a_mark_are_found_with_it(mark: str) -> None:
    """The warning says which mark the tokenizer puts before a word, and the fallback that it shows works."""
    source = tokens(["</s>", f"{mark}rain", f"{mark}sun", "ing"])
    with pytest.warns(CoverageWarning) as caught:
        embedhub.coverage(source, 2, ["rain", "sun", "qwxz"])
    expected = f"2 of 3 would be found with the tokenizer's mark '{mark}' (pass fallbacks=("
    assert expected in str(caught[0].message)
    found = embedhub.coverage(source, 2, ["rain", "sun", "qwxz"], fallbacks=(lambda word: mark + word,))
    assert found.missing == ("qwxz",)
