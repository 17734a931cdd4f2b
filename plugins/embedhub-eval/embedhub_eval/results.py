"""Lists of results that are short in a console, and tables in a notebook."""

from typing import TYPE_CHECKING

from embedhub._html import html_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedhub_eval.comparison import ComparisonRow
    from embedhub_eval.evaluation import Score

_MAX_LISTED = 3  # in a repr


class Scores(list["Score"]):
    """Scores of vectors on benchmarks.

    Example:
        >>> Scores()
        []
    """

    def __repr__(self) -> str:
        vectors = list(dict.fromkeys(f"{score.source} {score.dim}d" for score in self))
        return _short_repr(self, "scores", vectors)

    def _repr_html_(self) -> str:
        rows = [
            [
                score.source,
                score.dim,
                score.benchmark,
                score.category,
                f"{score.covered:,} of {score.total:,}",
                interval_cell(score),
            ]
            for score in self
        ]
        columns = ["source", "dim", "benchmark", "category", "covered", "score"]
        return html_table(f"{len(self):,} scores", columns, rows, right_aligned=["dim", "covered", "score"])


class Comparison(list["ComparisonRow"]):
    """Rows of a comparison of sources.

    Example:
        >>> Comparison()
        []
    """

    def __repr__(self) -> str:
        return _short_repr(self, "comparison rows", [f"{row.source} {row.dim}d" for row in self])

    def _repr_html_(self) -> str:
        columns, cells, right_aligned = comparison_table(self)
        count = len({row.source for row in self})
        title = f"Comparison of {count:,} source{'' if count == 1 else 's'}"
        return html_table(title, columns, cells, right_aligned=right_aligned)


def comparison_table(rows: "Sequence[ComparisonRow]") -> tuple[list[str], list[list[str]], list[str]]:
    """Return the columns, the cells, and the right-aligned columns, without columns that are empty."""
    from embedhub.cli.tables import format_disk, format_download

    names = rows[0].scores if rows else ()
    benchmarks = [name for name in names if any(row.scores[name] for row in rows)]
    has_coverage = any(row.coverage for row in rows)
    cells = [
        [
            row.source,
            str(row.dim),
            "?" if row.vocab_size is None else f"{row.vocab_size:,}",
            row.language,
            "cased" if row.cased else "uncased",
            *(_coverage_cells(row) if has_coverage else ()),
            *(_score_cell(row.scores[name]) for name in benchmarks),
            format_download(row.download_bytes, row.download_bytes_at_most),
            format_disk(row.disk_bytes, measured=not row.disk_is_estimate),
            "yes" if row.in_cache else "no",
            row.license,
        ]
        for row in rows
    ]
    measured = [*(("types", "tokens") if has_coverage else ()), *benchmarks]
    columns = ["name", "dim", "words", "language", "case", *measured, "download", "disk", "cached", "license"]
    return columns, cells, ["dim", "words", *measured, "download", "disk"]


def interval_cell(score: "Score") -> str:
    """Return a score with its interval."""
    if score.score is None:
        return "-"
    is_rho = score.kind == "similarity"
    shown = [
        f"{value:.4f}" if is_rho else f"{100 * value:.2f}" for value in (score.score, *(score.interval or ()))
    ]
    interval = f" ({shown[1]} to {shown[2]})" if score.interval else ""
    return f"{shown[0]}{'' if is_rho else ' %'}{interval}"


def _coverage_cells(row: "ComparisonRow") -> tuple[str, str]:
    if row.coverage is None:
        return "-", "-"
    tokens = row.coverage.token_ratio
    return f"{row.coverage.ratio:.1%}", "-" if tokens is None else f"{tokens:.1%}"


def _score_cell(score: "Score | None") -> str:
    """Return a score, with the number of covered pairs if some are missing."""
    if score is None or score.score is None:
        return "-"
    covered = f" ({score.covered} of {score.total})" if score.covered < score.total else ""
    return f"{score.score:.3f}{covered}"


def _short_repr(results: "Sequence[object]", noun: str, names: list[str]) -> str:
    if len(results) <= _MAX_LISTED:
        return f"[{', '.join(map(repr, results))}]"
    more = ", ..." if len(names) > _MAX_LISTED else ""
    return f"<{len(results):,} {noun}: {', '.join(names[:_MAX_LISTED])}{more}>"
