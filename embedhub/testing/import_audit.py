"""An audit of the import of a plugin: its side effects, in a process of its own.

Run as a program, this module is that process.
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

from embedhub import formats
from embedhub.registry import hookspecs

_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Prefixes of audit events (https://docs.python.org/3/library/audit_events.html).
_AUDITED_CALLS = (
    *("socket.", "subprocess.", "urllib."),
    *("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"),
    *("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"),
)


@functools.cache
def side_effects(plugin: str) -> tuple[str, ...]:
    """Load a plugin, call its hook for sources or benchmarks, and return the side effects.

    Args:
        plugin: The module, as an entry point names it.

    Returns:
        A phrase for each file that is written, or that is read outside of the installed packages; for each
        call to the network or of a process; for each imported package that embedhub itself does not import.

    Raises:
        RuntimeError: The plugin cannot be loaded, or its hook fails.
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


def _audit(plugin: str) -> list[str]:
    """Load a plugin and call its hook in this process; return the side effects."""
    module = plugin.partition(":")[0]
    spec = find_spec(module)
    home = Path(spec.origin).parent if spec and spec.origin else None  # of an editable install, elsewhere
    roots = (*sys.path, sys.prefix, sys.base_prefix, home)
    installed = tuple(os.path.normcase(os.path.realpath(root)) + os.sep for root in roots if root)
    effects = []

    # CPython traces no audit hook: its lines never count as run. tests/testing/test_contract.py tests them.
    def record(event: str, arguments: tuple[Any, ...]) -> None:  # pragma: no cover
        if event == "open" and not isinstance(arguments[0], int):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if arguments[2] & _WRITE_FLAGS:
                effects.append(f"writes {path}")
            elif not os.path.normcase(path).startswith(installed):
                effects.append(f"reads {path}")
        elif event.startswith(_AUDITED_CALLS):
            effects.append(f"calls {event}{arguments!r}")

    before = _imported_packages()
    sys.addaudithook(record)
    loaded = EntryPoint("plugin", plugin, hookspecs.PROJECT).load()
    for hook in ("embedhub_sources", "embedhub_benchmarks"):  # the second of embedhub-eval
        list(getattr(loaded, hook, tuple)() or ())
    others = _imported_packages() - before - sys.stdlib_module_names - {module.partition(".")[0]}
    return effects + [f"imports {name}" for name in sorted(others)]


def _imported_packages() -> set[str]:
    return {name.partition(".")[0] for name in sys.modules}


if __name__ == "__main__":
    # Every plugin may import the packages that the readers of formats need.
    for module in pkgutil.iter_modules(formats.__path__, f"{formats.__name__}."):
        if "._" not in module.name:
            importlib.import_module(module.name)
    sys.stdout.write("\n" + json.dumps(_audit(sys.argv[1])) + "\n")
