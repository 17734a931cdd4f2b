"""Evaluation of sources of tokens: only whole words match and answer."""

from pathlib import Path
from typing import Any

import embedhub_eval
import numpy as np
import pytest
from embedhub_eval import Score

import embedhub
from embedhub import Block, ComputedSource

# queen is the best answer among words; a piece and a control token are nearer.
ROWS = {
    "man": [1, 0, 0],
    "king": [1, 1, 0],
    "woman": [0, 0, 1],
    "queen": [0, 0.9, 1.2],
    "apple": [0.5, -1, 0.5],
}
NEARER = [0, 1, 1]
MARKS = {
    "words": ("word", "{}", ()),
    "WordPiece": ("token", "{}", ("##queen", "[MASK]")),
    "SentencePiece": ("token", "\u2581{}", ("queen", "</s>", "\u2581")),
    "byte-level BPE": ("token", "\u0120{}", ("queen", "<|endoftext|>")),
}
PAIRS = "king\tqueen\t9\nman\twoman\t6\nking\tapple\t1\nman\tapple\t2\nman\training\t3\n"


def source_of(kind: str) -> ComputedSource:
    """Return a source of the words above, as a tokenizer spells them, among pieces and control tokens."""
    unit, spelling, others = MARKS[kind]
    rows = {**dict.fromkeys(others, NEARER), **{spelling.format(word): row for word, row in ROWS.items()}}
    facts: dict[str, Any] = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    facts |= {"name": "pieces", "language": "en", "cased": True, "unit": unit, "dims": (3,), "version": kind}
    numbers = np.array(list(rows.values()), np.float32)
    return ComputedSource(**facts, compute=lambda _: [Block(list(rows), numbers)])


def scores(kind: str, folder: Path, **options: Any) -> list[Score]:
    """Return the scores on word pairs and on one analogy."""
    (folder / "pairs.tsv").write_text(PAIRS, "utf-8")
    (folder / "questions.txt").write_text("man king woman queen\nman king woman queening\n", "utf-8")
    return embedhub_eval.evaluate(
        source_of(kind), [folder / "pairs.tsv", folder / "questions.txt"], **options
    )


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
@pytest.mark.parametrize("kind", list(MARKS)[1:])
def test_tokens_have_the_scores_of_their_words(kind: str, method: Any, tmp_path: Path) -> None:
    """Pieces and control tokens neither match nor answer, and marks of word starts are not part of a word."""
    expected = scores("words", tmp_path, method=method)
    assert [(score.covered, score.total) for score in expected] == [(4, 5), (1, 2)]
    assert expected[1].score == 1
    assert scores(kind, tmp_path, method=method) == expected


@pytest.mark.parametrize("kind", MARKS)
def test_comparison_counts_whole_words(kind: str, tmp_path: Path) -> None:
    """The coverage is that of whole words, the vocabulary size that of all rows."""
    (tmp_path / "pairs.tsv").write_text(PAIRS, "utf-8")
    (row,) = embedhub_eval.compare(
        source_of(kind), counts={"king": 3, "raining": 1}, benchmarks=[tmp_path / "pairs.tsv"], download=True
    )
    assert row.vocab_size == len(ROWS) + len(MARKS[kind][-1])
    assert row.coverage is not None
    assert row.coverage.missing == ("raining",)


@pytest.mark.slow
def test_neighbors_on_a_map_are_whole_words() -> None:
    """The nearest neighbor of a word is another word, not a piece."""
    pytest.importorskip("matplotlib")
    for kind in MARKS:
        figure = embedhub_eval.plot_words(source_of(kind), 3, ["queen"], topn=1)
        labels = {text.get_text() for text in figure.axes[0].texts}
        assert labels == {"queen", "woman"}


def test_rows_of_tokens_are_looked_up_as_they_are() -> None:
    """Outside of the evaluation, a token is a row like any other."""
    vectors = embedhub.load(source_of("WordPiece"))
    assert vectors["##queen"].tolist() == NEARER
    assert vectors.unit == "token"
