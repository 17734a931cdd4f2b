"""Registry of benchmarks by name."""

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from embedhub._url import shown_url
from embedhub.errors import SourceNotFoundError
from embedhub.registry.local_file import as_path
from embedhub.registry.plugins import Plugins, refuse_in_plugin
from embedhub_eval import hookspecs
from embedhub_eval.benchmark import Benchmark, open_benchmark

_BUILTIN = "embedhub_eval.builtin_benchmarks"
_REGISTERED: set[str] = set()
PLUGINS = Plugins(hookspecs, [_BUILTIN], {"embedhub_benchmarks": Benchmark})


def _all() -> dict[str, Benchmark]:
    refuse_in_plugin("embedhub_eval.benchmarks()")
    return _collected()


@cache
def _collected() -> dict[str, Benchmark]:
    offered = (benchmark for _, benchmark in PLUGINS.offered("embedhub_benchmarks"))
    return {benchmark.name: benchmark for benchmark in sorted(offered, key=lambda benchmark: benchmark.name)}


def benchmarks() -> Mapping[str, Benchmark]:
    """Return all benchmarks by name.

    Example:
        >>> import embedhub_eval
        >>> embedhub_eval.benchmarks()["simlex-999"].total
        999
    """
    return _all()


def register(benchmark: Benchmark) -> None:
    """Add a benchmark for this process; an installed plugin adds it for every process.

    A second call with the same name replaces the benchmark, so that a notebook cell can be run again.

    Example:
        >>> import dataclasses, embedhub_eval
        >>> men = embedhub_eval.benchmarks()["men"]
        >>> embedhub_eval.register(dataclasses.replace(men, name="men-again"))
        >>> "men-again" in embedhub_eval.benchmarks()
        True

    Args:
        benchmark: The benchmark.

    Raises:
        ValueError: A plugin or embedhub_eval itself provides that name.
        TypeError: The argument is not a `Benchmark`.
    """
    refuse_in_plugin("embedhub_eval.register()")
    if not isinstance(benchmark, Benchmark):
        raise TypeError(f"expected a Benchmark, got {benchmark!r}")
    if benchmark.name in _all() and benchmark.name not in _REGISTERED:
        raise ValueError(f"The benchmark name {benchmark.name!r} is taken. Choose another.")
    _REGISTERED.add(benchmark.name)
    _all()[benchmark.name] = benchmark


def get_benchmarks(
    benchmarks: str | Path | Benchmark | Iterable[str | Path | Benchmark],
) -> list[Benchmark]:
    """Return benchmarks, each given by its name, the path of a local file, or a `Benchmark`.

    Raises:
        SourceNotFoundError: No benchmark has the name.
        LocalFileError: The file at that path cannot be read.
        TypeError: A benchmark is none of these.
    """
    one = isinstance(benchmarks, str | Path | Benchmark)
    if not one and (isinstance(benchmarks, Mapping) or not isinstance(benchmarks, Iterable)):
        hint = " Write a dimension with its source: 'glove-6b:50'." if isinstance(benchmarks, int) else ""
        raise TypeError(
            f"benchmarks is {benchmarks!r:.60}; expected names, paths or Benchmark objects, such as "
            f"['simlex-999', './pairs.tsv'].{hint}"
        )
    return [
        _get_benchmark(benchmark) for benchmark in cast("Iterable[Any]", [benchmarks] if one else benchmarks)
    ]


def _get_benchmark(benchmark: Any) -> Benchmark:
    if isinstance(benchmark, Benchmark):
        return benchmark
    if not isinstance(benchmark, str | Path):
        raise TypeError(f"{benchmark!r} is not a benchmark; expected a name, a path or a Benchmark.")
    if isinstance(benchmark, str) and benchmark in _all():
        return _all()[benchmark]
    if isinstance(benchmark, str) and "://" in benchmark:
        raise SourceNotFoundError(
            f"{shown_url(benchmark)!r} is a URL, not the name or the path of a benchmark. Download the file "
            "and pass its path, or pass embedhub_eval.Benchmark(name='mine', format='pairs', "
            "files=(embedhub.RemoteFile(url='https://...'),))."
        )
    path = benchmark if isinstance(benchmark, Path) else as_path(benchmark)
    if path is None:
        close = difflib.get_close_matches(str(benchmark).lower(), _all(), n=3, cutoff=0.4)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        names = [name.strip() for name in str(benchmark).split(",")]
        if len(names) > 1 and all(name in _all() for name in names):
            hint = f" Pass several as a list: {names!r}."
        raise SourceNotFoundError(
            f"No benchmark is named {benchmark!r}.{hint} `embedhub evaluate --list` and "
            "list(embedhub_eval.benchmarks()) show all. "
            "Refer to a file of your own by its path, as in './pairs.tsv'."
        )
    return open_benchmark(path)
