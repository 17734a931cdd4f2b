"""Runs the `embedhub` command as a user does, and makes plugins for it to find."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from children import PATIENCE, child, limited


def executable() -> str:
    """Return the place of the installed command."""
    command = shutil.which("embedhub", path=str(Path(sys.executable).parent)) or shutil.which("embedhub")
    assert command, "the embedhub command is not installed"
    return command


def run(
    *arguments: object,
    stdin: str = "",
    cwd: str | Path | None = None,
    encoding: str = "utf-8",
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run the installed command to its end, with some more environment variables."""
    return subprocess.run(
        [executable(), *map(str, arguments)],
        input=stdin,
        cwd=cwd,
        env=os.environ | {"PYTHONIOENCODING": encoding} | variables,
        capture_output=True,
        text=True,
        encoding=encoding,
        check=False,
        timeout=PATIENCE,
    )


def in_terminal(*arguments: object, **variables: str) -> str:
    """Run the command on a terminal, by default of 80 columns, and return all that it shows there."""
    import pty  # not on Windows

    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm"} | variables
    command = (executable(), *arguments)
    shown = b""
    streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    with child(*command, traced=True, env=environment, **streams) as process:
        os.close(theirs)
        with limited(process), suppress(OSError):  # how a terminal ends
            while part := os.read(ours, 65536):
                shown += part
        process.wait(PATIENCE)
    os.close(ours)
    return shown.decode()


def without_styles(text: str) -> str:
    """Return text of a terminal without the marks of color and bold type."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


_PLUGIN = """\
from embedhub import RemoteFile, RemoteSource, hookimpl


def source(name, **options):
    url = f"https://example.org/{name}.bin"
    file = RemoteFile(url=url, format="word2vec-binary")
    facts = dict(
        files={2: (file,)}, description="made up", language="tlh", cased=True, license="CC0-1.0",
        citation="", homepage="",
    )
    return RemoteSource(name=name, **(facts | options))


@hookimpl
def embedhub_sources():
    return [BODY]
"""


def add_plugin(site: Path, name: str, sources: str) -> None:
    """Add a distribution to a folder whose hook returns some sources.

    Args:
        site: The folder, for PYTHONPATH.
        name: Name of the distribution.
        sources: Python between the brackets of a list; ``source(name, **options)`` makes one.
    """
    add_distribution(site, name, _PLUGIN.replace("BODY", sources))


def add_distribution(
    site: Path,
    name: str,
    code: str,
    *,
    group: str = "embedhub",
    attribute: str = "",
    requires: tuple[str, ...] = (),
) -> None:
    """Add a distribution to a folder: its metadata with an entry point, and the module with the hooks.

    Args:
        site: The folder, for PYTHONPATH.
        name: Name of the distribution.
        code: Python code of the module.
        group: Group of the entry point.
        attribute: What the entry point names in the module; the module itself by default.
        requires: Requirements of the distribution.
    """
    module = name.replace("-", "_")
    facts = site / f"{module}-1.0.dist-info"
    facts.mkdir(parents=True)
    lines = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{lines}", "utf-8")
    target = f"{module}:{attribute}" if attribute else module
    (facts / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n", "utf-8")
    (site / f"{module}.py").write_text(code, "utf-8")


def seeing(site: Path) -> dict[str, str]:
    """Return the environment in which the distributions of a folder are installed."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))}
