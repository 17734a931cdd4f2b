"""The hooks of a plugin, and the pluggy markers.

A plugin is a module that an installed distribution names in the entry-point group ``embedhub``, with::

    from embedhub.registry.hookspecs import hookimpl

    @hookimpl
    def embedhub_sources():
        return [EmbeddingSource(...), ...]

It may have ``embedhub_benchmarks`` as well, or instead.
"""

from collections.abc import Iterable

import pluggy

from embedhub.evaluation.benchmark import Benchmark
from embedhub.registry.source import EmbeddingSource

PROJECT = "embedhub"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def embedhub_sources() -> Iterable[EmbeddingSource]:  # type: ignore[empty-body]  # a specification has no body
    """Return the sources of a plugin. No I/O and no heavy imports: this runs to list names."""


@hookspec
def embedhub_benchmarks() -> Iterable[Benchmark]:  # type: ignore[empty-body]  # a specification has no body
    """Return the benchmarks of a plugin. No I/O and no heavy imports: this runs to list names."""
