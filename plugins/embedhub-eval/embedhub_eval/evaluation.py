"""Evaluation of vectors on benchmarks of word similarity and analogies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from embedhub import settings
from embedhub._cache import downloads_folder
from embedhub._names import shown_names
from embedhub._progress import progress_bar
from embedhub._warn import warn
from embedhub.errors import DownloadError, OfflineError
from embedhub.registry.loading import find, load
from embedhub.vectors import fallbacks
from embedhub.vectors.tokens import whole_words
from embedhub.vectors.vectors import Vectors
from embedhub_eval import analogy_solver, metrics, registry
from embedhub_eval.analogies import Analogy
from embedhub_eval.analogy_solver import Method
from embedhub_eval.benchmark import Benchmark, BenchmarkWarning, Kind
from embedhub_eval.metrics import Interval
from embedhub_eval.results import Scores
from embedhub_eval.selectors import Selector, parse_selectors
from embedhub_eval.word_pairs import WordPair

Missing = Literal["skip", "zero"]


@dataclass(frozen=True, slots=True)
class Score:
    r"""The score of vectors on a benchmark, or on a category of it.

    Example:
        >>> import embedhub_eval, pathlib
        >>> _ = pathlib.Path("pairs.tsv").write_text("rain\tstorm\t8\nrain\tmusic\t1\ncat\tkitten\t9\n")
        >>> (score,) = embedhub_eval.evaluate("wordnet-ppmi:50", ["./pairs.tsv"])
        >>> score.benchmark, score.kind, score.covered, score.total
        ('pairs-tsv', 'similarity', 3, 3)

    Args:
        source: Name of the source.
        dim: Dimension of the vectors.
        benchmark: Name of the benchmark.
        category: Category of the benchmark; ``""`` for the whole.
        kind: ``"similarity"`` or ``"analogy"``.
        score: Spearman's correlation, between -1 and 1, or the accuracy on analogies, between 0 and 1. None
            if it is not defined, as when no pair is covered.
        interval: 95 % confidence interval of the score: Bonett and Wright's for similarity, Wilson's for
            analogies. None if it is not defined, as for fewer than 10 pairs; see
            `note`.
        covered: Number of pairs or analogies whose words are all in the vocabulary.
        total: Number of pairs or analogies.
        missing: How pairs and analogies with an out-of-vocabulary word were treated, ``"skip"`` or
            ``"zero"``.
        method: How analogies were solved, ``"3CosAdd"`` or ``"3CosMul"``; None for similarity.
    """

    source: str
    dim: int
    benchmark: str
    category: str
    kind: Kind
    score: float | None
    interval: Interval | None
    covered: int
    total: int
    missing: Missing
    method: Method | None

    def __repr__(self) -> str:
        where = f"{self.benchmark} ({self.category})" if self.category else self.benchmark
        score = "-" if self.score is None else f"{self.score:.4f}"
        interval = " ({:.4f} to {:.4f})".format(*self.interval) if self.interval else ""
        return (
            f"<Score {self.source} {self.dim}d on {where}: {score}{interval}, "
            f"{self.covered:,} of {self.total:,} covered>"
        )

    @property
    def note(self) -> str:
        """Reason for a missing interval, fewer than 10 pairs; ``""`` if there are enough."""
        counted = self.covered if self.missing == "skip" else self.total
        if self.interval or self.kind == "analogy" or counted >= metrics.MIN_PAIRS:
            return ""
        return f"{counted} pairs have no interval: at least {metrics.MIN_PAIRS} are needed."

    def to_dict(self) -> dict[str, Any]:
        r"""Return all fields, and the note, as JSON types.

        Example:
            >>> import embedhub_eval, json, pathlib
            >>> _ = pathlib.Path("pairs.tsv").write_text("rain\tstorm\t8\nrain\tmusic\t1\n")
            >>> (score,) = embedhub_eval.evaluate("wordnet-ppmi:50", ["./pairs.tsv"])
            >>> json.loads(json.dumps(score.to_dict()))["total"]
            2
        """
        return asdict(self) | {
            "interval": list(self.interval) if self.interval else None,
            "note": self.note,
        }


def evaluate(
    sources: Selector | Iterable[Selector],
    benchmarks: str | Path | Benchmark | Iterable[str | Path | Benchmark] | None = None,
    *,
    missing: Missing = "skip",
    method: Method = "3CosAdd",
) -> list[Score]:
    r"""Score vectors on benchmarks of word similarity and of analogies.

    The score on word similarity is Spearman's correlation between the cosines of word pairs and their human
    ratings. The score on analogies is the accuracy of the answers, which are searched among all words of the
    source except the three of the analogy. Words are looked up unchanged first, then with the fallbacks of
    the source, such as lower case for an uncased source. Of a source of tokens (`embedhub.Vectors.unit`),
    only tokens that are whole words are used: pieces like ``##ing`` and control tokens like ``[CLS]`` are
    ignored, and words are looked up with the mark of the tokenizer for the start of a word (``▁rain``,
    ``Ġrain``), if it has one.

    The intervals assume independent pairs and analogies; many analogies share words, so their intervals are
    too narrow.

    Example:
        >>> import embedhub_eval
        >>> from pathlib import Path
        >>> _ = Path("mine.tsv").write_text("rain\tstorm\t8\nrain\tmusic\t1\ncat\tkitten\t9\ncat\tqwxz\t0\n")
        >>> (score,) = embedhub_eval.evaluate("wordnet-ppmi:50", ["./mine.tsv"])
        >>> score.covered, score.total
        (3, 4)

    Args:
        sources: One source or several: ``"name:dim"``, ``"name"`` if the source has only one dimension, a
            path, an `EmbeddingSource`, `Vectors`, or a pair of a source and its dim.
        benchmarks: Names of benchmarks (see `embedhub_eval.benchmarks`), paths of your own files, or
            `Benchmark` objects. By default, all registered benchmarks that are available; a warning lists the
            others.
        missing: How to treat pairs and analogies with an out-of-vocabulary word. ``"skip"`` ignores them;
            ``"zero"`` scores such a pair as similarity 0, and such an analogy as wrong. Published tables
            differ in this. In both cases, `Score.covered` counts the others.
        method: ``"3CosAdd"`` or ``"3CosMul"``; see `embedhub_eval.analogy_solver.solve`.

    Returns:
        For each source in order, the score on each benchmark in order, followed by those on its categories,
        if it has several. In a notebook the list is a table.

    Raises:
        SourceNotFoundError: No source or benchmark has the name.
        DownloadError: A named benchmark is not available, or, by default, none is. By default, a host that
            does not answer is tried only once.
        FormatError: A file is not in the expected format.
        ValueError: ``missing`` or ``method`` is not one of the values above, or ``benchmarks`` is empty.
        EmbedhubError: Other errors of `embedhub.load`.

    Warns:
        BenchmarkWarning: By default, if some benchmarks are not available.
    """
    if benchmarks is not None:
        benchmarks = registry.get_benchmarks(benchmarks)
        if not benchmarks:
            raise ValueError(
                "benchmarks is empty; expected at least one, or None for all that are available."
            )
    for option, value, kind in (("missing", missing, Missing), ("method", method, Method)):
        if value not in get_args(kind):
            raise ValueError(f"{option} is {value!r}; expected {' or '.join(map(repr, get_args(kind)))}.")
    parsed = parse_selectors(sources)
    for source, dim in parsed:
        find(source, dim)  # a misspelled name is an error before the first download
    selected = (
        _available_benchmarks()
        if benchmarks is None
        else [(benchmark, benchmark.read()) for benchmark in benchmarks]
    )
    return Scores(
        score
        for loaded in [load(source, dim) for source, dim in parsed]
        for vectors in [whole_words(loaded)]
        for benchmark, items in selected
        for score in _scores(vectors, benchmark, items, missing, method)
    )


def _available_benchmarks() -> list[tuple[Benchmark, list[Any]]]:
    """Return all benchmarks that are in the cache or can be downloaded; try a silent host only once."""
    benchmarks = registry.benchmarks().values()
    available: list[tuple[Benchmark, list[Any]]] = []
    failures: list[tuple[str, DownloadError]] = []
    silent_hosts: set[str] = set()
    with progress_bar("Reading benchmarks", len(benchmarks), in_bytes=False) as advance:
        for benchmark in benchmarks:
            try:
                if benchmark.path is None:
                    benchmark.fetch(silent_hosts=silent_hosts)
                available.append((benchmark, benchmark.read()))
            except DownloadError as error:
                failures.append((benchmark.name, error))
            advance(1)
    if not failures:
        return available
    skipped = shown_names(name for name, _ in failures)
    silent = f" No answer from {shown_names(sorted(silent_hosts))}." if silent_hosts else ""
    message = (
        f"{len(failures)} of {len(benchmarks)} benchmarks are not available"
        f"{' and were skipped' if available else ''}: {skipped}.{silent} To get them, evaluate once where "
        "their servers can be reached, and for a machine without a network copy the folder downloads/ of "
        f"that cache to {downloads_folder()}. The first error: {failures[0][1]}"
    )
    if not available:
        raise (OfflineError if settings.offline() else DownloadError)(message) from failures[0][1]
    warn(message, BenchmarkWarning)
    return available


def _scores(
    vectors: Vectors, benchmark: Benchmark, items: Sequence[Any], missing: Missing, method: Method
) -> Iterator[Score]:
    if benchmark.kind == "similarity":
        results = _similarity(vectors, items)
    else:
        results = _analogies(vectors, items, method, f"{benchmark.name} with {vectors.name} {vectors.dim}d")
    for category, members in _categories(items):
        score, interval = results.score(members, missing)
        yield Score(
            source=vectors.name,
            dim=vectors.dim,
            benchmark=benchmark.name,
            category=category,
            kind=benchmark.kind,
            score=score,
            interval=interval,
            covered=int(results.covered[members].sum()),
            total=int(members.sum()),
            missing=missing,
            method=method if benchmark.kind == "analogy" else None,
        )


@dataclass(frozen=True, slots=True)
class _ItemScores:
    """Results for each pair or analogy.

    Args:
        covered: ``(k,)`` whether all words are in the vocabulary.
        values: ``(k,)`` cosines, or 1 for a correct answer and 0 for a wrong one; 0 if not covered.
        ratings: ``(k,)`` human ratings; None for analogies.
    """

    covered: NDArray[np.bool_]
    values: NDArray[np.float64]
    ratings: NDArray[np.float64] | None

    def score(self, members: NDArray[np.bool_], missing: Missing) -> tuple[float | None, Interval | None]:
        """Return the score of some of the items, and its interval."""
        counted = members & self.covered if missing == "skip" else members
        values = self.values[counted]
        if self.ratings is not None:
            rho = metrics.spearman(values, self.ratings[counted])
            return rho, metrics.spearman_interval(rho, len(values))
        correct = int(values.sum())
        accuracy = correct / len(values) if len(values) else None
        return accuracy, metrics.accuracy_interval(correct, len(values))


def _categories(items: Sequence[WordPair | Analogy]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the whole and then each category, if there are several, with a mask of its items."""
    yield "", np.ones(len(items), np.bool_)
    labels = np.array([item.category if isinstance(item, Analogy) else "" for item in items])
    if len(categories := dict.fromkeys(labels.tolist())) > 1:
        yield from ((category, labels == category) for category in categories)


def _similarity(vectors: Vectors, pairs: Sequence[WordPair]) -> _ItemScores:
    words = [word for pair in pairs for word in (pair.word1, pair.word2)]
    match = fallbacks.lookup(vectors, words, vectors.fallbacks)
    looked_up = vectors.matrix[np.maximum(match.rows, 0)].astype(np.float64)
    for position, mean in match.mean_vectors(vectors):
        looked_up[position] = mean
    left, right = looked_up[0::2], looked_up[1::2]
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines = np.einsum("ij,ij->i", left, right) / np.where(lengths == 0, 1, lengths)
    # Rounding would give equal vectors several cosines near 1, and ranks tell these apart.
    cosines[(left == right).all(axis=1) & (lengths > 0)] = 1
    covered = ~(match.missing[0::2] | match.missing[1::2])
    return _ItemScores(covered, np.where(covered, cosines, 0), np.array([pair.score for pair in pairs]))


def _analogies(vectors: Vectors, items: Sequence[Analogy], method: Method, label: str) -> _ItemScores:
    words = list(dict.fromkeys(word for item in items for word in (*item[:3], *item.answers)))
    # A word that a fallback averages from several vectors is not one of the words that can be an answer.
    rows = dict(zip(words, fallbacks.lookup(vectors, words, vectors.fallbacks).rows.tolist(), strict=True))
    given = np.array([[rows[word] for word in item[:3]] for item in items])
    answers = [{rows[answer] for answer in item.answers if rows[answer] >= 0} for item in items]
    covered = (given >= 0).all(axis=1) & np.array([bool(rows_of_item) for rows_of_item in answers])
    solved = analogy_solver.solve(vectors, given[covered], method=method, label=label)
    correct = np.zeros(len(items))
    correct[covered] = [
        row in answers[i] for row, i in zip(solved.tolist(), np.flatnonzero(covered).tolist(), strict=True)
    ]
    return _ItemScores(covered, correct, None)
