"""The audit of the import of a plugin: each side effect is reported."""

import re
from pathlib import Path

import pytest

from embedhub.testing.import_audit import side_effects

HOOK = "\n\ndef embedhub_sources():\n    return []\n"


def test_side_effects_of_a_hook_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are written, or read elsewhere, connections, processes and packages are reported."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    (tmp_path / "settings.txt").write_text("", "utf-8")
    (site / "busy_plugin.py").write_text(
        "import contextlib, pathlib, socket, subprocess, sys, scipy\n"
        f"elsewhere = pathlib.Path({str(tmp_path)!r})\n"
        "(elsewhere / 'settings.txt').read_text()\n"
        "def embedhub_sources():\n"
        "    (elsewhere / 'new.txt').write_text('')\n"
        "    (elsewhere / 'folder').mkdir()\n"
        "    subprocess.run([sys.executable, '-c', ''])\n"
        "    with contextlib.suppress(OSError):\n"
        "        socket.create_connection(('127.0.0.1', 9))\n"
        "    yield from ()\n",
        "utf-8",
    )
    effects = "; ".join(side_effects("busy_plugin"))
    for phrase in (
        f"reads {tmp_path / 'settings.txt'}",
        f"writes {tmp_path / 'new.txt'}",
        "calls os.mkdir(",
        "calls subprocess.Popen(",
        "calls socket.connect(",
        "imports scipy",
    ):
        assert phrase in effects


def test_a_plugin_that_imports_pytest_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest, which the contract imports, is not installed where a plugin is used."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tested_plugin.py").write_text("import pytest" + HOOK, "utf-8")
    assert "imports pytest" in side_effects("tested_plugin")


def test_files_installed_with_a_plugin_may_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a table next to the module, the standard library, numpy or embedhub is not a side effect."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "table.tsv").write_text("50\tmd5", "utf-8")
    (tmp_path / "calm_plugin.py").write_text(
        "import csv, decimal, numpy, pathlib\n"
        "from embedhub import EmbeddingSource, RemoteFile, hookimpl\n"
        "from embedhub.formats import glove, word2vec\n"
        "pathlib.Path(__file__).with_name('table.tsv').read_text()" + HOOK,
        "utf-8",
    )
    assert side_effects("calm_plugin") == ()
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_failing_import_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that cannot be loaded by itself is a RuntimeError with its traceback."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needy_plugin.py").write_text("raise OSError('no disk')" + HOOK, "utf-8")
    with pytest.raises(RuntimeError, match=r"(?s)needy_plugin fails when .*OSError: no disk"):
        side_effects("needy_plugin")


def test_output_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text on stdout, from Python or by its file descriptor, would be in the JSON of a command."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "loud_plugin.py").write_text("import os\nprint('hi')\nos.write(1, b'there')" + HOOK, "utf-8")
    (effect,) = side_effects("loud_plugin")
    assert re.fullmatch(r"writes '(hi\\nthere|therehi\\n)' to stdout, where commands write JSON", effect)


BUSY = """
import time
end = time.process_time() + 1.1
while time.process_time() < end:
    pass
"""


@pytest.mark.slow
def test_slow_plugins_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that takes more than a second to list its sources is reported, with the time."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "slow_plugin.py").write_text(BUSY + HOOK, "utf-8")
    (effect,) = side_effects("slow_plugin")
    assert re.fullmatch(r"takes \d+\.\d s of processor time, more than 1", effect)


def test_a_plugin_that_names_its_source_is_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point may name the source itself; the import of its module is audited."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "named_plugin.py").write_text(
        "import scipy\nfrom embedhub.registry.builtin.glove import GLOVE_6B as SOURCE\n", "utf-8"
    )
    assert "imports scipy" in side_effects("named_plugin:SOURCE")


@pytest.mark.parametrize("code", ["0", "3"])
def test_a_plugin_that_ends_the_process_is_reported(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin that exits when it is loaded is a RuntimeError, with whatever code it exits."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"exit{code}_plugin.py").write_text(f"raise SystemExit({code})" + HOOK, "utf-8")
    with pytest.raises(RuntimeError, match=f"exit{code}_plugin fails .*\n.*process with the code {code}"):
        side_effects(f"exit{code}_plugin")
