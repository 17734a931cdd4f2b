"""Names and the sources behind them: discovery of plugins, once, on first use.

One broken plugin does not take the others down: it is named in a `PluginWarning`. Two plugins that provide
one name are no trouble until that name is used.
"""

import difflib
import threading
import warnings
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pluggy

from embedhub import hookspecs, settings
from embedhub.errors import (
    DimNotFoundError,
    PluginWarning,
    SourceClashError,
    SourceNotFoundError,
)
from embedhub.local import LocalSource, as_path, open_source
from embedhub.source import EmbeddingSource
from embedhub.vectors import Vectors

Source = str | Path | EmbeddingSource | Vectors
"""What every function takes as a source: a registered name, a path, a source, or opened vectors."""

_BY_HAND = "embedhub.register()"


class Registry(Mapping[str, EmbeddingSource]):
    """A read-only mapping of names to sources, which finds the plugins when it is first asked.

    Example:
        >>> import embedhub
        >>> "glove-6b" in embedhub.sources(), len(embedhub.sources()) > 1
        (True, True)
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._providers: dict[str, dict[str, EmbeddingSource]] | None = None

    def __getitem__(self, name: str) -> EmbeddingSource:
        providers = self._discovered().get(name)
        if providers is None:
            close = difflib.get_close_matches(name, self, n=3, cutoff=0.4) if isinstance(name, str) else []
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise SourceNotFoundError(
                f"No source is named {name!r}.{hint} list(embedhub.sources()) has all; "
                "more come with plugins (pip install embedhub-...). A file of your own is named by its path, "
                "as in './vectors.vec'."
            )
        if len(providers) > 1:
            raise SourceClashError(
                f"The source name {name!r} is provided by {' and by '.join(sorted(providers))}. "
                "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS."
            )
        return next(iter(providers.values()))

    def __iter__(self) -> Iterator[str]:
        """Give the names that mean one source, in alphabetical order."""
        return (name for name, providers in sorted(self._discovered().items()) if len(providers) == 1)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return len(self._discovered().get(name, ())) == 1  # type: ignore[call-overload]  # any object may be asked for

    def __repr__(self) -> str:
        return f"<{len(self)} embedhub sources: {', '.join(self)}>"

    def provider(self, name: str) -> str:
        """Return who provides a name: a distribution with its entry point, or embedhub itself.

        Example:
            >>> import embedhub
            >>> embedhub.sources().provider("glove-6b")
            'embedhub.builtin.glove'

        Args:
            name: Name of a source.

        Raises:
            SourceNotFoundError: No source has that name.
            SourceClashError: Several have it.
        """
        return next(iter(self._discovered()[self[name].name]))

    def register(self, source: EmbeddingSource) -> None:
        """Add a source; `embedhub.register` calls it.

        Example:
            >>> import embedhub
            >>> registry = Registry()
            >>> registry.register(embedhub.sources()["glove-6b"])
            Traceback (most recent call last):
                ...
            embedhub.errors.SourceClashError: The source name 'glove-6b' is taken by ...

        Args:
            source: The source.

        Raises:
            SourceClashError: A plugin or embedhub itself provides that name.
            TypeError: This is no `EmbeddingSource`.
        """
        if not isinstance(source, EmbeddingSource):
            raise TypeError(f"expected an EmbeddingSource, got {source!r}")
        with self._lock:
            providers = self._discovered().setdefault(source.name, {})
            others = [provider for provider in providers if provider != _BY_HAND]
            if others:
                raise SourceClashError(
                    f"The source name {source.name!r} is taken by {' and by '.join(others)}. Choose another."
                )
            providers[_BY_HAND] = source

    def _discovered(self) -> dict[str, dict[str, EmbeddingSource]]:
        """Return name -> provider -> source, from all plugins, looked for only once."""
        with self._lock:
            if self._providers is None:
                found: dict[str, dict[str, EmbeddingSource]] = {}
                for provider, source in _sources_of_plugins():
                    found.setdefault(source.name, {})[provider] = source
                self._providers = found
            return self._providers


def _sources_of_plugins() -> Iterator[tuple[str, EmbeddingSource]]:
    """Load every plugin and call its hook, each by itself, so that none can hurt another."""
    from embedhub.builtin import glove, wordnet

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for module in (glove, wordnet):
        manager.register(module, module.__name__)
    for provider, entry_point in entry_points():
        # Whatever a plugin does wrong, it is its own wrong: from SyntaxError at import to a bad hook.
        try:
            plugin = entry_point.load()
            manager.register(plugin, provider)
            manager.check_pending()
            if not manager.get_hookcallers(plugin):
                raise LookupError("it has no function embedhub_sources marked with @hookimpl")
        except Exception as error:  # noqa: BLE001
            if manager.has_plugin(provider):
                manager.unregister(name=provider)
            _warn(provider, error)
    for provider, plugin in manager.list_name_plugin():
        others = [other for other in manager.get_plugins() if other is not plugin]
        hook = manager.subset_hook_caller("embedhub_sources", others)
        try:
            sources = [source for answer in hook() for source in answer]
            for source in sources:
                if not isinstance(source, EmbeddingSource):
                    raise TypeError(f"embedhub_sources gave {source!r}, which is no EmbeddingSource")
        except Exception as error:  # noqa: BLE001
            _warn(provider, error)
            continue
        yield from ((provider, source) for source in sources)


def entry_points() -> Iterator[tuple[str, metadata.EntryPoint]]:
    """Give the entry points of the group that are not switched off, each with a name of its own."""
    disabled = settings.disabled_plugins()
    if disabled is None:
        return
    for entry_point in metadata.entry_points(group=hookspecs.PROJECT):
        distribution = entry_point.dist.name if entry_point.dist else "?"
        # Two distributions may use one entry-point name, and pluggy would drop the second silently.
        provider = f"{distribution} ({entry_point.name})"
        if not disabled & {distribution, entry_point.name}:
            yield provider, entry_point


def _warn(provider: str, error: Exception) -> None:
    warnings.warn(
        f"The embedhub plugin {provider} is left out, because it is broken: {type(error).__name__}: {error}. "
        "Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS.",
        PluginWarning,
        stacklevel=2,
    )


_registry = Registry()


def sources() -> Registry:
    """Return all sources by name: a read-only mapping in alphabetical order.

    Example:
        >>> import embedhub
        >>> "glove-6b" in embedhub.sources()
        True
        >>> embedhub.sources()["glove-6b"].dims
        (50, 100, 200, 300)
    """
    return _registry


def register(source: EmbeddingSource) -> None:
    """Add a source for this process; an installed plugin does the same for good.

    A second call with the same name replaces the first, so that a notebook's cell can run twice.

    Example:
        >>> import embedhub
        >>> source = embedhub.EmbeddingSource(
        ...     name="none-yet",
        ...     description="a name without vectors",
        ...     language="en",
        ...     cased=False,
        ...     words=None,
        ...     license="CC0-1.0",
        ...     citation="nobody",
        ...     homepage="https://example.org",
        ... )
        >>> embedhub.register(source)
        >>> embedhub.sources().provider("none-yet")
        'embedhub.register()'

    Args:
        source: The source.

    Raises:
        SourceClashError: A plugin or embedhub itself provides that name.
        TypeError: This is no `EmbeddingSource`.
    """
    _registry.register(source)


def load(source: Source, dim: int | None = None) -> Vectors:
    """Open the vectors of a source; the first time on a machine, fetch them and build their store.

    Example:
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi", 50)
        <Vectors wordnet-ppmi: 78,781 words, dim 50>

    Args:
        source: A registered name, the path of a file of your own, an `EmbeddingSource`, or `Vectors`, which
            come back as they are. A string is a name if a source has it; else it is a path if it has a
            separator, starts with ``.`` or ``~``, or if there is such a file. The file may be GloVe text,
            word2vec text or binary, fastText ``.vec`` or ``.bin``, or token vectors in safetensors, each also
            in gzip, bzip2, xz or zip; ``archive.zip#member`` names one of several in an archive. Its store is
            built anew when the file has changed.
        dim: Width of a row. It may be left out where there is only one.

    Raises:
        SourceNotFoundError: No source has that name.
        LocalFileError: There is no file at that path.
        DimNotFoundError: The source has no such dim, or several and none was asked for.
        DownloadError: The file could not be had.
        FormatError: The file is not what its reader expects.
    """
    if isinstance(source, Vectors):
        if dim not in {None, source.dim}:
            raise DimNotFoundError(f"{source!r} has dim {source.dim}; {dim!r} was asked for.")
        return source
    if isinstance(source, EmbeddingSource):
        return source.vectors(_the_dim(source, dim))
    if not isinstance(source, str | Path):
        raise TypeError(f"source is {source!r}; expected a name, a path, an EmbeddingSource or Vectors.")
    named = _named(source)
    dim = _the_dim(named, dim)
    vectors = named.vectors(dim)
    vectors.reopen = (load, (named.path if isinstance(named, LocalSource) else named.name, dim))
    return vectors


def fetch(source: Source, dim: int | None = None) -> None:
    """Bring the vectors of a source and build their store, so that later calls need no network.

    For the image of a container, or the login node of a cluster.

    Example:
        >>> import embedhub
        >>> embedhub.fetch("wordnet-ppmi", 50)

    Args:
        source: A registered name, a path, or an `EmbeddingSource`.
        dim: Width of a row. It may be left out where there is only one.

    Raises:
        EmbedhubError: What `embedhub.load` raises.
    """
    load(source, dim)


def _named(source: str | Path) -> EmbeddingSource:
    """Return the source of a registered name, or that of a file."""
    if isinstance(source, str):
        path = None if source in _registry else as_path(source)
        if path is None:
            return _registry[source]
        source = path
    return open_source(source)


def _the_dim(source: EmbeddingSource, dim: int | None) -> int:
    if dim is not None:
        return dim
    if len(source.dims) == 1:
        return source.dims[0]
    raise DimNotFoundError(
        f"{source.name!r} comes in several dims, so one must be given: {', '.join(map(str, source.dims))}."
    )
