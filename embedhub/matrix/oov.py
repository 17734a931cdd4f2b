"""Rows for what a source does not have: the OOV policies."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xxhash
from numpy.typing import ArrayLike, NDArray

from embedhub.errors import VocabularyError
from embedhub.vectors.vectors import Vectors

Policy = str | ArrayLike | Callable[[Sequence[str], int], ArrayLike]
"""A name, a row, or a function ``(words, dim) -> (k, dim)``."""

Moments = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and standard deviation of each column, ``(dim,)`` each."""

_NAMES = ("zeros", "normal", "mean", "subword")
_CHUNK = 8192


def check(policy: Any, seed: Any) -> None:
    """Say what is wrong with a policy or seed, as far as that can be told before there are vectors.

    Raises:
        ValueError: The policy is a name that there is not, or the seed no integer from 0 to 2**64 - 1.
    """
    if isinstance(policy, str) and policy not in _NAMES:
        raise ValueError(
            f"oov is {policy!r}; expected {', '.join(map(repr, _NAMES))}, a row, or a function (words, dim) "
            "-> rows."
        )
    try:
        fits = not isinstance(seed, bool) and 0 <= operator.index(seed) < 1 << 64
    except TypeError:
        fits = False
    if not fits:
        raise ValueError(f"seed is {seed!r}; expected an integer from 0 to 2**64 - 1.")


def rows_for(
    policy: Any,
    words: list[str],
    vectors: Vectors,
    *,
    moments: Callable[[], Moments | None],
    seed: int,
) -> NDArray[np.float32]:
    """Return what the policy gives to words without rows.

    Args:
        policy: See `embedhub.embedding_matrix`.
        words: ``k`` words.
        vectors: The source.
        moments: Gives those of the rows that policies go by, None without rows; called where one does.
        seed: For the policies that draw.

    Returns:
        Something that broadcasts to ``(k, dim)``, float32.

    Raises:
        ValueError: The policy cannot be applied to these vectors, or gives rows of a wrong form.
    """
    dim = vectors.dim
    if isinstance(policy, str):
        if policy == "zeros":
            return np.zeros(dim, np.float32)
        if policy == "subword":
            if vectors.subwords is None:
                raise ValueError(
                    f"oov='subword' needs vectors that compose a word from its parts, and {vectors.name} has "
                    "none; a fastText model with subwords (.bin) can. Else use 'normal', 'mean' or 'zeros'."
                )
            return _checked(vectors.subwords.compose(words), (len(words), dim), "oov='subword'")
        known = moments()
        if known is None:
            raise VocabularyError(
                f"oov={policy!r} goes by the rows of the words that were found, but none was."
            )
        mean, deviation = known
        if policy == "mean":
            return mean.astype(np.float32)
        return (mean + deviation * _noise(words, dim, seed)).astype(np.float32)
    if callable(policy):
        name = getattr(policy, "__name__", type(policy).__name__)
        return _checked(policy(words, dim), (len(words), dim), f"The function {name} of oov=")
    return _checked(policy, (dim,), "oov=")


def _checked(given: Any, shape: tuple[int, ...], who: str) -> NDArray[np.float32]:
    """Return rows as float32, if they are finite numbers of the right shape."""
    rows = np.asarray(given)
    if rows.shape != shape or rows.dtype.kind not in "fiu":
        raise ValueError(
            f"{who} gave shape {rows.shape} and dtype {rows.dtype}; expected {shape} and float32."
        )
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float32, copy=False)
    if not np.isfinite(rows).all():
        raise ValueError(f"{who} gave a number that is not finite in float32.")
    return rows


def moments_of(matrix: NDArray[np.float32], found: NDArray[np.bool_]) -> Moments | None:
    """Return mean and standard deviation of each column over the found rows, None where none was found.

    They are summed in float64 in the order of their indices, a part at a time: a float64 copy of all might
    not fit, and a BLAS sums in an order of its own on each machine.

    Args:
        matrix: ``(n, dim)`` the rows.
        found: ``(n,)`` which of them belong to words that were found.
    """
    if not found.any():
        return None
    parts = [slice(start, start + _CHUNK) for start in range(0, len(matrix), _CHUNK)]
    count = np.count_nonzero(found)
    mean = sum(matrix[part][found[part]].astype(np.float64).sum(axis=0) for part in parts) / count
    variance = sum(((matrix[part][found[part]] - mean) ** 2).sum(axis=0) for part in parts) / count
    return mean, np.sqrt(variance)


def _noise(words: list[str], dim: int, seed: int) -> NDArray[np.float64]:
    """Return standard normal rows, ``(k, dim)``, each drawn from a stream of its own.

    Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") takes a key. Seed and XXH3 of
    the word are the key here, so that a word has the same noise in every vocabulary.
    """
    rows = np.empty((len(words), dim))
    philox = np.random.Philox(key=0)
    generator, state = np.random.Generator(philox), philox.state
    for row, word in zip(rows, words, strict=True):
        # A new Philox for each would take five times as long.
        digest = xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))
        state["state"]["key"] = np.array([seed, digest], np.uint64)
        philox.state = state
        generator.standard_normal(out=row)
    return rows
