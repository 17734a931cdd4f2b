"""Solver of analogies among all words, by matrix products in blocks.

Both methods need only the cosines between the words of the analogies and all words. Google's 19,544 analogies
have 905 different words: so there is one product per word, not per analogy, and an analogy costs additions.
In logarithms 3CosMul is a sum too.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from embedhub._progress import progress_bar
from embedhub.vectors.vectors import Vectors

Method = Literal["3CosAdd", "3CosMul"]

_EPSILON = 0.001
# Measured with GloVe's 400,000 words: a quarter of these cosines costs 1.7 times the processor time.
BLOCK_COSINES = 1 << 23  # in memory at once, in each thread
_BATCH = 32  # analogies whose sums are in memory at once
_MAX_THREADS = 8  # each has its own cosines


def solve(
    vectors: Vectors, analogies: NDArray[np.int64], *, method: Method = "3CosAdd", label: str = "analogies"
) -> NDArray[np.int64]:
    """Return the best answer to each analogy, which is none of its own three words.

    O. Levy and Y. Goldberg, "Linguistic regularities in sparse and explicit word representations", 2014:
    3CosAdd (their equation 1, by T. Mikolov, W. Yih and G. Zweig, 2013) maximizes
    cos(x, b) - cos(x, a) + cos(x, c); 3CosMul (their equation 4) maximizes
    cos(x, b) cos(x, c) / (cos(x, a) + 0.001), with each cosine mapped to 0 to 1 by (cos + 1) / 2.

    Args:
        vectors: The vectors of all words.
        analogies: ``(k, 3)`` row numbers of a, b and c.
        method: ``"3CosAdd"`` or ``"3CosMul"``.
        label: Description for the progress bar.

    Returns:
        ``(k,)`` row numbers; -1 without a fourth word. The first of equal float32 scores is taken; the
        scores of words with equal vectors may differ in the last bit, depending on how the machine's BLAS
        rounds.

    Raises:
        ValueError: The method is unknown.
    """
    if method not in get_args(Method):
        raise ValueError(f"method is {method!r}; expected {' or '.join(map(repr, get_args(Method)))}.")
    best = np.full(len(analogies), -1, np.int64)
    scores = np.full(len(analogies), -np.inf, np.float32)
    words, positions = np.unique(analogies, return_inverse=True)
    positions = positions.reshape(analogies.shape)
    order = np.lexsort(positions.T[::-1])  # neighbors mostly share a and b
    known = _normalize(vectors.matrix[words])
    step = max(1, min(len(vectors), BLOCK_COSINES // max(1, len(words))))

    def search(start: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        cosines = known @ _normalize(vectors.matrix[start : start + step]).T
        return _best_of(cosines, positions[order], analogies[order] - start, method)

    starts = range(0, len(vectors) if len(analogies) else 0, step)
    with (
        progress_bar(f"Solving {label}", len(vectors), in_bytes=False) as advance,
        ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as threads,
    ):
        # In the order of the blocks, whichever thread finishes first: the first of equal scores is taken.
        for start, (block_best, block_scores) in zip(starts, threads.map(search, starts), strict=True):
            better = block_scores > scores[order]
            best[order[better]] = block_best[better] + start
            scores[order[better]] = block_scores[better]
            advance(min(step, len(vectors) - start))
    return best


def _normalize(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1; rows of zeros are unchanged."""
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    lengths[lengths == 0] = 1
    normalized: NDArray[np.float32] = matrix / lengths[:, None]
    return normalized


def _best_of(
    cosines: NDArray[np.float32], positions: NDArray[np.int64], excluded: NDArray[np.int64], method: Method
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the best answers within a block of words, and their scores.

    Args:
        cosines: ``(u, n)`` between the words of the analogies and this block; overwritten.
        positions: ``(k, 3)`` row numbers of it for a, b and c. Neighbors with the same a and b share work.
        excluded: ``(k, 3)`` column numbers of it that are not answers; numbers outside the block are ignored.
        method: As in `solve`.
    """
    subtracted = cosines
    if method == "3CosMul":
        cosines += 1
        cosines /= 2
        np.clip(cosines, 0, None, out=cosines)  # rounding produces cosines below -1
        subtracted = np.log(cosines + np.float32(_EPSILON))
        with np.errstate(divide="ignore"):
            np.log(cosines, out=cosines)
    best = np.empty(len(positions), np.int64)
    scores = np.empty(len(positions), np.float32)
    # Allocated once: fresh memory for each batch would cost page faults.
    sums = np.empty((_BATCH, cosines.shape[1]), np.float32)
    for start in range(0, len(positions), _BATCH):
        batch = slice(start, start + _BATCH)
        a, b, c = positions[batch].T
        total = np.take(cosines, c, axis=0, out=sums[: len(c)], mode="clip")
        changes = np.flatnonzero((a[1:] != a[:-1]) | (b[1:] != b[:-1])) + 1
        for first, last in pairwise([0, *changes.tolist(), len(c)]):
            total[first:last] += cosines[b[first]] - subtracted[a[first]]
        rows, words = np.nonzero((excluded[batch] >= 0) & (excluded[batch] < cosines.shape[1]))
        total[rows, excluded[batch][rows, words]] = -np.inf
        best[batch] = total.argmax(axis=1)
        scores[batch] = total[np.arange(len(c)), best[batch]]
    return best, scores
