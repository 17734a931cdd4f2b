"""The script that measures large model folders, on a small one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from children import PATIENCE

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "large_tables.py"


@pytest.mark.linux
@pytest.mark.slow
def test_large_tables_are_compared(tmp_path: Path) -> None:
    """The script prints a row for each variant, alone and twice at once, and leaves nothing behind."""
    pytest.importorskip("model2vec", reason="`tox -e tools` has it")
    command = [sys.executable, str(SCRIPT), "--rows", "2000", "--repeat", "1", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    rows = re.findall(
        r"(?m)^\| (embedhub|model2vec)(, each of two processes)? \|(?: [\d.]+ m?s \|){3}", done.stdout
    )
    assert len(rows) == 4
    assert not list(tmp_path.iterdir())
