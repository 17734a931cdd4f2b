"""The promises of SECURITY.md: each names the tests that hold it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
TEST = re.compile(r"`([\w/-]+\.py)::(test_\w+)`")


def defined_in(path: Path) -> set[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_named_test_exists() -> None:
    """A test that was renamed or removed is so in SECURITY.md too."""
    named = TEST.findall(TEXT)
    assert len(named) > 50
    for file, name in named:
        path = ROOT / file if file.startswith("plugins/") else ROOT / "tests" / file
        assert path.is_file(), file
        assert name in defined_in(path), f"{file}::{name}"


def test_each_promise_names_a_test() -> None:
    """Each row of both tables ends with at least one test."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.endswith("| tests |")]
    assert len(rows) > 20
    assert [row for row in rows if not TEST.search(row.rsplit(" | ", 1)[1])] == []
