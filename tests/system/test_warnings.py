"""Warnings point to the line of the user's script that called embedhub."""

import ast
import os
import runpy
import subprocess
import sys
import warnings
from importlib import resources
from pathlib import Path

import pytest
from children import PATIENCE
from command import add_plugin, seeing

import embedhub

SCRIPT = """\
import embedhub, embedhub_eval, embedhub_text


def helper(file):
    return {call}  # the line


helper("./short.vec")
"""


FORMAT, COVERAGE = embedhub.errors.FormatWarning, embedhub.errors.CoverageWarning


@pytest.mark.parametrize(
    ("call", "categories"),
    [
        ("embedhub.load(file, allow_truncated=True)", [FORMAT]),
        (
            "embedhub.keras_embedding(embedhub.load(file, allow_truncated=True), None, ['qwxz'])",
            [FORMAT, COVERAGE],
        ),
        ("embedhub.coverage(embedhub.load(file, allow_truncated=True), None, ['qwxz'])", [FORMAT, COVERAGE]),
        ("embedhub_eval.evaluate(embedhub.load(file, allow_truncated=True), ['pairs.tsv'])", [FORMAT]),
        ("embedhub_text.TextEmbedder(embedhub.load(file, allow_truncated=True))(['rain'])", [FORMAT]),
    ],
)
def test_warning_points_to_the_call_in_the_script(
    call: str, categories: list[type[Warning]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and line of a warning are those of the script's call."""
    monkeypatch.chdir(tmp_path)
    Path("short.vec").write_text("3 2\nrain 0.5 1\nwind 1 0.25\n", "utf-8")
    Path("pairs.tsv").write_text("rain\twind\t8\n", "utf-8")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(call=call), "utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        runpy.run_path(str(script))
    assert [(warning.category, warning.filename, warning.lineno) for warning in caught] == [
        (category, str(script), 5) for category in categories
    ]


PLUGIN = """\
from dataclasses import fields

from embedhub.registry.local_file import LocalSource, open_source


class Wrapped(LocalSource):
    def parse(self, path, dim):
        yield from super().parse(path, dim)


def source(path):
    local = open_source(path)
    values = {field.name: getattr(local, field.name) for field in fields(local)}
    return Wrapped(**values | {"allow_truncated": True})
"""


def test_frames_of_plugins_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning issued below a plugin's method points to the call in the script too."""
    (tmp_path / "plugin.py").write_text(PLUGIN, "utf-8")
    (tmp_path / "short.vec").write_text("3 2\nrain 0.5 1\n", "utf-8")
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\nimport embedhub\nfrom plugin import source\n"
        f"embedhub.load(source(Path({str(tmp_path / 'short.vec')!r})))\n",
        "utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runpy.run_path(str(script))
    monkeypatch.delitem(sys.modules, "plugin")
    assert [(warning.filename, warning.lineno) for warning in caught] == [(str(script), 4)]


def test_plugin_warning_points_to_the_line_that_lists_sources(tmp_path: Path) -> None:
    """Python shows a PluginWarning with the script's name, line and code."""
    add_plugin(tmp_path, "embedhub-broken", "1 / 0")
    script = tmp_path / "script.py"
    script.write_text("import embedhub\n\nnames = list(embedhub.sources())\n", "utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | seeing(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stderr.startswith(f"{script}:3: PluginWarning: The embedhub plugin embedhub-broken")
    assert "names = list(embedhub.sources())" in done.stderr


def test_only_one_module_issues_warnings() -> None:
    """Only ``_warn`` calls Python's warnings module, so that all warnings point to the caller."""
    package = Path(str(resources.files("embedhub")))
    calls = {
        path.name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("warnings.warn")
    }
    assert calls == {"_warn.py"}
