"""Commands that tell how good vectors are."""

from typing import TYPE_CHECKING, Annotated

import typer

import embedhub
from embedhub.cli._app import Json, app, emit

if TYPE_CHECKING:
    from rich.table import Table

    from embedhub import Benchmark, Score


@app.command()
def evaluate(
    name: Annotated[str | None, typer.Argument(help="Name of a source, or the path of a file.")] = None,
    dims: Annotated[
        list[int] | None, typer.Argument(metavar="[DIM]...", help="Dims; none where there is only one.")
    ] = None,
    *,
    sets: Annotated[
        str | None,
        typer.Option(
            help="Benchmarks, by name or path, with commas between; by default all that can be had."
        ),
    ] = None,
    missing: Annotated[
        str, typer.Option(help="Pairs and questions with a missing word: 'skip' them, or score them 'zero'.")
    ] = "skip",
    method: Annotated[
        str, typer.Option(help="How analogies are solved: 'add' (3CosAdd) or 'mul' (3CosMul).")
    ] = "add",
    show_list: Annotated[
        bool, typer.Option("--list", help="List the benchmarks, with their licences, and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Score vectors on benchmarks of word similarity and of analogies.

    Similarity is Spearman's correlation, analogies the share of right answers; in brackets is the 95 %
    interval of the bootstrap. The other columns say how many pairs or questions were covered.

    Examples:
      embedhub evaluate glove-6b 50 100
      embedhub evaluate wordnet-ppmi 100 --sets simlex-999,google-analogies --missing zero
      embedhub evaluate ./vectors.vec --sets ./pairs.tsv --json
      embedhub evaluate --list
    """
    if show_list:
        emit([_facts(one) for one in embedhub.benchmarks().values()], _listing, as_json=as_json)
        return
    if name is None:
        raise typer.BadParameter("expected the name of a source, or --list.")
    chosen = None if sets is None else [one.strip() for one in sets.split(",") if one.strip()]
    if chosen == []:
        raise typer.BadParameter("--sets names no benchmark; embedhub evaluate --list has all.")
    try:
        scores = [
            embedhub.evaluate(name, dim, chosen, missing=missing, method=method)  # type: ignore[arg-type]  # checked there
            for dim in dims or [None]
        ]
    except ValueError as error:
        if isinstance(error, embedhub.EmbedhubError):
            raise
        raise typer.BadParameter(str(error)) from error
    emit([score.to_dict() for of_dim in scores for score in of_dim], lambda: _table(scores), as_json=as_json)


def _table(scores: "list[list[Score]]") -> "Table":
    """Return a row for each benchmark and part, a column for each dim."""
    from rich.markup import escape
    from rich.table import Table

    first = scores[0][0]
    analogies = {score.method for of_dim in scores for score in of_dim} - {None}
    table = Table(
        title=f"{escape(first.source)}; missing words: {first.missing}"
        + (f"; analogies by 3Cos{analogies.pop().title()}" if analogies else "")
    )
    table.add_column("benchmark")
    table.add_column("covered", justify="right")
    for whole, *_ in scores:
        table.add_column(f"{whole.dim}d", justify="right")
    for row in zip(*scores, strict=True):
        counts = dict.fromkeys(f"{score.covered:,} of {score.total:,}" for score in row)
        label = f"  {row[0].part}" if row[0].part else row[0].name
        table.add_row(escape(label), "; ".join(counts), *(_shown(score) for score in row))
    return table


def _shown(score: "Score") -> str:
    def number(value: float) -> str:
        return f"{value:.4f}" if score.kind == "similarity" else f"{100 * value:.2f}"

    if score.score is None:
        return "-"
    unit = "" if score.kind == "similarity" else " %"
    interval = f" ({' to '.join(map(number, score.interval))})" if score.interval else ""
    return f"{number(score.score)}{unit}{interval}"


def _facts(benchmark: "Benchmark") -> dict[str, str | int | None]:
    return {
        field: getattr(benchmark, field)
        for field in ("name", "kind", "total", "description", "language", "license", "citation", "homepage")
    }


def _listing() -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "kind", "items", "licence", "description")
    for one in embedhub.benchmarks().values():
        total = "" if one.total is None else f"{one.total:,}"
        table.add_row(*map(escape, (one.name, one.kind, total, one.license, one.description)))
    return table
