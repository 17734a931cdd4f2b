"""Parsing of several sources, each with an optional dimension."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from embedhub.registry.handle import parse_handle
from embedhub.registry.loading import Source
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.vectors import Vectors

Selector = Source | tuple[Source, int | None]
"""A source, such as ``"glove-6b:50"``, or a pair of a source and its dimension."""


def parse_selectors(selectors: Selector | Iterable[Selector]) -> list[tuple[Source, int | None]]:
    """Return sources with their dims.

    Example:
        >>> from embedhub_eval.selectors import parse_selectors
        >>> parse_selectors(["glove-6b:50", "wordnet-ppmi", "./my.vec"])
        [('glove-6b', 50), ('wordnet-ppmi', None), ('./my.vec', None)]

    Args:
        selectors: One selector or several.

    Returns:
        Pairs of source and dim in the given order, without duplicates; the dim is None if none was given.

    Raises:
        ValueError: The list is empty.
        SourceNotFoundError: A selector is not a valid handle; see `embedhub.load`.
        TypeError: A selector is none of the above, or the argument is a mapping.
    """
    is_one = isinstance(selectors, str | Path | EmbeddingSource | Vectors) or _is_pair(selectors)
    parsed: list[tuple[Source, int | None]] = []
    if not is_one and (isinstance(selectors, Mapping) or not isinstance(selectors, Iterable)):
        raise TypeError(
            f"sources is {selectors!r:.60}; expected a source such as 'glove-6b:50', or a list of several."
        )
    for selector in [selectors] if is_one else cast("Iterable[Any]", selectors):
        pair: tuple[Source, int | None]
        if isinstance(selector, str):
            handle = parse_handle(selector)
            pair = handle.without_dim, handle.dim
        elif isinstance(selector, Path | EmbeddingSource | Vectors):
            pair = selector, None
        elif _is_pair(selector):
            pair = cast("tuple[Source, int | None]", selector)
        else:
            raise TypeError(
                f"{selector!r} is not a source; expected 'name:dim', or a pair of source and dim."
            )
        parsed.append(pair)
    if not parsed:
        raise ValueError("No source was given; expected name:dim, such as glove-6b:50.")
    return [pair for i, pair in enumerate(parsed) if pair not in parsed[:i]]


def _is_pair(selector: object) -> bool:
    return isinstance(selector, tuple) and len(selector) == 2 and isinstance(selector[1], int | None)  # noqa: PLR2004
