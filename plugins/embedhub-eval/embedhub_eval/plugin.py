"""The hook that adds the commands of this package."""

from typing import TYPE_CHECKING

from embedhub import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def embedhub_commands(app: "typer.Typer") -> None:
    """Add the commands compare, evaluate, plot and probe."""
    from embedhub_eval import cli

    for command in (cli.compare, cli.evaluate, cli.plot, cli.probe):
        app.command()(command)
