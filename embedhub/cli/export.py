"""The command export."""

from pathlib import Path
from typing import Annotated

import typer

from embedhub.cli.app import USE, Force, Source, app, format_bytes, usage_errors

Words = Annotated[
    Path | None,
    typer.Option("--words", help="Only the words in this file, one per line.", exists=True, dir_okay=False),
]
Topn = Annotated[
    int | None,
    typer.Option("--topn", "-n", help="Only the first N vectors: the most frequent words.", min=1),
]

_MAX_LISTED = 10  # missing words


@app.command(rich_help_panel=USE)
def export(
    source: Source,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="Output file; for the projector a folder."),
    ],
    *,
    words: Words = None,
    topn: Topn = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="npz, safetensors, word2vec-text, word2vec-binary, projector, or one of a plugin.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write vectors in the file format of another program.

    Each float32 is kept bit for bit. The format is inferred from the suffix of
    OUT unless --format is given: .npz; .safetensors; .txt and .vec are word2vec
    text, .bin is word2vec binary, which gensim opens too. The output of the
    format projector is a folder, for TensorBoard's Embedding Projector; so are
    those of sentence-transformers and spacy, of the plugin embedhub-text.

    Examples:
      embedhub export wordnet-ppmi:50 vectors.npz
      embedhub export glove-6b:300 common.bin --topn 50000
      embedhub export glove-6b:300 mine.safetensors --words vocabulary.txt
      embedhub export wordnet-ppmi:100 points --format projector --topn 5000
      embedhub export glove-6b:300 model --format sentence-transformers
    """
    from embedhub._text_lines import read_lines
    from embedhub.registry.export import export as export_source
    from embedhub.registry.export import find_writer

    with usage_errors():
        name, _ = find_writer(out, format_)
    result = export_source(
        source,
        None,
        out,
        words=[word for _, word in read_lines(words, errors="surrogateescape")] if words else None,
        topn=topn,
        format=name,
        overwrite=force,
    )
    parts = [part for file in result.files for part in (file.rglob("*") if file.is_dir() else (file,))]
    size = format_bytes(sum(part.stat().st_size for part in parts if part.is_file()))
    typer.echo(f"Wrote {result.count:,} vectors of dimension {result.dim}, {size}, as {result.format}:")
    for file in result.files:
        typer.echo(f"  {file}")
    if result.missing:
        examples = ", ".join(
            [*result.missing[:_MAX_LISTED], *(["..."] if len(result.missing) > _MAX_LISTED else [])]
        )
        readable = examples.encode("utf-8", "backslashreplace").decode()
        typer.echo(f"Not in {source}: {len(result.missing):,} of the words of {words}: {readable}", err=True)
