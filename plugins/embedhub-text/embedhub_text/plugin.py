"""The hooks by which embedhub finds this package."""

from typing import TYPE_CHECKING

from embedhub import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def embedhub_commands(app: "typer.Typer") -> None:
    """Add `embedhub embed`."""
    from embedhub_text.cli import embed

    app.command()(embed)
