"""Progress of work: a bar in a terminal or a notebook, and lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol

from embedhub import settings
from embedhub.errors import escaped

if TYPE_CHECKING:
    from rich.progress import Task
    from rich.text import Text

SECONDS_BETWEEN_LINES = 5.0
"""Also before the first one, so that short work writes none."""
_SECONDS_BETWEEN_BARS = 0.5
_BAR_WIDTH = 16  # characters; 80 have to hold the label and the counters too

activities: set[str] = set()
"""Activities of this process that work may have to wait for; the labels of all bars show them."""


class Advance(Protocol):
    """Advances a progress bar."""

    def __call__(self, step: int, total: int | None = None, /) -> None:
        """Add a number of steps; ``total`` replaces a total that was unknown or estimated."""


def progress_bar(label: str, total: int | None, *, in_bytes: bool) -> AbstractContextManager[Advance]:
    """Show the progress of work while a block runs.

    A bar is drawn on stderr if that is a terminal, or in the output of a notebook cell. Otherwise, as in a
    log, lines are written to stderr. ``EMBEDHUB_PROGRESS`` overrides this.

    Args:
        label: Description of the work.
        total: Number of bytes or items; None if unknown.
        in_bytes: Whether progress is counted in bytes rather than in items.

    Returns:
        A context manager, which returns a function that advances the bar.
    """
    setting = settings.show_progress()
    stderr = sys.stderr  # None in a program without a console
    if setting is False or stderr is None:
        return _hidden()
    if _is_notebook():
        return _reported(_Work(label, total, in_bytes=in_bytes), _notebook_bar(), _SECONDS_BETWEEN_BARS)
    if setting or stderr.isatty():
        return _terminal_bar(label, total, in_bytes=in_bytes)
    return _reported(_Work(label, total, in_bytes=in_bytes), _write_line, SECONDS_BETWEEN_LINES)


@contextmanager
def _hidden() -> Iterator[Advance]:
    yield lambda *_: None


@contextmanager
def _terminal_bar(label: str, total: int | None, *, in_bytes: bool) -> Iterator[Advance]:
    """Draw a bar with speed and remaining time in one line; a long label is shortened."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.table import Column
    from rich.text import Text

    class Label(ProgressColumn):
        def render(self, task: "Task") -> "Text":
            return Text(_with_activities(task.description), no_wrap=True, overflow="ellipsis")

    class ItemsPerSecond(ProgressColumn):
        def render(self, task: "Task") -> "Text":
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} items/s" if speed else "", style="progress.data.speed")

    def whole() -> Column:
        return Column(no_wrap=True)

    counters = (
        (DownloadColumn(table_column=whole()), TransferSpeedColumn(table_column=whole()))
        if in_bytes
        else (MofNCompleteColumn(table_column=whole()), ItemsPerSecond(table_column=whole()))
    )
    bar, left = BarColumn(_BAR_WIDTH, table_column=whole()), TimeRemainingColumn(table_column=whole())
    with Progress(Label(), bar, *counters, left, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total)

        def advance(step: int, total: int | None = None, /) -> None:
            progress.update(task, advance=step, total=total)

        yield advance


def _with_activities(label: str) -> str:
    return ", ".join([label, *sorted(activities)])


class _Work:
    """Progress of work."""

    def __init__(self, label: str, total: int | None, *, in_bytes: bool) -> None:
        self.label = escaped(label)  # it may have the name of a file
        self.total = total
        self.done = 0
        self._in_bytes = in_bytes
        self._began = time.monotonic()

    def advance(self, step: int, total: int | None = None, /) -> None:
        """Add a number of steps."""
        self.done += step
        self.total = total or self.total

    def __str__(self) -> str:
        divisor, digits, unit = (1e6, 1, " MB") if self._in_bytes else (1, 0, "")
        amount = f"{self.done / divisor:,.{digits}f}"
        if self.total:
            amount += f" of {self.total / divisor:,.{digits}f}{unit} ({self.done / self.total:.0%}), "
        else:
            amount = f"{amount}{unit}, " if self.done else ""
        return f"{_with_activities(self.label)}: {amount}{time.monotonic() - self._began:.0f} s"


@contextmanager
def _reported(work: _Work, show: Callable[[_Work], None], seconds: float) -> Iterator[Advance]:
    """Show the progress at intervals, and at the end if it was shown before.

    A thread shows it, so that waiting work is shown too.
    """
    ended, shown = Event(), Event()

    def report() -> None:
        while not ended.wait(seconds):
            show(work)
            shown.set()

    thread = Thread(target=report, daemon=True)
    thread.start()
    try:
        yield work.advance
    finally:
        ended.set()
        thread.join()
        if shown.is_set():
            show(work)


def _write_line(work: _Work) -> None:
    with suppress(OSError, ValueError):  # work does not stop because stderr is closed
        sys.stderr.write(f"{work}\n")
        sys.stderr.flush()


def _is_notebook() -> bool:
    """Return whether this runs in a kernel of Jupyter."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _notebook_bar() -> Callable[[_Work], None]:
    """Return a function that shows progress in the output of a cell; rich's bars would need ipywidgets."""
    import html

    import IPython.display

    display: Any = IPython.display.display  # IPython does not annotate it
    handle: Any = None

    def show(work: _Work) -> None:
        nonlocal handle
        text = str(work)
        bar = f'<progress value="{work.done}" max="{work.total}"></progress> ' if work.total else ""
        data = {"text/plain": text, "text/html": bar + html.escape(text)}
        if handle:
            handle.update(data, raw=True)
        else:
            handle = display(data, raw=True, display_id=True)

    return show
