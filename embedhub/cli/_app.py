"""What all commands share: the application, its errors, and how results are shown."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

import embedhub
from embedhub.errors import EmbedhubError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType

app = typer.Typer(
    no_args_is_help=True,
    help="Pretrained word embeddings as ready Keras layers.",
    pretty_exceptions_enable=False,  # errors of embedhub are told by main(), bugs by Python
)

Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]

_WIDE = 200  # columns where nobody looks: a table in a pipe is cut nowhere
_debug = False


def main() -> None:
    """Run the command; an error of embedhub is one paragraph on stderr and exit code 1."""
    try:
        app()
    except EmbedhubError as error:
        if _debug:
            raise
        typer.secho(f"Error: {error}", err=True, fg="red")
        raise SystemExit(1) from error


def _version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        typer.echo(f"embedhub {embedhub.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    global _debug  # noqa: PLW0603 - one process runs one command
    _debug = debug


def console() -> "Console":
    """Return the console of stdout: as wide as the terminal, or as a table needs in a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE)


def emit(value: Any, table: "Callable[[], RenderableType]", *, as_json: bool) -> None:
    """Write a result to stdout, as JSON or as the table that is made for people.

    Args:
        value: What JSON can hold.
        table: Makes what rich shows.
        as_json: Which of the two.
    """
    if as_json:
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        console().print(table())
