"""What all commands share: the application, its errors and warnings, and how results are shown."""

import errno
import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

import embedhub
from embedhub.errors import EmbedhubError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table

_WIDE = 10_000  # columns where nobody looks: nothing in a pipe is cut or wrapped
_SIGINT = 130  # what a shell reports of a program that Ctrl-C has ended
_debug = False

_F = TypeVar("_F", bound="Callable[..., Any]")

# typer 0.20 takes click's, later ones carry their own: all have this class above BadParameter.
_UsageError: Any = typer.BadParameter.__mro__[1]


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> Any:
        """Return the parameters; a switch takes no value, so help shows no type of it."""
        return _without_types(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> Any:
        """Do as a command does."""
        return _without_types(super().get_params(ctx))


def _without_types(params: Any) -> Any:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


class App(typer.Typer):
    """A group of commands, which shows its help where none of them is named."""

    def __init__(self, **options: Any) -> None:
        # Errors of embedhub are told by main(), bugs by Python.
        super().__init__(cls=_Group, no_args_is_help=True, pretty_exceptions_enable=False, **options)

    def command(self, *arguments: Any, **options: Any) -> "Callable[[_F], _F]":
        """Add a function as a command."""
        return super().command(*arguments, cls=_Command, **options)


app = App(
    help="Pretrained word embeddings as ready Keras layers.",
    epilog="A source is a name that `embedhub list` shows, or the path of your own file of vectors.",
)


def complete_names(incomplete: str) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the shell is at its prompt
        return [name for name in embedhub.sources() if name.startswith(incomplete)]


def complete_dims(ctx: typer.Context, incomplete: str) -> list[str]:
    taken = {str(dim) for dim in ctx.params.get("dims") or ()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = embedhub.sources().get(ctx.params.get("name") or "")
    dims = map(str, source.dims if source else ())
    return [dim for dim in dims if dim.startswith(incomplete) and dim not in taken]


Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Name of a source, or the path of a file.",
        autocompletion=complete_names,
        show_default=False,
    ),
]
Dim = Annotated[
    int,
    typer.Argument(
        metavar="DIM", help="Dim: width of a row.", autocompletion=complete_dims, show_default=False
    ),
]
Dims = Annotated[
    list[int] | None,
    typer.Argument(
        metavar="DIM...", help="One dim or more.", autocompletion=complete_dims, show_default=False
    ),
]


def main() -> None:
    """Run the command.

    The exit code is 0, 1 for a failed task, 2 for wrong usage, 130 after Ctrl-C. An error is one paragraph on
    stderr, a warning one line.
    """
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        # A word may hold bytes that are no UTF-8, and a terminal may know fewer letters than there are.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text file, unless replaced
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _SIGINT
    except BrokenPipeError:
        code = _close_quietly()
    if code == _SIGINT:
        typer.echo("Interrupted.", err=True)
    raise SystemExit(code)


def _run() -> int:
    try:
        return int(app(standalone_mode=False) or 0)
    except typer.Abort:
        typer.echo("Nothing was done.", err=True)
        return 1
    except _UsageError as error:
        _tell_usage(error)
        return 2
    except (EmbedhubError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise BrokenPipeError from error
        if _debug:
            raise
        _tell("Error", _message(error), "red")
        return 1


def _message(error: Exception) -> str:
    """Return what an error says; one that is not ours says where more is to be had."""
    if isinstance(error, EmbedhubError):
        return str(error)
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{text or type(error).__name__} (`embedhub --debug ...` shows where.)"


def _tell_usage(error: Any) -> None:
    message = error.format_message()
    if not message:  # the help was asked for by naming no command, and has been shown
        return
    _tell("Error", message, "red")
    if error.ctx is not None:
        typer.echo(f"Try `{error.ctx.command_path} --help`.", err=True)


def _close_quietly() -> int:
    """Take leave of a reader that has had enough, such as `head`: nothing more is written, even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _show_warning(  # noqa: PLR0917 - Python's own order
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    if category.__module__ == "embedhub.errors":
        _tell("Warning", str(message), "yellow")
    else:
        stream = sys.stderr if file is None else file
        stream.write(warnings.formatwarning(message, category, filename, lineno, line))


def _tell(kind: str, text: str, colour: str) -> None:
    """Write to stderr, the kind in colour where somebody sees it and wants it."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    typer.echo(f"{typer.style(f'{kind}:', fg=colour) if coloured else f'{kind}:'} {text}", err=True)


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
    """Return the console of stdout: as wide as the terminal, or as anything needs in a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, emoji=False)


def table(
    columns: "Sequence[str]",
    rows: "Iterable[Sequence[str]]",
    *,
    right: str = "",
    spare: str = "",
    wrap: str = "",
) -> "Table":
    """Return a table: with a rule under its head on a terminal, with none in a pipe.

    Args:
        columns: Their names, of one word.
        rows: Their cells, which mean just what they hold: no markup, no emoji.
        right: The columns that hold numbers, with blanks between.
        wrap: The one column whose cells may take several lines on a terminal.
        spare: The columns that a narrow terminal can do without, the first one first; a pipe gets them all.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    made = Table(
        box=box.SIMPLE_HEAD if sys.stdout.isatty() else None,
        pad_edge=False,
        header_style="bold",
    )
    for column in columns:
        justify: Literal["right", "left"] = "right" if column in right.split() else "left"
        made.add_column(column, justify=justify, no_wrap=column != wrap, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell if cell.isprintable() else repr(cell)) for cell in row))
    dropped, _, others = spare.partition(" ")
    seen = console()
    if not dropped or seen.measure(made, options=seen.options.update(width=_WIDE)).maximum <= seen.width:
        return made
    left = [place for place, column in enumerate(columns) if column != dropped]
    fewer = [[row[place] for place in left] for row in rows]
    return table([columns[place] for place in left], fewer, right=right, spare=others, wrap=wrap)


def emit(value: Any, shown: "Callable[[], RenderableType]", *, as_json: bool) -> None:
    """Write a result to stdout, as JSON or as what is made for people.

    Args:
        value: What JSON can hold.
        shown: Makes what rich shows.
        as_json: Which of the two.
    """
    if as_json:
        every_letter = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        typer.echo(json.dumps(value, indent=2, ensure_ascii=not every_letter))
    else:
        made = shown()
        if isinstance(made, str):
            typer.echo(made)
        else:
            console().print(made)


def amount(size: int | None) -> str:
    """Return a number of bytes for a person: "93.2 MB"; "?" where it is not known."""
    if size is None:
        return "?"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} B"
