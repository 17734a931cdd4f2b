"""Tells what loading a plugin does besides answering its hooks, by watching it in a process of its own.

Run as a program, this is that process.
"""

import functools
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from embedhub import formats as readers
from embedhub.registry import hookspecs

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HOOKS = ("embedhub_sources", "embedhub_benchmarks")  # a plugin has one of them, or both
# Names of audit events, or how they start (https://docs.python.org/3/library/audit_events.html).
_CALLS = (
    *("socket.", "subprocess.", "urllib."),
    *("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"),
    *("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"),
)


@functools.cache
def side_effects(plugin: str) -> tuple[str, ...]:
    """Load a plugin, call its hooks, and tell what that does besides answering them.

    Args:
        plugin: The module, as an entry point names it.

    Returns:
        A phrase for each file that is written, or read from elsewhere than where packages are installed; for
        each call to the network or of a process; for each package that embedhub does not import itself.

    Raises:
        RuntimeError: The plugin cannot be loaded, or a hook of it fails.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", "-B", "-m", __name__, plugin]  # -B: no bytecode is written
    done = subprocess.run(  # noqa: S603 - our own code
        command,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The plugin {plugin} fails when it is loaded by itself:\n{done.stderr}")
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def _watched(plugin: str) -> list[str]:
    """Load a plugin and call its hooks in this process; return the phrases."""
    module = plugin.partition(":")[0]
    spec = find_spec(module)
    home = Path(spec.origin).parent if spec and spec.origin else None  # of an editable install, elsewhere
    roots = (*sys.path, sys.prefix, sys.base_prefix, home)
    installed = tuple(os.path.normcase(os.path.realpath(root)) + os.sep for root in roots if root)
    phrases = []

    # CPython traces no audit hook: its lines never count as run. tests/testing/test_contract.py holds them.
    def watch(event: str, arguments: tuple[Any, ...]) -> None:  # pragma: no cover
        if event == "open" and not isinstance(arguments[0], int):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if arguments[2] & _WRITING:
                phrases.append(f"writes {path}")
            elif not os.path.normcase(path).startswith(installed):
                phrases.append(f"reads {path}")
        elif event.startswith(_CALLS):
            phrases.append(f"calls {event}{arguments!r}")

    before = _packages()
    sys.addaudithook(watch)
    loaded = EntryPoint("plugin", plugin, hookspecs.PROJECT).load()
    for hook in _HOOKS:
        list(getattr(loaded, hook, tuple)())
    others = _packages() - before - sys.stdlib_module_names - {module.partition(".")[0]}
    return phrases + [f"imports {name}" for name in sorted(others)]


def _packages() -> set[str]:
    return {name.partition(".")[0] for name in sys.modules}


if __name__ == "__main__":
    for reader in pkgutil.iter_modules(readers.__path__, f"{readers.__name__}."):
        if "._" not in reader.name:
            importlib.import_module(reader.name)  # what these need, every plugin may import
    sys.stdout.write("\n" + json.dumps(_watched(sys.argv[1])) + "\n")
