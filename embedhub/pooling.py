"""From the rows of a text's words to one row: the compiled loops. Nothing imports this before a text comes."""

from typing import Any

import numpy as np

from embedhub.compiled import compiled


@compiled
def mean(matrix: Any, rows: Any, ends: Any, out: Any) -> None:
    """Write the mean of each text's rows.

    The sums are float64 in the order of the words, so that they depend on the text alone: not on the texts
    that come with it, and not on the machine.

    Args:
        matrix: ``(m, dim)`` float32.
        rows: ``(t,)`` int64, for each word of each text the row of ``matrix``; negative for none.
        ends: ``(n,)`` int64, where in ``rows`` each text ends.
        out: ``(n, dim)`` float32, filled; zeros for a text without any row.
    """
    dim = matrix.shape[1]
    total = np.empty(dim)
    start = 0
    for text in range(len(ends)):
        total[:] = 0
        count = 0
        for at in range(start, ends[text]):
            row = rows[at]
            if row >= 0:
                count += 1
                for column in range(dim):
                    total[column] += matrix[row, column]
        start = ends[text]
        for column in range(dim):
            out[text, column] = total[column] / max(count, 1)
