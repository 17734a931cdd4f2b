"""Commands to choose a source by: how well it does on one's own texts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embedhub.cli._app import Json, app, emit

if TYPE_CHECKING:
    from embedhub.registry import Source

_Sources = Annotated[
    list[str], typer.Argument(metavar="NAME:DIM...", help="Sources and their dims; 'NAME DIM' is the same.")
]


@app.command()
def probe(
    sources: _Sources,
    train: Annotated[Path, typer.Option(help="Texts with labels to learn from: TSV, CSV, or label first.")],
    test: Annotated[Path, typer.Option(help="Texts with labels to be tested on, in the same layout.")],
    columns: Annotated[
        str | None, typer.Option(metavar="TEXT,LABEL", help="Names or numbers of the two columns.")
    ] = None,
    tokenize: Annotated[
        str, typer.Option(help="How texts are cut: 'words', or 'whitespace' if they are tokenised already.")
    ] = "words",
    *,
    json: Json = False,
) -> None:
    """Classify your own texts over the vectors of each source, and over random ones.

    A text is the mean of its words' vectors; logistic regression learns the labels. Sources that are not in
    the cache are fetched.

    Examples:
      embedhub probe glove-6b 50 --train train.tsv --test test.tsv
      embedhub probe glove-6b:50 wordnet-ppmi:100 --train train.csv --test test.csv --columns review,stars
      embedhub probe wordnet-ppmi:50 --train sst2.tsv --test sst2-test.tsv --tokenize whitespace --json
    """
    from embedhub.probing import probe
    from embedhub.tokens import RULES

    if tokenize not in RULES:
        raise typer.BadParameter(f"--tokenize is {tokenize!r}; expected {' or '.join(RULES)}.")
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    if names is not None and len(set(names)) != 2:  # noqa: PLR2004 - text and label
        raise typer.BadParameter(f"--columns is {columns!r}; expected two, as in text,label.")
    result = probe(_chosen(sources), train, test, columns=names, tokenize=tokenize)
    emit(result.to_dict(), result.__rich__, as_json=json)


def _chosen(sources: list[str]) -> "list[tuple[Source, int | None]]":
    from embedhub.choices import choices

    try:
        return choices(sources)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
