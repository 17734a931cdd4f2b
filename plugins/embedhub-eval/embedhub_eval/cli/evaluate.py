"""Commands that tell how good vectors are."""

from typing import TYPE_CHECKING, Annotated

import typer

import embedhub_eval
from embedhub.cli.app import Dims, Json, complete_names, format_table, print_result, usage_errors

if TYPE_CHECKING:
    from embedhub_eval import Benchmark, Score


def evaluate(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Name of a source, or the path of a file.", autocompletion=complete_names
        ),
    ] = None,
    dims: Dims = None,
    *,
    sets: Annotated[
        str | None,
        typer.Option(metavar="SET,...", help="Benchmarks, names or files; by default all that can be had."),
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

    Similarity is Spearman's correlation, analogies the share of right answers; in
    brackets is the 95 % interval of the bootstrap. "covered" is how many pairs or
    questions were scored. A source with one dim, such as a file, needs no DIM.

    Examples:
      embedhub evaluate glove-6b 50 100
      embedhub evaluate wordnet-ppmi 100 --sets simlex-999,men --missing zero
      embedhub evaluate ./vectors.vec --sets ./pairs.tsv --json
      embedhub evaluate --list
    """
    if show_list:
        print_result([_facts(one) for one in embedhub_eval.benchmarks().values()], _listing, as_json=as_json)
        return
    if name is None:
        raise typer.BadParameter("expected the name of a source, or --list.")
    chosen = None if sets is None else [one.strip() for one in sets.split(",") if one.strip()]
    if chosen == []:
        raise typer.BadParameter("--sets names no benchmark; embedhub evaluate --list has all.")
    with usage_errors():
        scores = [
            embedhub_eval.evaluate(name, dim, chosen, missing=missing, method=method)  # type: ignore[arg-type]  # checked there
            for dim in dims or (None,)
        ]
    print_result(
        [score.to_dict() for of_dim in scores for score in of_dim], lambda: _scored(scores), as_json=as_json
    )


def _scored(scores: "list[list[Score]]") -> str:
    """Return a row for each benchmark and part, a column for each dim."""
    first = scores[0][0]
    methods = dict.fromkeys(score.method for score in scores[0] if score.method)
    title = f"{first.source}; missing words: {first.missing}" + "".join(
        f"; analogies by 3Cos{method.title()}" for method in methods
    )
    rows = []
    for row in zip(*scores, strict=True):
        counts = dict.fromkeys(f"{score.covered:,} of {score.total:,}" for score in row)
        label = f"  {row[0].part}" if row[0].part else row[0].name
        rows.append([label, "; ".join(counts), *map(_shown, row)])
    dims = [f"{whole.dim}d" for whole, *_ in scores]
    table = format_table(["benchmark", "covered", *dims], rows, right_aligned=["covered", *dims])
    return f"{title}\n{table}"


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


def _listing() -> str:
    rows = [
        [one.name, one.kind, "" if one.total is None else f"{one.total:,}", one.license, one.description]
        for one in embedhub_eval.benchmarks().values()
    ]
    columns = ["name", "kind", "items", "licence", "description"]
    return format_table(columns, rows, right_aligned=["items"])
