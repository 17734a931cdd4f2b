"""Scores on benchmarks."""

import json
import re
import socketserver
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import embedhub_eval
import numpy as np
import pytest
from command import run
from embedhub_eval import BenchmarkWarning, Score, analogy_solver
from embedhub_eval.evaluation import _similarity
from embedhub_eval.word_pairs import WordPair
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from serving import Serving
from tables import read_html
from threadpoolctl import threadpool_limits

import embedhub
from embedhub import DownloadError, Vectors
from embedhub.errors import SourceNotFoundError

PAGE = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text("utf-8")
PAGE_OF_SOURCES = (Path(__file__).parents[3] / "docs" / "choose-a-source.md").read_text("utf-8")
WORDS = ["king", "queen", "man", "woman", "apple", "new york"]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Return a file of five pairs: one with an OOV word, one with a phrase."""
    path = tmp_path / "pairs.tsv"
    path.write_text(
        "# pairs\nKing\tqueen\t8\nman\twoman\t8\nking\tnew york\t2\nking\tapple\t1\nking\tqwxz\t5\n", "utf-8"
    )
    return path


def cosine(vectors: Vectors, left: str, right: str) -> float:
    """Return the cosine of two words, by plain numpy."""
    a, b = vectors[left].astype(float), vectors[right].astype(float)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_similarity_is_spearmans_correlation_of_cosines(
    make_vectors: Callable[..., Vectors], pairs: Path
) -> None:
    """Fallbacks of the source apply, ties get their mean rank, and pairs with OOV words are skipped."""
    vectors = make_vectors(WORDS, fallbacks=("lower",))
    (score,) = embedhub_eval.evaluate(vectors, [pairs])
    word_pairs = [("king", "queen"), ("man", "woman"), ("king", "new york"), ("king", "apple")]
    cosines = [cosine(vectors, *words) for words in word_pairs]
    assert score.score == pytest.approx(spearmanr(cosines, [8, 8, 2, 1]).statistic)
    assert (score.covered, score.total, score.missing, score.kind) == (4, 5, "skip", "similarity")
    assert (score.source, score.dim, score.benchmark, score.category, score.method) == (
        "tiny", 4, "pairs-tsv", "", None,
    )  # fmt: skip


def test_pairs_with_oov_words_are_skipped_or_zero(make_vectors: Callable[..., Vectors], pairs: Path) -> None:
    """With zero, a pair with an OOV word has similarity 0; without the fallback King is OOV too."""
    vectors = make_vectors(WORDS)
    (skip,) = embedhub_eval.evaluate(vectors, [pairs])
    (zero,) = embedhub_eval.evaluate(vectors, [pairs], missing="zero")
    assert (skip.covered, skip.total) == (zero.covered, zero.total) == (3, 5)
    cosines = [
        cosine(vectors, *words) for words in (("man", "woman"), ("king", "new york"), ("king", "apple"))
    ]
    assert skip.score == pytest.approx(spearmanr(cosines, [8, 2, 1]).statistic)
    assert zero.score == pytest.approx(spearmanr([0, *cosines, 0], [8, 8, 2, 1, 5]).statistic)


def test_fallback_may_average_several_vectors(make_vectors: Callable[..., Vectors], tmp_path: Path) -> None:
    """The mean of the parts is compared; such a word cannot be the answer of an analogy."""
    vectors = make_vectors(WORDS, fallbacks=("hyphen",))
    (tmp_path / "pairs").write_text("king-queen\tman\t3\nking\tqueen\t2\nman\tapple\t1\n", "utf-8")
    (score,) = embedhub_eval.evaluate(vectors, [tmp_path / "pairs"])
    mean = vectors.lookup(["king", "queen"]).mean(axis=0)
    first = mean @ vectors["man"] / np.linalg.norm(mean) / np.linalg.norm(vectors["man"])
    others = [cosine(vectors, "king", "queen"), cosine(vectors, "man", "apple")]
    assert score.score == pytest.approx(spearmanr([first, *others], [3, 2, 1]).statistic)
    (tmp_path / "questions").write_text("man king woman king-queen\n", "utf-8")
    (score,) = embedhub_eval.evaluate(vectors, [tmp_path / "questions"])
    assert (score.covered, score.total, score.score, score.interval) == (0, 1, None, None)


def answers(vectors: Vectors, rows: np.ndarray[Any, Any], method: str) -> list[int]:
    """Solve analogies one at a time by the formulas of the paper, in double precision."""
    unit = vectors.matrix.astype(float)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    best = []
    for a, b, c in rows:
        to_a, to_b, to_c = unit @ unit[a], unit @ unit[b], unit @ unit[c]
        if method == "3CosAdd":
            score = to_b - to_a + to_c
        else:
            score = ((to_b + 1) / 2) * ((to_c + 1) / 2) / ((to_a + 1) / 2 + 0.001)
        score[[a, b, c]] = -np.inf
        best.append(int(score.argmax()))
    return best


@pytest.mark.slow
@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
@given(
    size=st.integers(4, 300),
    count=st.integers(1, 200),
    cells=st.sampled_from([1, 100, 1 << 21]),
    seed=st.integers(0, 1000),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_answers_are_those_of_the_formulas(
    method: analogy_solver.Method,
    size: int,
    count: int,
    cells: int,
    seed: int,
    make_vectors: Callable[..., Vectors],
) -> None:
    """For any size of blocks, the answers equal those of the formulas, one analogy at a time."""
    vectors = make_vectors([f"w{i}" for i in range(size)], dim=7)
    rows = np.random.default_rng(seed).integers(0, size, (count, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analogy_solver, "BLOCK_COSINES", cells)
        solved = analogy_solver.solve(vectors, rows, method=method)
    assert solved.tolist() == answers(vectors, rows, method)


def test_first_of_equal_scores_is_the_answer(tmp_path: Path) -> None:
    """Equal vectors tie, and vectors of zeros have cosine 0; the first row wins for any size of blocks."""
    path = tmp_path / "vectors.txt"
    lines = ["a 1 0", "b 0 1", "c 1 1", "d 0 2", "e 0 1", "zero 0 0"]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    vectors = embedhub.load(path)
    for cells in (1, 1 << 21):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(analogy_solver, "BLOCK_COSINES", cells)
            assert analogy_solver.solve(vectors, np.array([[0, 1, 2], [0, 3, 2]])).tolist() == [3, 1]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
def test_ties_do_not_depend_on_blas(method: analogy_solver.Method) -> None:
    """Many words of wordnet-ppmi share a vector; threads and blocks do not decide among them."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    analogies = np.random.default_rng(0).integers(0, len(vectors), (400, 3))
    solved = []
    for threads, cells in ((1, 1 << 23), (2, 1 << 23), (1, 1 << 20), (2, 3_000_017)):
        with pytest.MonkeyPatch.context() as patch, threadpool_limits(threads, "blas"):
            patch.setattr(analogy_solver, "BLOCK_COSINES", cells)
            solved.append(analogy_solver.solve(vectors, analogies, method=method))
    for other in solved[1:]:
        assert other.tolist() == solved[0].tolist()
    rows = {row.tobytes(): place for place, row in reversed(list(enumerate(vectors.matrix)))}
    firsts = np.array([rows[vectors.matrix[answer].tobytes()] for answer in solved[0]])
    excluded = (firsts[:, None] == analogies).any(axis=1)  # then another word with that vector is the answer
    assert (firsts == solved[0])[~excluded].all()
    assert len(rows) < len(vectors)


def test_analogies_have_categories_and_several_answers(
    make_vectors: Callable[..., Vectors], tmp_path: Path
) -> None:
    """The whole comes first, then each category; any of the answers is correct; OOV is wrong with zero."""
    vectors = make_vectors(WORDS)
    king, man, woman = vectors.indices(["king", "man", "woman"])
    (best,) = answers(vectors, np.array([[man, king, woman]]), "3CosAdd")
    right, wrong = (
        vectors.words[best],
        next(w for w in WORDS[1:] if w not in {vectors.words[best], "man", "woman"}),
    )
    path = tmp_path / "questions"
    path.write_text(
        f": one\nman\tking\twoman\t{right}\nman\tking\twoman\t{wrong}\n: two\nman\tking\twoman\tqwxz\n",
        "utf-8",
    )
    scores = embedhub_eval.evaluate(vectors, [path])
    assert [(score.category, score.score, score.covered, score.total) for score in scores] == [
        ("", 0.5, 2, 3),
        ("one", 0.5, 2, 2),
        ("two", None, 0, 1),
    ]
    assert {(score.kind, score.method) for score in scores} == {("analogy", "3CosAdd")}
    zero = embedhub_eval.evaluate(vectors, [path], missing="zero", method="3CosMul")
    assert [score.score is None for score in zero] == [False, False, False]
    assert zero[2].score == 0
    with zipfile.ZipFile(tmp_path / "bats.zip", "w") as archive:
        archive.writestr("BATS/1_royal/kings.txt", f"man\tking\nwoman\t{right}/qwxz\n")
    several = embedhub_eval.Benchmark(name="several", format="bats", path=tmp_path / "bats.zip")
    (score,) = embedhub_eval.evaluate(vectors, several)
    (back,) = answers(vectors, vectors.indices(["woman", right, "man"])[None], "3CosAdd")
    assert (score.score, score.covered, score.total) == ((1 + (back == king)) / 2, 2, 2)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"missing": "drop"}, ValueError, "missing is 'drop'; expected 'skip' or 'zero'"),
        ({"method": "add"}, ValueError, "method is 'add'; expected '3CosAdd' or '3CosMul'"),
        ({"benchmarks": [3]}, TypeError, "3 is not a benchmark"),
        ({"benchmarks": "simlex"}, SourceNotFoundError, "'simlex'. Did you mean 'simlex-999'"),
        ({"benchmarks": ["men"]}, DownloadError, "men is not in the cache"),
    ],
)
def test_invalid_option_is_an_error(
    options: dict[str, Any],
    error: type[Exception],
    words: str,
    make_vectors: Callable[..., Vectors],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wrong values and named benchmarks that are not available are errors."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(error, match=words):
        embedhub_eval.evaluate(make_vectors(WORDS), **options)


def test_available_benchmarks_are_the_default(small_mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without named benchmarks, a warning names those that are not available."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.warns(
        BenchmarkWarning, match=r"11 of 15 benchmarks are not available and were skipped: bats, mc-30"
    ):
        scores = embedhub_eval.evaluate("wordnet-ppmi:25")
    assert [(score.benchmark, score.category) for score in scores] == [
        ("google-analogies", ""),
        ("google-analogies", "semantic"),
        ("google-analogies", "syntactic"),
        ("men", ""),
        ("simlex-999", ""),
        ("wordsim-353", ""),
    ]


@pytest.fixture
def silent_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let a proxy that never answers stand before the network, and return the hosts that it was asked for."""
    asked: list[str] = []

    class Hangup(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode().split()[1].removesuffix(":443"))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hangup) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}")
        yield asked
        server.shutdown()


FILES = [file for one in embedhub_eval.benchmarks().values() for file in one.files]
HOSTS = sorted({urlsplit(file.url).netloc for file in FILES})


def test_silent_host_is_asked_once(small_mirror: Path, silent_proxy: list[str]) -> None:
    """Without a network each host is asked once, the others are scored, and one warning names the rest."""
    with pytest.warns(BenchmarkWarning) as caught:
        scores = embedhub_eval.evaluate("wordnet-ppmi:25")
    assert {score.benchmark for score in scores} == {"google-analogies", "men", "simlex-999", "wordsim-353"}
    hosts = [host for host in HOSTS if host != "www.cl.cam.ac.uk"]  # only SimLex-999 is there
    assert sorted(silent_proxy) == hosts
    (message,) = [str(warning.message) for warning in caught]
    assert "11 of 15 benchmarks are not available and were skipped: bats, mc-30, msr-analogies" in message
    assert f"No answer from {', '.join(hosts)}." in message
    assert "copy the folder downloads/ of that cache to" in message


def test_no_benchmark_without_a_network_is_one_error(silent_proxy: list[str]) -> None:
    """With no benchmark at all, each host is asked once, and the error names all benchmarks."""
    with pytest.raises(DownloadError) as raised:
        embedhub_eval.evaluate("wordnet-ppmi:25")
    assert sorted(silent_proxy) == HOSTS
    assert "15 of 15 benchmarks are not available: bats, google-analogies, " in str(raised.value)
    assert "and were skipped" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "is_silent"),
    [(404, False), (403, False), (429, True), (503, True)],
)
def test_host_that_answers_is_asked_for_each_file(
    status: int, is_silent: bool, serve: Callable[..., Serving], tmp_path: Path, silent_proxy: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A host without a file may have the next; one that asks to come back later is not asked again."""
    serving = serve(tmp_path, faults=[{"status": status} for _ in range(5 * len(FILES))])
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    with pytest.raises(DownloadError, match="15 of 15 benchmarks"):
        embedhub_eval.evaluate("wordnet-ppmi:25")
    assert len(serving.asked) == (1 if is_silent else len(FILES))
    assert sorted(silent_proxy) == HOSTS


def test_host_with_wrong_bytes_is_asked_for_each_file(
    serve: Callable[..., Serving], tmp_path: Path, silent_proxy: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong hash means that the host has answered."""
    files = [file for file in FILES if not file.member]
    for file in files:
        place = tmp_path / file.url.removeprefix("https://")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"#" * (file.size or 1))
    serving = serve(tmp_path)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    with pytest.raises(DownloadError, match=r"15 of 15 benchmarks(.|\n)*expected sha"):
        embedhub_eval.evaluate("wordnet-ppmi:25")
    asked = {line.partition(" ")[0] for line in serving.asked}
    assert asked >= {f"/{file.url.removeprefix('https://')}" for file in files}
    assert sorted(silent_proxy) == HOSTS


def test_misspelt_source_is_an_error_before_a_download(silent_proxy: list[str]) -> None:
    """No benchmark is requested for a source that does not exist."""
    with pytest.raises(SourceNotFoundError, match="wordnet-ppmi"):
        embedhub_eval.evaluate("wordnet-pmi:25")
    assert silent_proxy == []


def test_no_available_benchmark_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, with an empty cache and no mirror, evaluation fails."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="EMBEDHUB_OFFLINE"):
        embedhub_eval.evaluate("wordnet-ppmi:25")


BENCHMARKS = ["wordsim-353", "simlex-999", "men", "google-analogies"]


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
def test_scores_of_glove_are_those_of_scipy_and_numpy(
    method: analogy_solver.Method,
    glove_20k: Vectors,
    small_mirror: Path,
    small_benchmarks: dict[str, embedhub_eval.Benchmark],
) -> None:
    """Similarity equals scipy's rho of plain cosines, and analogies the formulas."""
    scores = {
        (score.benchmark, score.category): score
        for score in embedhub_eval.evaluate(glove_20k, BENCHMARKS, method=method)
    }
    for name in BENCHMARKS[:3]:
        pairs = [pair for pair in small_benchmarks[name].read() if "qwxz" not in {pair.word1, pair.word2}]
        cosines = [cosine(glove_20k, pair.word1.lower(), pair.word2.lower()) for pair in pairs]
        expected = spearmanr(cosines, [pair.score for pair in pairs]).statistic
        score = scores[name, ""]
        assert score.score == pytest.approx(expected)
        assert expected > 0.2
        assert score.interval is not None
        assert score.interval[0] < expected < score.interval[1]
        assert (score.covered, score.total) == (len(pairs), small_benchmarks[name].total)
    covered_analogies = [
        question for question in small_benchmarks[BENCHMARKS[3]].read()
        if not any("qwxz" in word for word in (question.a, question.b, question.c, *question.answers))
    ]  # fmt: skip
    rows = glove_20k.indices([word.lower() for q in covered_analogies for word in (q.a, q.b, q.c)]).reshape(
        -1, 3
    )
    solved = [glove_20k.words[row] for row in answers(glove_20k, rows, method)]
    right = {"semantic": 0, "syntactic": 0}
    for question, word in zip(covered_analogies, solved, strict=True):
        right[question.category] += word == question.answers[0].lower()
    assert scores[BENCHMARKS[3], ""].score == sum(right.values()) / 42
    for part, covered, total in (("semantic", 30, 30), ("syntactic", 12, 20)):
        score = scores[BENCHMARKS[3], part]
        assert (score.covered, score.total) == (covered, total)
        assert score.score == right[part] / covered > 0.5


KNOWN = {
    ("wordsim-353", ""): "0.5033",
    ("simlex-999", ""): "0.2646",
    ("men", ""): "0.6523",
    ("google-analogies", ""): "46.22 %",
    ("google-analogies", "semantic"): "48.46 %",
    ("google-analogies", "syntactic"): "44.36 %",
}


def shown(score: Score) -> str:
    """Return a score as tables show it."""
    assert score.score is not None
    return f"{score.score:.4f}" if score.kind == "similarity" else f"{100 * score.score:.2f} %"


LEAST = {"wordsim-353": 0.68, "simlex-999": 0.45, "men": 0.7}


@pytest.mark.slow
def test_published_benchmarks_have_the_scores_of_the_pages(
    glove_50d: Vectors, real_mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GloVe 6B 50d has its known scores, and the tables of the pages are correct."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_mirror))
    columns = [embedhub_eval.evaluate(glove_50d, BENCHMARKS)]
    assert {(score.benchmark, score.category): shown(score) for score in columns[0]} == KNOWN
    assert [score.total for score in columns[0]] == [353, 999, 3000, 19544, 8869, 10675]
    (row,) = embedhub_eval.compare("glove-6b:50", download=True)
    assert row.scores == {score.benchmark: score for score in columns[0][:3]}
    assert (row.vocab_size, row.download_bytes) == (400_000, 69_182_535)
    columns += [embedhub_eval.evaluate(f"wordnet-ppmi:{dim}", BENCHMARKS) for dim in (25, 50, 100)]
    for glove, *wordnet in zip(*columns, strict=True):
        label = f"`{glove.benchmark}`{glove.category and ', '}{glove.category}"
        line = next(line for line in PAGE.splitlines() if line.startswith(f"| {label} |"))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[2] == f"{glove.covered:,} of {glove.total:,}"
        assert cells[6] == f"{wordnet[0].covered:,} of {wordnet[0].total:,}"
        for score, cell in zip((glove, *wordnet), (cells[1], *cells[3:6]), strict=True):
            figure, low, high = re.fullmatch(r"(.*) \((.*) to (.*)\)", cell).groups()  # type: ignore[union-attr]  # it must
            scale = 1 if score.kind == "similarity" else 100
            assert score.interval == pytest.approx((float(low) / scale, float(high) / scale), abs=0.01)
            assert figure == shown(score)
    for dim, scores in zip((25, 50, 100), columns[1:], strict=True):
        similar = [score for score in scores if score.benchmark in LEAST]
        assert f"| {dim} | {' | '.join(map(shown, similar))} |" in PAGE_OF_SOURCES
        for score in similar:
            missing = f"({score.total - score.covered} of {score.total:,}"
            assert missing in PAGE_OF_SOURCES.replace(" pairs missing", "")
            assert score.score is not None
            assert dim < 100 or score.score >= LEAST[score.benchmark]


SCORE = Score("s", 3, "n", "", "similarity", 0.5, (0.25, 0.75), 4, 5, "skip", None)


def test_score_has_json_types() -> None:
    """The dict of a score survives JSON."""
    assert json.loads(json.dumps(SCORE.to_dict())) == {
        "source": "s", "dim": 3, "benchmark": "n", "category": "", "kind": "similarity", "score": 0.5,
        "interval": [0.25, 0.75], "covered": 4, "total": 5, "missing": "skip", "method": None, "note": "",
    }  # fmt: skip


@pytest.mark.slow
def test_evaluate_command_prints_a_table_or_json(
    pairs: Path, small_plugin: dict[str, str], small_benchmarks: dict[str, embedhub_eval.Benchmark]
) -> None:
    """The table has a row for each benchmark or file and a column for each dim; JSON has the same scores."""
    arguments = [
        "evaluate",
        "wordnet-ppmi:25",
        "wordnet-ppmi:100",
        "--benchmarks",
        f"small-simlex-999,./{pairs.name}",
    ]
    done = run(*arguments, cwd=pairs.parent, **small_plugin)
    assert done.returncode == 0, done.stderr
    assert "wordnet-ppmi; out-of-vocabulary words: skip" in done.stdout
    cells = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDHUB_MIRROR", small_plugin["EMBEDHUB_MIRROR"])
        judged = small_benchmarks["simlex-999"].read()
    for dim in (25, 100):
        vectors = embedhub.load("wordnet-ppmi", dim)
        cosines = [cosine(vectors, pair.word1, pair.word2) for pair in judged]
        expected = spearmanr(cosines, [pair.score for pair in judged]).statistic
        cells += rf"  {expected:.4f} \(-?\d\.\d{{4}} to \d\.\d{{4}}\)"
    assert re.search(rf"small-simlex-999 +18 of 18{cells}", done.stdout)
    assert re.search(r"pairs-tsv +3 of 5 ", done.stdout)  # "new york" is none of its words
    done = run(*arguments, "--missing", "zero", "--json", cwd=pairs.parent, **small_plugin)
    scores = json.loads(done.stdout)
    assert [(one["benchmark"], one["dim"], one["covered"]) for one in scores] == [
        ("small-simlex-999", 25, 18), ("pairs-tsv", 25, 3),
        ("small-simlex-999", 100, 18), ("pairs-tsv", 100, 3),
    ]  # fmt: skip
    assert {one["missing"] for one in scores} == {"zero"}


@pytest.mark.slow
def test_command_lists_benchmarks_and_rejects_wrong_usage(tmp_path: Path) -> None:
    """--list works without a source; wrong usage has exit code 2, an unknown benchmark exit code 1."""
    done = run("evaluate", "--list", "--json", cwd=tmp_path)
    listed = {one["name"]: one for one in json.loads(done.stdout)}
    assert list(listed) == list(embedhub_eval.benchmarks())
    assert listed["men"]["license"] == "CC-BY-2.0"
    assert "Apache-2.0" in run("evaluate", "--list", cwd=tmp_path).stdout
    for wrong in ([], ["wordnet-ppmi", "25", "--missing", "no"], ["wordnet-ppmi", "25", "--benchmarks", ","]):
        assert run("evaluate", *wrong, cwd=tmp_path).returncode == 2
    assert run("evaluate", "wordnet-ppmi:25", "--benchmarks", "simlex", cwd=tmp_path).returncode == 1


@pytest.mark.slow
def test_solving_shows_a_progress_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Solving analogies shows a progress bar, and the table names the method."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "1")
    (tmp_path / "questions.txt").write_text("man king woman queen\n", "utf-8")
    done = run(
        "evaluate",
        "wordnet-ppmi:25",
        "--benchmarks",
        "./questions.txt",
        "--method",
        "3CosMul",
        cwd=tmp_path,
    )
    assert "Solving questions-txt with wordnet-ppmi 25d" in done.stderr
    assert "3CosMul" in done.stdout


@pytest.mark.slow
def test_interval_needs_ten_pairs(make_vectors: Callable[..., Vectors], pairs: Path) -> None:
    """Below that there is none, and the score, its JSON and the table say so."""
    vectors = make_vectors(WORDS, fallbacks=("lower",))
    (score,) = embedhub_eval.evaluate(vectors, [pairs])
    assert score.interval is None
    assert score.note == score.to_dict()["note"] == "4 pairs have no interval: at least 10 are needed."
    result = run("evaluate", "wordnet-ppmi:25", "--benchmarks", str(pairs))
    assert "pairs-tsv: 3 pairs have no interval: at least 10 are needed." in result.stdout


def test_pairs_of_a_word_with_itself_have_cosine_one() -> None:
    """All of them are tied, whatever their vectors."""
    vectors = embedhub.load("wordnet-ppmi", 100)
    words = ["rain", "storm", "music", "king", "cat", "dog", "tree", "water", "house", "car"]
    cosines = _similarity(vectors, [WordPair(word, word, 10) for word in words]).values
    assert cosines.tolist() == [1] * len(words)


def test_scores_are_a_table_in_a_notebook(pairs: Path) -> None:
    """Each score has a row; the repr names the vectors, and a few scores show themselves."""
    scores = embedhub_eval.evaluate(["wordnet-ppmi:25", "wordnet-ppmi:50"], [pairs])
    caption, rows = read_html(scores)
    assert caption == "2 scores"
    assert rows[0] == ["source", "dim", "benchmark", "category", "covered", "score"]
    assert [row[:5] for row in rows[1:]] == [
        ["wordnet-ppmi", dim, "pairs-tsv", "", f"{score.covered} of 5"]
        for dim, score in zip(("25", "50"), scores, strict=True)
    ]
    assert repr(scores) == f"[{scores[0]!r}, {scores[1]!r}]"
    assert repr(type(scores)(scores * 50)) == "<100 scores: wordnet-ppmi 25d, wordnet-ppmi 50d>"
