"""What comes from outside cannot write control sequences to a terminal."""

import zipfile
from pathlib import Path

import pytest
from command import run

import embedhub
from embedhub import _warn
from embedhub.errors import FormatError, FormatWarning, LocalFileError, escaped

CLEAR = "\x1b[2J"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ☕ é \n next line\t.", "plain ☕ é \n next line\t."),
        ("a\x1b[2Jb\x07\x00\x7f\x9b", r"a\x1b[2Jb\x07\x00\x7f\x9b"),
        ("a\rb", r"a\rb"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    """Errors and warnings show an escape in place of each; letters, lines and tabs stay."""
    assert escaped(text) == shown
    assert str(FormatError(text)) == shown
    with pytest.warns(FormatWarning) as warned:
        _warn.warn(text, FormatWarning)
    assert str(warned[0].message) == shown


def test_names_in_an_archive_are_escaped(tmp_path: Path) -> None:
    """An archive whose members have control sequences as names ends in a message that has none."""
    path = tmp_path / "members.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{CLEAR}.txt", "rain 1 2\n")
        archive.writestr("other.txt", "rain 1 2\n")
    with pytest.raises((FormatError, LocalFileError)) as caught:
        embedhub.load(path)
    assert "[2J" in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.slow
def test_command_escapes_what_it_is_given() -> None:
    """Neither an unknown source nor a word of the user's reaches the terminal unescaped."""
    for arguments in (("info", f"nothing{CLEAR}"), ("neighbors", "wordnet-ppmi:25", f"qwxz{CLEAR}")):
        done = run(*arguments)
        assert done.returncode != 0
        assert "\x1b" not in done.stdout + done.stderr
