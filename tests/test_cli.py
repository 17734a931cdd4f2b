"""The `embedhub` command, as a user runs it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import embedhub


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    command = shutil.which("embedhub")
    assert command, "the embedhub command is not installed"
    return subprocess.run([command, *arguments], capture_output=True, text=True, check=False)


def test_version_and_help() -> None:
    """The command tells its version, and help names the demo."""
    assert run("--version").stdout == f"embedhub {embedhub.__version__}\n"
    assert "demo" in run("--help").stdout


def test_demo_shows_what_pretrained_vectors_are_good_for() -> None:
    """Offline, pretrained vectors do clearly better on words that training never used than random ones."""
    done = run("demo")
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"Test accuracy over (\w+) vectors: ([\d.]+)%", done.stdout))
    assert float(found["pretrained"]) > float(found["random"]) + 20
    assert "words found" in done.stdout


def test_demo_takes_any_source(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with GloVe, brought from the mirror."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
    done = run("demo", "--source", "glove-6b", "--dim", "50")
    assert done.returncode == 0, done.stderr
    assert "Vectors: glove-6b, dim 50." in done.stdout


def test_an_error_is_a_paragraph_and_exit_code_1() -> None:
    """What goes wrong is said without a traceback; wrong usage is exit code 2."""
    done = run("demo", "--source", "glove-6B")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: No source is named 'glove-6B'. Did you mean 'glove-6b'?")
    assert "Traceback" not in done.stderr
    assert run("demo", "--dimension", "3").returncode == 2
