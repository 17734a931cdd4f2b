"""How good vectors are: benchmarks of word similarity and of analogies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from embedhub._warn import warn
from embedhub.errors import BenchmarkWarning, DownloadError
from embedhub.registry.local_file import as_path
from embedhub.registry.registry import Source, load
from embedhub.vectors import fallbacks
from embedhub.vectors.vectors import Vectors
from embedhub_eval import analogy_solver as analogies
from embedhub_eval import metrics as scores
from embedhub_eval.analogy_solver import Method
from embedhub_eval.benchmark import Benchmark, Kind, open_benchmark
from embedhub_eval.items import Pair, Question
from embedhub_eval.metrics import Interval
from embedhub_eval.registry import benchmarks

Missing = Literal["skip", "zero"]


@dataclass(frozen=True, slots=True)
class Score:
    r"""What vectors score on a benchmark, or on one part of it.

    Example:
        >>> import embedhub, embedhub_eval, pathlib
        >>> _ = pathlib.Path("pairs.tsv").write_text("rain\tstorm\t8\nrain\tmusic\t1\ncat\tkitten\t9\n")
        >>> (score,) = embedhub_eval.evaluate("wordnet-ppmi", 50, ["./pairs.tsv"])
        >>> score.name, score.kind, score.covered, score.total
        ('pairs-tsv', 'similarity', 3, 3)

    Args:
        source: Name of the source.
        dim: Width of a row.
        name: Name of the benchmark.
        part: Which part of it; ``""`` for the whole.
        kind: ``"similarity"`` or ``"analogy"``.
        score: Spearman's correlation, between -1 and 1; the share of analogies that are right, between 0 and
            1. None where it means nothing, as where nothing is covered.
        interval: The 95 % interval of the score by the bootstrap, None where there is none.
        covered: How many pairs or questions have all their words in the vocabulary.
        total: How many there are.
        missing: ``"skip"`` or ``"zero"``: what was done with the others.
        method: How analogies were solved, ``"add"`` or ``"mul"``; None for similarity.
    """

    source: str
    dim: int
    name: str
    part: str
    kind: Kind
    score: float | None
    interval: Interval | None
    covered: int
    total: int
    missing: Missing
    method: Method | None

    def to_dict(self) -> dict[str, Any]:
        r"""Return everything as plain dicts, lists, strings and numbers, as JSON has them.

        Example:
            >>> import embedhub, embedhub_eval, json, pathlib
            >>> _ = pathlib.Path("pairs.tsv").write_text("rain\tstorm\t8\nrain\tmusic\t1\n")
            >>> (score,) = embedhub_eval.evaluate("wordnet-ppmi", 50, ["./pairs.tsv"])
            >>> json.loads(json.dumps(score.to_dict()))["total"]
            2
        """
        facts = asdict(self)
        return facts | {"interval": list(self.interval) if self.interval else None}


def evaluate(
    source: Source,
    dim: int | None = None,
    sets: Iterable[str | Path | Benchmark] | None = None,
    *,
    missing: Missing = "skip",
    method: Method = "add",
    resamples: int = scores.RESAMPLES,
    seed: int = 0,
) -> list[Score]:
    r"""Score vectors on benchmarks of word similarity and of analogies.

    Similarity: Spearman's correlation of the cosines of pairs with what people said. Analogies: the share of
    questions whose answer, looked for among all words of the source but the three of the question, is right.
    Words are looked up as they are, then by the source's own fallbacks: in lower case, where the source is
    uncased. The intervals are percentiles of a bootstrap that takes pairs, or questions, as independent;
    many questions share words, so theirs are rather too narrow.

    Example:
        >>> import embedhub, embedhub_eval
        >>> from pathlib import Path
        >>> _ = Path("mine.tsv").write_text("rain\tstorm\t8\nrain\tmusic\t1\ncat\tkitten\t9\ncat\tqwxz\t0\n")
        >>> (score,) = embedhub_eval.evaluate("wordnet-ppmi", 50, ["./mine.tsv"])
        >>> score.covered, score.total
        (3, 4)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        sets: Names of benchmarks (see `embedhub_eval.benchmarks`), paths of your own files, or `Benchmark`
            objects. None stands for every registered benchmark that can be had; the others are warned of.
        missing: What becomes of pairs and questions with a word that the source does not have. ``"skip"``
            leaves them out; with ``"zero"`` such a pair has similarity 0, and such a question is answered
            wrongly. Published tables differ in it. They are counted in either case.
        method: ``"add"`` for 3CosAdd, ``"mul"`` for 3CosMul; see `embedhub_eval.analogy_solver.solve`.
        resamples: How many samples the bootstrap draws.
        seed: Of the bootstrap: the same seed gives the same interval.

    Returns:
        A score for each benchmark in the order of ``sets``, each followed by those of its parts, if it has
        some.

    Raises:
        SourceNotFoundError: No source, or no benchmark, has that name.
        DownloadError: A benchmark that was asked for cannot be had, or none at all can.
        FormatError: A file is not what its reader expects.
        ValueError: An option has not the form described here.
        EmbedhubError: What `embedhub.load` raises.

    Warns:
        BenchmarkWarning: ``sets`` is None, and some benchmarks cannot be had.
    """
    if missing not in get_args(Missing):
        raise ValueError(f"missing is {missing!r}; expected {' or '.join(map(repr, get_args(Missing)))}.")
    if method not in get_args(Method):
        raise ValueError(f"method is {method!r}; expected {' or '.join(map(repr, get_args(Method)))}.")
    chosen = _all_that_can_be_had() if sets is None else [(one, one.read()) for one in _named(sets)]
    vectors = load(source, dim)
    found: list[Score] = []
    for benchmark, items in chosen:
        if benchmark.kind == "similarity":
            outcome = _similarity(vectors, items)
        else:
            outcome = _analogies(
                vectors, items, method, f"{benchmark.name} with {vectors.name} {vectors.dim}d"
            )
        for part, members in _parts(items):
            score, interval = outcome.score(members, missing, resamples, seed)
            found.append(
                Score(
                    source=vectors.name,
                    dim=vectors.dim,
                    name=benchmark.name,
                    part=part,
                    kind=benchmark.kind,
                    score=score,
                    interval=interval,
                    covered=int(outcome.covered[members].sum()),
                    total=len(outcome.covered[members]),
                    missing=missing,
                    method=method if benchmark.kind == "analogy" else None,
                )
            )
    return found


def _named(sets: Iterable[str | Path | Benchmark]) -> list[Benchmark]:
    """Return the benchmarks of names, and of files."""
    if isinstance(sets, str | Path | Benchmark):
        raise TypeError(f"sets is {sets!r}; expected several, as in [{sets!r}].")
    found = []
    for one in sets:
        if isinstance(one, Benchmark):
            found.append(one)
            continue
        if not isinstance(one, str | Path):
            raise TypeError(f"sets has {one!r}; expected names, paths or Benchmark objects.")
        path = one if isinstance(one, Path) else None if one in benchmarks() else as_path(one)
        found.append(open_benchmark(path) if path else benchmarks()[str(one)])
    return found


def _all_that_can_be_had() -> list[tuple[Benchmark, list[Any]]]:
    found, failures = [], []
    for benchmark in benchmarks().values():
        try:
            found.append((benchmark, benchmark.read()))
        except DownloadError as error:
            failures.append((benchmark.name, error))
    if failures and not found:
        raise failures[0][1]
    if failures:
        names = ", ".join(name for name, _ in failures)
        warn(
            f"{len(failures)} of {len(failures) + len(found)} benchmarks cannot be had, and are left out: "
            f"{names}. Of the first: {failures[0][1]}",
            BenchmarkWarning,
        )
    return found


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What vectors say to each pair or question.

    Args:
        covered: ``(k,)`` whether all words are in the vocabulary.
        values: ``(k,)`` cosines, or 1 where the answer is right and 0 where not; 0 where it is not covered.
        expected: ``(k,)`` what people say; None for questions.
    """

    covered: NDArray[np.bool_]
    values: NDArray[np.float64]
    expected: NDArray[np.float64] | None

    def score(
        self, members: NDArray[np.bool_], missing: Missing, resamples: int, seed: int
    ) -> tuple[float | None, Interval | None]:
        """Return the score of some of the items, and its interval."""
        counted = members & self.covered if missing == "skip" else members
        values = self.values[counted]
        if self.expected is not None:
            expected = self.expected[counted]
            return (
                scores.spearman(values, expected),
                scores.spearman_interval(values, expected, resamples=resamples, seed=seed),
            )
        right = int(values.sum())
        return (
            right / len(values) if len(values) else None,
            scores.share_interval(right, len(values), resamples=resamples, seed=seed),
        )


def _parts(items: Sequence[Pair | Question]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Give the whole, then each part in the order of the items, if there are several: which items it has."""
    names = [item.part if isinstance(item, Question) else "" for item in items]
    yield "", np.ones(len(items), np.bool_)
    if len(parts := dict.fromkeys(names)) > 1:
        labels = np.array(names)
        yield from ((part, labels == part) for part in parts)


def _similarity(vectors: Vectors, pairs: Sequence[Pair]) -> _Outcome:
    words = [word for pair in pairs for word in (pair.left, pair.right)]
    match = fallbacks.find(vectors, words, vectors.fallbacks)
    rows = vectors.matrix[np.maximum(match.rows, 0)].astype(np.float64)
    for position, parts in match.means.items():
        rows[position] = vectors.matrix[parts].mean(axis=0, dtype=np.float64)
    left, right = rows[0::2], rows[1::2]
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines = np.einsum("ij,ij->i", left, right) / np.where(lengths == 0, 1, lengths)
    found = ~match.missing
    covered = found[0::2] & found[1::2]
    return _Outcome(covered, np.where(covered, cosines, 0), np.array([pair.score for pair in pairs]))


def _analogies(vectors: Vectors, questions: Sequence[Question], method: Method, what: str) -> _Outcome:
    words = list(
        dict.fromkeys(word for asked in questions for word in (asked.a, asked.b, asked.c, *asked.answers))
    )
    # A word that a fallback makes of several rows is none of the words that can be an answer.
    row_of = dict(zip(words, fallbacks.find(vectors, words, vectors.fallbacks).rows.tolist(), strict=True))
    given = np.array([[row_of[asked.a], row_of[asked.b], row_of[asked.c]] for asked in questions])
    answers = [{row_of[answer] for answer in asked.answers if row_of[answer] >= 0} for asked in questions]
    covered = (given >= 0).all(axis=1) & np.array([bool(rows) for rows in answers])
    best = analogies.solve(vectors, given[covered], method=method, what=what)
    right = np.zeros(len(questions))
    right[covered] = [
        row in answers[asked]
        for row, asked in zip(best.tolist(), np.flatnonzero(covered).tolist(), strict=True)
    ]
    return _Outcome(covered, right, None)
