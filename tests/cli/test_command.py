"""The `embedhub` command as a user runs it: what all commands share, plugins' commands, and the demo."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import typer
from children import PATIENCE, read_until
from command import add_distribution, add_plugin, executable, in_terminal, run, seeing, without_styles
from serving import Serving
from typer.testing import CliRunner

import embedhub
from embedhub import ComputedSource, EmbeddingSource, FormatError
from embedhub.cli.app import _run, app, plugin_commands


def test_version_and_help() -> None:
    """--version prints the version, and --help the commands."""
    assert run("--version").stdout == f"embedhub {embedhub.__version__}\n"
    shown = run("--help").stdout
    for name in ("demo", "list", "info", "download", "coverage", "neighbors", "analogy", "cache", "doctor"):
        assert re.search(rf"(?m)^\W*{name} ", shown)


def test_commands_are_in_groups() -> None:
    """The help has the commands by what they are for, those of the other distributions among them."""
    groups = re.findall(r"(?ms)^\W*─ (\w[^─]*) ─.*?^╰", run("--help").stdout)
    assert groups == ["Options", "Use vectors", "Choose a source", "The cache, and problems", "For authors"]


def commands(group: Any, path: str = "") -> dict[str, Any]:
    """Return all of embedhub's own commands by what a user types."""
    by_path: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        by_path |= commands(command, f"{path}{name} ") if inner else {path + name: command}
    return by_path


COMMANDS = commands(typer.main.get_command(app))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_ends_with_examples_of_its_command(name: str) -> None:
    """The help of a command ends with examples that call it, in lines that fit 80 columns."""
    text = COMMANDS[name].help
    examples = text.partition("Examples:\n")[2]
    assert f"embedhub {name}" in examples
    assert max(map(len, text.splitlines()[1:])) <= 78


@pytest.mark.parametrize("name", [*COMMANDS, *chain.from_iterable(plugin_commands().values())])
def test_help_shows_brackets(name: str) -> None:
    """What is to be installed is shown with its extra, which the markup of help texts would swallow."""
    shown = CliRunner().invoke(app, [*name.split(), "--help"], terminal_width=200)
    command: Any = typer.main.get_command(app)
    for part in name.split():
        command = command.get_command(typer.Context(command), part)
    extras = re.findall(r"\[[a-z]+\]", command.help.replace("\\", ""))
    assert [extra for extra in extras if extra not in shown.output] == []


@pytest.mark.slow
def test_pretrained_vectors_beat_random_ones_in_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, both packaged sources are clearly better than random vectors, and stderr is empty."""
    for name in ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    done = run("demo")
    assert (done.returncode, done.stderr) == (0, "")
    rows = re.findall(r"(?m)^([\w-]+) +(\d+) +([\d.]+)%$", done.stdout)
    accuracies = {(name, int(dim)): float(accuracy) for name, dim, accuracy in rows}
    assert list(accuracies) == [("glove-6b-20k", 50), ("random", 50), ("wordnet-ppmi", 100), ("random", 100)]
    assert accuracies["glove-6b-20k", 50] > accuracies["random", 50] + 40
    assert accuracies["wordnet-ppmi", 100] > accuracies["random", 100] + 40
    assert done.stdout.count("words found") == 2


LOGGING_KERAS = """
import os

os.write(2, b"a line of the log\\n")
"""


@pytest.mark.parametrize(
    ("arguments", "level", "end", "shown"),
    [
        (("demo",), None, "os._exit(3)", False),
        (("demo",), "3", "os._exit(3)", False),
        (("demo",), "0", "os._exit(3)", True),
        (("--debug", "demo"), None, "os._exit(3)", True),
        (("demo",), None, "raise ImportError('no library')", True),
    ],
    ids=["quiet", "level 3", "level 0", "--debug", "failed import"],
)
def test_the_log_of_importing_keras_is_hidden_unless_requested(
    arguments: tuple[str, ...],
    level: str | None,
    end: str,
    shown: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log is shown if the import fails, with --debug, or if the user has set a log level."""
    (tmp_path / "keras.py").write_text(LOGGING_KERAS + end, "utf-8")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    done = run(*arguments, **seeing(tmp_path), **({"TF_CPP_MIN_LOG_LEVEL": level} if level else {}))
    assert done.returncode == (1 if "raise" in end else 3)
    assert ("a line of the log" in done.stderr) == shown
    assert ("ImportError: no library" in done.stderr) == ("raise" in end)


def test_source_of_the_demo_has_a_dim() -> None:
    """A source with several dimensions is an error before anything is trained, as in other commands."""
    done = run("demo", "--source", "wordnet-ppmi")
    assert done.returncode == 1
    assert done.stderr.endswith("has several dims: 25, 50, 100. Name one, as in 'wordnet-ppmi:25'.\n")


@pytest.mark.slow
def test_demo_takes_any_source(small_plugin: dict[str, str]) -> None:
    """The demo downloads a source from the mirror, and trains over its vectors."""
    done = run("demo", "--source", "small-glove-6b:50", **small_plugin)
    assert done.returncode == 0, done.stderr
    accuracy = dict(re.findall(r"(?m)^(\S+) +50 +([\d.]+)%$", done.stdout))
    assert float(accuracy["small-glove-6b"]) > float(accuracy["random"]) + 20


def test_an_error_is_one_paragraph_and_exit_code_1() -> None:
    """An error is printed without its traceback, which --debug shows."""
    done = run("demo", "--source", "glove-6B")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: No source is named 'glove-6B'. Did you mean 'glove-6b'?")
    assert "Traceback" not in done.stderr
    done = run("--debug", "demo", "--source", "glove-6B")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "SourceNotFoundError: No source is named 'glove-6B'" in done.stderr


def test_an_error_of_the_system_is_one_paragraph(tmp_path: Path) -> None:
    """An OSError at a file of the user names the file, and how to see the traceback."""
    (tmp_path / "file").touch()
    done = run("new-plugin", "embedhub-x", "--folder", tmp_path / "file" / "x")
    assert done.returncode == 1
    place = re.escape(str(tmp_path / "file"))
    assert re.fullmatch(rf"Error: {place}.*: .*\. `embedhub --debug .*` shows the traceback\.\n", done.stderr)


def test_wrong_usage_is_exit_code_2() -> None:
    """An unknown option or command, and a wrong value, are one line, and the next one names the help."""
    for arguments, message in (
        (("demo", "--dimension", "3"), "No such option: --dimension"),
        (("liszt",), "No such command 'liszt'"),
        (("neighbors", "wordnet-ppmi:25", "music", "--topn", "many"), "Invalid value for '--topn'"),
        (("neighbors", "music"), "Usage: embedhub neighbors SOURCE WORD..."),
        (("neighbors", "--dim", "25", "wordnet-ppmi", "music"), "A dimension follows its source, as in"),
        (("coverage", "wordnet-ppmi", "25", "words.txt"), "A dimension follows its source, as in"),
        (
            ("coverage", "wordnet-ppmi", "glove-6b:50", "a.txt"),
            "SOURCE FILE. To compare sources: embedhub compare wordnet-ppmi glove-6b:50 --text FILE.",
        ),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        error, advice = done.stderr.splitlines()
        assert error.startswith("Error: ")
        assert message in error
        assert re.fullmatch(r"Try `embedhub.* --help`\.", advice)


def test_arguments_in_the_wrong_place_are_named(tmp_path: Path) -> None:
    """An error of a source that is not the first argument, or is several, says how it is written."""
    text = tmp_path / "reviews.txt"
    text.write_text("It rains.\n", "utf-8")
    for arguments, message in (
        (
            ("neighbors", "berlin", "wordnet-ppmi:25"),
            " SOURCE comes first: embedhub neighbors wordnet-ppmi:25 berlin ...",
        ),
        (
            ("coverage", text, "wordnet-ppmi"),
            f" SOURCE comes first: embedhub coverage wordnet-ppmi {text} ...",
        ),
        (
            ("download", "wordnet-ppmi:25,glove-6b-20k"),
            " with spaces between on a command line: wordnet-ppmi:25 glove-6b-20k. `embedhub list`",
        ),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: ")
        assert message in done.stderr


def test_a_warning_is_one_line(cache: Path) -> None:
    """A warning of embedhub is one line on stderr without a line of code; stdout has only the result."""
    done = run("coverage", "wordnet-ppmi:25", "-", "--json", stdin="qwxz qwzx")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Warning: wordnet-ppmi 25d: 0 of 2 words found")
    assert done.stdout.startswith("{")


@pytest.mark.slow
@pytest.mark.posix
def test_color_is_only_for_terminals() -> None:
    """An error is red on a terminal, but not with NO_COLOR; in a pipe nothing is colored."""
    wrong = ("info", "glove-6B")
    assert "\x1b[31mError:" in in_terminal(*wrong)
    assert "\x1b" not in in_terminal(*wrong, NO_COLOR="1")
    for arguments in (wrong, ("list",), ("list", "--help")):
        done = run(*arguments)
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.posix
def test_a_table_fits_the_terminal_and_is_complete_in_a_pipe(tmp_path: Path) -> None:
    """80 columns show the important columns, uncut; a pipe gets one line for each row, however long."""
    name = "a-name-of-32-letters-like-these-"[:31] + "x"
    add_plugin(tmp_path, "embedhub-long", f"source('{name}', license='A license', description='{300 * 'x'}')")
    narrow = without_styles(in_terminal("list", **seeing(tmp_path)))
    assert max(map(len, narrow.splitlines())) <= 80
    assert re.search(r"(?m)^glove-6b +50, 100, 200, 300 +GloVe on Wikipedia", narrow)
    assert f"\n{name} " in narrow
    assert "PDDL-1.0" not in narrow
    assert "…" not in narrow
    header, *lines = run("list", **seeing(tmp_path)).stdout.splitlines()
    assert header.split()[-3:] == ["download", "cached", "description"]
    (line,) = (line for line in lines if line.startswith(f"{name} "))
    assert line.endswith(f"  {300 * 'x'}")


@pytest.mark.slow
@pytest.mark.posix
def test_a_long_cell_is_wrapped_on_a_terminal(tmp_path: Path) -> None:
    """A value too long for its line continues in the next one, and nothing of it is lost."""
    folder = tmp_path / ("a-folder-with-a-long-name-" * 4)
    table, _, _ = without_styles(in_terminal("doctor", EMBEDHUB_MIRROR=str(folder))).partition("\r\n\r\n")
    assert max(map(len, table.splitlines())) <= 80
    start = table.index("value")
    assert str(folder) in "".join(line[start:] for line in table.splitlines())


def test_a_warning_of_another_package_is_shown_as_python_does(tmp_path: Path) -> None:
    """Only warnings of embedhub become one line; others keep their category and place."""
    add_plugin(
        tmp_path, "warning", "source('mine', description=str(__import__('warnings').warn('Careful.')))"
    )
    done = run("list", **seeing(tmp_path))
    assert done.returncode == 0
    assert re.search(r"warning\.py:\d+: UserWarning: Careful\.", done.stderr)


@pytest.mark.slow
def test_a_closed_pipe_ends_the_command_in_silence(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    """A reader that closes the pipe early, as `head` does, causes no traceback."""
    for arguments in (
        ("neighbors", "wordnet-ppmi:25", "music", "--topn", "9000", "--json"),
        ("list",),
        ("cache", "path"),
    ):
        # Unbuffered, Python takes half a write for a whole one.
        env = os.environ | {"PYTHONUNBUFFERED": ""}
        process = start(executable(), *arguments, env=env, traced=True)
        if len(arguments) > 2:
            assert read_until(process, "[") == "[\n"
        assert process.stdout
        process.stdout.close()
        assert process.communicate(timeout=PATIENCE)[1] == ""
        assert process.returncode == 1


@pytest.mark.slow
@pytest.mark.posix
def test_control_c_in_a_download_exits_130_without_a_traceback(
    start: Callable[..., "subprocess.Popen[str]"],
    glove_6b_mirror: tuple[Path, EmbeddingSource],
    small_plugin: dict[str, str],
    serve: Callable[..., Serving],
) -> None:
    """Ctrl-C in a download ends it with one word and exit code 130, after its progress bar."""
    mirror = {"EMBEDHUB_MIRROR": serve(glove_6b_mirror[0]).base, "EMBEDHUB_PROGRESS": "1", "COLUMNS": "200"}
    process = start(
        executable(),
        "download",
        "small-glove-6b:50",
        at="chunk * 12",
        env=os.environ | small_plugin | mirror,
    )
    process.send_signal(signal.SIGINT)
    err = read_until(process, "Interrupted.", "stderr")
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Downloading small-glove-6b 50d (glove.6B.50d.txt)" in err
    assert err.endswith("Interrupted.\n")
    assert "Traceback" not in err
    assert out == ""


def complete(line: str, site: Path) -> list[str]:
    """Return the completions that bash gets for Tab at the end of a line."""
    words = line.split(" ")
    done = run(
        _EMBEDHUB_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), **seeing(site)
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
def test_the_shell_completes_names_and_dims(tmp_path: Path) -> None:
    """Tab completes commands, and the names of sources with their dimensions."""
    add_plugin(tmp_path, "embedhub-broken", "1 / 0")
    assert complete("embedhub ca", tmp_path) == ["cache"]
    glove = {"glove-6b:50", "glove-6b:100", "glove-6b:200", "glove-6b:300", "glove-6b-20k"}
    assert glove <= set(complete("embedhub info gl", tmp_path))
    assert not {"wordnet-ppmi:25", "wordnet-ppmi"} & set(complete("embedhub info gl", tmp_path))
    assert complete("embedhub download glove-6b-20k wordnet-ppmi:5", tmp_path) == ["wordnet-ppmi:50"]


@pytest.mark.slow
def test_words_that_cannot_be_written_are_escaped(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and letters that the terminal lacks, are escaped; markup of rich is text."""
    file = tmp_path / "odd.bin"
    words = (b"rain", b"\xff\xe9", "naïve".encode(), b"[red]", b"a:cat:")
    rows = np.array([[1, 0], [9, 1], [9, 2], [9, 3], [9, 4]], np.float32)
    lines = (word + b" " + row.tobytes() + b"\n" for word, row in zip(words, rows, strict=True))
    file.write_bytes(b"5 2\n" + b"".join(lines))
    shown = run("neighbors", file, "rain").stdout
    assert [line.split()[1] for line in shown.splitlines()[1:]] == [
        r"'\udcff\udce9'",
        "naïve",
        "[red]",
        "a:cat:",
    ]
    assert r"na\xefve" in run("neighbors", file, "rain", PYTHONIOENCODING="ascii").stdout
    assert r'"na\u00efve"' in run("neighbors", file, "rain", "--json", PYTHONIOENCODING="ascii").stdout
    assert '"naïve"' in run("neighbors", file, "rain", "--json").stdout


LIGHT = """
import sys
from embedhub.cli import main
sys.argv = ["embedhub", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
heavy = {"keras", "tensorflow", "jax", "torch", "numba", "pooch", "requests"}
print("heavy:", sorted(heavy & set(sys.modules)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["list"], ["info", "glove-6b"], ["cache", "list"], ["doctor"]])
def test_informational_commands_import_nothing_heavy(arguments: list[str], cache: Path) -> None:
    """Listing and showing imports no Keras, no backend, no compiler and no network library."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIGHT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.endswith("heavy: []\n")


PLUGIN = """
from embedhub import hookimpl


@hookimpl
def embedhub_commands(app):
    @app.command()
    def greet(name: str):
        "Greet a person."
        print("Hello", name)
"""

BROKEN_PLUGIN = """
from embedhub import hookimpl


@hookimpl
def embedhub_commands(app):
    1 / 0
"""


@pytest.mark.slow
def test_a_command_of_a_plugin_appears_in_help_and_runs(tmp_path: Path) -> None:
    """A command that a plugin adds is listed among embedhub's own, has a help, and runs."""
    add_distribution(tmp_path, "embedhub-greet", PLUGIN)
    assert re.search(r"(?m)^\W*greet +Greet a person\.", run("--help", **seeing(tmp_path)).stdout)
    assert "Greet a person." in run("greet", "--help", **seeing(tmp_path)).stdout
    done = run("greet", "Ada", **seeing(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello Ada\n", "")
    assert complete("embedhub gre", tmp_path) == ["greet"]


@pytest.mark.slow
def test_a_plugin_whose_hook_of_commands_fails_is_skipped(tmp_path: Path) -> None:
    """A failing hook is one warning; other plugins keep their commands, and doctor reports the plugin."""
    add_distribution(tmp_path, "embedhub-broken", BROKEN_PLUGIN)
    add_distribution(tmp_path, "embedhub-greet", PLUGIN)
    for arguments in (("--help",), ("greet", "Ada")):
        done = run(*arguments, **seeing(tmp_path))
        assert done.returncode == 0
        (warning,) = done.stderr.splitlines()
        assert warning.startswith("Warning: The embedhub plugin embedhub-broken (embedhub-broken) is skipped")
        assert "ZeroDivisionError" in warning
    findings = {
        finding["name"]: finding for finding in json.loads(run("doctor", "--json", **seeing(tmp_path)).stdout)
    }
    assert findings["embedhub-broken (embedhub-broken)"]["value"] == (
        "is skipped, because it is broken: ZeroDivisionError: division by zero (embedhub_broken.py, line 7)"
    )
    assert findings["embedhub-greet (embedhub-greet)"]["value"] == "1.0, commands: greet"


@pytest.mark.slow
@pytest.mark.parametrize(("command", "extra"), [("evaluate", "eval"), ("embed", "text")])
def test_a_command_of_a_missing_distribution_names_what_to_install(command: str, extra: str) -> None:
    """Without its distribution the command is wrong usage, and the message names the page on installation."""
    done = run(command, "wordnet-ppmi", EMBEDHUB_DISABLE_PLUGINS="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"Error: `embedhub {command}` needs embedhub-{extra}, which is not installed"
    )
    assert done.stderr.endswith(" or is disabled (docs/install.md).\n")


@pytest.mark.slow
def test_completing_a_command_of_a_missing_distribution_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tab after a command that is not installed prints nothing into the line of the shell."""
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", "1")
    assert complete("embedhub evaluate glo", tmp_path) == []


@pytest.mark.slow
def test_embedhubs_own_commands_load_no_plugin(tmp_path: Path, cache: Path) -> None:
    """A command that needs no source loads no plugin's module, whose import would cost time."""
    add_distribution(tmp_path, "embedhub-loud", "print('loaded')\n" + PLUGIN)
    done = run("cache", "path", **seeing(tmp_path))
    assert (done.stdout, done.stderr) == (f"{cache}\n", "")
    assert "loaded" not in run("list", "--help", **seeing(tmp_path)).stderr
    done = run("greet", "Ada", **seeing(tmp_path))
    assert (done.stdout, done.stderr) == ("Hello Ada\n", "loaded\n")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("k"), "bread 2d: this error comes from the code that reads or computes the vectors of the"),
        (ValueError("two\nlines"), "ValueError: two lines. `embedhub --debug ...` shows the traceback."),
        (MemoryError(), "not enough memory; close other programs, or take a smaller dim"),
        (
            PermissionError(13, "Permission denied", "/gone/x"),
            "bread 2d: the input of the store cannot be read",
        ),
        (FormatError("/gone/x: line 2: cut."), "/gone/x: line 2: cut."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_error_of_a_source_is_one_paragraph(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the code of a source raises, the command names it in one line, without a traceback."""

    def compute(_: int) -> NoReturn:
        raise error

    facts: dict[str, Any] = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    facts |= {"name": "bread", "dims": (2,), "version": 1, "language": "en", "cased": True}
    embedhub.register(ComputedSource(**facts, compute=compute))
    monkeypatch.setattr("sys.argv", ["embedhub", "download", "bread:2"])
    try:
        assert _run() == 1
    finally:
        embedhub.sources()._registered.pop("bread")  # noqa: SLF001 - there is no other way to take one back
        embedhub.sources().refresh()
    message = capsys.readouterr().err
    assert message.startswith("Error: ")
    assert words in message
    assert message.count("\n") == 1
