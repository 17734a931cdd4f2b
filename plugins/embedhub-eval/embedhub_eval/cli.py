"""The commands compare, evaluate, plot and probe."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embedhub.cli.app import (
    Force,
    Json,
    Source,
    Sources,
    Tokenize,
    complete_sources,
    format_table,
    print_result,
    usage_errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedhub_eval import ComparisonRow, ProbeReport, ProbeResult, Score

Benchmarks = Annotated[
    str | None, typer.Option(metavar="NAME,...", help="Benchmarks to score on, by name or path.")
]


def compare(
    sources: Sources,
    *,
    text: Annotated[Path | None, typer.Option(help="Text file to compute coverage for.")] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option(help="Vocabulary to compute coverage for: a word and its count per line, or JSON."),
    ] = None,
    benchmarks: Benchmarks = None,
    plot: Annotated[
        Path | None, typer.Option(help="Plot quality against size to this .svg or .png file.")
    ] = None,
    tokenize: Tokenize = None,
    download: Annotated[
        bool, typer.Option("--download", help="Download sources and benchmarks that are not in the cache.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Compare sources: metadata, coverage of your text, similarity scores, sizes.

    A name without a dimension selects all its dimensions. Nothing is downloaded
    without --download: sources that are not in the cache show their metadata
    only. The default benchmarks are wordsim-353, simlex-999 and men. In the
    table, "~" marks an estimate, "<" an upper bound, "-" a value not measured.

    Examples:
      embedhub compare glove-6b wordnet-ppmi:100
      embedhub compare glove-6b:50 wordnet-ppmi:100 --text reviews.txt --download
      embedhub compare glove-6b:50 ./my.vec --benchmarks simlex-999,./my-pairs.tsv
      embedhub compare wordnet-ppmi --text reviews.txt --plot quality.svg
    """
    from embedhub.matrix.word_counts import read_counts
    from embedhub_eval import comparison, plots
    from embedhub_eval.selectors import parse_selectors

    if text is not None and vocabulary is not None:
        raise typer.BadParameter("--text and --vocabulary exclude each other.")
    with usage_errors():
        selectors = parse_selectors(sources)
        if plot is not None:
            plots.check_plot(plot, overwrite=force)
    counts = None
    if file := text or vocabulary:
        counts = read_counts(file, kind="text" if text else "vocabulary", tokenize=tokenize or "words")
    names = _names("--benchmarks", benchmarks) or comparison.DEFAULT_BENCHMARKS
    rows = comparison.compare(selectors, counts=counts, benchmarks=names, download=download)
    print_result([row.to_dict() for row in rows], lambda: _comparison_table(rows), as_json=as_json)
    for warning in dict.fromkeys(row.warning for row in rows if row.warning):
        typer.echo(warning, err=True)
    if not download and any("not in the cache" in row.warning for row in rows):
        typer.echo("Add --download to download what is not in the cache.", err=True)
    if plot is not None:
        with usage_errors():
            plots.plot_comparison(rows, plot, overwrite=force)
        typer.echo(f"Wrote {plot}", err=True)


def _comparison_table(rows: "Sequence[ComparisonRow]") -> str:
    """Return the table, without columns that are empty."""
    from embedhub_eval.results import comparison_table

    columns, cells, right_aligned = comparison_table(rows)
    return format_table(
        columns,
        cells,
        right_aligned=right_aligned,
        optional_columns=["license", "language", "case", "cached"],
    )


def evaluate(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Sources with their dimensions, such as glove-6b:50, or paths of files.",
            autocompletion=complete_sources,
            show_default=False,
        ),
    ] = None,
    *,
    benchmarks: Benchmarks = None,
    missing: Annotated[
        str,
        typer.Option(help="Pairs and analogies with an out-of-vocabulary word: 'skip', or score as 'zero'."),
    ] = "skip",
    method: Annotated[
        str, typer.Option(help="How analogies are solved: '3CosAdd' or '3CosMul'.")
    ] = "3CosAdd",
    show_list: Annotated[
        bool, typer.Option("--list", help="List the benchmarks and their licenses.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Score vectors on benchmarks of word similarity and of analogies.

    Scores are Spearman's correlation with human ratings for similarity, and
    accuracy for analogies, with 95 % confidence intervals in parentheses.
    "covered" counts the pairs or analogies without out-of-vocabulary words. The
    default is all available benchmarks.

    Examples:
      embedhub evaluate glove-6b:50 glove-6b:100
      embedhub evaluate wordnet-ppmi:100 --benchmarks simlex-999,men --missing zero
      embedhub evaluate ./vectors.vec --benchmarks ./pairs.tsv --json
      embedhub evaluate --list
    """
    import embedhub_eval
    from embedhub_eval.selectors import parse_selectors

    if show_list:
        print_result(_benchmark_metadata(), _benchmark_table, as_json=as_json)
        return
    if not sources:
        raise typer.BadParameter("expected a source, or --list.")
    names = _names("--benchmarks", benchmarks)
    with usage_errors():
        scores = embedhub_eval.evaluate(
            parse_selectors(sources),
            names,
            missing=missing,  # type: ignore[arg-type]  # validated there
            method=method,  # type: ignore[arg-type]
        )
    print_result([score.to_dict() for score in scores], lambda: _score_tables(scores), as_json=as_json)


def _score_tables(scores: "list[Score]") -> str:
    """Return a table for each source: rows are benchmarks and categories, columns are dimensions."""
    from embedhub_eval.results import interval_cell

    tables = []
    for source, group in groupby(scores, key=lambda score: score.source):
        of_dim = [list(of_dim) for _, of_dim in groupby(group, key=lambda score: score.dim)]
        methods = dict.fromkeys(score.method for score in of_dim[0] if score.method)
        tables.append(
            "; ".join([source, f"out-of-vocabulary words: {of_dim[0][0].missing}", *map(str, methods)])
        )
        rows = []
        for row in zip(*of_dim, strict=True):
            covered = dict.fromkeys(f"{score.covered:,} of {score.total:,}" for score in row)
            label = f"  {row[0].category}" if row[0].category else row[0].benchmark
            rows.append([label, "; ".join(covered), *map(interval_cell, row)])
        dims = [f"{whole.dim}d" for whole, *_ in of_dim]
        tables.append(format_table(["benchmark", "covered", *dims], rows, right_aligned=["covered", *dims]))
        notes = (
            f"{score.benchmark}: {score.note}" for dim_scores in of_dim for score in dim_scores if score.note
        )
        tables.extend(dict.fromkeys(notes))
    return "\n".join(tables)


def _benchmark_metadata() -> list[dict[str, str | int | None]]:
    from embedhub_eval import benchmarks

    fields = ("name", "kind", "total", "description", "language", "license", "citation", "homepage")
    return [{field: getattr(one, field) for field in fields} for one in benchmarks().values()]


def _benchmark_table() -> str:
    from embedhub_eval import benchmarks

    rows = [
        [one.name, one.kind, "" if one.total is None else f"{one.total:,}", one.license, one.description]
        for one in benchmarks().values()
    ]
    return format_table(["name", "kind", "items", "license", "description"], rows, right_aligned=["items"])


def _names(option: str, names: str | None) -> list[str] | None:
    """Return the names of a comma-separated option; None if the option is not given."""
    if names is None:
        return None
    parsed = [name.strip() for name in names.split(",") if name.strip()]
    if not parsed:
        raise typer.BadParameter(f"{option} has no names.")
    return parsed


def probe(
    sources: Sources,
    *,
    train: Annotated[Path, typer.Option(help="Labeled training texts: TSV, CSV, or label first.")],
    test: Annotated[Path, typer.Option(help="Labeled test texts, in the same layout.")],
    columns: Annotated[
        str, typer.Option(metavar="TEXT,LABEL", help="Names of the two columns, or their numbers from 1.")
    ] = "text,label",
    label_first: Annotated[
        bool, typer.Option("--label-first", help="Each line is a label, a space and the text.")
    ] = False,
    tokenize: Tokenize = None,
    as_json: Json = False,
) -> None:
    """Train a text classifier on the vectors of each source, on TF-IDF, and on random vectors.

    A text is the mean of its words' vectors; the classifier is logistic
    regression. TF-IDF, which needs no vectors, may be best with many labels.
    Sources that are not in the cache are downloaded.

    Examples:
      embedhub probe glove-6b:50 --train train.tsv --test test.tsv
      embedhub probe ./my.vec --train a.csv --test b.csv --columns review,stars
      embedhub probe glove-6b:50 --train a.tsv --test b.tsv --tokenize whitespace
      embedhub probe glove-6b:50 --train a.txt --test b.txt --label-first
    """
    import embedhub_eval
    from embedhub_eval.selectors import parse_selectors

    names = _names("--columns", columns) or []
    if len(set(names)) != 2:  # noqa: PLR2004 - text and label
        raise typer.BadParameter(f"--columns is {columns!r}; expected two, as in text,label.")
    with usage_errors():
        selectors = parse_selectors(sources)
    report = embedhub_eval.probe(
        selectors, train, test, columns=names, label_first=label_first, tokenize=tokenize or "words"
    )
    print_result(report.to_dict(), lambda: _probe_table(report), as_json=as_json)


def _probe_table(report: "ProbeReport") -> str:
    rows = [
        [
            result.source,
            str(result.dim),
            f"{result.accuracy:.1%}",
            "{:.1%} to {:.1%}".format(*result.interval),
            _difference_cell(result),
            f"{result.token_ratio:.1%}",
        ]
        for result in report.results
    ]
    columns = ["name", "dim", "accuracy", "interval", "to the best", "tokens"]
    lines = [
        f"train: {report.train}",
        f"test: {report.test}",
        f"Most frequent label of the training texts: {report.most_frequent:.1%}",
        f"Accuracy on {report.results[0].texts:,} test texts, and the difference to the best source in",
        "percentage points, each with its 95 % confidence interval:",
        format_table(columns, rows, right_aligned=columns[1:]),
    ]
    return "\n".join(lines)


def _difference_cell(result: "ProbeResult") -> str:
    if result.difference_interval is None:
        return "best"
    shown = (f"{100 * value:+.1f}" for value in (result.difference, *result.difference_interval))
    return "{} ({} to {})".format(*shown)


def plot(
    source: Source,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="The .svg or .png file to write.")] = Path("words.svg"),
    topn: Annotated[
        int, typer.Option("--topn", "-n", help="Number of nearest neighbors of each word.", min=0)
    ] = 8,
    force: Force = False,
) -> None:
    """Plot words and their nearest neighbors on their first two principal components.

    Each axis shows its fraction of the variance. The command needs matplotlib, which
    the extra "plot" of embedhub-eval installs.

    Examples:
      embedhub plot wordnet-ppmi:100 music rain doctor
      embedhub plot glove-6b:50 paris tokyo tiger --topn 12 --out map.png
    """
    from embedhub_eval import plots

    with usage_errors():
        plots.check_plot(out, overwrite=force)
    plots.plot_words(source, None, words, out, topn=topn, overwrite=force)
    typer.echo(f"Wrote {out}")
