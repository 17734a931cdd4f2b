"""The command that embeds a file of texts."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from embedhub.cli.app import Dim, Force, Json, Name, Tokenize, print_result, usage_errors


def embed(  # noqa: PLR0917 - typer passes all by name
    name: Name,
    dim: Dim,
    texts: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Texts; - is stdin, of lines.", allow_dash=True, show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="What is written: .parquet, or .npy for the vectors alone.")],
    column: Annotated[str, typer.Option(help="Column of the texts.")] = "text",
    keep: Annotated[
        list[str] | None, typer.Option(help="A column that comes along; may be repeated. All by default.")
    ] = None,
    pooling: Annotated[str, typer.Option(help="How a text's rows become one: mean, max, sif, idf.")] = "mean",
    fitted: Annotated[Path | None, typer.Option(help="Folder of what TextEmbedder.fit has learnt.")] = None,
    tokenize: Tokenize = "words",
    batch: Annotated[int, typer.Option(help="Rows at a time, and in a row group.", min=1)] = 16_384,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="parquet, csv, tsv, jsonl or text; by default what the name says."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of all but Parquet.")] = "utf-8",
    workers: Annotated[int, typer.Option(help="Processes that embed, at most one for each core.", min=1)] = 1,
    *,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Embed each text of a file, in Parquet, CSV, TSV, JSON lines or plain text, also compressed.

    The output has the input's columns and "vector". A run that was killed goes on
    when it is run again.

    Examples:
      embedhub embed glove-6b 300 reviews.parquet --out vectors.parquet
      embedhub embed wordnet-ppmi 100 tweets.jsonl.gz --keep id --out v.parquet
      cut -f 2 log.tsv | embedhub embed wordnet-ppmi 25 - --out vectors.npy
    """
    from embedhub_text.embed_file import embed_file

    try:
        with usage_errors():
            done = embed_file(
                name,
                dim,
                texts,
                out,
                column=column,
                keep=keep,
                pooling=pooling,
                tokenize=tokenize,
                fitted=fitted,
                batch=batch,
                file_format=file_format,
                encoding=encoding,
                workers=workers,
                overwrite=force,
            )
    except KeyboardInterrupt:
        typer.echo("What is done is kept; run the same again to go on.", err=True)
        raise
    result = asdict(done) | {"out": str(done.out), "rows_per_second": done.rows_per_second}
    print_result(result, lambda: str(done), as_json=as_json)
