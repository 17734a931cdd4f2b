"""Rows of a matrix with the largest cosines to queries, by matrix products in blocks.

The products are float32, whose last bits depend on BLAS and its threads. So the few rows near the best ones
are scored again in float64, and scores that agree in twelve digits are in the order of the rows.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

_BLOCK_COSINES = 1 << 24  # in memory at once
_QUERIES = 1 << 10  # whose cosines are in memory at once
_CHUNK = 1 << 13  # rows in float64 at once
_NEAR = 1e-4  # of float32 cosines that are computed again; they are off by 1e-6
_DIGITS = 12
_LEAST_NORM, _LARGEST_NORM = 1e-15, 1e15  # between these, products stay within float32
_EPSILON = 0.001  # Levy and Goldberg's


class Norms(NamedTuple):
    """Norms of the rows of a matrix.

    Args:
        values: ``(n,)`` Euclidean norms; 1 for rows of zeros, and for those in ``extreme``.
        extreme: Numbers of the rows whose products may exceed float32, in ascending order.
    """

    values: NDArray[np.float32]
    extreme: Rows


class _Best:
    """The best rows so far for a query, without rows whose vector equals that of another or an excluded row.

    Args:
        matrix: The vectors.
        topn: Number of rows to find.
        excluded: Numbers of the excluded rows.
    """

    def __init__(self, matrix: NDArray[np.float32], topn: int, excluded: Rows) -> None:
        self.rows: Rows = np.empty(0, np.int64)
        self.scores: Floats = np.empty(0)
        self._matrix = matrix
        self._topn = topn
        self._excluded = {matrix[row].tobytes() for row in excluded.tolist()}

    @property
    def floor(self) -> float:
        """The least score of the best rows; minus infinity while there are fewer than requested."""
        return float(self.scores[-1]) if len(self.scores) == self._topn else -np.inf

    def add(self, rows: Rows, scores: Floats) -> None:
        """Consider more rows."""
        rows, scores = np.concatenate([self.rows, rows]), np.concatenate([self.scores, scores])
        order = np.lexsort((rows, -scores))
        seen = set(self._excluded)
        kept = []
        for position, row in zip(order.tolist(), rows[order].tolist(), strict=True):
            vector = self._matrix[row].tobytes()
            if vector not in seen:
                seen.add(vector)
                kept.append(position)
                if len(kept) == self._topn:
                    break
        self.rows, self.scores = rows[kept], scores[kept]

    def add_nearest(self, approximate: NDArray[np.float32], start: int, query: Floats) -> None:
        """Consider the rows from ``start`` whose approximate cosines are near the largest ones."""
        count = self._topn
        while True:
            # Words with equal vectors may fill any number of places, so it may take another round.
            cut = -np.inf if count >= len(approximate) else np.partition(approximate, -count)[-count]
            least = max(self.floor, float(cut)) - _NEAR
            near = np.flatnonzero((approximate >= least) & (approximate > -np.inf)) + start
            self.add(near, cosines(self._matrix[near], query))
            if least == -np.inf or self.floor >= least + _NEAR / 2:
                return
            count *= 8


def norms_of(matrix: NDArray[np.float32]) -> Norms:
    """Return the norms of the rows of a matrix."""
    values = np.empty(len(matrix), np.float32)
    extreme = [np.empty(0, np.int64)]
    for start in range(0, len(matrix), _CHUNK):
        rows = matrix[start : start + _CHUNK]
        with np.errstate(over="ignore", under="ignore"):
            norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        unsafe = np.flatnonzero((norms < _LEAST_NORM) | (norms > _LARGEST_NORM))
        norms[unsafe] = 1
        values[start : start + _CHUNK] = norms
        extreme.append(unsafe[rows[unsafe].any(axis=1)] + start)
    return Norms(values, np.concatenate(extreme))


def normalized(vectors: NDArray[np.float32] | Floats) -> Floats:
    """Return vectors of length 1 in float64; vectors of zeros are unchanged."""
    unit: Floats = vectors.astype(np.float64)
    norms = np.sqrt(np.einsum("...i,...i->...", unit, unit))[..., None]
    unit /= np.where(norms == 0, 1, norms)
    return unit


def cosines(vectors: NDArray[np.float32] | Floats, query: Floats) -> Floats:
    """Return the cosines between vectors, ``(k, dim)``, and a normalized query, ``(dim,)``."""
    scores = np.empty(len(vectors))
    for start in range(0, len(vectors), _CHUNK):
        part = slice(start, start + _CHUNK)
        scores[part] = np.einsum("ij,j->i", normalized(vectors[part]), query)
    return _rounded(np.clip(scores, -1, 1))


def nearest(
    matrix: NDArray[np.float32], norms: Norms, queries: Floats, excluded: Sequence[Rows], topn: int
) -> Iterator[tuple[Rows, Floats]]:
    """Yield for each query the rows with the largest cosines, and these cosines.

    Of several rows with equal vectors only the first is an answer, and none that equals an excluded row.

    Args:
        matrix: ``(n, dim)`` vectors.
        norms: Norms of these or more rows.
        queries: ``(k, dim)`` normalized queries.
        excluded: For each query the numbers of rows that are not answers.
        topn: Number of rows to find.
    """
    for start in range(0, len(queries), _QUERIES):
        part = slice(start, start + _QUERIES)
        best = [_Best(matrix, topn, rows) for rows in excluded[part]]
        owners = np.repeat(np.arange(len(best)), [len(rows) for rows in excluded[part]])
        out = np.concatenate(excluded[part])
        for first, scores in _products(matrix, norms, queries[part]):
            inside = (out >= first) & (out < first + scores.shape[1])
            scores[owners[inside], out[inside] - first] = -np.inf
            floors = np.array([one.floor for one in best])
            for i in np.flatnonzero(scores.max(axis=1) >= floors - _NEAR).tolist():
                best[i].add_nearest(scores[i], first, queries[start + i])
        yield from ((one.rows, one.scores) for one in best)


def count_closer(
    matrix: NDArray[np.float32], norms: Norms, query: Floats, cosine: float, excluded: Rows
) -> int:
    """Return how many rows have a larger cosine to a query, except those that equal an excluded row.

    Args:
        matrix: ``(n, dim)`` vectors.
        norms: Their norms.
        query: ``(dim,)``, normalized.
        cosine: The cosine to exceed, as `cosines` returns it.
        excluded: Numbers of rows that do not count.
    """
    vectors = {matrix[row].tobytes() for row in excluded.tolist()}
    own = cosines(matrix[excluded], query)
    own = own[own > cosine]
    total = 0
    for start, (scores,) in _products(matrix, norms, query[None]):
        near = np.flatnonzero(np.abs(scores - cosine) <= _NEAR)
        total += int((scores > cosine + _NEAR).sum())
        total += int((cosines(matrix[near + start], query) > cosine).sum())
        for row in np.flatnonzero((np.abs(scores - own[:, None]) <= _NEAR).any(axis=0)).tolist():
            total -= matrix[row + start].tobytes() in vectors
    return total


def nearest_by_product(
    matrix: NDArray[np.float32], positive: Floats, negative: Floats, excluded: Rows, topn: int
) -> tuple[Rows, Floats]:
    """Return the rows with the largest scores of 3CosMul, and these scores.

    Args:
        matrix: ``(n, dim)`` vectors.
        positive: ``(k, dim)``, normalized.
        negative: ``(m, dim)``, normalized.
        excluded: Numbers of rows that are not answers.
        topn: Number of rows to find.
    """
    best = _Best(matrix, topn, excluded)
    for start in range(0, len(matrix), _CHUNK):
        rows = normalized(matrix[start : start + _CHUNK])
        near, far = ((1 + np.clip(rows @ terms.T, -1, 1)) / 2 for terms in (positive, negative))
        scores = _rounded(near.prod(axis=1) / (far.prod(axis=1) + _EPSILON))
        better = np.flatnonzero(scores >= best.floor)
        best.add(better + start, scores[better])
    return best.rows, best.scores


def _products(
    matrix: NDArray[np.float32], norms: Norms, queries: Floats
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the first row of each block, and the cosines of the queries with it, ``(k, rows)``."""
    step = max(1, _BLOCK_COSINES // len(queries))
    single = queries.astype(np.float32)
    for start in range(0, len(matrix), step):
        block = matrix[start : start + step]
        with np.errstate(all="ignore"):  # of extreme rows, which follow
            scores = single @ block.T
            scores /= norms.values[start : start + len(block)]
        inside = norms.extreme[(norms.extreme >= start) & (norms.extreme < start + len(block))]
        if len(inside):
            for row, query in zip(scores, queries, strict=True):
                row[inside - start] = cosines(matrix[inside], query)
        yield start, scores


def _rounded(scores: Floats) -> Floats:
    rounded: Floats = np.round(scores, _DIGITS) + 0.0  # without negative zeros
    return rounded
