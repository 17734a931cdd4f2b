"""Solver of analogies among all words, by matrix products in blocks.

Both methods need only the cosines between the words of the analogies and all words. Google's 19,544 analogies
have 905 different words: so there is one product per word, not per analogy, and an analogy costs additions.
In logarithms 3CosMul is a sum too. The sums are float32, whose last bits depend on BLAS and its threads; so
the few words near the maximum are scored again in float64, and of equal ones the first is taken.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from embedhub._progress import progress_bar
from embedhub.vectors.vectors import Vectors

Method = Literal["3CosAdd", "3CosMul"]
_Float = TypeVar("_Float", np.float32, np.float64)

_EPSILON = 0.001
_NEAR = 1e-3  # of float32 scores that are computed again; cosines are off by 1e-6, logarithms by up to 1e-4
_EQUAL = 1e-12  # of float64 scores that tie
_LEAST = 1e-30  # of a factor of 3CosMul; its logarithm is finite
# Measured with GloVe's 400,000 words: a quarter of these cosines costs 1.7 times the processor time.
BLOCK_COSINES = 1 << 23  # in memory at once, in each thread
_BATCH = 32  # analogies whose sums are in memory at once
_MAX_THREADS = 8  # each has its own cosines
_EXACT_ROWS = 1 << 12  # in float64 at once


def solve(
    vectors: Vectors, analogies: NDArray[np.int64], *, method: Method = "3CosAdd", label: str = "analogies"
) -> NDArray[np.int64]:
    """Return the best answer to each analogy, excluding its own three words.

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
        ``(k,)`` row numbers; -1 without a fourth word. Of equal scores, as for words with equal vectors, the
        first row is returned, independently of the machine's BLAS.

    Raises:
        ValueError: The method is unknown.
    """
    if method not in get_args(Method):
        raise ValueError(f"method is {method!r}; expected {' or '.join(map(repr, get_args(Method)))}.")
    best = np.full(len(analogies), -1, np.int64)
    scores = np.full(len(analogies), -np.inf)
    words, positions = np.unique(analogies, return_inverse=True)
    positions = positions.reshape(analogies.shape)
    order = np.lexsort(positions.T[::-1])  # neighbors mostly share a and b
    positions, analogies = positions[order], analogies[order]
    known = _normalize(vectors.matrix[words])
    exactly_known = _normalize(vectors.matrix[words].astype(np.float64))
    step = max(1, min(len(vectors), BLOCK_COSINES // max(1, len(words))))

    def search(start: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        cosines = known @ _normalize(vectors.matrix[start : start + step]).T
        # The scores of other blocks may change meanwhile; they only save work.
        found, rows = _near_best(cosines, positions, analogies - start, scores.copy(), method)
        rows += start
        return _first_best(found, rows, _score(vectors, rows, exactly_known, positions[found], method))

    starts = range(0, len(vectors) if len(analogies) else 0, step)
    with (
        progress_bar(f"Solving {label}", len(vectors), in_bytes=False) as advance,
        ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as threads,
    ):
        # In the order of the blocks, whichever thread finishes first: the first of equal scores is taken.
        for start, (found, rows, block_scores) in zip(starts, threads.map(search, starts), strict=True):
            better = block_scores > scores[found] + _EQUAL
            best[order[found[better]]] = rows[better]
            scores[found[better]] = block_scores[better]
            advance(min(step, len(vectors) - start))
    return best


def _normalize(matrix: NDArray[_Float]) -> NDArray[_Float]:
    """Return rows of length 1; rows of zeros are unchanged."""
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    lengths[lengths == 0] = 1
    normalized: NDArray[_Float] = matrix / lengths[:, None]
    return normalized


def _near_best(
    cosines: NDArray[np.float32],
    positions: NDArray[np.int64],
    excluded: NDArray[np.int64],
    scores: NDArray[np.float64],
    method: Method,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the words of a block that may be the best answers, by scores in float32.

    Args:
        cosines: ``(u, n)`` between the words of the analogies and this block; overwritten.
        positions: ``(k, 3)`` row numbers of it for a, b and c. Neighbors with the same a and b share work.
        excluded: ``(k, 3)`` column numbers of it that are not answers; numbers outside the block are ignored.
        scores: ``(k,)`` scores of the best answers in other blocks.
        method: As in `solve`.

    Returns:
        ``(m,)`` numbers of analogies, and column numbers of words, in ascending order of both.
    """
    subtracted = cosines
    if method == "3CosMul":
        cosines += 1
        cosines /= 2
        np.clip(cosines, _LEAST, None, out=cosines)  # rounding produces cosines below -1
        subtracted = np.log(cosines + np.float32(_EPSILON))
        np.log(cosines, out=cosines)
    near: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
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
        maxima = total.max(axis=1)
        least = np.maximum(maxima, scores[batch].astype(np.float32)) - np.float32(_NEAR)
        reached = np.flatnonzero((maxima >= least) & (maxima > -np.inf))
        if len(reached):
            # Flat: of two axes nonzero takes several times as long.
            rows, words = np.divmod(np.flatnonzero(total[reached] >= least[reached, None]), total.shape[1])
            near.append((reached[rows] + start, words))
    if not near:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    found, words = map(np.concatenate, zip(*near, strict=True))
    return found, words


def _score(
    vectors: Vectors,
    rows: NDArray[np.int64],
    known: NDArray[np.float64],
    positions: NDArray[np.int64],
    method: Method,
) -> NDArray[np.float64]:
    """Return the scores of answers in float64.

    Args:
        vectors: The vectors of all words.
        rows: ``(m,)`` row numbers of the answers.
        known: ``(u, dim)`` normalized vectors of the words of the analogies.
        positions: ``(m, 3)`` row numbers of it for a, b and c.
        method: As in `solve`.
    """
    scores = np.empty(len(rows))
    for start in range(0, len(rows), _EXACT_ROWS):
        part = slice(start, start + _EXACT_ROWS)
        answers = _normalize(vectors.matrix[rows[part]].astype(np.float64))
        a, b, c = (np.einsum("ij,ij->i", answers, known[column]) for column in positions[part].T)
        if method == "3CosAdd":
            scores[part] = b - a + c
        else:
            a, b, c = (np.maximum((cosine + 1) / 2, _LEAST) for cosine in (a, b, c))
            scores[part] = np.log(b) + np.log(c) - np.log(a + _EPSILON)
    return scores


def _first_best(
    analogies: NDArray[np.int64], rows: NDArray[np.int64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return each analogy once, with the first row that has its best score, and that score.

    Args:
        analogies: ``(m,)`` numbers of analogies in ascending order.
        rows: ``(m,)`` row numbers of their answers, in ascending order for each analogy.
        scores: ``(m,)`` scores of these answers.
    """
    _, starts, counts = np.unique(analogies, return_index=True, return_counts=True)
    if len(starts):
        best = np.repeat(np.maximum.reduceat(scores, starts), counts)
        equal = np.flatnonzero(scores >= best - _EQUAL)
        _, first = np.unique(analogies[equal], return_index=True)
        starts = equal[first]
    return analogies[starts], rows[starts], scores[starts]
