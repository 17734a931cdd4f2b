"""The installed command, for tests that run it as a user does."""

import shutil
import subprocess
from pathlib import Path


def path() -> str:
    """Return the place of the installed command."""
    command = shutil.which("embedhub")
    assert command, "the embedhub command is not installed"
    return command


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the installed command to its end."""
    command = [path(), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
