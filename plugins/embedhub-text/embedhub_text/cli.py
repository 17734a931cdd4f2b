"""The command `embedhub embed`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from embedhub.cli.app import Force, Json, Source, Tokenize, print_result, usage_errors


def embed(  # noqa: PLR0917 - typer passes all by name
    source: Source,
    texts: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="File of texts; - is the standard input, one text per line.",
            allow_dash=True,
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Output: .parquet, or .npy for the vectors alone.")],
    column: Annotated[str, typer.Option(help="Column of texts.")] = "text",
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A column to copy to the output; may be repeated. All by default."),
    ] = None,
    pooling: Annotated[
        str, typer.Option(help="How the vectors of a text's words are pooled: mean, max, sif, idf.")
    ] = "mean",
    weights: Annotated[Path | None, typer.Option(help="Folder of weights from TextEmbedder.fit.")] = None,
    tokenize: Tokenize = None,
    batch_size: Annotated[int, typer.Option(help="Rows at a time, and in a row group.", min=1)] = 16_384,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="parquet, csv, tsv, jsonl or text; by default from the name."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of all formats but Parquet.")] = "utf-8",
    *,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Embed each text of a file: Parquet, CSV, TSV, JSON lines or plain text, also compressed.

    The output has the columns of the input and a column "vector". After an
    interruption, run the same command again to resume.

    Examples:
      embedhub embed glove-6b:300 reviews.parquet --out vectors.parquet
      embedhub embed wordnet-ppmi:100 tweets.jsonl.gz --keep id --out v.parquet
      cut -f 2 log.tsv | embedhub embed wordnet-ppmi:25 - --out vectors.npy
    """
    from embedhub_text.embed_file import embed_file

    try:
        with usage_errors():
            result = embed_file(
                source,
                None,
                texts,
                out,
                column=column,
                keep=keep,
                pooling=pooling,
                tokenize=tokenize,
                weights=weights,
                batch_size=batch_size,
                file_format=file_format,
                encoding=encoding,
                overwrite=force,
            )
    except KeyboardInterrupt:
        typer.echo("The rows that are done are kept; run the same command again to resume.", err=True)
        raise
    value = asdict(result) | {
        "output_path": str(result.output_path),
        "rows_per_second": result.rows_per_second,
    }
    print_result(value, lambda: str(result), as_json=as_json)
