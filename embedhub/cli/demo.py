"""Commands that make something to start from: a trained demo, a plugin."""

from pathlib import Path
from typing import Annotated

import typer

import embedhub
from embedhub.cli.app import app, complete_names, quiet_import

_EMBEDDED = (("glove-6b-20k", 50), ("wordnet-ppmi", 100))


@app.command()
def demo(
    source: Annotated[
        str | None,
        typer.Option(
            help="Name of a source, instead of the two inside the package.", autocompletion=complete_names
        ),
    ] = None,
    dim: Annotated[int | None, typer.Option(help="Dim of --source; its largest one by default.")] = None,
) -> None:
    """Train a small text model over pretrained and over random vectors, and compare.

    Without --source it compares the two sources inside the package, offline.

    Examples:
      embedhub demo
      embedhub demo --source glove-6b --dim 50
    """
    if source is None and dim is not None:
        raise typer.BadParameter("--dim needs --source.")
    chosen = ((source, dim or embedhub.sources()[source].dims[-1]),) if source else _EMBEDDED
    with quiet_import():
        from embedhub.cli._demo import run

    run(chosen, typer.echo)


@app.command()
def new_plugin(
    name: Annotated[str, typer.Argument(help="Name of the distribution: embedhub-<source>.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where it goes; by default a folder of that name here.")
    ] = None,
) -> None:
    """Write a distribution that offers a source of your own, with tests that pass, to fill in.

    Examples:
      embedhub new-plugin embedhub-my-corpus
      embedhub new-plugin embedhub-my-corpus --folder .
    """
    from embedhub.cli import _new_plugin as new_plugin

    folder = folder or Path(name)
    try:
        files = new_plugin.write(name, folder)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    for file in files:
        typer.echo(folder / file)
    typer.echo(f"Install and test it: cd {folder} && python -m pip install . pytest && python -m pytest")
