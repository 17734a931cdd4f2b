"""Hooks that register this package with embedhub."""

from typing import TYPE_CHECKING

from embedhub import hookimpl

if TYPE_CHECKING:
    import typer

    from embedhub.registry.plugins import Plugins


@hookimpl
def embedhub_commands(app: "typer.Typer") -> None:
    """Add the commands compare, evaluate, plot and probe."""
    from embedhub.cli.app import CHOOSE
    from embedhub_eval import cli

    for command in (cli.compare, cli.evaluate, cli.plot, cli.probe):
        app.command(rich_help_panel=CHOOSE)(command)


@hookimpl
def embedhub_plugins() -> "Plugins":
    """Return the plugins of benchmarks, for `embedhub doctor`."""
    from embedhub_eval.registry import PLUGINS

    return PLUGINS
