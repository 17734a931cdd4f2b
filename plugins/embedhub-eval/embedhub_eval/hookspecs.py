"""Hook for plugins that provide benchmarks, and the pluggy marker.

An installed distribution registers a plugin module in the entry-point group ``embedhub_eval``. The module has
this hook::

    from embedhub_eval import hookimpl

    @hookimpl
    def embedhub_benchmarks():
        return [Benchmark(...), ...]
"""

from collections.abc import Iterable

import pluggy

from embedhub_eval.benchmark import Benchmark

PROJECT = "embedhub_eval"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def embedhub_benchmarks() -> Iterable[Benchmark]:  # type: ignore[empty-body]  # a specification has no body
    """Return a list of benchmarks, even for a single one, or yield them.

    The hook is called whenever benchmark names are looked up, so it should read only the plugin's own files.
    """
