"""Progress bars."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from embedhub import settings

if TYPE_CHECKING:
    from rich.progress import Task
    from rich.text import Text


class Advance(Protocol):
    """Advances a progress bar."""

    def __call__(self, step: int, total: int | None = None, /) -> None:
        """Add a number of steps; ``total`` replaces a total that was unknown or estimated."""


@contextmanager
def progress_bar(label: str, total: int | None, *, in_bytes: bool) -> Iterator[Advance]:
    """Show a progress bar on stderr while the block runs, with speed and remaining time.

    Args:
        label: Description of the work.
        total: Number of bytes or items; None if unknown.
        in_bytes: Whether progress is counted in bytes rather than in items.

    Yields:
        A function that advances the bar.
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

    class ItemsPerSecond(ProgressColumn):
        def render(self, task: "Task") -> "Text":
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} items/s" if speed else "", style="progress.data.speed")

    counters = (
        (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (MofNCompleteColumn(), ItemsPerSecond())
    )
    columns = (TextColumn("{task.description}"), BarColumn(), *counters, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total)

        def advance(step: int, total: int | None = None, /) -> None:
            progress.update(task, advance=step, total=total)

        yield advance
