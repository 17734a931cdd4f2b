"""Processes that tests start: each ends with its test, and no wait for one is without a limit."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

PATIENCE = 240
"""Seconds that a test waits for anything; the limit of a whole test is in pyproject.toml."""

_BARRIER = Path(__file__).with_name("barrier.py")


@contextmanager
def child(
    *command: object, at: str | None = None, traced: bool = False, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process group of its own, which is killed in the end.

    Args:
        command: A program and its arguments; with ``at``, a Python script and its arguments.
        at: The point, as `barrier.py` describes it, at which the script waits for the end of its standard
            input. The script is there when this function yields.
        traced: Whether coverage traces it. Not one that gets a signal: a handler that runs inside the tracer
            may find its lock taken, and wait for it forever.
        options: Of `subprocess.Popen`. All three streams are pipes by default.
    """
    if at is not None:
        command = (sys.executable, _BARRIER, at, *command)
    env = {
        name: value
        for name, value in options.pop("env", os.environ).items()
        if traced or name not in {"COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"}
    }
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | options
    with subprocess.Popen(
        list(map(str, command)), env=env, text=True, encoding="utf-8", start_new_session=True, **streams
    ) as process:
        try:
            if at is not None:
                shown = read_until(process, "waiting\n")
                assert shown == "waiting\n", (
                    f"{at} was not reached: {shown} {process.communicate(timeout=PATIENCE)[1]}"
                )
            yield process
        finally:
            if sys.platform == "win32":
                process.kill()
            else:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def limited(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process that takes too long with what it does meanwhile, so that a read of its output ends."""
    limit = Timer(PATIENCE, process.kill)
    limit.start()
    try:
        yield
    finally:
        limit.cancel()


def read_until(process: subprocess.Popen[str], text: str, stream: str = "stdout") -> str:
    """Return what a process writes to a stream, up to the end of the line with this text.

    If it ends before, or is killed since it takes too long, that is all that it has written.
    """
    file = getattr(process, stream).fileno()  # unbuffered, so that communicate() gets the rest
    shown = b""
    with limited(process):
        while not (text.encode() in shown and shown.endswith(b"\n")) and (read := os.read(file, 1)):
            shown += read
    return shown.decode()
