"""`embedhub coverage`, `neighbors` and `analogy`, and the functions behind them."""

import gzip
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from command import in_terminal, run, without_styles

import embedhub
from embedhub import Vectors
from embedhub.cli.tables import format_bar
from embedhub.errors import DimNotFoundError, WordNotFoundError
from embedhub.matrix import tokenizers as tokens
from embedhub.vectors.suggestions import require_words, suggest


def test_coverage_prints_the_numbers_of_the_library(
    glove_20k: Vectors, demo_texts: tuple[Path, Path]
) -> None:
    """The command prints the numbers that `embedhub.coverage` returns for the same words."""
    file, _ = demo_texts
    counts = tokens.count_words([file.read_text("utf-8")])
    expected = embedhub.coverage(glove_20k, 50, list(counts), counts=counts)
    assert expected.by_fallback["lower"]
    assert len(expected.missing) > 3
    done = run("coverage", "glove-6b-20k:50", file, "--topn", "3")
    assert (done.returncode, done.stderr) == (0, "")
    shares, missing = re.split("missing +count", done.stdout)
    rows = {line.split("  ")[0]: line.split()[-2:] for line in shares.splitlines() if line}
    assert rows["missing"] == [f"{len(expected.missing):,}", f"{1 - expected.ratio:.1%}"]
    assert rows[f"tokens found, of {counts.total():,}"] == [
        f"{expected.tokens_found:,}",
        f"{expected.token_ratio:.1%}",
    ]
    top = [line.split() for line in missing.strip().splitlines()]
    assert top == [[word, str(counts[word])] for word in expected.missing[:3]]


@pytest.mark.parametrize(("encoding", "blocks"), [("utf-8", ("\u2588", "\u2591")), ("ascii", ("#", "-"))])
def test_a_bar_has_the_length_of_its_ratio(
    encoding: str, blocks: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar is of blocks, or of ASCII where stdout has none; only 0 is empty, and only 1 is full."""
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    full, empty = blocks
    for ratio, filled in ((0, 0), (0.001, 1), (0.25, 10), (0.5, 20), (0.999, 39), (1, 40)):
        assert format_bar(ratio) == full * filled + empty * (40 - filled)


def test_coverage_by_limits_is_that_of_the_first_words(tmp_path: Path) -> None:
    """Each row has the numbers of vectors that are limited to as many words."""
    file = tmp_path / "text.txt"
    words = embedhub.load("wordnet-ppmi", 25).words
    text = [words[i] for i in (5, 5, 19_999, 20_000, 60_000)]
    file.write_text(" ".join([*text, "qwxz"]), "utf-8")
    rows = json.loads(run("coverage", "wordnet-ppmi:25", file, "--text", "--limits", "--json").stdout)
    assert [row["limit"] for row in rows] == [20_000, 50_000, len(words)]
    assert [row["found"] for row in rows] == [2, 3, 4]
    assert [round(row["token_ratio"], 2) for row in rows] == [0.5, 0.67, 0.83]
    assert [row["download"] for row in rows] == [0, 0, 0]
    for row in rows[:2]:
        counts = Counter([*text, "qwxz"])
        first = embedhub.load("wordnet-ppmi", 25, limit=row["limit"])
        assert embedhub.coverage(first, None, list(counts), counts=counts).token_ratio == row["token_ratio"]


def test_coverage_by_limits_of_first_words_names_the_command_for_more(tmp_path: Path, cache: Path) -> None:
    """Of a source whose first words are in the cache it has the limits up to there."""
    file = tmp_path / "text.txt"
    file.write_text("some words here", "utf-8")
    embedhub.load("glove-6b:50", limit=20_000)
    for source in ("glove-6b:50", "glove-6b:50 | limit(500)"):
        done = run("coverage", source, file, "--limits")
        assert done.returncode == 0
        assert "\n20,000" in done.stdout
        assert "embedhub download 'glove-6b:50 | limit(50000)'" in done.stdout


def test_coverage_by_limits_downloads_nothing(tmp_path: Path, cache: Path) -> None:
    """Without vectors in the cache it names the command that downloads some."""
    file = tmp_path / "text.txt"
    file.write_text("some words here", "utf-8")
    done = run("coverage", "glove-6b:50", file, "--limits")
    assert done.returncode == 1
    assert "embedhub download 'glove-6b:50 | limit(100000)'" in done.stderr
    assert "cannot be read" not in done.stderr


@pytest.mark.posix
def test_coverage_shows_bars_on_a_terminal(tmp_path: Path, cache: Path) -> None:
    """A terminal of 80 columns shows the ratios of words and tokens as bars; a pipe gets the table only."""
    file = tmp_path / "words.txt"
    file.write_text("music 6\nqwxz 2\n", "utf-8")
    shown = [
        line for line in without_styles(in_terminal("coverage", "wordnet-ppmi:25", file)).splitlines() if line
    ]
    assert shown[0].split() == ["words", "\u2588" * 20 + "\u2591" * 20, "50.0%"]
    assert shown[1].split() == ["tokens", "\u2588" * 30 + "\u2591" * 10, "75.0%"]
    assert max(map(len, shown)) <= 80
    assert "\u2588" not in run("coverage", "wordnet-ppmi:25", file).stdout


def test_coverage_needs_no_dim_where_all_have_the_same_words(tmp_path: Path, cache: Path) -> None:
    """Without a dimension it is one in the cache, or else the smallest; where words may differ, an error."""
    (tmp_path / "words.txt").write_text("music\nqwxz\n", "utf-8")
    command = "coverage", "wordnet-ppmi", tmp_path / "words.txt", "--json"
    assert json.loads(run(*command).stdout)["dim"] == 25
    shutil.rmtree(cache / "vectors")
    assert embedhub.load("wordnet-ppmi:100").dim == 100
    assert json.loads(run(*command).stdout)["dim"] == 100
    assert embedhub.coverage("wordnet-ppmi", None, ["music", "qwxz"]).missing == ("qwxz",)
    unknown = replace(embedhub.sources()["wordnet-ppmi"], vocab_size=None)
    with pytest.raises(DimNotFoundError, match="several dims"):
        embedhub.coverage(unknown, None, ["music"])


@pytest.mark.slow
def test_a_dim_after_its_source_is_named_in_the_error(cache: Path) -> None:
    """A dimension as a word of its own is an error that shows how it is written."""
    done = run("neighbors", "wordnet-ppmi", "50", "music")
    assert done.returncode == 1
    assert done.stderr.endswith(" A dimension follows its source after a colon: wordnet-ppmi:50.\n")
    assert "colon" not in run("neighbors", "wordnet-ppmi", "music", "51").stderr
    done = run("neighbors", "glove-6b-20k", "50", "berlin")
    assert done.stdout.splitlines()[1].startswith("50  ")
    assert done.stderr == ("50 is looked up as a word; a dimension follows its source: glove-6b-20k:50\n")
    assert run("neighbors", "glove-6b-20k:50", "50").stderr == ""
    assert "colon" not in run("neighbors", "wordnet-ppmi:26", "50").stderr


@pytest.mark.slow
def test_coverage_of_a_vocabulary(tmp_path: Path, cache: Path) -> None:
    """A file of words and counts, gzipped or not, or standard input, is a vocabulary."""
    file = tmp_path / "words.gz"
    file.write_bytes(gzip.compress(b"music 5\nqwxz 2\nThe 3\nqwzx 4\n"))
    result = json.loads(run("coverage", "wordnet-ppmi:25", file, "--json").stdout)
    assert result["missing"] == [{"word": "qwzx", "count": 4}, {"word": "qwxz", "count": 2}]
    assert (result["total"], result["found"], result["tokens"], result["tokens_found"]) == (4, 2, 14, 8)
    assert result["by_fallback"] == {"lower": ["The"]}
    strict = run("coverage", "wordnet-ppmi:25", file, "--json", "--fallback", "none", "--topn", "1")
    assert json.loads(strict.stdout)["missing"] == [{"word": "qwzx", "count": 4}]
    assert json.loads(strict.stdout)["found"] == 1
    piped = run("coverage", "wordnet-ppmi:25", "-", "--fallback", "hyphen", stdin="rain-music\nmusic\n")
    assert re.search(r"found by hyphen +1 +50\.0%", piped.stdout)
    assert "tokens" not in piped.stdout  # a list of words has no counts


@pytest.mark.slow
def test_options_override_the_guess_of_what_a_file_is(cache: Path) -> None:
    """--text and --vocabulary override the guess; --tokenize selects the tokenizer of a text."""
    arguments = ("coverage", "wordnet-ppmi:25", "-", "--json")
    line = "music 2\n"
    assert json.loads(run(*arguments, stdin=line).stdout)["tokens"] == 2
    assert json.loads(run(*arguments, "--text", stdin=line).stdout)["total"] == 2
    missing = json.loads(run(*arguments, "--tokenize", "whitespace", stdin="Rain, music.").stdout)["missing"]
    assert [entry["word"] for entry in missing] == ["Rain,", "music."]
    done = run(*arguments, "--vocabulary", stdin="it rains again")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: stdin: line 1 is 'it rains again'; expected a vocabulary")


@pytest.mark.slow
def test_unknown_tokenizers_and_fallbacks_are_wrong_usage(tmp_path: Path, cache: Path) -> None:
    """An unknown value of an option exits with 2, a missing file with 1."""
    for option, value in (("--tokenize", "letters"), ("--fallback", "upper"), ("--topn", "0")):
        done = run("coverage", "wordnet-ppmi:25", "-", option, value, stdin="rain")
        assert done.returncode == 2
        assert value in done.stderr or "greater than or equal to 1" in done.stderr
    done = run("coverage", "wordnet-ppmi:25", tmp_path / "absent")
    assert done.returncode == 1
    assert (
        done.stderr == f"Error: {tmp_path / 'absent'}: this text or vocabulary cannot be read: "
        "No such file or directory.\n"
    )


@pytest.mark.slow
def test_neighbors_prints_a_list_for_each_word(glove_20k: Vectors) -> None:
    """Each word has its own list, the one that `most_similar` returns and that plain cosines give."""
    done = run("neighbors", "glove-6b-20k:50", "berlin", "rain", "-n", "3")
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert lines == [
        [word, other, f"{score:.4f}"]
        for word in ("berlin", "rain")
        for other, score in glove_20k.most_similar(word, topn=3)
    ]
    unit = glove_20k.matrix / np.linalg.norm(glove_20k.matrix, axis=1, keepdims=True)
    for word in ("berlin", "rain"):
        (row,) = glove_20k.indices([word])
        best = np.argsort(-(unit @ unit[row]))[1:4]
        assert [other for name, other, _ in lines if name == word] == [glove_20k.words[i] for i in best]
    (first, _) = json.loads(run("neighbors", "glove-6b-20k:50", "berlin", "rain", "--json").stdout)
    assert (first["word"], len(first["neighbors"])) == ("berlin", 10)


@pytest.mark.slow
def test_missing_words_are_reported_with_suggestions(glove_20k: Vectors) -> None:
    """Words of another case are found; a mistyped one is an error with suggestions, and the others come."""
    done = run("neighbors", "glove-6b-20k:50", "Berlin", "musci", "qwxzqwxz", "--topn", "1")
    assert done.returncode == 1
    ((found, neighbor),) = [line.split()[:2] for line in done.stdout.splitlines()[1:]]
    assert (found, [neighbor]) == ("Berlin", [word for word, _ in glove_20k.most_similar("berlin", topn=1)])
    music, nothing = done.stderr.removeprefix("Error: ").split(". ")
    assert music.startswith("glove-6b-20k 50d has no word 'musci'; close to it: 'music'")
    assert nothing == "glove-6b-20k 50d has no word 'qwxzqwxz'.\n"
    alone = run("neighbors", "glove-6b-20k:50", "qwxzqwxz")
    assert (alone.returncode, alone.stdout, alone.stderr) == (1, "", f"Error: {nothing}")


@pytest.mark.slow
def test_analogy_finds_a_capital_in_glove(glove_20k: Vectors) -> None:
    """France is to Paris as Italy is to Rome; none of the question's words is an answer."""
    lines = run("analogy", "glove-6b-20k:50", "france", "paris", "italy", "--topn", "4").stdout.splitlines()
    answers = [line.split()[0] for line in lines[1:]]
    assert answers[0] == "rome"
    assert len(answers) == 4
    assert not {"france", "paris", "italy"} & set(answers)
    (best,) = json.loads(
        run("analogy", "glove-6b-20k:50", "france", "paris", "italy", "--topn", "1", "--json").stdout
    )
    assert best["word"] == "rome"
    assert best["cosine"] == pytest.approx(0.8466, abs=5e-4)
    assert run("analogy", "glove-6b-20k:50", "france", "paris", "itly").returncode == 1


def test_an_analogy_is_3cosadd(make_vectors: Callable[..., Vectors]) -> None:
    """The answers are in the order of cos(x, b) - cos(x, a) + cos(x, c)."""
    names = [f"w{i}" for i in range(7)]
    vectors = make_vectors(names)
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    for question in product(range(7), repeat=3):
        a, b, c = question
        scores = unit @ (unit[b] - unit[a] + unit[c])
        expected = [names[i] for i in np.argsort(-scores) if i not in question][:3]
        assert [word for word, _ in vectors.analogy(names[a], names[b], names[c], topn=3)] == expected


def test_an_analogy_needs_a_positive_topn_and_known_words(make_vectors: Callable[..., Vectors]) -> None:
    """A topn below 1 is a ValueError, an out-of-vocabulary word a WordNotFoundError."""
    vectors = make_vectors(["a", "b", "c"])
    with pytest.raises(ValueError, match="topn is 0"):
        vectors.analogy("a", "b", "c", topn=0)
    with pytest.raises(WordNotFoundError, match="'d'"):
        vectors.analogy("a", "b", "d")
    assert vectors.analogy("a", "b", "c") == []


def test_close_words_are_at_one_edit(make_vectors: Callable[..., Vectors]) -> None:
    """A fallback's form comes first, then what one edit makes, in the order of the rows."""
    vectors = make_vectors(["the", "musick", "musc", "muzic", "muisc", "music", "tea", "t\u00e9"])
    assert suggest(vectors, "Music") == ["music", "musick", "musc", "muzic", "muisc"]
    assert suggest(vectors, "Music", topn=2) == ["music", "musick"]
    assert suggest(vectors, "th\u00e9") == ["the", "t\u00e9"]
    assert suggest(vectors, "") == []
    assert suggest(vectors, "the" * 99) == []
    require_words(vectors, ["the", "tea"])
    with pytest.raises(
        WordNotFoundError, match=r"no word 'thex'; close to it: 'the'\. tiny 4d has no word 'q'\.$"
    ):
        require_words(vectors, ["tea", "thex", "q"])


@pytest.mark.slow
def test_counts_are_those_of_the_text(tmp_path: Path, cache: Path) -> None:
    """A text's words are counted as the library counts them."""
    text = "The rain, the rain, and qwxz! The end of qwxz."
    (tmp_path / "text").write_text(text, "utf-8")
    result = json.loads(run("coverage", "wordnet-ppmi:25", tmp_path / "text", "--json").stdout)
    counts = Counter(tokens.treebank_tokenize(text))
    assert (result["total"], result["tokens"]) == (len(counts), counts.total())
