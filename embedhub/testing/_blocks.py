"""Rules for the blocks of a source: well-formed, with the expected vectors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from embedhub.download.remote_file import Fetched
from embedhub.errors import FormatError, OfflineError
from embedhub.registry.source import EmbeddingSource
from embedhub.testing._failures import describe, expect, fail
from embedhub.vectors.blocks import ExtraFile

Parsed = tuple[list[str], NDArray[np.float32]]


def parse(source: EmbeddingSource, fetched: Fetched | None, dim: int) -> Parsed:
    """Return all words and vectors of a source; a malformed block fails the test."""
    place = place_of(fetched, dim)
    all_words: list[str] = []
    all_vectors = [np.empty((0, dim), np.float32)]
    for block in blocks_of(source, fetched, dim):
        if isinstance(block, ExtraFile):
            continue
        expect(
            isinstance(block, tuple) and len(block) == 2,  # noqa: PLR2004 - words and vectors
            f"{source.name}: {place} yields {block!r:.200}; expected a Block: a list of words, and their "
            "vectors.",
        )
        words, vectors = block
        expect(
            isinstance(words, list) and all(isinstance(word, str) for word in words),
            f"{source.name}: the block of {place} has the words {words!r}; expected a list of strings.",
        )
        shape = (len(words), dim)
        expect(
            isinstance(vectors, np.ndarray) and vectors.shape == shape and vectors.dtype == np.float32,
            f"{source.name}: the block of {place} has {len(words)} words with "
            f"{_describe_array(vectors)}; expected an array of shape {shape} and dtype float32.",
        )
        all_words += words
        all_vectors.append(vectors)
    return all_words, np.concatenate(all_vectors)


def blocks_of(source: EmbeddingSource, fetched: Fetched | None, dim: int) -> Iterable[Any]:
    """Return the iterator of a source's blocks; fail the test if it is not an iterator."""
    # The same class defines both methods, so `parse` expects what `fetch` returns, None or not.
    blocks: object = source.parse(cast("Fetched", fetched), dim)
    if not isinstance(blocks, Iterable):
        fail(
            f"{source.name}: {place_of(fetched, dim)}: the function returns {blocks!r:.200}; expected an "
            "iterator of blocks. Does it yield them?"
        )
    return blocks


def fetch(source: EmbeddingSource, dim: int) -> Fetched | None:
    """Return the file of a source without samples, or None; fail the test if it needs a download."""
    try:
        return source.fetch(dim)
    except OfflineError as error:
        fail(f"{source.name}: dim {dim} needs a download, so it needs samples of its files. {error}")


def place_of(fetched: Fetched | None, dim: int) -> str:
    """Return a description of the input, for messages."""
    return fetched.path.name if fetched else f"dim {dim}"


def parse_or_none(source: EmbeddingSource, fetched: Fetched, dim: int, label: str) -> Parsed | None:
    """Parse a sample, or return None if it raises FormatError; any other error fails the test."""
    try:
        return parse(source, fetched, dim)
    except FormatError:
        return None
    except Exception as error:  # noqa: BLE001 - the type of the error is what is tested
        fail(f"{source.name}: {label} raises {describe(error)}; expected embedhub's FormatError.")


def check_expected(
    name: str,
    place: str,
    parsed: Parsed,
    expected: Mapping[str, Sequence[float]],
    *,
    complete: bool = True,
) -> None:
    """Fail unless the words have the expected vectors.

    Args:
        name: Name of the source.
        place: Description of the input, for messages.
        parsed: Words and vectors that were parsed.
        expected: Words, each with the first numbers of its vector.
        complete: Whether ``expected`` has all words, in order.
    """
    words, vectors = parsed
    distinct = list(dict.fromkeys(words))
    missing = [word for word in expected if word not in set(distinct)]
    if complete:
        expect(
            distinct == list(expected),
            f"{name}: {place} has the words {distinct}; expected {list(expected)}. Correct `expected`, or "
            "the reader.",
        )
    expect(
        not missing, f"{name}: {place} has no {missing}, which are in `expected`; it has {distinct[:5]}..."
    )
    for word, numbers in expected.items():
        wanted = np.array(numbers, np.float32)
        actual = vectors[words.index(word)][: len(wanted)]
        expect(
            same(actual, wanted),
            f"{name}: the vector of {word!r} in {place} starts with {actual.tolist()}; expected "
            f"{wanted.tolist()} in float32. Correct `expected`, or the reader.",
        )


def same(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Return whether two float32 arrays are equal bit for bit."""
    return left.shape == right.shape and left.tobytes() == right.tobytes()


def _describe_array(vectors: object) -> str:
    shape, dtype = getattr(vectors, "shape", None), getattr(vectors, "dtype", None)
    return f"vectors of type {type(vectors).__name__}, shape {shape} and dtype {dtype}"
