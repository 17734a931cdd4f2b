"""The check that no module goes untested, run as tox runs it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE

CHECK = Path(__file__).parents[2] / "tools" / "check_coverage.py"
MODULES = {"good.py": 90.0, "readers/low.py": 89.9}


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that checks a report on two modules, of which one is too low."""
    report: dict[str, Any] = {
        "files": {
            f"/somewhere/site-packages/embedhub/{module}": {
                "summary": {"percent_covered": share},
                "missing_lines": [7],
                "missing_branches": [[6, 7], [8, -1]],
            }
            for module, share in MODULES.items()
        },
        "totals": dict.fromkeys(("covered_lines", "num_statements", "covered_branches", "num_branches"), 1)
        | {"percent_covered": 90.0},
    }
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps(report), "utf-8")
    return lambda *options: subprocess.run(
        [sys.executable, CHECK, path, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_module_below_the_threshold_fails(check: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Its name, share and missing lines are printed."""
    done = check()
    assert done.returncode == 1
    assert "readers/low.py: 89.9 % of its lines and branches; expected 90 % or more.\n" in done.stdout
    assert "good.py:" not in done.stdout
    assert "  7 6->7\n" in done.stdout


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--but", "readers/low.py"), 0),
        (("--only", "good.py"), 0),
        (("--only", "readers/low.py"), 1),
        (("--", "tests/vectors/test_store.py"), 0),
        (("--but", "good.py", "--", "-k", "store"), 0),
        (("--but", "good.py", "--"), 1),
        (("--but", "readers/low.py", "gone.py"), 1),
    ],
)
def test_modules_are_selected(
    options: tuple[str, ...], code: int, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Requested modules are checked, or all but some; none when only some tests ran."""
    assert check(*options).returncode == code
