"""Commands that export vectors: export, projector."""

import tempfile
import time
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embedhub.cli._app import Dim, Force, Name, amount, app, usage

if TYPE_CHECKING:
    from embedhub.formats.export import ExportResult

Words = Annotated[
    Path | None,
    typer.Option("--words", help="Only the words in this file, one per line.", exists=True, dir_okay=False),
]
Topn = Annotated[int | None, typer.Option(help="Only the first N vectors: the most frequent words.", min=1)]

_MAX_LISTED = 10  # missing words
_POINTS = 5000  # by default: the page rotates as many smoothly


@app.command()
def export(
    name: Name,
    dim: Dim,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="Output file; for the projector a folder.", show_default=False),
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
    """Write vectors in the file format of another program.

    Each float32 keeps its bits. The format is inferred from the suffix of OUT
    unless --format is given: .npz; .safetensors; .txt and .vec are word2vec
    text, .bin is word2vec binary, which gensim opens too. The output of the
    format projector is a folder, for TensorBoard's Embedding Projector.

    Examples:
      embedhub export wordnet-ppmi 50 vectors.npz
      embedhub export glove-6b 300 common.bin --topn 50000
      embedhub export glove-6b 300 mine.safetensors --words vocabulary.txt
      embedhub export wordnet-ppmi 100 points --format projector --topn 5000
    """
    from embedhub.formats.export import infer_format

    with usage():
        infer_format(out, format_)
    _export(name, dim, out, words=words, topn=topn, format_=format_, overwrite=force)


@app.command()
def projector(
    name: Name,
    dim: Dim,
    *,
    words: Words = None,
    topn: Annotated[
        int | None,
        typer.Option(
            help="Only the first N vectors; 5000 unless --words is given.", min=1, show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write; NAME-DIMd-projector here, with --open a temporary one."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Serve it, and open a browser.")] = False,
    port: Annotated[int, typer.Option(help="Where to serve it; 0 is a free port.", min=0, max=65535)] = 0,
    force: Force = False,
) -> None:
    """Show vectors in TensorBoard's Embedding Projector.

    Writes what it reads. With --open it is served on this machine alone, until
    Ctrl-C; that needs embedhub[projector]. The page shows 100,000 words at most.

    Examples:
      embedhub projector wordnet-ppmi 100 --open
      embedhub projector glove-6b 50 --words vocabulary.txt --out points
      tensorboard --logdir points
    """
    from embedhub.evaluation.projector_page import serve
    from embedhub.registry.registry import load

    with ExitStack() as stack:
        if out is None:
            folder = f"{load(name, dim).name}-{dim}d-projector"
            home = Path(stack.enter_context(tempfile.TemporaryDirectory())) if open_ else Path()
            out = home / folder
        topn = topn if topn or words else _POINTS
        _export(name, dim, out, words=words, topn=topn, format_="projector", overwrite=force)
        if not open_:
            typer.echo(f"Look at it with: tensorboard --logdir {out}")
            return
        url = serve(out, port)
        try:
            typer.echo(f"Serving {url} until Ctrl-C.")
            webbrowser.open(url)
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            typer.echo("Stopped.")


def _export(
    name: str,
    dim: int,
    out: Path,
    *,
    words: Path | None,
    topn: int | None,
    format_: str | None,
    overwrite: bool,
) -> None:
    """Export, and print the files and the requested words that are missing."""
    from embedhub._text_lines import read_lines
    from embedhub.formats.export import infer_format
    from embedhub.registry.export import export as export_source

    result: ExportResult = export_source(
        name,
        dim,
        out,
        words=[word for _, word in read_lines(words, errors="surrogateescape")] if words else None,
        topn=topn,
        format=infer_format(out, format_),
        overwrite=overwrite,
    )
    size = amount(sum(file.stat().st_size for file in result.files))
    typer.echo(f"Wrote {result.count:,} vectors of dimension {result.dim}, {size}, as {result.format}:")
    for file in result.files:
        typer.echo(f"  {file}")
    if result.missing:
        examples = ", ".join(
            [*result.missing[:_MAX_LISTED], *(["..."] if len(result.missing) > _MAX_LISTED else [])]
        )
        readable = examples.encode("utf-8", "backslashreplace").decode()
        typer.echo(
            f"Not in {name} {dim}d: {len(result.missing):,} of the words of {words}: {readable}", err=True
        )
