"""The hooks by which embedhub finds this package."""

from typing import TYPE_CHECKING

from embedhub import hookimpl

if TYPE_CHECKING:
    from embedhub.cli import App


@hookimpl
def embedhub_commands(app: "App") -> None:
    """Add `embedhub embed`."""
    from embedhub_text.cli import embed

    app.command()(embed)
