"""The hooks by which embedhub finds this package."""

from typing import TYPE_CHECKING

from embedhub import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def embedhub_commands(app: "typer.Typer") -> None:
    """Add the commands evaluate, compare, probe and plot."""
    from embedhub_eval.cli.compare import compare, probe
    from embedhub_eval.cli.evaluate import evaluate
    from embedhub_eval.cli.plot import plot

    for command in (evaluate, compare, probe, plot):
        app.command()(command)
