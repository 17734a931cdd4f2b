"""The `embedhub` command, as a user runs it: what all commands have in common, and the demo."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from children import PATIENCE, child, limited, read_until
from command import add_plugin, executable, run, seeing
from serving import Serving

import embedhub
from embedhub import EmbeddingSource
from embedhub.cli.app import app


def test_version_and_help() -> None:
    """The command tells its version; help names the commands, and shows no type of a switch."""
    assert run("--version").stdout == f"embedhub {embedhub.__version__}\n"
    shown = run("--help").stdout
    for name in ("demo", "list", "info", "download", "coverage", "neighbors", "analogy", "cache", "doctor"):
        assert re.search(rf"(?m)^\W*{name} ", shown)
    assert "bool" not in shown
    assert "bool" not in run("cache", "remove", "--help").stdout


def commands(group: Any, path: str = "") -> dict[str, Any]:
    """Return all commands by what a user types."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inside = (
            commands(command, f"{path}{name} ") if hasattr(command, "commands") else {path + name: command}
        )
        found |= inside
    return found


@pytest.mark.parametrize("name", commands(typer.main.get_command(app)))
def test_every_help_has_examples_of_itself(name: str) -> None:
    """Each command's help ends with examples that call just this command, in lines of a plain terminal."""
    text = commands(typer.main.get_command(app))[name].help
    examples = text.partition("Examples:\n")[2]
    assert f"embedhub {name}" in examples
    assert max(map(len, text.splitlines()[1:])) <= 78


def test_demo_shows_what_pretrained_vectors_are_good_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, both embedded sources do clearly better than random vectors, and stderr is empty."""
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
def test_the_log_of_an_import_of_keras_is_shown_where_it_is_wanted(
    arguments: tuple[str, ...],
    level: str | None,
    end: str,
    shown: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Output of the import is shown if the import fails, with --debug, or if the user set a log level."""
    (tmp_path / "keras.py").write_text(LOGGING_KERAS + end, "utf-8")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    done = run(*arguments, **seeing(tmp_path), **({"TF_CPP_MIN_LOG_LEVEL": level} if level else {}))
    assert done.returncode == (1 if "raise" in end else 3)
    assert ("a line of the log" in done.stderr) == shown
    assert ("ImportError: no library" in done.stderr) == ("raise" in end)


def test_dim_of_the_demo_needs_a_source() -> None:
    """A dim alone is wrong usage, since each of the two sources has its own."""
    done = run("demo", "--dim", "50")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Invalid value: --dim needs --source.")


@pytest.mark.slow
def test_demo_takes_any_source(small_plugin: dict[str, str]) -> None:
    """The demo downloads a source from the mirror, and trains over its vectors."""
    done = run("demo", "--source", "small-glove-6b", "--dim", "50", **small_plugin)
    assert done.returncode == 0, done.stderr
    accuracy = dict(re.findall(r"(?m)^(\S+) +50 +([\d.]+)%$", done.stdout))
    assert float(accuracy["small-glove-6b"]) > float(accuracy["random"]) + 20


def test_an_error_is_a_paragraph_and_exit_code_1() -> None:
    """What goes wrong is said without a traceback, which --debug shows."""
    done = run("demo", "--source", "glove-6B")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: No source is named 'glove-6B'. Did you mean 'glove-6b'?")
    assert "Traceback" not in done.stderr
    done = run("--debug", "demo", "--source", "glove-6B")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "SourceNotFoundError: No source is named 'glove-6B'" in done.stderr


def test_an_error_of_the_system_is_a_paragraph_too(tmp_path: Path) -> None:
    """What Python itself raises at a file of the user's names the file, and where more is to be had."""
    (tmp_path / "file").touch()
    done = run("new-plugin", "embedhub-x", "--folder", tmp_path / "file" / "x")
    assert "Traceback" not in done.stderr
    assert re.fullmatch(r"Error: .*Not a directory.*\n(Try .*\n)?", done.stderr)


def test_wrong_usage_is_exit_code_2() -> None:
    """An unknown option or command, and a wrong value, are said in a line, with where help is."""
    for arguments, message in (
        (("demo", "--dimension", "3"), "No such option: --dimension"),
        (("liszt",), "No such command 'liszt'"),
        (("neighbors", "wordnet-ppmi", "wide", "music"), "Invalid value for 'DIM'"),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        error, advice = done.stderr.splitlines()
        assert error.startswith("Error: ")
        assert message in error
        assert re.fullmatch(r"Try `embedhub.* --help`\.", advice)


def test_a_warning_is_one_line(cache: Path) -> None:
    """A warning of embedhub is a line on stderr, without the place in the code; the result stays clean."""
    done = run("coverage", "wordnet-ppmi", "25", "-", "--json", stdin="qwxz qwzx")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Warning: wordnet-ppmi 25d: 0 of 2 words found")
    assert done.stdout.startswith("{")


def in_terminal(*arguments: str, **variables: str) -> str:
    """Run the command on a terminal of 80 columns, and return all that it shows there."""
    import pty

    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm"} | variables
    command = (executable(), *arguments)
    shown = b""
    streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    with child(*command, traced=True, env=environment, **streams) as process:
        os.close(theirs)
        with limited(process), suppress(OSError):  # how a terminal ends
            while part := os.read(ours, 65536):
                shown += part
        process.wait(PATIENCE)
    os.close(ours)
    return shown.decode()


@pytest.mark.posix
def test_colour_is_for_those_who_see_and_want_it() -> None:
    """An error is red on a terminal, but not with NO_COLOR; in a pipe nothing is coloured."""
    wrong = ("info", "glove-6B")
    assert "\x1b[31mError:" in in_terminal(*wrong)
    assert "\x1b" not in in_terminal(*wrong, NO_COLOR="1")
    for arguments in (wrong, ("list",), ("list", "--help")):
        done = run(*arguments)
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.posix
def test_a_table_fits_the_terminal_and_is_whole_in_a_pipe() -> None:
    """80 columns show fewer columns, none of them cut; a pipe gets all of them, a line for each row."""
    narrow = re.sub("\x1b\\[[0-9;]*m", "", in_terminal("list"))  # without the marks of bold type
    assert max(map(len, narrow.splitlines())) <= 80
    assert "400,000" in narrow
    assert "PDDL-1.0" not in narrow
    assert "…" not in narrow
    lines = run("list").stdout.splitlines()
    assert len(lines) == 1 + 4 + 1 + 3
    assert all("embedhub.registry.builtin." in line for line in lines[1:])


@pytest.mark.posix
def test_a_long_cell_is_wrapped_on_a_terminal(tmp_path: Path) -> None:
    """What a finding advises takes several lines where one is too narrow, and no line is cut."""
    folder = tmp_path / "a-folder-with-a-long-name" / "that-is-not-there"
    shown = re.sub("\x1b\\[[0-9;]*m", "", in_terminal("doctor", EMBEDHUB_MIRROR=str(folder)))
    assert "There is no such folder." in " ".join(shown.split())
    assert len([line for line in shown.splitlines() if line.strip()]) > 15


def test_a_warning_of_another_package_is_shown_as_python_does(tmp_path: Path) -> None:
    """Only warnings of embedhub become one line; others keep their category and place."""
    add_plugin(
        tmp_path, "warning", "source('mine', description=str(__import__('warnings').warn('Careful.')))"
    )
    done = run("list", **seeing(tmp_path))
    assert done.returncode == 0
    assert re.search(r"warning\.py:\d+: UserWarning: Careful\.", done.stderr)


def test_a_closed_pipe_ends_the_command_in_silence(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    """Who reads two lines and goes, as `head` does, sees no traceback, whether much is written or little."""
    for arguments in (
        ("neighbors", "wordnet-ppmi", "25", "music", "--topn", "9000", "--json"),
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


@pytest.mark.posix
def test_control_c_in_a_download_exits_130_without_a_traceback(
    start: Callable[..., "subprocess.Popen[str]"],
    glove_6b_mirror: tuple[Path, EmbeddingSource],
    small_plugin: dict[str, str],
    serve: Callable[..., Serving],
) -> None:
    """Ctrl-C in a download ends it with a word and exit code 130, after a bar that has shown its progress."""
    mirror = {"EMBEDHUB_MIRROR": serve(glove_6b_mirror[0]).base, "EMBEDHUB_PROGRESS": "1"}
    process = start(
        executable(),
        "download",
        "small-glove-6b",
        "50",
        at="chunk * 4",
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
    """Return what bash would be told when Tab is hit at the end of a line."""
    words = line.split(" ")
    done = run(
        _EMBEDHUB_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), **seeing(site)
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_the_shell_completes_names_and_dims(tmp_path: Path) -> None:
    """Tab gives commands, names of sources, and the dims that a source has and are not there yet."""
    add_plugin(tmp_path, "embedhub-broken", "1 / 0")
    assert complete("embedhub ca", tmp_path) == ["cache"]
    assert complete("embedhub info gl", tmp_path) == ["glove-6b", "glove-6b-20k"]
    assert complete("embedhub download glove-6b 100 ", tmp_path) == ["50", "200", "300"]
    assert complete("embedhub neighbors wordnet-ppmi 2", tmp_path) == ["25"]


def test_words_that_cannot_be_written_are_escaped(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and letters that the terminal does not know, end no command."""
    file = tmp_path / "odd.bin"
    words = (b"rain", b"\xff\xe9", "naïve".encode(), b"[red]", b"a:cat:")
    row = np.ones(2, np.float32).tobytes()
    file.write_bytes(b"5 2\n" + b"".join(word + b" " + row + b"\n" for word in words))
    shown = run("neighbors", file, "2", "rain").stdout
    assert [line.split()[1] for line in shown.splitlines()[1:]] == [
        r"'\udcff\udce9'",
        "naïve",
        "[red]",
        "a:cat:",
    ]
    assert r"na\xefve" in run("neighbors", file, "2", "rain", PYTHONIOENCODING="ascii").stdout
    assert r'"na\u00efve"' in run("neighbors", file, "2", "rain", "--json", PYTHONIOENCODING="ascii").stdout
    assert '"naïve"' in run("neighbors", file, "2", "rain", "--json").stdout


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


@pytest.mark.parametrize("arguments", [["list"], ["info", "glove-6b"], ["cache", "list"], ["doctor"]])
def test_what_only_tells_imports_nothing_heavy(arguments: list[str], cache: Path) -> None:
    """To list and to tell takes no Keras, no backend, no compiler and no network library."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIGHT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.endswith("heavy: []\n")
