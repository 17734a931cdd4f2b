"""Bars for long work, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from embedhub import settings

if TYPE_CHECKING:
    from rich.progress import Task
    from rich.text import Text


class Advance(Protocol):
    """Moves a bar on."""

    def __call__(self, step: int, total: int | None = None, /) -> None:
        """Add an amount; where the total was not known, or only about, it is now so much."""


@contextmanager
def progress_bar(what: str, total: int | None, *, in_bytes: bool) -> Iterator[Advance]:
    """Draw a bar on stderr while the block runs: how much, how fast, how long it still takes.

    Args:
        what: What is being done, for a person.
        total: How many bytes or rows there will be, None if unknown.
        in_bytes: Whether it counts bytes rather than rows.

    Yields:
        A function to call with each further amount, and with a better total where one becomes known.
    """
    if not settings.show_progress():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class RowsPerSecond(ProgressColumn):
        def render(self, task: "Task") -> "Text":
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} rows/s" if speed else "", style="progress.data.speed")

    amount = (
        (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (MofNCompleteColumn(), RowsPerSecond())
    )
    columns = (TextColumn("{task.description}"), BarColumn(), *amount, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)

        def advance(step: int, total: int | None = None, /) -> None:
            progress.update(task, advance=step, total=total)

        yield advance
