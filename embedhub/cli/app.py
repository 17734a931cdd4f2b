"""The `embedhub` command: the application, its errors, and shared types and functions.

The commands of plugins may use all names in ``__all__``: types of arguments, and functions that print.
"""

import errno
import json
import logging
import os
import sys
import warnings
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

import embedhub
from embedhub.cli._hints import hint, usage_hint
from embedhub.cli.tables import format_bytes, format_disk, format_download, format_table
from embedhub.errors import EmbedhubError, escaped
from embedhub.matrix.tokenizers import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "AUTHORS",
    "CACHE",
    "CHOOSE",
    "USE",
    "Force",
    "Json",
    "Source",
    "Sources",
    "Tokenize",
    "app",
    "complete_sources",
    "format_bytes",
    "format_disk",
    "format_download",
    "format_table",
    "print_result",
    "usage_errors",
]

_SIGINT = 130  # the exit code that shells report for a program ended by Ctrl-C

COMMANDS_OF_EXTRAS = {
    "text": ("embed",),
    "eval": ("compare", "evaluate", "plot", "probe"),
}
"""The commands of the project's other distributions, by the extra that installs each."""

# typer 0.20 uses click's class, later versions have their own: both are the base of BadParameter.
_UsageError: Any = typer.BadParameter.__mro__[1]


USE = "Use vectors"
CHOOSE = "Choose a source"
CACHE = "The cache, and problems"
AUTHORS = "For authors"
_GROUPS = (USE, CHOOSE, CACHE, AUTHORS)  # in the order of the help


class _RootGroup(TyperGroup):
    """The `embedhub` command itself, with the commands of plugins, which are loaded when one is needed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's interface
        """Return the names of all commands by their groups, in alphabetical order in each."""
        commands: dict[str, Any] = {**self.commands}
        for added in plugin_commands().values():
            commands |= added

        def place(name: str) -> tuple[int, str]:
            group = getattr(commands[name], "rich_help_panel", None)
            return (_GROUPS.index(group) if group in _GROUPS else len(_GROUPS)), name

        return sorted(commands, key=place)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None if it does not exist."""
        command = super().get_command(ctx, cmd_name)
        if command is None:
            by_plugin = (commands.get(cmd_name) for commands in plugin_commands().values())
            command = next(filter(None, by_plugin), None)
        if command is None and not ctx.resilient_parsing:  # the shell completes a line
            for extra, names in COMMANDS_OF_EXTRAS.items():
                if cmd_name in names:
                    raise _UsageError(
                        f"`embedhub {cmd_name}` needs embedhub-{extra}, which is not installed or is "
                        "disabled (docs/install.md)."
                    )
        return command


@cache
def plugin_commands() -> "Mapping[str, Mapping[str, Any]]":
    """Return the commands of plugins: provider -> name -> command.

    A failing plugin is skipped with a warning.
    """
    plugins = embedhub.sources().plugins
    commands: dict[str, Mapping[str, Any]] = {}
    for provider in plugins.providers("embedhub_commands"):
        added = typer.Typer()
        with plugins.isolated(provider):
            plugins.call_hook("embedhub_commands", provider, app=added)
            commands[provider] = typer.main.get_group(added).commands
    return commands


app = typer.Typer(
    cls=_RootGroup,
    help="Pretrained word embeddings as ready-to-use Keras layers.",
    epilog="A SOURCE is a name that `embedhub list` shows, with a dimension where it has several, such as "
    "glove-6b:50; or the path or URL of a file of vectors.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # main() prints errors of embedhub, Python prints bugs
)


def complete_sources(incomplete: str) -> list[str]:
    """Return the sources that start with a text, with their dimensions, for shell completion."""
    matching = (
        item for item in embedhub.sources().items() if item[0].startswith(incomplete.partition(":")[0])
    )
    handles = (
        handle
        for name, source in matching
        for handle in ([name] if len(source.dims) == 1 else [f"{name}:{dim}" for dim in source.dims])
    )
    return [handle for handle in handles if handle.startswith(incomplete)]


def _validate_tokenizer(tokenizer: str | None) -> str | None:
    if tokenizer is not None and tokenizer not in TOKENIZERS:
        raise typer.BadParameter(f"{tokenizer!r} is not a tokenizer; expected {' or '.join(TOKENIZERS)}.")
    return tokenizer


Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
_SOURCE = {
    "metavar": "SOURCE",
    "help": "A source with its dimension, such as glove-6b:50, or the path or URL of a file.",
    "autocompletion": complete_sources,
    "show_default": False,
}
Source = Annotated[str, typer.Argument(**_SOURCE)]
Sources = Annotated[list[str], typer.Argument(**_SOURCE)]
Tokenize = Annotated[
    str | None,
    typer.Option(
        metavar="TOKENIZER",
        help=f"How texts are tokenized: {', '.join(TOKENIZERS)}; as the source's by default.",
        callback=_validate_tokenizer,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]


@contextmanager
def usage_errors() -> "Iterator[None]":
    """Report a plain ValueError as wrong usage, with exit code 2; pass errors of embedhub unchanged."""
    try:
        yield
    except EmbedhubError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def main() -> None:
    """Run the command.

    The exit code is 0, 1 for a failed task, 2 for wrong usage, 130 after Ctrl-C. An error is one paragraph on
    stderr, a warning one line.
    """
    warnings.showwarning = _show_warning
    if "_EMBEDHUB_COMPLETE" in os.environ:  # the shell completes a line, in which warnings would appear
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        # A word may contain bytes that are not UTF-8, or letters that the terminal cannot show.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text file, unless replaced
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _SIGINT
    except OSError as error:
        if not _is_closed_pipe(error):
            raise
        # Nothing more is written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    if code == _SIGINT:
        typer.echo("Interrupted.", err=True)
    raise SystemExit(code)


def _run() -> int:
    options = SimpleNamespace(debug=False)
    try:
        return int(app(standalone_mode=False, obj=options) or 0)
    except typer.Abort:
        print_message("Error", "The command was aborted.")
        return 1
    except _UsageError as error:
        _print_usage_error(error)
        return 2
    except Exception as error:
        # Code of a source that fails has a note; anything else is a bug, whose traceback is needed.
        known = isinstance(error, EmbedhubError | OSError | ValueError | MemoryError) or _notes(error)
        if options.debug or not known or _is_closed_pipe(error):
            raise
        print_message("Error", _describe(error))
        return 1


def _is_closed_pipe(error: Exception) -> bool:
    """Return whether the reader of stdout has gone; on Windows such a write is an invalid argument."""
    codes = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}
    return isinstance(error, OSError) and error.errno in codes and error.filename is None


def _describe(error: Exception) -> str:
    """Return the message of an error; other errors than embedhub's own mention --debug."""
    if isinstance(error, EmbedhubError):
        return f"{error}{hint(error)}"
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        text = f"not enough memory{f' ({text})' if text else ''}; close other programs, or take a smaller dim"
    if _notes(error):
        text = f"{_notes(error)} {type(error).__name__}: {text}"
    return f"{(text or type(error).__name__).removesuffix('.')}. `embedhub --debug ...` shows the traceback."


def _notes(error: Exception) -> str:
    return " ".join(getattr(error, "__notes__", ()))


def _print_usage_error(error: Any) -> None:
    message = error.format_message()
    if not message:  # no command was named, so the help has been shown
        return
    if error.ctx is not None and message.startswith(("Missing", "Got unexpected extra")):
        arguments = error.ctx.command.collect_usage_pieces(error.ctx)[1:]  # without the options
        required = [one for one in error.ctx.command.params if one.required and one.opts[0][:1] == "-"]
        arguments += [f"{one.opts[0]} {one.name.upper()}" for one in required]
        usage = f"{error.ctx.command_path} {' '.join(arguments)}".replace("{", "").replace("}", "")
        message = f"{message.removesuffix('.')}. Usage: {usage}"
    if advice := usage_hint(message):
        message = f"{message.removesuffix('.')}.{advice}"
    print_message("Error", message)
    if error.ctx is not None:
        typer.echo(f"Try `{error.ctx.command_path} --help`.", err=True)


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


def _set_debug(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001 - typer calls it with a position
    ctx.ensure_object(SimpleNamespace).debug = value
    if value:
        log = logging.getLogger("embedhub")
        log.addHandler(logging.StreamHandler())
        log.setLevel(logging.DEBUG)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer calls it with a position
    if value:
        typer.echo(f"embedhub {embedhub.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
    # Eager, since plugins are loaded before this function runs.
    _debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            callback=_set_debug,
            is_eager=True,
            help="Show the traceback of an error, also of a plugin's, and TensorFlow's log.",
        ),
    ] = False,
) -> None:
    pass


def print_message(kind: Literal["Error", "Warning"], text: str) -> None:
    """Write a message to stderr; on a terminal its kind is red or yellow, unless NO_COLOR is set."""
    prefix = f"{kind}:"
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        prefix = typer.style(prefix, fg="red" if kind == "Error" else "yellow")
    typer.echo(f"{prefix} {escaped(text)}", err=True)


def print_result(value: Any, text: "Callable[[], str]", *, as_json: bool) -> None:
    """Write a result to stdout, as JSON or as text.

    Args:
        value: The result, of types that JSON has.
        text: Returns the result as text.
        as_json: Whether JSON is written.
    """
    # Not typer.echo: it writes UTF-8 where the encoding of stdout has fewer letters.
    if as_json:
        is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=not is_utf8) + "\n")
    else:
        sys.stdout.write(text() + "\n")
