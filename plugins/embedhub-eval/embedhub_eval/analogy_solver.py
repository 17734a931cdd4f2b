"""Solves analogies: a is to b as c is to which word? Over all words, by products of blocks.

Both ways need only the cosines of the questions' words with all words. Google's 19,544 questions have 905
different words: so there is one product per word, not one per question, and a question costs additions. By
logarithms 3CosMul becomes a sum too.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from embedhub._progress import progress_bar
from embedhub.vectors.vectors import Vectors

Method = Literal["add", "mul"]

_EPSILON = 0.001
# Measured with GloVe's 400,000 words: a quarter of the cosines at once costs 1.7 times the processor time.
_CELLS = 1 << 23  # cosines in hand at once, in each thread
_QUESTIONS = 32  # sums in hand at once
_THREADS = 8  # at most: each has its cosines


def solve(
    vectors: Vectors, questions: NDArray[np.int64], *, method: Method = "add", what: str = "analogies"
) -> NDArray[np.int64]:
    """Return the word that answers each analogy best, none of its own three words.

    O. Levy and Y. Goldberg, "Linguistic regularities in sparse and explicit word representations", 2014:
    3CosAdd (their equation 1, of T. Mikolov, W. Yih and G. Zweig, 2013) takes the word with the greatest
    cos(x, b) - cos(x, a) + cos(x, c); 3CosMul (their equation 4) that with the greatest
    cos(x, b) cos(x, c) / (cos(x, a) + 0.001), each cosine moved to between 0 and 1 by (cos + 1) / 2.

    Args:
        vectors: Where all words are.
        questions: ``(k, 3)`` the rows of a, b and c.
        method: ``"add"`` for 3CosAdd, ``"mul"`` for 3CosMul.
        what: What is being done, for the bar.

    Returns:
        ``(k,)`` rows; of equal answers the first. -1 where there is no fourth word.

    Raises:
        ValueError: There is no such method.
    """
    if method not in get_args(Method):
        raise ValueError(f"method is {method!r}; expected {' or '.join(map(repr, get_args(Method)))}.")
    best = np.full(len(questions), -1, np.int64)
    scores = np.full(len(questions), -np.inf, np.float32)
    words, positions = np.unique(questions, return_inverse=True)
    positions = positions.reshape(questions.shape)
    order = np.lexsort(positions.T[::-1])  # a and b of neighbours are mostly the same
    known = _unit(vectors.matrix[words])
    step = max(1, min(len(vectors), _CELLS // max(1, len(words))))

    def look(start: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        cosines = known @ _unit(vectors.matrix[start : start + step]).T
        return _best_of(cosines, positions[order], questions[order] - start, method)

    starts = range(0, len(vectors) if len(questions) else 0, step)
    with (
        progress_bar(f"Solving {what}", len(vectors), in_bytes=False) as advance,
        ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads,
    ):
        # In the order of the rows, whichever thread is first: so ties are settled in one way.
        for start, (found, found_scores) in zip(starts, threads.map(look, starts), strict=True):
            better = found_scores > scores[order]
            best[order[better]] = found[better] + start
            scores[order[better]] = found_scores[better]
            advance(min(step, len(vectors) - start))
    return best


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1; rows of zeros stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    lengths[lengths == 0] = 1
    unit: NDArray[np.float32] = rows / lengths[:, None]
    return unit


def _best_of(
    cosines: NDArray[np.float32], positions: NDArray[np.int64], left_out: NDArray[np.int64], method: Method
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the best answers among some words, and their scores.

    Args:
        cosines: ``(u, n)`` of the questions' words with these; overwritten.
        positions: ``(k, 3)`` rows of it: a, b and c. Neighbours with the same a and b share their work.
        left_out: ``(k, 3)`` columns of it that are no answers, where they are columns of it.
        method: As for `solve`.
    """
    taken = cosines
    if method == "mul":
        cosines += 1
        cosines /= 2
        np.clip(cosines, 0, None, out=cosines)  # rounding makes cosines under -1
        taken = np.log(cosines + np.float32(_EPSILON))
        with np.errstate(divide="ignore"):
            np.log(cosines, out=cosines)
    found = np.empty(len(positions), np.int64)
    scores = np.empty(len(positions), np.float32)
    # Allocated once: fresh memory for each block would cost page faults.
    sums = np.empty((_QUESTIONS, cosines.shape[1]), np.float32)
    for start in range(0, len(positions), _QUESTIONS):
        part = slice(start, start + _QUESTIONS)
        a, b, c = positions[part].T
        total = np.take(cosines, c, axis=0, out=sums[: len(c)], mode="clip")
        changes = np.flatnonzero((a[1:] != a[:-1]) | (b[1:] != b[:-1])) + 1
        for first, last in pairwise([0, *changes.tolist(), len(c)]):
            total[first:last] += cosines[b[first]] - taken[a[first]]
        questions, words = np.nonzero((left_out[part] >= 0) & (left_out[part] < cosines.shape[1]))
        total[questions, left_out[part][questions, words]] = -np.inf
        found[part] = total.argmax(axis=1)
        scores[part] = total[np.arange(len(c)), found[part]]
    return found, scores
