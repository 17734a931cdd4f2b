"""Audit of the side effects of loading a plugin, in a separate process.

That process runs this module as a program.
"""

import functools
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from embedhub import formats
from embedhub.registry import hookspecs

_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAX_SECONDS = 1
_SHOWN_OUTPUT = 80  # bytes
# Prefixes of audit events (https://docs.python.org/3/library/audit_events.html).
_AUDITED_CALLS = (
    *("socket.", "subprocess.", "urllib."),
    *("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"),
    *("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"),
)


@functools.cache
def side_effects(plugin: str) -> tuple[str, ...]:
    """Load a plugin, call its hooks `embedhub_sources` and `embedhub_formats`, and return the side effects.

    Args:
        plugin: The target of an entry point: a module with hooks, or a source or format in it.

    Returns:
        A phrase for each file written, or read outside of the installed packages; for each network call or
        new process; for each imported package that embedhub itself does not import; for text on stdout; and
        for more than a second of processor time.

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
    if done.returncode or not done.stdout:  # a plugin may end the process with the code 0
        reason = done.stderr or f"it ended the process with the code {done.returncode}."
        raise RuntimeError(f"The plugin {plugin} fails when it is loaded by itself:\n{reason}")
    return tuple(json.loads(done.stdout))


def _audit(plugin: str) -> list[str]:
    """Load a plugin and call its hooks in this process; return the side effects."""
    module = plugin.partition(":")[0]
    spec = find_spec(module)
    home = Path(spec.origin).parent if spec and spec.origin else None  # of an editable install, elsewhere
    roots = (*sys.path, sys.prefix, sys.base_prefix, home)
    installed = tuple(os.path.normcase(os.path.realpath(root)) + os.sep for root in roots if root)
    effects = []

    # CPython traces no audit hook: its lines never count as run. test_import_audit.py tests them.
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
    began = time.process_time()
    loaded = EntryPoint("plugin", plugin, hookspecs.PROJECT).load()
    for hook in ("embedhub_sources", "embedhub_formats", "embedhub_benchmarks"):  # the last of embedhub-eval
        list(getattr(loaded, hook, tuple)() or ())
    seconds = time.process_time() - began
    found = list(dict.fromkeys(effects))  # a copy: later effects are not the plugin's
    others = _imported_packages() - before - sys.stdlib_module_names - {module.partition(".")[0]}
    if seconds > _MAX_SECONDS:
        found.insert(0, f"takes {seconds:.1f} s of processor time, more than {_MAX_SECONDS}")
    return [*(f"imports {name}" for name in sorted(others)), *found]


def _audit_output(plugin: str) -> list[str]:
    """Return the side effects of a plugin, including output to stdout by any means."""
    sys.stdout.flush()
    stdout = os.dup(1)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        try:
            effects = _audit(plugin)
        finally:
            sys.stdout.flush()
            os.dup2(stdout, 1)
            os.close(stdout)
        printed.seek(0)
        text = printed.read(_SHOWN_OUTPUT).decode("utf-8", "backslashreplace")
    return [f"writes {text!r} to stdout, where commands write JSON", *effects] if text else effects


def _imported_packages() -> set[str]:
    return {name.partition(".")[0] for name in sys.modules}


if __name__ == "__main__":
    # Every plugin may import the packages that the readers of formats need.
    for module in pkgutil.iter_modules(formats.__path__, f"{formats.__name__}."):
        if "._" not in module.name:
            importlib.import_module(module.name)
    sys.stdout.write(json.dumps(_audit_output(sys.argv[1])))
