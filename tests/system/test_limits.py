"""Tests wait for processes, threads and futures under a limit; pytest's own is the last resort."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "plugins").glob("*/tests/**/*.py")])
WAITS = {"communicate", "wait", "join", "result"}
RUNS = {"subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"}


def waits(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield each call that may wait forever: for a process, thread, barrier or future, without a limit."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        limited = any(keyword.arg in {"timeout", None} for keyword in node.keywords)
        if ast.unparse(node.func) in RUNS or node.func.attr == "communicate":
            if not limited:
                yield node
        elif node.func.attr in WAITS and not node.args and not node.keywords:
            yield node


def test_every_wait_of_a_test_has_a_limit() -> None:
    """Processes are run with a timeout, and joined, waited for and communicated with under one."""
    assert len(TESTS) > 60
    unlimited = [
        f"{path.relative_to(ROOT)}:{call.lineno} {ast.unparse(call.func)}"
        for path in TESTS
        for call in waits(ast.parse(path.read_text("utf-8")))
    ]
    assert unlimited == []
