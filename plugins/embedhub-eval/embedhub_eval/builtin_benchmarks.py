"""The built-in benchmarks of benchmarks.toml, as a plugin."""

from collections.abc import Iterable
from pathlib import Path

from embedhub_eval.benchmark import Benchmark, read_benchmarks
from embedhub_eval.hookspecs import hookimpl

BENCHMARKS = read_benchmarks(Path(__file__).with_name("benchmarks.toml"))


@hookimpl
def embedhub_benchmarks() -> Iterable[Benchmark]:
    """Return the benchmarks."""
    return BENCHMARKS
