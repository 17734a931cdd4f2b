"""Failures of a plugin's code as text."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from embedhub.registry.failure import describe, end_sentence


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("import sys\n{}['k']\n", "KeyError: 'k' (made_up_tides/tables/read.py, line 2)"),
        ("1 +\n", "SyntaxError: invalid syntax (made_up_tides/tables/read.py, line 1)"),
        ("raise SyntaxError('odd')\n", "SyntaxError: odd (made_up_tides/tables/read.py, line 1)"),
        ("raise SystemExit\n", "it called sys.exit() (made_up_tides/tables/read.py, line 1)"),
        (
            "import sys\nsys.exit('no\\nlicense.')",
            "it called sys.exit(): no license (made_up_tides/tables/read.py, line 2)",
        ),
        (
            "def shown():\n    raise ValueError('', None)\n\nshown()",
            "ValueError: ('', None) (made_up_tides/tables/read.py, line 2)",
        ),
    ],
)
def test_place_is_the_innermost_one_of_the_plugin(
    code: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named from the folder of the plugin's top-level package on, whatever is above it."""
    folder = tmp_path / "made_up_tides" / "made_up_tides" / "tables"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("from made_up_tides import tables\n", "utf-8")
    (folder / "__init__.py").write_text("import made_up_tides.tables.read\n", "utf-8")
    (folder / "read.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "made_up_tides")
    with pytest.raises(BaseException) as raised:  # noqa: PT011 - whatever the plugin raises
        import_module("made_up_tides")
    for name in [name for name in sys.modules if name.startswith("made_up_tides")]:
        del sys.modules[name]
    assert describe(raised.value, "made_up_tides.plugin") == text


def test_error_outside_a_plugin_has_no_place() -> None:
    """An error that no code of the plugin has raised or called has its text only."""
    with pytest.raises(ValueError, match="int") as raised:
        int("x")
    for module in ("made_up_tides", ""):
        assert describe(raised.value, module) == "ValueError: invalid literal for int() with base 10: 'x'"


@pytest.mark.parametrize(("text", "ended"), [("a", "a."), ("a.", "a."), ("a?", "a?"), ("a!", "a!")])
def test_sentence_ends_once(text: str, ended: str) -> None:
    """A full stop is added unless the text ends like a sentence."""
    assert end_sentence(text) == ended
