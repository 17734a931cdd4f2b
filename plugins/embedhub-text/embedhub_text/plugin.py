"""Hooks that register this package with embedhub."""

from typing import TYPE_CHECKING

from embedhub import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def embedhub_commands(app: "typer.Typer") -> None:
    """Add `embedhub embed`."""
    from embedhub.cli.app import USE
    from embedhub_text.cli import embed

    app.command(rich_help_panel=USE)(embed)
