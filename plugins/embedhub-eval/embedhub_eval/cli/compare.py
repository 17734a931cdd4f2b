"""Commands to choose a source by: facts and scores side by side, and how it does on one's own texts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embedhub.cli.app import (
    Force,
    Json,
    Tokenize,
    complete_names,
    format_disk,
    format_download,
    format_table,
    print_result,
    usage_errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedhub_eval.comparison import Compared
    from embedhub_eval.evaluation import Score
    from embedhub_eval.probing import Probe

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME:DIM",
        help="Sources and their dims; NAME DIM is the same.",
        autocompletion=complete_names,
        show_default=False,
    ),
]


def compare(
    sources: Sources,
    *,
    text: Annotated[
        Path | None, typer.Option(help="A text of yours: how much of it does each source know?")
    ] = None,
    vocabulary: Annotated[
        Path | None, typer.Option(help="Or a vocabulary: a word a line, its count behind it, or JSON.")
    ] = None,
    sets: Annotated[
        str | None,
        typer.Option(
            metavar="SET,...", help="Benchmarks to score on, names or files; by default three of similarity."
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw quality against size into this .svg or .png file.")
    ] = None,
    tokenize: Tokenize = "words",
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch sources and benchmarks that are not in the cache.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Set sources side by side: facts, coverage of your text, similarity scores, sizes.

    NAME without a dim is all its dims. Nothing is fetched without --fetch:
    of what is not in the cache there are the facts. "~" is about so much,
    "<" is less than that, "-" was not measured.

    Examples:
      embedhub compare glove-6b wordnet-ppmi:100
      embedhub compare glove-6b:50 wordnet-ppmi:100 --text reviews.txt --fetch
      embedhub compare glove-6b:50 ./my.vec --sets simlex-999,./my-pairs.tsv
      embedhub compare wordnet-ppmi --text reviews.txt --plot quality.svg
    """
    from embedhub_eval.selectors import choices

    if text is not None and vocabulary is not None:
        raise typer.BadParameter("--text and --vocabulary exclude each other: one file has the words.")
    with usage_errors():
        chosen = choices(sources)
    if plot is not None:
        from embedhub_eval import plots as figures

        with usage_errors():
            figures.check(plot, overwrite=force)
    from embedhub.matrix.word_counts import read_counts
    from embedhub_eval.comparison import compare as compare_sources

    file = text or vocabulary
    counts = None
    if file is not None:
        counts = read_counts(file, kind="text" if text else "vocabulary", tokenize=tokenize)
    names = None if sets is None else [name.strip() for name in sets.split(",")]
    rows = compare_sources(chosen, counts=counts, sets=names, fetch=fetch)
    print_result([row.to_dict() for row in rows], lambda: _compared(rows), as_json=as_json)
    for note in dict.fromkeys(row.note for row in rows if row.note):
        typer.echo(note, err=True)
    if plot is not None:
        from embedhub_eval.plot_comparison import plot_comparison

        with usage_errors():
            plot_comparison(rows, plot, overwrite=force)
        typer.echo(f"Quality against size: {plot}", err=True)


def _compared(rows: "Sequence[Compared]") -> str:
    """Return the table, without columns that no row has."""
    sets = [name for name in rows[0].scores if any(row.scores[name] for row in rows)]
    covered = any(row.coverage for row in rows)
    cells = [
        [
            row.source,
            str(row.dim),
            "?" if row.words is None else f"{row.words:,}",
            row.language,
            "cased" if row.cased else "uncased",
            *(_covered(row) if covered else ()),
            *(_scored(row.scores[name]) for name in sets),
            format_download(row.download_bytes, row.download_bytes_at_most),
            format_disk(row.disk_bytes, measured=not row.disk_is_estimate),
            "yes" if row.in_cache else "no",
            row.license,
        ]
        for row in rows
    ]
    measured = [*(("types", "tokens") if covered else ()), *sets]
    columns = ["name", "dim", "words", "language", "case", *measured, "download", "disk", "cached", "licence"]
    return format_table(
        columns,
        cells,
        right_aligned=["dim", "words", *measured, "download", "disk"],
        optional_columns=["licence", "language", "case", "cached"],
    )


def _covered(row: "Compared") -> tuple[str, str]:
    if row.coverage is None:
        return "-", "-"
    tokens = row.coverage.token_ratio
    return f"{row.coverage.ratio:.1%}", "-" if tokens is None else f"{tokens:.1%}"


def _scored(score: "Score | None") -> str:
    """Return a score, and how many pairs it rests on where that is not all of them."""
    if score is None or score.score is None:
        return "-"
    return f"{score.score:.3f}" + (
        f" ({score.covered} of {score.total})" if score.covered < score.total else ""
    )


def probe(
    sources: Sources,
    *,
    train: Annotated[Path, typer.Option(help="Texts with labels to learn from: TSV, CSV, or label first.")],
    test: Annotated[Path, typer.Option(help="Texts with labels to be tested on, in the same layout.")],
    columns: Annotated[
        str | None, typer.Option(metavar="TEXT,LABEL", help="Names or numbers of the two columns.")
    ] = None,
    tokenize: Tokenize = "words",
    as_json: Json = False,
) -> None:
    """Classify your own texts over the vectors of each source, and over random ones.

    A text is the mean of its words' vectors; logistic regression learns the
    labels. Sources that are not in the cache are fetched.

    Examples:
      embedhub probe glove-6b 50 --train train.tsv --test test.tsv
      embedhub probe glove-6b:50 wordnet-ppmi:100 --train a.tsv --test b.tsv
      embedhub probe ./my.vec --train a.csv --test b.csv --columns review,stars
      embedhub probe glove-6b:50 --train a.tsv --test b.tsv --tokenize whitespace
    """
    from embedhub_eval.probing import probe as probe_sources
    from embedhub_eval.selectors import choices

    names = None if columns is None else [name.strip() for name in columns.split(",")]
    if names is not None and len(set(names)) != 2:  # noqa: PLR2004 - text and label
        raise typer.BadParameter(f"--columns is {columns!r}; expected two, as in text,label.")
    with usage_errors():
        chosen = choices(sources)

    result = probe_sources(chosen, train, test, columns=names, tokenize=tokenize)
    print_result(result.to_dict(), lambda: _probed(result), as_json=as_json)


def _probed(result: "Probe") -> str:
    rows = [
        [
            row.source,
            str(row.dim),
            f"{row.accuracy:.1%}",
            f"{row.low:.1%} to {row.high:.1%}",
            f"{row.token_ratio:.1%}",
        ]
        for row in result.rows
    ]
    columns = ["name", "dim", "accuracy", "interval", "tokens"]
    lines = [
        f"train: {result.train}",
        f"test: {result.test}",
        f"Always the most frequent label of training: {result.most_frequent:.1%}",
        f"Accuracy on {result.rows[0].texts:,} test texts, with its 95 % interval (Wilson's):",
        format_table(columns, rows, right_aligned=["dim", "accuracy", "interval", "tokens"]),
    ]
    return "\n".join(lines)
