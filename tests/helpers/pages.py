"""Pages of the documentation as what they are to a reader: commands, code and files, one after the other.

A fence says what its block is:

- ``python`` runs, in this process; ``sh`` runs, in bash, and later blocks see its folder and its exports;
- with ``title="name"`` a block of any language is a file of that name;
- ``output`` is what the block before it prints, in doctest's sense (``...`` stands for anything);
- ``text`` is a drawing; ``toml`` and others without a title are shown only.

A comment before a block may give instructions: ``<!-- not run: why -->``, ``<!-- needs: module -->``,
or ``<!-- instead: command -->``, which stands in for a block that wants the network.
"""

import contextlib
import doctest
import importlib.util
import io
import logging
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE

ROOT = Path(__file__).parents[2]
# Made by tools/make_pages.py from the code, where their examples are tested.
GENERATED = {"catalog.md", "commands.md", "parts.md", "reference.md"}
PAGES = [
    ROOT / "README.md",
    *sorted(
        page
        for page in (ROOT / "docs").rglob("*.md")
        if page.name not in GENERATED and page.parent.name != "catalog"
    ),
]

_BLOCK = re.compile(
    r"(?ms)(?:^ *<!-- (?P<order>not run|needs|instead): (?P<detail>[^>]*?) -->\n)?"
    r"^(?P<indent> *)```(?P<kind>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<code>.*?)^(?P=indent)```$"
)
_FENCE = re.compile(r"(?m)^ *```")
_CHECKER = doctest.OutputChecker()
_OF_BASH = {"_", "SHLVL", "OLDPWD"}
_LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Args:
        kind: Its language.
        title: Name of the file that it is, if it is one.
        code: What is in it.
        line: The line of the page where its code starts.
        order: What the comment before it says: ``not run``, ``needs`` or ``instead``, or nothing.
        detail: Why, what, or which.
    """

    kind: str
    title: str | None
    code: str
    line: int
    order: str | None
    detail: str


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    text = page.read_text("utf-8")
    blocks = [
        Block(
            match["kind"],
            match["title"],
            re.sub(rf"(?m)^{match['indent']}", "", match["code"]),
            text.count("\n", 0, match.start("code")) + 1,
            match["order"],
            " ".join((match["detail"] or "").split()),
        )
        for match in _BLOCK.finditer(text)
    ]
    assert 2 * len(blocks) == len(_FENCE.findall(text)), f"{page}: a fence is of no known form"
    return blocks


def run(page: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    """Do what a page says, in the current folder; return its names, and all that it printed."""
    log = logging.getLogger("embedhub")
    level = log.level
    try:
        return _run_all(page, monkeypatch)
    finally:
        log.setLevel(level)  # a page may tell how to change it


def _run_all(page: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    names: dict[str, Any] = {"__name__": "__main__"}
    everything = ""
    shown: str | None = None
    for block in blocks_of(page):
        where = f"{page.name}, line {block.line}"
        if block.kind == "output":
            if shown is not None and not _CHECKER.check_output(block.code, shown, _LOOSELY):
                example = doctest.Example("", block.code)
                pytest.fail(f"{where}:\n{_CHECKER.output_difference(example, shown, _LOOSELY)}")
            shown = None
        elif block.title:
            Path(block.title).parent.mkdir(parents=True, exist_ok=True)
            Path(block.title).write_text(block.code, "utf-8")
        elif block.kind in {"python", "sh"}:
            shown = _run(block, where, names, monkeypatch)
            everything += shown or ""
    return names, everything


def _run(block: Block, where: str, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Return what a block prints, None if it is not to be run here."""
    if not _is_for_us(block):
        return None
    if block.order == "instead":
        return _run_command(block.detail, where, monkeypatch)
    if block.kind == "sh":
        return _run_command(block.code, where, monkeypatch)
    return _run_code(block, where, names)


def _is_for_us(block: Block) -> bool:
    return block.order not in {"not run", "needs"} or (
        block.order == "needs" and all(map(importlib.util.find_spec, block.detail.split()))
    )


def _run_code(block: Block, where: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    # The lines of a traceback are those of the page.
    code = compile("\n" * (block.line - 1) + block.code, where, "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)  # noqa: S102 - our own pages
    return printed.getvalue()


def _run_command(command: str, where: str, monkeypatch: pytest.MonkeyPatch) -> str:
    bash = shutil.which("bash")
    if bash is None or os.name == "nt":  # where it may be that of another system in this one
        pytest.skip("bash is not here")
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as after:
        script = f"{command}\nenv -0 > '{after.name}'"
        done = subprocess.run(
            [bash, "-euo", "pipefail", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{where}:\n{done.stdout}{done.stderr}"
        variables = [line.partition("=") for line in after.read().split("\0") if line]
    for name, _, value in variables:
        if os.environ.get(name) != value and name not in _OF_BASH:
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(os.environ["PWD"])
    return done.stdout
