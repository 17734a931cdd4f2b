"""Comparison of sources: coverage of a text, scores on benchmarks, sizes and licenses in one table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedhub import _cache as cache
from embedhub._names import shown_names
from embedhub._progress import progress_bar
from embedhub._url import shown_url
from embedhub.errors import VocabularyError
from embedhub.matrix.coverage import Coverage
from embedhub.matrix.embedding_matrix import coverage
from embedhub.registry.catalog import describe
from embedhub.registry.handle import quoted_handle
from embedhub.registry.handle_source import HandleSource
from embedhub.registry.loading import Source, get_source
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.tokens import whole_words
from embedhub.vectors.vectors import Vectors
from embedhub_eval.benchmark import Benchmark
from embedhub_eval.evaluation import Score, evaluate
from embedhub_eval.registry import get_benchmarks
from embedhub_eval.results import Comparison
from embedhub_eval.selectors import Selector, parse_selectors

DEFAULT_BENCHMARKS = ("wordsim-353", "simlex-999", "men")

_ANY_LANGUAGE = {"mul", "und", ""}
_MAX_LISTED = 10
_MAX_SHOWN = 5  # scores in a repr


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """The result of a comparison for a source in one dimension.

    Example:
        >>> import embedhub_eval
        >>> (row,) = embedhub_eval.compare("glove-6b:200")
        >>> row.vocab_size, row.language, row.disk_bytes
        (400000, 'en', 332800000)

    Args:
        source: Name of the source.
        dim: Dimension of the vectors.
        description: Description in one line.
        vocab_size: Number of words; None if unknown.
        language: BCP 47 code.
        cased: Whether ``The`` and ``the`` are different words in it.
        license: SPDX expression or the license's name.
        download_bytes: Size of the download; None if unknown.
        download_bytes_at_most: An upper bound if the size of the download is unknown; else None.
        disk_bytes: Size of the store on disk; None if unknown.
        disk_is_estimate: Whether ``disk_bytes`` is estimated, because the store is not in the cache.
        in_cache: Whether the store is in the cache after the comparison.
        coverage: Coverage of the given words; None without words, or if the vectors are not in the cache.
        scores: Score on each benchmark by name; None if not measured.
        warning: Reason and remedy if something was not measured; ``""`` otherwise.
    """

    source: str
    dim: int
    description: str
    vocab_size: int | None
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
    warning: str

    def __repr__(self) -> str:
        words = "?" if self.vocab_size is None else f"{self.vocab_size:,}"
        measured = [
            f"{name} {score.score:.4f}"
            for name, score in self.scores.items()
            if score and score.score is not None
        ]
        facts = [
            f"{words} words",
            *([f"coverage {self.coverage.ratio:.1%}"] if self.coverage else []),
            *measured[:_MAX_SHOWN],
            *([f"{len(measured) - _MAX_SHOWN} more"] if len(measured) > _MAX_SHOWN else []),
            *(["see warning"] if self.warning else []),
        ]
        return f"<ComparisonRow {self.source} {self.dim}d: {', '.join(facts)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON types, with the first ten out-of-vocabulary words.

        Example:
            >>> import embedhub_eval
            >>> (row,) = embedhub_eval.compare("wordnet-ppmi:25", counts={"rain": 8, "qwxz": 1})
            >>> row.to_dict()["coverage"]["missing"]
            ['qwxz']
        """
        covered = None
        if self.coverage is not None:
            covered = self.coverage.to_dict()
            covered["missing"] = covered["missing"][:_MAX_LISTED]
            covered["by_fallback"] = {name: len(words) for name, words in covered["by_fallback"].items()}
        # dataclasses.asdict would copy all words of the coverage.
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        scores = {name: score and score.to_dict() for name, score in self.scores.items()}
        return fields | {"coverage": covered, "scores": scores}


def compare(
    sources: Selector | Iterable[Selector],
    *,
    counts: Mapping[str, int] | None = None,
    benchmarks: Iterable[str | Path | Benchmark] = DEFAULT_BENCHMARKS,
    download: bool = False,
) -> list[ComparisonRow]:
    """Compare sources: metadata, coverage of your words, scores on benchmarks, sizes.

    Nothing is downloaded unless ``download`` is true: for sources that are not in the cache, only metadata is
    returned, with a warning that says how to download them.

    Example:
        >>> import embedhub_eval
        >>> counts = {"rain": 8, "music": 3, "qwxz": 1}
        >>> rows = embedhub_eval.compare(["wordnet-ppmi:25", "glove-6b:300"], counts=counts)
        >>> [(row.source, row.dim, row.download_bytes) for row in rows]
        [('wordnet-ppmi', 25, 0), ('glove-6b', 300, 394362229)]
        >>> print(rows[0].coverage)
        2 of 3 words found (66.7%), 91.7% of 12 tokens; missing: qwxz

    Args:
        sources: One source or several: ``"name:dim"``, ``"name"`` for all its dimensions, a path, an
            `EmbeddingSource`, or a pair of a source and its dim.
        counts: Your words and the number of occurrences of each, as
            `embedhub.matrix.word_counts.read_counts` reads them from a text.
        benchmarks: Benchmarks to score on, as in `embedhub_eval.evaluate`.
        download: Whether to download sources and benchmarks that are not in the cache.

    Returns:
        A list with a row for each source and dimension, in the given order; in a notebook it is a table.

    Raises:
        SourceNotFoundError: No source or benchmark has the name.
        DimNotFoundError: A source does not have that dimension.
        DownloadError: ``download`` is true, and a file is not available.
        TypeError: A source is none of the above.
        VocabularyError: ``counts`` is not a mapping, or empty.
        EmbedhubError: Other errors of `embedhub_eval.evaluate` and `embedhub.coverage`.
    """
    if counts is not None and not (isinstance(counts, Mapping) and counts):
        raise VocabularyError(
            f"counts is {counts!r:.60}; expected a mapping of words to numbers of occurrences, with at least "
            "one word, as embedhub.matrix.word_counts.read_counts('reviews.txt', kind='text') returns."
        )
    selected = [
        (source, one)
        for source, dim in ((_require_source(source), dim) for source, dim in parse_selectors(sources))
        for one in (source.dims if dim is None else (dim,))
    ]
    for source, dim in selected:
        source.check_dim(dim)
    tests = get_benchmarks(benchmarks)
    rows = Comparison()
    with progress_bar("Comparing", len(selected), in_bytes=False) as advance:
        for source, dim in selected:
            rows.append(_row(source, dim, counts, tests, download=download))
            advance(1)
    return rows


def _require_source(source: Source) -> EmbeddingSource:
    if isinstance(source, Vectors):
        raise TypeError(f"{source!r}: the size of a download is not known of vectors; pass their source.")
    return get_source(source)


def _row(
    source: EmbeddingSource,
    dim: int,
    counts: Mapping[str, int] | None,
    tests: Sequence[Benchmark],
    *,
    download: bool,
) -> ComparisonRow:
    scores: dict[str, Score | None] = {test.name: None for test in tests}
    covered: Coverage | None = None
    warnings = []
    vocab_size = source.vocab_size
    if download or source.download_size(dim) == 0 or cache.exists(source.store_path(dim)):
        opened = source.vectors(dim)
        vocab_size, vectors = len(opened), whole_words(opened)
        if counts is not None:
            covered = coverage(vectors, None, list(counts), counts=counts)
        suitable = [test for test in tests if _same_language(source.language, test.language)]
        readable = [test for test in suitable if download or test.is_cached]
        if readable:
            scores |= {score.benchmark: score for score in evaluate(vectors, readable) if not score.category}
        if absent := [test.name for test in suitable if test not in readable]:
            warnings.append(
                "Not scored, because not in the cache, and downloads were not allowed: "
                f"{shown_names(absent)}."
            )
        if foreign := [test.name for test in tests if test not in suitable]:
            warnings.append(f"Not scored, because in another language: {shown_names(foreign)}.")
    else:
        warnings.append(
            f"{source.name} {dim}d is not in the cache, and downloads were not allowed, so only its metadata "
            f"is shown. Download it with `embedhub download {quoted_handle(_named(source), dim)}`."
        )
    sizes = next(sizes for sizes in describe(source)["dims"] if sizes["dim"] == dim)
    return ComparisonRow(
        source=source.name,
        dim=dim,
        description=source.description,
        vocab_size=vocab_size,
        language=source.language,
        cased=source.cased,
        license=source.license,
        download_bytes=sizes["download_bytes"],
        download_bytes_at_most=sizes["download_bytes_at_most"],
        disk_bytes=sizes["store_bytes"],
        disk_is_estimate=sizes["store"] is None,
        in_cache=sizes["store"] is not None,
        coverage=covered,
        scores=scores,
        warning=" ".join(warnings),
    )


def _named(source: EmbeddingSource) -> str:
    """Return the name of a source, or its handle, for a command."""
    return shown_url(source.handle) if isinstance(source, HandleSource) else source.name


def _same_language(source: str, test: str) -> bool:
    """Return whether a benchmark in one language is meaningful for a source in another."""
    return bool(_ANY_LANGUAGE & {source, test}) or source.partition("-")[0] == test.partition("-")[0]
