"""Vectors for out-of-vocabulary words: the policies of ``oov=``."""

import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import xxhash
from numpy.typing import ArrayLike, NDArray

from embedhub.errors import EmbedhubError, PluginError, VocabularyError
from embedhub.vectors.vectors import Vectors

OOVPolicy = (
    Literal["zeros", "normal", "mean", "subword"]
    | Sequence[float]
    | NDArray[np.number[Any]]
    | Callable[[Sequence[str], int], ArrayLike]
)
"""A name, a vector, or a function ``(words, dim) -> (k, dim)``."""

ColumnStats = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and standard deviation of each column, ``(dim,)`` each."""

_POLICIES = ("zeros", "normal", "mean", "subword")
_CHUNK_ROWS = 8192
_SAMPLE_ROWS = 100_000  # of a source; the most frequent words, as most sources are sorted
MIN_FOUND = 10
"""Words that must be found for the statistics of their vectors to be used."""


def validate_policy(policy: Any, seed: Any, dim: int | None = None) -> None:
    """Check a policy and a seed as far as possible without vectors.

    Args:
        policy: See `embedhub.embedding_matrix`.
        seed: Of ``"normal"``.
        dim: Dimension of the vectors; None if it is unknown.

    Raises:
        ValueError: ``policy`` is an unknown name, a vector of another dimension, or not a policy; or
            ``seed`` is not an integer from 0 to 2**64 - 1.
        TypeError: ``policy`` is a function that cannot be called with words and a dimension.
    """
    if callable(policy):
        _check_arity(policy)
    elif isinstance(policy, str) or not hasattr(policy, "__len__"):
        if not isinstance(policy, str) or policy not in _POLICIES:
            raise ValueError(
                f"oov is {policy!r}; expected {', '.join(map(repr, _POLICIES))}, a vector, or a function "
                "(words, dim) -> vectors."
            )
    elif dim is not None:
        _as_float32(policy, (dim,), "oov=")
    try:
        valid = not isinstance(seed, bool) and 0 <= operator.index(seed) < 1 << 64
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(f"seed is {seed!r}; expected an integer from 0 to 2**64 - 1.")


def _check_arity(policy: Callable[..., Any]) -> None:
    """Raise TypeError unless a function can be called with words and a dimension."""
    try:
        signature = inspect.signature(policy)
    except (TypeError, ValueError):  # some functions of C have none
        return
    try:
        signature.bind((), 1)
    except TypeError as error:
        raise TypeError(
            f"oov= is the function {_name(policy)}{signature}; expected one of two arguments, a list of k "
            "words and the dimension, that returns an array of shape (k, dim), as in oov=lambda words, dim: "
            "numpy.zeros((len(words), dim))."
        ) from error


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def oov_vectors(
    policy: Any,
    words: list[str],
    vectors: Vectors,
    *,
    stats: Callable[[], ColumnStats | None],
    seed: int,
) -> NDArray[np.float32]:
    """Return the vectors that a policy assigns to out-of-vocabulary words.

    Args:
        policy: See `embedhub.embedding_matrix`.
        words: ``k`` words.
        vectors: The source.
        stats: Returns the column statistics of the known vectors, None if there are none. It is called for
            ``"normal"`` and ``"mean"`` only.
        seed: Of ``"normal"``.

    Returns:
        An array that broadcasts to ``(k, dim)``, float32.

    Raises:
        VocabularyError: The policy is ``"normal"`` or ``"mean"``, and ``stats`` returns None.
        ValueError: The policy is ``"subword"`` and the source has no composer; or an array has the wrong
            shape, is not numeric, or is not finite in float32.
        PluginError: The composer of the source fails.
    """
    dim = vectors.dim
    if isinstance(policy, str):
        if policy == "zeros":
            return np.zeros(dim, np.float32)
        if policy == "subword":
            return _composed(vectors, words)
        known = stats()
        if known is None:
            raise VocabularyError(
                f"oov={policy!r} needs the vectors of the words that were found, but no word was found."
            )
        mean, deviation = known
        if policy == "mean":
            return mean.astype(np.float32)
        return (mean + deviation * _noise(words, dim, seed)).astype(np.float32)
    if callable(policy):
        made = policy(words, dim)
        return _as_float32(made, (len(words), dim), f"The function {_name(policy)} of oov=")
    return _as_float32(policy, (dim,), "oov=")


def _composed(vectors: Vectors, words: list[str]) -> NDArray[np.float32]:
    """Return the vectors composed by the composer of a source; errors name the source."""
    if vectors.composer is None:
        raise ValueError(
            "oov='subword' needs a source that composes vectors for unseen words, and "
            f"{vectors.name} {vectors.dim}d does not: its Vectors.composer is None. Use a source with a "
            "composer, such as a fastText model with n-grams (.bin); or oov='normal', 'mean' or 'zeros'."
        )
    label = f"oov='subword': the composer of {vectors.name} {vectors.dim}d"
    try:
        composed = vectors.composer.compose(words)
    except (EmbedhubError, MemoryError, Warning):  # a warning is not an error of that code
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".removesuffix(".")
        kind = type(vectors.composer).__qualname__
        raise PluginError(
            f"{label} ({kind}) failed for {len(words)} words such as {words[0]!r}: {reason}. The error is "
            "in the source's code. Tell its author, or use oov='normal', 'mean' or 'zeros'."
        ) from error
    return _as_float32(composed, (len(words), vectors.dim), f"{label} returned an array that")


def _as_float32(value: Any, shape: tuple[int, ...], label: str) -> NDArray[np.float32]:
    """Return an array as float32, or raise ValueError if it has not this shape or is not finite."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise ValueError(
            f"{label} cannot be an array: {error}. Expected shape {shape} and float32."
        ) from error
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise ValueError(
            f"{label} has shape {array.shape} and dtype {array.dtype}; expected {shape} and float32."
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        raise ValueError(f"{label} has a number that is not finite in float32.")
    return array


def column_stats(matrix: NDArray[np.float32], known: NDArray[np.bool_]) -> ColumnStats | None:
    """Return mean and standard deviation of each column over the known rows, None if there are none.

    Rows are summed in float64 in the order of their indices, one chunk at a time: a float64 copy of the
    matrix might not fit into memory, and a BLAS sums in a different order on each machine.
    """
    if not known.any():
        return None
    chunks = [slice(start, start + _CHUNK_ROWS) for start in range(0, len(matrix), _CHUNK_ROWS)]
    count = np.count_nonzero(known)
    mean = sum(matrix[chunk][known[chunk]].astype(np.float64).sum(axis=0) for chunk in chunks) / count
    variance = sum(((matrix[chunk][known[chunk]] - mean) ** 2).sum(axis=0) for chunk in chunks) / count
    return mean, np.sqrt(variance)


def source_stats(vectors: Vectors) -> ColumnStats:
    """Return mean and standard deviation of each column over the first rows of a source."""
    sample = vectors.matrix[:_SAMPLE_ROWS]
    stats = column_stats(sample, np.ones(len(sample), np.bool_))
    assert stats  # noqa: S101 - a store has at least one row
    return stats


def _noise(words: list[str], dim: int, seed: int) -> NDArray[np.float64]:
    """Return standard normal noise, ``(k, dim)``, from one random stream per word.

    Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") is a counter-based generator
    with a key. The key is the seed and the XXH3 of the word, so that a word has the same noise in every
    vocabulary.
    """
    noise = np.empty((len(words), dim))
    philox = np.random.Philox(key=0)
    generator, state = np.random.Generator(philox), philox.state
    for row, word in zip(noise, words, strict=True):
        # Setting the state takes a fifth of the time of a new Philox.
        digest = xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))
        state["state"]["key"] = np.array([seed, digest], np.uint64)
        philox.state = state
        generator.standard_normal(out=row)
    return noise
