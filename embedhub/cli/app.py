"""What all commands share: the application, its errors and warnings, and how results are shown."""

import errno
import json
import os
import shutil
import sys
import tempfile
import textwrap
import warnings
from contextlib import contextmanager
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

import embedhub
from embedhub.errors import EmbedhubError
from embedhub.matrix.tokenizers import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_WIDE = 10_000  # columns where nobody looks: nothing in a pipe is cut or wrapped
_SIGINT = 130  # what a shell reports of a program that Ctrl-C has ended
_GAP = "  "  # between the columns of a table
_NARROWEST = 20  # columns, of text that is wrapped
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
def usage() -> "Iterator[None]":
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
        _tell("Error", _message(error), "red")
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
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, and TensorFlow's log.")
    ] = False,
) -> None:
    global _debug  # noqa: PLW0603 - one process runs one command
    _debug = debug


def table(
    columns: "Sequence[str]",
    rows: "Iterable[Sequence[str]]",
    *,
    right: str = "",
    spare: str = "",
    wrap: str = "",
) -> str:
    """Return a table as lines of text, for `emit`.

    Not rich's: to list 500 sources with that one took 0.78 s of processor time, and takes 0.35 s so.

    Args:
        columns: Their names, of one word.
        rows: Their cells.
        right: The columns that hold numbers, with blanks between.
        spare: The columns that a narrow terminal can do without, the first one first; a pipe gets them all.
        wrap: The one column whose cells take several lines on a narrow terminal.
    """
    from rich.cells import cell_len

    cells = [[cell if cell.isprintable() else repr(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    places = list(range(len(columns)))
    seen = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE

    def excess() -> int:
        return sum(widths[place] + len(_GAP) for place in places) - len(_GAP) - seen

    for name in spare.split():
        if excess() > 0:
            places.remove(columns.index(name))
    if wrap and excess() > 0:
        widths[columns.index(wrap)] = max(_NARROWEST, widths[columns.index(wrap)] - excess())
    lines = []
    for row in cells:
        parts = [
            textwrap.wrap(row[place], widths[place]) if columns[place] == wrap else [row[place]]
            for place in places
        ]
        for line in zip_longest(*parts, fillvalue=""):
            padded = [
                (" " * pad + cell) if columns[place] in right.split() else (cell + " " * pad)
                for place, cell in zip(places, line, strict=True)
                for pad in [widths[place] - cell_len(cell)]
            ]
            lines.append(_GAP.join(padded).rstrip())
    if sys.stdout.isatty():
        lines[0] = typer.style(lines[0], bold=True)
    return "\n".join(lines)


def emit(value: Any, shown: "Callable[[], str]", *, as_json: bool) -> None:
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


def amount(size: int | None) -> str:
    """Return a number of bytes for a person: "93.2 MB"; "?" where it is not known."""
    if size is None:
        return "?"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} B"


def download(size: int | None, at_most: int | None) -> str:
    """Return how much a fetch brings, for a person: "none", "862.2 MB", "< 1.2 GB", "?"."""
    if size == 0:
        return "none"
    return f"< {amount(at_most)}" if size is None and at_most is not None else amount(size)


def disk(size: int | None, *, measured: bool) -> str:
    """Return what a store takes, for a person: with "~" before it where it is not there to be measured."""
    return f"{'' if measured or size is None else '~ '}{amount(size)}"
