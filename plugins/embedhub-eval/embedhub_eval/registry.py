"""Names, and the benchmarks behind them: found in the plugins once, on first use."""

import difflib
import threading
from collections.abc import Iterator, Mapping

from embedhub.errors import SourceNotFoundError
from embedhub.registry.plugins import Plugins
from embedhub_eval import hookspecs
from embedhub_eval.benchmark import Benchmark

_REGISTERED = "embedhub_eval.register()"


class Benchmarks(Mapping[str, Benchmark]):
    """A read-only mapping of names to the benchmarks that plugins provide; it finds them on first use.

    Example:
        >>> import embedhub_eval
        >>> "men" in embedhub_eval.benchmarks()
        True

    """

    def __init__(self) -> None:
        self._plugins = Plugins(hookspecs, ["embedhub_eval.builtin_benchmarks"])
        self._lock = threading.RLock()
        self._providers: dict[str, dict[str, Benchmark]] | None = None

    def __getitem__(self, name: str) -> Benchmark:
        providers = self._discovered().get(name)
        if providers is None:
            close = difflib.get_close_matches(str(name).lower(), self, n=3, cutoff=0.4)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise SourceNotFoundError(
                f"No benchmark is named {name!r}.{hint} list(embedhub_eval.benchmarks()) has all. A file of "
                "your own is named by its path, as in './pairs.tsv'."
            )
        if len(providers) > 1:
            raise SourceNotFoundError(
                f"The benchmark name {name!r} is provided by {' and by '.join(sorted(providers))}. "
                "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS."
            )
        return next(iter(providers.values()))

    def __iter__(self) -> Iterator[str]:
        """Yield the names that one plugin provides, in alphabetical order."""
        return (name for name, providers in sorted(self._discovered().items()) if len(providers) == 1)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return len(self._discovered().get(name, ())) == 1  # type: ignore[call-overload]  # any object may be asked for

    def __repr__(self) -> str:
        return f"<{len(self)} embedhub benchmarks: {', '.join(self)}>"

    def providers(self) -> Mapping[str, Mapping[str, Benchmark]]:
        """Return every name with its providers: name -> provider -> benchmark, clashes included.

        Example:
            >>> import embedhub_eval
            >>> list(embedhub_eval.benchmarks().providers()["men"])
            ['embedhub_eval.builtin_benchmarks']
        """
        return dict(sorted(self._discovered().items()))

    def register(self, benchmark: Benchmark) -> None:
        """Add a benchmark; `embedhub_eval.register` calls it.

        Example:
            >>> import embedhub_eval
            >>> embedhub_eval.benchmarks().register(embedhub_eval.benchmarks()["men"])
            Traceback (most recent call last):
                ...
            ValueError: The benchmark name 'men' is taken by ...

        Args:
            benchmark: The benchmark.

        Raises:
            ValueError: A plugin or embedhub_eval itself provides that name.
            TypeError: This is not a `Benchmark`.
        """
        if not isinstance(benchmark, Benchmark):
            raise TypeError(f"expected a Benchmark, got {benchmark!r}")
        with self._lock:
            providers = self._discovered().setdefault(benchmark.name, {})
            others = [provider for provider in providers if provider != _REGISTERED]
            if others:
                raise ValueError(
                    f"The benchmark name {benchmark.name!r} is taken by {' and by '.join(others)}. "
                    "Choose another."
                )
            providers[_REGISTERED] = benchmark

    def _discovered(self) -> dict[str, dict[str, Benchmark]]:
        """Return name -> provider -> benchmark, from all plugins, looked for only once."""
        with self._lock:
            if self._providers is None:
                discovered: dict[str, dict[str, Benchmark]] = {}
                for provider, benchmark in self._plugins.collect("embedhub_benchmarks", Benchmark):
                    discovered.setdefault(benchmark.name, {})[provider] = benchmark
                self._providers = discovered
            return self._providers


_benchmarks = Benchmarks()


def benchmarks() -> Benchmarks:
    """Return all benchmarks by name: a read-only mapping in alphabetical order.

    Example:
        >>> import embedhub_eval
        >>> embedhub_eval.benchmarks()["simlex-999"].total
        999
    """
    return _benchmarks


def register(benchmark: Benchmark) -> None:
    """Add a benchmark for this process; an installed plugin adds it for every process.

    A second call with the same name replaces the first, so that a notebook's cell can run twice.

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
        TypeError: This is not a `Benchmark`.
    """
    _benchmarks.register(benchmark)
