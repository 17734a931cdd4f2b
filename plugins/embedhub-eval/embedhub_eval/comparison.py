"""One table to choose a source by: facts, how much of a text it knows, how good it is, what it costs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedhub import _cache as cache
from embedhub._progress import progress_bar
from embedhub.matrix.coverage import Coverage
from embedhub.matrix.embedding_matrix import coverage
from embedhub.registry.catalog import facts
from embedhub.registry.local_file import as_path
from embedhub.registry.registry import Source, as_source
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.vectors import Vectors
from embedhub_eval.benchmark import Benchmark, open_benchmark
from embedhub_eval.evaluation import Score, evaluate
from embedhub_eval.registry import benchmarks
from embedhub_eval.selectors import Choice, choices

SETS = ("wordsim-353", "simlex-999", "men")
"""The benchmarks that are compared on by default: relatedness, similarity, and the largest of the field."""

_ANY_LANGUAGE = {"mul", "und", ""}
_MISSING_SHOWN = 10
_HOW = "fetch=True (--fetch) fetches what is missing."


@dataclass(frozen=True, slots=True)
class Compared:
    """What is known of a source in one dim.

    Example:
        >>> import embedhub, embedhub_eval
        >>> (row,) = embedhub_eval.compare("glove-6b:200")
        >>> row.words, row.language, row.disk_bytes
        (400000, 'en', 332800000)

    Args:
        source: Its name.
        dim: Width of a row.
        description: One line.
        words: Number of words, None if unknown.
        language: BCP 47 code.
        cased: Whether ``The`` and ``the`` are different words in it.
        license: SPDX expression or the licence's name.
        download_bytes: How many bytes a fetch brings, None if unknown.
        download_bytes_at_most: Where that is not known, a number that it stays under; else None.
        disk_bytes: How many bytes its store takes in the cache, None if unknown.
        disk_is_estimate: Whether that is what it will take, from its number of words, since it is not there.
        in_cache: Whether its store is in the cache, now that it was compared.
        coverage: What it knows of the caller's words, None without words or without its vectors.
        scores: For each benchmark, by name, what it scores; None where it was not measured.
        note: Why something was not measured and what to do about it; ``""`` if all was.
    """

    source: str
    dim: int
    description: str
    words: int | None
    language: str
    cased: bool
    license: str
    download_bytes: int | None
    download_bytes_at_most: int | None
    disk_bytes: int | None
    disk_is_estimate: bool
    in_cache: bool
    coverage: Coverage | None
    scores: Mapping[str, Score | None]
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists, strings and numbers, as JSON has them.

        Of the missing words it has the first ten.

        Example:
            >>> import embedhub, embedhub_eval
            >>> (row,) = embedhub_eval.compare("wordnet-ppmi:25", counts={"rain": 8, "qwxz": 1})
            >>> row.to_dict()["coverage"]["missing"]
            ['qwxz']
        """
        known = self.coverage.to_dict() if self.coverage is not None else None
        if known is not None:
            known["missing"] = known["missing"][:_MISSING_SHOWN]
            known["by_fallback"] = {name: len(words) for name, words in known["by_fallback"].items()}
        # dataclasses.asdict would copy all words of the coverage.
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        scores = {name: None if score is None else score.to_dict() for name, score in self.scores.items()}
        return plain | {"coverage": known, "scores": scores}


def compare(
    sources: Choice | Iterable[Choice],
    *,
    counts: Mapping[str, int] | None = None,
    sets: Sequence[str | Path | Benchmark] | None = None,
    fetch: bool = False,
) -> list[Compared]:
    """Set sources side by side: facts, coverage of the caller's words, similarity scores, sizes.

    Nothing is fetched unless ``fetch`` says so: of a source whose vectors are not in the cache there are the
    facts, and a note that tells how to get the rest.

    Example:
        >>> import embedhub, embedhub_eval
        >>> counts = {"rain": 8, "music": 3, "qwxz": 1}
        >>> rows = embedhub_eval.compare(["wordnet-ppmi:25", "glove-6b:300"], counts=counts)
        >>> [(row.source, row.dim, row.download_bytes) for row in rows]
        [('wordnet-ppmi', 25, 0), ('glove-6b', 300, 394362229)]
        >>> print(rows[0].coverage)
        2 of 3 words found (66.7%), 91.7% of 12 tokens; missing: qwxz

    Args:
        sources: ``"name:dim"``, ``"name"`` for all dims that there are, or pairs of a source and its dim; one
            or several. A source is a registered name, a path, or an `EmbeddingSource`.
        counts: The caller's words and how often each occurs, as
            `embedhub.matrix.word_counts.read_counts` reads them from a text.
        sets: Benchmarks to score on, as in `embedhub_eval.evaluate`; None for `SETS`.
        fetch: Whether sources and benchmarks that are not in the cache are fetched.

    Returns:
        A row for each source and dim, in the order that was asked for.

    Raises:
        SourceNotFoundError: No source, or no benchmark, has that name.
        DimNotFoundError: A source has no such dim.
        DownloadError: Something was to be fetched, and could not be had.
        TypeError: A source is none of those above.
        EmbedhubError: What `embedhub_eval.evaluate` and `embedhub.coverage` raise.
    """
    asked = [
        (source, width)
        for source, dim in ((_source(given), dim) for given, dim in choices(sources))
        for width in (source.dims if dim is None else (dim,))
    ]
    for source, dim in asked:
        source.check_dim(dim)
    tests = [_benchmark(one) for one in (SETS if sets is None else sets)]
    rows = []
    with progress_bar("Comparing", len(asked), in_bytes=False) as advance:
        for source, dim in asked:
            rows.append(_compared(source, dim, counts, tests, fetch=fetch))
            advance(1)
    return rows


def _source(given: Source) -> EmbeddingSource:
    if isinstance(given, Vectors):
        raise TypeError(f"{given!r}: vectors do not tell what they cost; compare wants their source.")
    return given if isinstance(given, EmbeddingSource) else as_source(given)


def _benchmark(given: str | Path | Benchmark) -> Benchmark:
    if isinstance(given, Benchmark):
        return given
    path = given if isinstance(given, Path) else None if given in benchmarks() else as_path(given)
    return open_benchmark(path) if path else benchmarks()[str(given)]


def _compared(
    source: EmbeddingSource,
    dim: int,
    counts: Mapping[str, int] | None,
    tests: Sequence[Benchmark],
    *,
    fetch: bool,
) -> Compared:
    known = source.download_size(dim) == 0 or source.store_folder(dim) is not None
    scores: dict[str, Score | None] = {test.name: None for test in tests}
    found: Coverage | None = None
    notes = []
    words = source.words
    if known or fetch:
        vectors = source.vectors(dim)
        words = len(vectors)
        if counts is not None:
            found = coverage(vectors, None, list(counts), counts=counts)
        fitting = [test for test in tests if _speaks(source.language, test.language)]
        here = [test for test in fitting if fetch or _is_here(test)]
        scores |= {score.name: score for score in evaluate(vectors, None, here) if not score.part}
        if absent := [test.name for test in fitting if test not in here]:
            notes.append(f"Not in the cache, and so not scored on: {', '.join(absent)}. {_HOW}")
        if other := [test.name for test in tests if test not in fitting]:
            notes.append(f"In another language, and so not scored on: {', '.join(other)}.")
    else:
        notes.append(
            f"{source.name} {dim}d is not in the cache, so that there are its facts only. Bring it with "
            f"`embedhub fetch {source.name} {dim}`. {_HOW}"
        )
    costs = next(costs for costs in facts(source)["dims"] if costs["dim"] == dim)
    return Compared(
        source=source.name,
        dim=dim,
        description=source.description,
        words=words,
        language=source.language,
        cased=source.cased,
        license=source.license,
        download_bytes=costs["download_bytes"],
        download_bytes_at_most=costs["download_bytes_at_most"],
        disk_bytes=costs["store_bytes"],
        disk_is_estimate=costs["store"] is None,
        in_cache=costs["store"] is not None,
        coverage=found,
        scores=scores,
        note=" ".join(notes),
    )


def _speaks(source: str, test: str) -> bool:
    """Tell whether a score on a benchmark of some language says anything about a source of some."""
    return bool(_ANY_LANGUAGE & {source, test}) or source.partition("-")[0] == test.partition("-")[0]


def _is_here(test: Benchmark) -> bool:
    folder = cache.downloads()
    return not test.files or any(
        all((folder / part.local_name).exists() for part in file.parts) for file in test.files
    )
