"""Commands that hand vectors to other programs: export, projector."""

import tempfile
import time
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embedhub.cli._app import Dim, Force, Name, amount, app, usage

if TYPE_CHECKING:
    from embedhub.matrix.export import Exported

Words = Annotated[
    Path | None,
    typer.Option("--words", help="Only the words of this file, one per line.", exists=True, dir_okay=False),
]
Topn = Annotated[int | None, typer.Option(help="Only so many rows, the first: most frequent words.", min=1)]

_SHOWN = 10  # missing words
_POINTS = 5000  # unless asked for otherwise: a page turns so many without effort


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
    from embedhub.matrix.export import form_of

    with usage():
        form_of(out, format_)
    _export(name, dim, out, words=words, topn=topn, format_=format_, overwrite=force)


@app.command()
def projector(
    name: Name,
    dim: Dim,
    *,
    words: Words = None,
    topn: Annotated[
        int | None,
        typer.Option(help="Only so many rows; 5000 unless --words says which.", min=1, show_default=False),
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
    """Write, and say what was written and which words were asked for in vain."""
    from embedhub.matrix.export import export, form_of, read_words

    done: Exported = export(
        name,
        dim,
        out,
        words=read_words(words) if words else None,
        topn=topn,
        format=form_of(out, format_),
        overwrite=overwrite,
    )
    size = amount(sum(file.stat().st_size for file in done.files))
    typer.echo(f"Wrote {done.rows:,} words, dim {done.dim}, {size}, as {done.format}:")
    for file in done.files:
        typer.echo(f"  {file}")
    if done.missing:
        shown = ", ".join([*done.missing[:_SHOWN], *(["..."] if len(done.missing) > _SHOWN else [])])
        readable = shown.encode("utf-8", "backslashreplace").decode()
        typer.echo(
            f"Not in {name} {dim}d: {len(done.missing):,} of the words of {words}: {readable}", err=True
        )
