"""What notebooks show of vectors, coverage and sources: tables in their own colors."""

import numpy as np
import pytest
from tables import read_html

import embedhub
from embedhub import Vectors
from embedhub.errors import CoverageWarning


def test_vectors_show_their_first_words() -> None:
    """The table has the license, five words, and six of their numbers."""
    caption, rows = read_html(embedhub.load("wordnet-ppmi", 25))
    assert caption.startswith("wordnet-ppmi: 78,781 words, dim 25, LicenseRef-WordNet-3.0")
    assert rows[0] == ["word", "0", "1", "2", "3", "4", "5", "..."]
    assert [row[0] for row in rows[1:]] == embedhub.load("wordnet-ppmi", 25).words[:5]
    assert {len(row) for row in rows} == {8}
    caption, rows = read_html(Vectors({"rain": [1, 0.5]}))
    assert (caption, rows) == ("vectors: 1 words, dim 2", [["word", "0", "1"], ["rain", "1.000", "0.500"]])


def test_words_are_text_and_no_html() -> None:
    """Words with marks of HTML, without printable characters, and of any length are shown safely."""
    words = ["<script>alert(1)</script>", "a&b", "\udcff", "tab\t", "x" * 1000]
    _, rows = read_html(Vectors(np.ones((5, 1)), words))
    expected = ["<script>alert(1)</script>", "a&b", r"\udcff", r"tab\t", "x" * 200 + "..."]
    assert [row[0] for row in rows[1:]] == expected


def test_coverage_shows_what_was_found() -> None:
    """The table has the words by fallback, those missing, and the tokens."""
    words = ["Music", "rain", *(f"qwxz-qwxz{i}" for i in range(5000))]
    with pytest.warns(CoverageWarning, match="2 of 5,002"):
        coverage = embedhub.coverage("wordnet-ppmi", 25, words, counts=dict.fromkeys(words, 1))
    caption, rows = read_html(coverage)
    assert caption == "Coverage of 5,002 words"
    assert rows[0] == ["", "words", "ratio", "examples"]
    assert [row[:2] for row in rows[1:]] == [
        ["found", "1"],
        ["found by lower", "1"],
        ["missing", "5,000"],
        ["tokens found", "2"],
    ]
    assert rows[3][3] == ", ".join([*words[2:12], "..."])


def test_sources_show_a_few_of_each_plugin() -> None:
    """The table has those of embedhub first."""
    caption, rows = read_html(embedhub.sources())
    assert caption.startswith(f"{len(embedhub.sources())} sources")
    assert rows[0] == ["source", "dims", "words", "language", "license", "description"]
    by_name = {row[0]: row for row in rows}
    assert by_name["glove-6b"][1:4] == ["50, 100, 200, 300", "400,000", "en"]
