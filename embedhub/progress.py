"""Bars for long work, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embedhub import settings


@contextmanager
def bar(what: str, total: int | None, *, in_bytes: bool) -> Iterator[Callable[[int], None]]:
    """Draw a bar on stderr while the block runs.

    Args:
        what: What is being done, for a person.
        total: How many bytes or rows there will be, None if unknown.
        in_bytes: Whether it counts bytes rather than rows.

    Yields:
        A function to call with each further amount.
    """
    if not settings.show_progress():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amount = (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *amount, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda step: progress.advance(task, step)
