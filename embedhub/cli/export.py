"""The command that writes vectors in the formats of other programs: export."""

from pathlib import Path
from typing import Annotated

import typer

from embedhub.cli.app import Dim, Force, Name, app, format_bytes, usage_errors

Words = Annotated[
    Path | None,
    typer.Option("--words", help="Only the words of this file, one per line.", exists=True, dir_okay=False),
]
Topn = Annotated[int | None, typer.Option(help="Only so many rows, the first: most frequent words.", min=1)]

_SHOWN = 10  # missing words


@app.command()
def export(
    name: Name,
    dim: Dim,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="The file to write; for the projector a folder.", show_default=False
        ),
    ],
    *,
    words: Words = None,
    topn: Topn = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="npz, safetensors, word2vec-text, word2vec-binary or projector."),
    ] = None,
    force: Force = False,
) -> None:
    """Write vectors in the form of another program, each number bit for bit.

    The ending of OUT says the form, or --format: .npz; .safetensors; .txt and
    .vec are word2vec's text, .bin its binary, which gensim opens too. The
    projector's is a folder.

    Examples:
      embedhub export wordnet-ppmi 50 vectors.npz
      embedhub export glove-6b 300 common.bin --topn 50000
      embedhub export glove-6b 300 mine.safetensors --words vocabulary.txt
      embedhub export wordnet-ppmi 100 points --format projector --topn 5000
    """
    from embedhub.matrix.export import export as write
    from embedhub.matrix.export import form_of, read_words

    with usage_errors():
        written_as = form_of(out, format_)
    done = write(
        name,
        dim,
        out,
        words=read_words(words) if words else None,
        topn=topn,
        format=written_as,
        overwrite=force,
    )
    size = format_bytes(sum(file.stat().st_size for file in done.files))
    typer.echo(f"Wrote {done.rows:,} words, dim {done.dim}, {size}, as {done.format}:")
    for file in done.files:
        typer.echo(f"  {file}")
    if done.missing:
        shown = ", ".join([*done.missing[:_SHOWN], *(["..."] if len(done.missing) > _SHOWN else [])])
        readable = shown.encode("utf-8", "backslashreplace").decode()
        typer.echo(
            f"Not in {name} {dim}d: {len(done.missing):,} of the words of {words}: {readable}", err=True
        )
