"""The hook by which a plugin provides benchmarks.

A plugin is a module that an installed distribution names in the entry-point group ``embedhub_eval``, with::

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
    """Return a list of benchmarks, also if there is only one; a generator does too.

    This runs whenever names of benchmarks are looked up, so it reads no files but the plugin's own.
    """
