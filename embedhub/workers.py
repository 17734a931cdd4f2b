"""Batches of texts embedded by this process or by several, in their order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import WorkerError
from embedhub.tables import Batch

Embed = Callable[[list[str | None]], NDArray[np.float32]]

_AT_ONCE = 4096  # texts whose words are in memory at a time
_embed: Embed  # in a worker: what it was started with


def embedded(
    embed: Embed, batches: Iterable[Batch], workers: int
) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
    """Give each batch with the rows of its texts, ``(n, dim)`` float32, in the order of the batches.

    Args:
        embed: Turns texts into rows; it is pickled once for each process.
        batches: Read as they are needed: one more than there are workers is in memory.
        workers: How many processes embed. One is this process itself.

    Raises:
        WorkerError: A process died.
    """
    if workers == 1:
        for batch in batches:
            yield batch, _rows(embed, batch.texts)
        return
    # Forked threads and locks of numpy, Numba and pyarrow would not work in the child.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin, (embed,))
    waiting: deque[tuple[Batch, Future[NDArray[np.float32]]]] = deque()
    try:
        for batch in batches:
            waiting.append((batch, pool.submit(_work, batch.texts)))
            if len(waiting) > workers:
                first, future = waiting.popleft()
                yield first, future.result()
        for last, future in waiting:
            yield last, future.result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "A process that embeds died, perhaps for want of memory. What is done is kept: run the same "
            "again to go on, with fewer workers."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _rows(embed: Embed, texts: list[str | None]) -> NDArray[np.float32]:
    """Embed texts, a few at a time; none at all give the right number of columns too."""
    starts = range(0, max(1, len(texts)), _AT_ONCE)
    return np.concatenate([embed(texts[start : start + _AT_ONCE]) for start in starts])


def _begin(embed: Embed) -> None:
    global _embed  # noqa: PLW0603 - a worker has one task
    _embed = embed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all; the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the first one is killed; nobody else would tell it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(texts: list[str | None]) -> NDArray[np.float32]:
    return _rows(_embed, texts)
