"""The types of options that several functions share, for type checkers and editors."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

from embedhub.matrix.oov import OOVPolicy
from embedhub.vectors.fallbacks import Fallback


class CoverageOptions(TypedDict, total=False):
    """Options of `embedhub.coverage`."""

    fallbacks: Iterable[Fallback] | None
    counts: Mapping[str, int] | None
    num_words: int | None


class MatrixOptions(CoverageOptions, total=False):
    """Options of `embedhub.embedding_matrix`."""

    oov: OOVPolicy
    seed: int
    min_coverage: float | None
