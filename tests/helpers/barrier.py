"""Run a Python script up to a point, and wait there: to be killed, interrupted, or released.

    python barrier.py "EVENT PATTERN COUNT" SCRIPT [ARGUMENT ...]

EVENT is one of Python's audit events, such as os.rename. PATTERN is a shell pattern that one of the event's
arguments matches. Before the event happens for the COUNT-th time the process writes the line "waiting", and
goes on at the end of its standard input. Two more events are raised here, with an empty argument: `chunk`,
after a chunk of an answer over HTTP was used, and `block`, after a block of a source's vectors was.
"""

import os
import runpy
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import embedhub
from embedhub.download import http


def announced(event: str, give: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Raise an audit event after each thing that a generator gave was used."""

    def giving(*arguments: Any, **options: Any) -> Iterator[Any]:
        for each in give(*arguments, **options):
            yield each
            sys.audit(event, "")

    return giving


def wait_at(event: str, pattern: str, count: int) -> None:
    """Let this process wait at a point."""

    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if name == event and any(fnmatchcase(str(argument), pattern) for argument in arguments):
            count -= 1
            if count == 0:
                os.write(sys.stdout.fileno(), b"waiting\n")
                os.read(sys.stdin.fileno(), 1)

    sys.addaudithook(watch)


if __name__ == "__main__":
    point, *sys.argv = sys.argv[1:]
    http.HttpBytes.stream = announced("chunk", http.HttpBytes.stream)  # type: ignore[assignment, method-assign]
    embedhub.RemoteSource.parse = announced("block", embedhub.RemoteSource.parse)  # type: ignore[method-assign]
    first, second, third = point.split()
    wait_at(first, second, int(third))
    runpy.run_path(sys.argv[0], run_name="__main__")
