"""The coverage by only the first words of a source, and what they would take to download."""

from collections.abc import Callable
from typing import Any

import embedhub
from embedhub import _cache as cache
from embedhub.cli.app import format_table, print_result
from embedhub.cli.tables import format_bytes
from embedhub.errors import StoreError
from embedhub.matrix.coverage import Coverage
from embedhub.registry.handle import with_dim
from embedhub.registry.inventory import list_stores
from embedhub.registry.limited_source import limited
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.vectors import Vectors

_LIMITS = (20_000, 50_000, 100_000, 200_000)


def vectors_in_cache(source: EmbeddingSource, dim: int) -> Vectors:
    """Return all vectors of a source without a download, or else its first ones, as many as are in a store.

    Raises:
        StoreError: None are in the cache.
    """
    limits = sorted(
        store.manifest["limit"]
        for store in list_stores(source.name, dim)
        if "limit" in store.manifest and store.state() == "current"
    )
    if cache.exists(source.store_path(dim)) or source.download_size(dim) == 0:
        return embedhub.load(source, dim)
    if limits:
        return embedhub.load(source, dim, limit=limits[-1])
    raise StoreError(
        f"{source.name} {dim}d is not in the cache, so its coverage is unknown. Download all its vectors, or "
        f"the first ones: embedhub download '{with_dim(source.name, dim)} | limit({_LIMITS[2]})'."
    )


def print_limits(
    source: EmbeddingSource, vectors: Vectors, measure: Callable[[Vectors, int], Coverage], *, as_json: bool
) -> None:
    """Print the coverage by the first words of a source, for several limits.

    Args:
        source: The source.
        vectors: The result of `vectors_in_cache`.
        measure: Returns the coverage by opened vectors of a dimension.
        as_json: Whether it is printed as JSON.
    """
    results, dim = [], vectors.dim
    for limit in (*(limit for limit in _LIMITS if limit < len(vectors)), len(vectors)):
        first = Vectors(
            vectors.matrix[:limit], vectors.words[:limit], name=source.name, fallbacks=vectors.fallbacks
        )
        covered = measure(first, dim)
        results.append(
            {
                "limit": limit,
                "found": covered.found,
                "ratio": covered.ratio,
                "token_ratio": covered.token_ratio,
                "download": limited(source, limit).download_size(dim),
            }
        )
    more = ""
    if limit < (source.vocab_size or limit):
        larger = next(number for number in (*_LIMITS, 2 * limit) if number > limit)
        more = (
            f"\n\nOnly the first {limit:,} words are in the cache. For more, download them: "
            f"embedhub download '{with_dim(source.name, dim)} | limit({larger})'"
        )
    print_result(results, lambda: _format(results) + more, as_json=as_json)


def _format(results: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{row['limit']:,}",
            f"{row['found']:,}",
            f"{row['ratio']:.1%}",
            "" if row["token_ratio"] is None else f"{row['token_ratio']:.1%}",
            f"{'~' if row['download'] else ''}{format_bytes(row['download'])}",
        ]
        for row in results
    ]
    columns = ["limit", "words found", "of words", "of tokens", "download"]
    return format_table(columns, rows, right_aligned=columns)
