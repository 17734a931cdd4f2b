"""What all commands share: the application, its errors and warnings, and how results are shown."""

import errno
import json
import os
import sys
import tempfile
import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

import embedhub
from embedhub.errors import EmbedhubError
from embedhub.matrix.tokenizers import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

_PIPE_WIDTH = 100_000  # columns; nothing in a pipe is cut or wrapped
_SIGINT = 130  # what a shell reports of a program that Ctrl-C has ended
_GAP = 2  # spaces between the columns of a table
_debug = False

_F = TypeVar("_F", bound="Callable[..., Any]")

_DISTRIBUTIONS = {"embed": "text", "compare": "eval", "evaluate": "eval", "plot": "eval", "probe": "eval"}
"""The commands of the packages beside this one, by the extra that installs each."""

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

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands in alphabetical order, since modules are imported in no better one."""
        return sorted(super().list_commands(ctx))


class _RootGroup(_Group):
    """The `embedhub` command itself, with the commands of plugins, which are loaded when one is needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands in alphabetical order."""
        return sorted({*super().list_commands(ctx), *_plugin_commands()})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None if there is none."""
        command = super().get_command(ctx, cmd_name) or _plugin_commands().get(cmd_name)
        if command is None and cmd_name in _DISTRIBUTIONS:
            extra = _DISTRIBUTIONS[cmd_name]
            raise _UsageError(
                f"`embedhub {cmd_name}` comes with embedhub-{extra}, which is not installed or is disabled. "
                f'Install it with: pip install "embedhub[{extra}]".'
            )
        return command


@cache
def _plugin_commands() -> dict[str, Any]:
    """Return the commands of plugins by name; a failing plugin is skipped with a warning."""
    from embedhub.registry.registry import PLUGINS

    commands: dict[str, Any] = {}
    for provider in PLUGINS.providers("embedhub_commands"):
        added = App()
        try:
            PLUGINS.call_hook("embedhub_commands", provider, app=added)
            group = typer.main.get_group(added)
        except Exception as error:  # noqa: BLE001 - a failing plugin must not affect the others
            PLUGINS.skip(provider, error)
            continue
        commands = dict(group.commands) | commands
    return commands


def _without_types(params: Any) -> Any:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


class App(typer.Typer):
    """A group of commands, which shows its help where none of them is named."""

    def __init__(self, **options: Any) -> None:
        # Errors of embedhub are told by main(), bugs by Python.
        super().__init__(no_args_is_help=True, pretty_exceptions_enable=False, **{"cls": _Group} | options)

    def command(self, *arguments: Any, **options: Any) -> "Callable[[_F], _F]":
        """Add a function as a command."""
        return super().command(*arguments, cls=_Command, **options)


app = App(
    cls=_RootGroup,
    help="Pretrained word embeddings as ready Keras layers.",
    epilog="A source is a name that `embedhub list` shows, or the path of your own file of vectors.",
)


def complete_names(incomplete: str) -> list[str]:
    """Return the names of sources that begin so, for the shell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the shell is at its prompt
        return [name for name in embedhub.sources() if name.startswith(incomplete)]


def complete_dims(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the dims of the named source that begin so, for the shell."""
    taken = {str(dim) for dim in ctx.params.get("dims") or ()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = embedhub.sources().get(ctx.params.get("name") or "")
    dims = map(str, source.dims if source else ())
    return [dim for dim in dims if dim.startswith(incomplete) and dim not in taken]


def _known_rule(rule: str) -> str:
    if rule not in TOKENIZERS:
        raise typer.BadParameter(f"it is {rule!r}; expected {' or '.join(TOKENIZERS)}.")
    return rule


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
Tokenize = Annotated[
    str,
    typer.Option(metavar="RULE", help=f"How a text is cut: {', '.join(TOKENIZERS)}.", callback=_known_rule),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]


@contextmanager
def usage_errors() -> "Iterator[None]":
    """Tell a ValueError of Python's own kind as wrong usage, which is exit code 2."""
    try:
        yield
    except EmbedhubError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def quiet_import() -> "Iterator[None]":
    """Keep the log that TensorFlow writes at start-up off stderr while Keras is imported.

    TensorFlow 2.21 writes six lines to file descriptor 2 while its libraries are loaded, even where
    TF_CPP_MIN_LOG_LEVEL is 3; later lines obey the level. If the import fails, the log is shown. With --debug
    or another level set by the user, it is not held back.
    """
    if _debug or os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except Exception:
            log.seek(0)
            os.write(stderr, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


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
    except OSError as error:
        if not _is_closed_pipe(error):
            raise
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
        if _debug or _is_closed_pipe(error):
            raise
        print_message("Error", _message(error))
        return 1


def _is_closed_pipe(error: Exception) -> bool:
    """Tell whether the reader of stdout has gone; on Windows that write is an invalid argument."""
    codes = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}
    return isinstance(error, OSError) and error.errno in codes and error.filename is None


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
    print_message("Error", message)
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
    if category.__module__.startswith("embedhub"):  # of a plugin too
        print_message("Warning", str(message))
    else:
        stream = sys.stderr if file is None else file
        stream.write(warnings.formatwarning(message, category, filename, lineno, line))


def print_message(kind: Literal["Error", "Warning"], text: str) -> None:
    """Write a message to stderr: in red or yellow on a terminal, unless NO_COLOR is set.

    Args:
        kind: The word before the message.
        text: The message, one paragraph.
    """
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        prefix = typer.style(f"{kind}:", fg="red" if kind == "Error" else "yellow")
    else:
        prefix = f"{kind}:"
    typer.echo(f"{prefix} {text}", err=True)


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
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, and TensorFlow's log.")
    ] = False,
) -> None:
    global _debug  # noqa: PLW0603 - one process runs one command
    _debug = debug


def format_table(
    columns: "Sequence[str]",
    rows: "Iterable[Sequence[str]]",
    *,
    right_aligned: "Collection[str]" = (),
    optional_columns: "Iterable[str]" = (),
) -> str:
    """Return a table as text, for `print_result`.

    A table too wide for the terminal loses its optional columns, then its widest cells are wrapped. In a pipe
    each row is one line with all columns. A cell that is not printable is shown as by `repr`.

    Args:
        columns: Names of the columns.
        rows: Cells of each row.
        right_aligned: Columns that hold numbers.
        optional_columns: Columns that a narrow terminal can do without, the least important one first.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[cell if cell.isprintable() else repr(cell) for cell in row] for row in rows]
    texts = zip(columns, *cells, strict=True)  # of each column, its name included
    widths = {name: max(map(cell_len, column)) for name, column in zip(columns, texts, strict=True)}
    console = Console(file=sys.stdout, no_color=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    shown = list(columns)
    for name in optional_columns:
        if sum(widths[column] + _GAP for column in shown) - _GAP > console.width:
            shown.remove(name)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for name in shown:
        right = name in right_aligned
        table.add_column(Text(name), justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for name, cell in zip(columns, row, strict=True) if name in shown))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def print_result(value: Any, shown: "Callable[[], str]", *, as_json: bool) -> None:
    """Write a result to stdout, as JSON or as what is made for people.

    Args:
        value: What JSON can hold.
        shown: Makes the text for people.
        as_json: Which of the two.
    """
    # Not typer.echo: it takes an encoding that knows few letters for a mistake, and writes UTF-8.
    if as_json:
        every_letter = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=not every_letter) + "\n")
    else:
        sys.stdout.write(shown() + "\n")


def format_bytes(size: int | None) -> str:
    """Return a number of bytes for a person: "93.2 MB"; "?" where it is not known."""
    if size is None:
        return "?"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} B"


def format_download(size: int | None, at_most: int | None) -> str:
    """Return how much a fetch brings, for a person: "none", "862.2 MB", "< 1.2 GB", "?"."""
    if size == 0:
        return "none"
    return f"< {format_bytes(at_most)}" if size is None and at_most is not None else format_bytes(size)


def format_disk(size: int | None, *, measured: bool) -> str:
    """Return what a store takes, for a person: with "~" before it where it is not there to be measured."""
    return f"{'' if measured or size is None else '~ '}{format_bytes(size)}"
