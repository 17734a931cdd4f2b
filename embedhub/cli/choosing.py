"""Commands to choose a source by: facts and scores side by side, and how it does on one's own texts."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embedhub.cli._app import Json, amount, app, complete_names, emit, table
from embedhub.errors import EmbedhubError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from embedhub.comparison import Compared
    from embedhub.evaluation import Score
    from embedhub.probing import Probe

_Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME:DIM",
        help="Sources and their dims; NAME DIM is the same.",
        autocompletion=complete_names,
        show_default=False,
    ),
]
_Tokenize = Annotated[
    str, typer.Option(help="How texts are cut: words, or whitespace if they are tokenised already.")
]


@app.command()
def compare(
    sources: _Sources,
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
    tokenize: _Tokenize = "words",
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch sources and benchmarks that are not in the cache.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of the plot.")] = False,
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
    from embedhub.choices import choices

    if text is not None and vocabulary is not None:
        raise typer.BadParameter("--text and --vocabulary exclude each other: one file has the words.")
    _check_rule(tokenize)
    with _usage():
        chosen = choices(sources)
    if plot is not None:
        from embedhub.comparison_plot import check_plot, plot_comparison

        with _usage():
            check_plot(plot, force=force)
    from embedhub import comparison
    from embedhub.corpus import read_counts

    file = text or vocabulary
    counts = None
    if file is not None:
        counts = read_counts(file, kind="text" if text else "vocabulary", tokenize=tokenize)
    names = None if sets is None else [name.strip() for name in sets.split(",")]
    rows = comparison.compare(chosen, counts=counts, sets=names, fetch=fetch)
    emit([row.to_dict() for row in rows], lambda: _compared(rows), as_json=as_json)
    for note in dict.fromkeys(row.note for row in rows if row.note):
        typer.echo(note, err=True)
    if plot is not None:
        with _usage():
            plot_comparison(rows, plot, force=force)
        typer.echo(f"Quality against size: {plot}", err=True)


def _compared(rows: "Sequence[Compared]") -> "RenderableType":
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
            _download(row),
            f"{'~ ' if row.disk_is_estimate and row.disk_bytes is not None else ''}{amount(row.disk_bytes)}",
            "yes" if row.in_cache else "no",
            row.license,
        ]
        for row in rows
    ]
    measured = [*(("types", "tokens") if covered else ()), *sets]
    columns = ["name", "dim", "words", "language", "case", *measured, "download", "disk", "cached", "licence"]
    right = " ".join(["dim", "words", *measured, "download", "disk"])
    return table(columns, cells, right=right, spare="licence language case cached")


def _covered(row: "Compared") -> tuple[str, str]:
    if row.coverage is None:
        return "-", "-"
    tokens = row.coverage.token_share
    return f"{row.coverage.share:.1%}", "-" if tokens is None else f"{tokens:.1%}"


def _scored(score: "Score | None") -> str:
    """Return a score, and how many pairs it rests on where that is not all of them."""
    if score is None or score.score is None:
        return "-"
    return f"{score.score:.3f}" + (
        f" ({score.covered} of {score.total})" if score.covered < score.total else ""
    )


def _download(row: "Compared") -> str:
    if row.download_bytes == 0:
        return "none"
    if row.download_bytes is None and row.download_bytes_at_most is not None:
        return f"< {amount(row.download_bytes_at_most)}"
    return amount(row.download_bytes)


@app.command()
def probe(
    sources: _Sources,
    *,
    train: Annotated[Path, typer.Option(help="Texts with labels to learn from: TSV, CSV, or label first.")],
    test: Annotated[Path, typer.Option(help="Texts with labels to be tested on, in the same layout.")],
    columns: Annotated[
        str | None, typer.Option(metavar="TEXT,LABEL", help="Names or numbers of the two columns.")
    ] = None,
    tokenize: _Tokenize = "words",
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
    from embedhub import probing
    from embedhub.choices import choices

    names = None if columns is None else [name.strip() for name in columns.split(",")]
    if names is not None and len(set(names)) != 2:  # noqa: PLR2004 - text and label
        raise typer.BadParameter(f"--columns is {columns!r}; expected two, as in text,label.")
    _check_rule(tokenize)
    with _usage():
        chosen = choices(sources)

    result = probing.probe(chosen, train, test, columns=names, tokenize=tokenize)
    emit(result.to_dict(), lambda: _probed(result), as_json=as_json)


def _probed(result: "Probe") -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    rows = [
        [
            row.source,
            str(row.dim),
            f"{row.accuracy:.1%}",
            f"{row.low:.1%} to {row.high:.1%}",
            f"{row.token_share:.1%}",
        ]
        for row in result.rows
    ]
    columns = ["name", "dim", "accuracy", "interval", "tokens"]
    return Group(
        Text(f"train: {result.train}"),
        Text(f"test: {result.test}"),
        Text(f"Always the most frequent label of training: {result.most_frequent:.1%}"),
        Text(f"Accuracy on {result.rows[0].texts:,} test texts, with its 95 % interval (Wilson's):"),
        table(columns, rows, right="dim accuracy interval tokens"),
    )


def _check_rule(tokenize: str) -> None:
    from embedhub.tokens import RULES

    if tokenize not in RULES:
        raise typer.BadParameter(f"--tokenize is {tokenize!r}; expected {' or '.join(RULES)}.")


@contextmanager
def _usage() -> "Iterator[None]":
    """Tell what is wrong with an argument as wrong usage, which is exit code 2."""
    try:
        yield
    except EmbedhubError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
