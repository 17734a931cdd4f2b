"""Batches of texts embedded by this process or by several, in their order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import EmbedhubError
from embedhub_text.embedder import TextEmbedder
from embedhub_text.tables import Batch


class WorkerError(EmbedhubError, ChildProcessError):
    """A worker process died; the same call goes on where it stopped."""


class Embedded(NamedTuple):
    """What became of a batch."""

    rows: NDArray[np.float32]
    """``(n, dim)``."""
    tokens: int
    """Words of its texts."""
    tokens_found: int
    """Those that the source has."""


_embed: TextEmbedder  # in a worker: what it was started with


def embedded(embed: TextEmbedder, batches: Iterable[Batch], workers: int) -> Iterator[tuple[Batch, Embedded]]:
    """Give each batch with what became of it, in the order of the batches.

    Args:
        embed: Turns texts into rows; it is pickled once for each process.
        batches: Read as they are needed: one more than there are workers is in memory.
        workers: How many processes embed. One is this process itself.

    Raises:
        WorkerError: A process died.
    """
    if workers == 1:
        for batch in batches:
            yield batch, _embedded(embed, batch.texts)
        return
    # Forked threads and locks of numpy, Numba and pyarrow would not work in the child.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin, (embed,))
    waiting: deque[tuple[Batch, Future[Embedded]]] = deque()
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


def _embedded(embed: TextEmbedder, texts: list[str | None]) -> Embedded:
    tokens, found = embed.stats.tokens, embed.stats.tokens_found
    rows = embed(texts)
    return Embedded(rows, embed.stats.tokens - tokens, embed.stats.tokens_found - found)


def _begin(embed: TextEmbedder) -> None:
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


def _work(texts: list[str | None]) -> Embedded:
    return _embedded(_embed, texts)
