"""Comparison of sources: function, command and plot."""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import embedhub_eval
import numpy as np
import pytest
from command import run
from scipy.stats import spearmanr
from tables import read_html

import embedhub
from embedhub.errors import DependencyError, DimNotFoundError, OutputError, SourceNotFoundError
from embedhub.matrix.word_counts import read_counts

COUNTS = {"rain": 8, "music": 3, "qwxz": 1}
PAIRS = "rain\tstorm\t8\nrain\tmusic\t1\ncat\tkitten\t9\nmusic\tpiano\t7\ncat\tqwxz\t0\n"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Write a benchmark of word pairs."""
    file = tmp_path / "pairs.tsv"
    file.write_text(PAIRS)
    return file


@pytest.fixture
def remote(
    tmp_path: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[embedhub.EmbeddingSource, embedhub_eval.Benchmark, Any]:
    """Serve a source of three words and a benchmark, neither of which is in the cache."""
    folder = tmp_path / "mirror" / "example.org"
    folder.mkdir(parents=True)
    (folder / "tiny.txt").write_text("rain 1 0 0\nstorm 1 1 0\nmusic 0 0 1\n")
    (folder / "pairs.tsv").write_text(PAIRS)
    serving = serve(tmp_path / "mirror")
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    facts: dict[str, Any] = {
        "description": "d",
        "language": "en",
        "license": "MIT",
        "citation": "c",
        "homepage": "h",
    }
    file, test = (
        embedhub.RemoteFile(
            url=f"https://example.org/{name}",
            known_hash=f"sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}",
            size=(folder / name).stat().st_size,
            format="glove",
        )
        for name in ("tiny.txt", "pairs.tsv")
    )
    source = embedhub.RemoteSource(name="tiny", files={3: (file,)}, cased=False, vocab_size=3, **facts)
    benchmark = embedhub_eval.Benchmark(name="pairs", format="pairs", files=(test,), total=5, **facts)
    return source, benchmark, serving


def test_row_and_score_fit_a_screen(pairs: Path) -> None:
    """Their repr has the figures, however many words are missing and benchmarks were scored."""
    words = embedhub.load("wordnet-ppmi", 50).words[:9_000]
    counts = dict.fromkeys((f"missing{i}" for i in range(1_000)), 1) | dict.fromkeys(words, 1)
    tests = [
        embedhub_eval.Benchmark(name=f"{'long' * 10}-{i}", format="pairs", path=pairs) for i in range(30)
    ]
    (row,) = embedhub_eval.compare("wordnet-ppmi:50", counts=counts, benchmarks=tests)
    assert repr(row).startswith("<ComparisonRow wordnet-ppmi 50d: 78,781 words, coverage 90.0%, long")
    assert repr(row).endswith("25 more>")
    assert len(repr(row)) < 500
    (away,) = embedhub_eval.compare("glove-6b:300")
    assert repr(away) == "<ComparisonRow glove-6b 300d: 400,000 words, see warning>"
    score = row.scores[tests[0].name]
    assert score is not None
    assert repr(score) == f"<Score wordnet-ppmi 50d on {tests[0].name}: {score.score:.4f}, 4 of 5 covered>"
    empty = dataclasses.replace(score, score=None, category="one", interval=(0.25, 0.5))
    assert repr(empty).endswith(" (one): - (0.2500 to 0.5000), 4 of 5 covered>")


def test_row_has_metadata_sizes_coverage_and_scores(pairs: Path) -> None:
    """Metadata, sizes, coverage and scores equal the results of the other functions."""
    (row,) = embedhub_eval.compare("wordnet-ppmi:50", counts=COUNTS, benchmarks=[pairs])
    source = embedhub.sources()["wordnet-ppmi"]
    assert (row.source, row.dim, row.vocab_size) == ("wordnet-ppmi", 50, 78_781)
    assert (row.license, row.language, row.cased) == (source.license, "en", False)
    assert row.coverage == embedhub.coverage("wordnet-ppmi", 50, list(COUNTS), counts=COUNTS)
    assert row.coverage.token_ratio == 11 / 12
    assert list(row.scores.values()) == embedhub_eval.evaluate("wordnet-ppmi:50", [pairs])
    folder = source.store_path(50)
    assert row.disk_bytes == sum(file.stat().st_size for file in folder.iterdir())
    assert (row.download_bytes, row.disk_is_estimate, row.in_cache, row.warning) == (0, False, True, "")


def test_name_selects_all_its_dims() -> None:
    """Sources are in the given order, their dimensions in ascending order."""
    rows = embedhub_eval.compare(["glove-6b:300", "wordnet-ppmi", ("glove-6b", 50)])
    assert [row.source for row in rows] == ["glove-6b", *["wordnet-ppmi"] * 3, "glove-6b"]
    assert [row.dim for row in rows] == [300, 25, 50, 100, 50]


def test_nothing_is_downloaded_by_default(remote: Any) -> None:
    """A source that is not in the cache has metadata and a warning, and no request is sent."""
    source, benchmark, serving = remote
    (row,) = embedhub_eval.compare((source, 3), counts=COUNTS, benchmarks=[benchmark])
    assert row.warning == (
        "tiny 3d is not in the cache, and downloads were not allowed, so only its metadata is shown. "
        "Download it with `embedhub download tiny:3`."
    )
    assert (row.vocab_size, row.coverage, row.scores, row.in_cache) == (3, None, {"pairs": None}, False)
    assert (row.disk_is_estimate, row.disk_bytes) == (True, source.store_size(3))
    (row,) = embedhub_eval.compare("wordnet-ppmi:25", benchmarks=[benchmark])
    assert row.warning == "Not scored, because not in the cache, and downloads were not allowed: pairs."
    assert serving.asked == []


def test_download_adds_source_and_benchmark_to_the_cache(remote: Any) -> None:
    """With `download` the source and the benchmark are in the cache for later calls."""
    source, benchmark, serving = remote
    (row,) = embedhub_eval.compare((source, 3), counts=COUNTS, benchmarks=[benchmark], download=True)
    assert (row.in_cache, row.disk_is_estimate, row.warning) == (True, False, "")
    assert row.coverage is not None
    assert row.coverage.found == 2
    score = row.scores["pairs"]
    assert score is not None
    assert score.covered == 2
    requests = len(serving.asked)
    (again,) = embedhub_eval.compare((source, 3), counts=COUNTS, benchmarks=[benchmark])
    assert (again.coverage, again.scores) == (row.coverage, row.scores)
    assert len(serving.asked) == requests


def test_benchmark_in_another_language_is_not_scored(remote: Any, pairs: Path) -> None:
    """A German source has no score on English pairs, but has one on the caller's own file."""
    source, benchmark, _ = remote
    german = embedhub.RemoteSource(
        name="klein", files=source.files, description="d", language="de", cased=True, vocab_size=3,
        license="MIT", citation="c", homepage="h",
    )  # fmt: skip
    (row,) = embedhub_eval.compare((german, 3), benchmarks=[benchmark, pairs], download=True)
    assert row.scores["pairs"] is None
    assert row.scores["pairs-tsv"] is not None
    assert row.warning == "Not scored, because in another language: pairs."


def test_row_has_json_types_and_ten_oov_words(pairs: Path) -> None:
    """The JSON lists at most ten OOV words."""
    counts = COUNTS | {f"qwxz{i}": 1 for i in range(20)}
    (row,) = embedhub_eval.compare("wordnet-ppmi:25", counts=counts, benchmarks=[pairs])
    converted = json.loads(json.dumps(row.to_dict()))
    assert converted["coverage"]["missing"] == ["qwxz", *(f"qwxz{i}" for i in range(9))]
    assert converted["coverage"]["total"] == 23
    assert converted["scores"]["pairs-tsv"]["covered"] == 4
    assert converted["dim"] == 25


@pytest.mark.parametrize(
    ("sources", "options", "error", "message"),
    [
        ("glove-6B:50", {}, SourceNotFoundError, "Did you mean 'glove-6b'?"),
        ("glove-6b:51", {}, DimNotFoundError, "has no dim 51"),
        (
            "wordnet-ppmi:25",
            {"benchmarks": ["wordsim"]},
            SourceNotFoundError,
            "No benchmark is named 'wordsim'",
        ),
    ],
)
def test_unknown_name_or_dim_is_an_error(
    sources: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Names and dimensions are checked before a source is opened."""
    with pytest.raises(error, match=message):
        embedhub_eval.compare(sources, **options)


def test_vectors_cannot_be_compared(make_vectors: Any) -> None:
    """The size of a download is a property of a source, not of vectors."""
    with pytest.raises(TypeError, match="pass their source"):
        embedhub_eval.compare((make_vectors(["a"]), None))


@pytest.mark.slow
def test_plot_has_a_panel_for_each_measure(tmp_path: Path, pairs: Path) -> None:
    """Each panel has a point for each row at its size; equal rows produce equal files."""
    rows = embedhub_eval.compare(["wordnet-ppmi", "glove-6b:300"], counts=COUNTS, benchmarks=[pairs])
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    figure = embedhub_eval.plot_comparison(rows, first)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["pairs-tsv", "tokens found"]
    ((line, _, _), *_) = figure.axes[0].containers
    measured = rows[:3]
    assert line.get_xdata().tolist() == [row.disk_bytes / 1e6 for row in measured if row.disk_bytes]
    scores = [row.scores["pairs-tsv"] for row in measured]
    assert line.get_ydata().tolist() == [score.score for score in scores if score]
    embedhub_eval.plot_comparison(rows, second)
    assert first.read_bytes() == second.read_bytes()
    assert "wordnet-ppmi" in first.read_text()
    assert "glove-6b" not in first.read_text()
    embedhub_eval.plot_comparison(rows, tmp_path / "first.png")
    assert (tmp_path / "first.png").read_bytes().startswith(b"\x89PNG")


def test_plot_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a measure, with another extension, an existing file or no matplotlib it is an error."""
    rows = embedhub_eval.compare("glove-6b:300", counts=COUNTS)
    with pytest.raises(ValueError, match="There is nothing to plot: no score and no coverage was measured"):
        embedhub_eval.plot_comparison(rows)
    with pytest.raises(ValueError, match=r"expected a path that ends with \.svg or \.png"):
        embedhub_eval.plot_comparison(rows, tmp_path / "plot.pdf")
    (tmp_path / "plot.svg").write_text("mine")
    with pytest.raises(OutputError, match="the output exists already"):
        embedhub_eval.plot_comparison(rows, tmp_path / "plot.svg")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(DependencyError, match=r"pip install \"embedhub-eval\[plot\]\""):
        embedhub_eval.plot_comparison(rows)


@pytest.mark.slow
def test_command_prints_a_table(tmp_path: Path, pairs: Path) -> None:
    """The table has a column for each measure and marks estimates; warnings are on stderr."""
    text, plot = tmp_path / "text.txt", tmp_path / "plot.svg"
    text.write_text("Rain and music, rain!\nThe cat sat.\n")
    done = run(
        "compare", "wordnet-ppmi:50", "glove-6b:300", "--text", text, "--benchmarks", pairs, "--plot", plot
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, first, second = done.stdout.splitlines()
    assert head.split() == (
        "name dim words language case types tokens pairs-tsv download disk cached license".split()  # noqa: SIM905 - as printed
    )
    (row,) = embedhub_eval.compare("wordnet-ppmi:50", counts=read_counts(text), benchmarks=[pairs])
    assert row.coverage is not None
    score = row.scores["pairs-tsv"]
    assert score is not None
    assert score.score is not None
    assert f"{row.coverage.ratio:.1%}" in first
    assert f"{score.score:.3f} (4 of 5)" in first
    assert "~ 492.8 MB" in second
    assert "394.4 MB" in second
    assert "glove-6b 300d is not in the cache" in done.stderr
    assert "\nAdd --download to download what is not in the cache.\n" in done.stderr
    assert plot.read_text().startswith("<?xml")


@pytest.mark.slow
def test_command_prints_json(tmp_path: Path, pairs: Path) -> None:
    """With `--json` stdout has the dicts of the library and nothing else."""
    vocabulary = tmp_path / "vocabulary.txt"
    vocabulary.write_text("rain 8\nmusic 3\nqwxz 1\n")
    embedhub.load("wordnet-ppmi", 25)
    done = run("compare", "wordnet-ppmi:25", "--vocabulary", vocabulary, "--benchmarks", pairs, "--json")
    rows = embedhub_eval.compare("wordnet-ppmi:25", counts=COUNTS, benchmarks=[pairs])
    assert json.loads(done.stdout) == [row.to_dict() for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--text", "a", "--vocabulary", "b"), 2, "--text and --vocabulary exclude each other"),
        (("--plot", "a.pdf"), 2, "expected a path that ends with .svg or .png"),
        (("--benchmarks", "wordsim"), 1, "`embedhub evaluate --list` and list(embedhub_eval"),
        (("reviews.txt",), 1, "Pass a text to measure the coverage of as --text reviews.txt."),
        (("--text", "nowhere.txt"), 1, "nowhere.txt: this text or vocabulary cannot be read: No such file"),
    ],
)
def test_command_reports_errors(arguments: tuple[str, ...], code: int, message: str, tmp_path: Path) -> None:
    """Wrong usage has exit code 2, a failed task 1, and neither prints a traceback."""
    (tmp_path / "reviews.txt").write_text("It rains.\n", "utf-8")
    done = run("compare", "wordnet-ppmi:25", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_glove_is_compared_on_the_default_benchmarks(
    small_mirror: Path,
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    small_benchmarks: dict[str, embedhub_eval.Benchmark],
    demo_texts: tuple[Path, Path],
) -> None:
    """GloVe and three benchmarks are downloaded; scores and coverage equal those of plain numpy."""
    counts = read_counts(demo_texts[0])
    theirs, ours = embedhub_eval.compare(["glove-6b:50", "wordnet-ppmi:100"], counts=counts, download=True)
    assert list(theirs.scores) == list(ours.scores) == ["wordsim-353", "simlex-999", "men"]
    vectors = embedhub.load("glove-6b", 50)
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    for name, score in theirs.scores.items():
        pairs = [pair for pair in small_benchmarks[name].read() if "qwxz" not in {pair.word1, pair.word2}]
        left, right = (
            unit[vectors.indices([getattr(pair, side).lower() for pair in pairs])]
            for side in ("word1", "word2")
        )
        expected = spearmanr((left * right).sum(axis=1), [pair.score for pair in pairs]).statistic
        assert score is not None
        assert score.score == pytest.approx(expected, abs=1e-6)
        assert score.covered == len(pairs)
    assert (theirs.vocab_size, theirs.in_cache, theirs.disk_is_estimate) == (20_000, True, False)
    assert theirs.disk_bytes is not None
    assert ours.disk_bytes is not None
    assert theirs.disk_bytes < ours.disk_bytes
    assert theirs.download_bytes == glove_6b_mirror[1].candidates(50)[1].size
    assert theirs.coverage is not None
    assert ours.coverage is not None
    tokens = sum(count for word, count in counts.items() if {word, word.lower()} & set(vectors))
    assert theirs.coverage.token_ratio == tokens / sum(counts.values())
    assert tokens > (ours.coverage.tokens_found or 0)


@pytest.mark.slow
def test_command_downloads_what_is_not_cached(
    small_plugin: dict[str, str], demo_texts: tuple[Path, Path], cache: Path
) -> None:
    """With `--download` a source and a benchmark of a plugin are downloaded and measured."""
    done = run(
        "compare", "small-glove-6b:50", "--benchmarks", "small-men", "--text", demo_texts[0], "--download",
        "--json", **small_plugin,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["source"], row["vocab_size"], row["in_cache"], row["warning"]) == (
        "small-glove-6b",
        20_000,
        True,
        "",
    )
    assert row["scores"]["small-men"]["covered"] == row["scores"]["small-men"]["total"] == 14
    assert row["coverage"]["token_ratio"] > 0.9


def test_comparison_is_a_table_in_a_notebook(pairs: Path) -> None:
    """Each row of the comparison is one, with the columns of the command; the repr is short."""
    compared = embedhub_eval.compare(["wordnet-ppmi", "glove-6b"], counts=COUNTS, benchmarks=[pairs])
    caption, rows = read_html(compared)
    assert caption == "Comparison of 2 sources"
    assert rows[0][:8] == ["name", "dim", "words", "language", "case", "types", "tokens", "pairs-tsv"]
    assert [row[:3] for row in rows[1:]] == [
        *(["wordnet-ppmi", dim, "78,781"] for dim in ("25", "50", "100")),
        *(["glove-6b", dim, "400,000"] for dim in ("50", "100", "200", "300")),
    ]
    assert repr(compared) == "<7 comparison rows: wordnet-ppmi 25d, wordnet-ppmi 50d, wordnet-ppmi 100d, ...>"
