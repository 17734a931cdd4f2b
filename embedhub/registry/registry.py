"""The registry of sources by name, from all plugins; it is filled once, on first use.

A name that two plugins provide is an error only when it is used.
"""

import difflib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from embedhub import settings
from embedhub._warn import warn_or_log
from embedhub.errors import DimNotFoundError, PluginWarning, SourceNotFoundError, StoreError
from embedhub.formats import FORMATS
from embedhub.registry import hookspecs
from embedhub.registry.dims import as_dim
from embedhub.registry.entry_points import unknown_disabled
from embedhub.registry.local_file import LocalSource, as_path, open_source
from embedhub.registry.plugin_format import isolated_format
from embedhub.registry.plugins import Plugins, refuse_in_plugin
from embedhub.registry.source import EmbeddingSource, Reopen
from embedhub.registry.source_table import SUFFIX, open_source_table
from embedhub.registry.unknown_names import plugin_hint, refuse_address
from embedhub.vectors.blocks import Format
from embedhub.vectors.vectors import Vectors

Source = str | Path | EmbeddingSource | Vectors
"""A source as every function takes it: a registered name, a path, a source, or opened vectors."""

_REGISTERED = "embedhub.register()"
_BUILTIN = tuple(f"embedhub.registry.builtin.{name}" for name in ("glove", "glove_20k", "wordnet"))

_MAX_LISTED = 6
_MAX_REPR = 50  # characters

_KINDS = {"embedhub_sources": EmbeddingSource, "embedhub_formats": Format}


class Registry(Mapping[str, EmbeddingSource]):
    """A mapping of names to the sources that installed plugins provide, which it loads on first use.

    Example:
        >>> import embedhub
        >>> "glove-6b" in embedhub.sources(), len(embedhub.sources()) > 1
        (True, True)
    """

    def __init__(self) -> None:
        reserved = {"embedhub_formats": FORMATS}
        self.plugins = Plugins(hookspecs, _BUILTIN, _KINDS, reserved, shared=("embedhub_sources",))
        self._lock = threading.RLock()
        self._registered: dict[str, EmbeddingSource] = {}
        self._providers: dict[str, dict[str, EmbeddingSource]] | None = None

    def __getitem__(self, name: str) -> EmbeddingSource:
        providers = self._discovered().get(name)
        if providers is None:
            folded = [other for other in self if other.lower() == str(name).lower()]
            close = folded or difflib.get_close_matches(str(name), self, n=3, cutoff=0.4)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise SourceNotFoundError(
                f"No source is named {name!r}.{hint} list(embedhub.sources()) has all. "
                f"{plugin_hint(str(name))} A file of your own is named by its path, as in "
                f"'./vectors.vec'.{self._problems()}"
            )
        if len(providers) > 1:
            raise SourceNotFoundError(
                f"The source name {name!r} is provided by {' and by '.join(sorted(providers))}. "
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
        groups: dict[str, list[str]] = {}
        for name in self:
            provider = self.provider(name)
            groups.setdefault("" if provider in _BUILTIN else provider, []).append(name)
        own = ", ".join(_excerpt(groups.pop("", [])))
        others = [f"{len(names):,} of {provider[:_MAX_REPR]}" for provider, names in groups.items()]
        more = f"; {', '.join(_excerpt(others))}" if others else ""
        return f"<{len(self):,} embedhub sources: {own}{more}>"

    def provider(self, name: str) -> str:
        """Return the provider of a name: a distribution with its entry point, or a module of embedhub.

        Example:
            >>> import embedhub
            >>> embedhub.sources().provider("glove-6b")
            'embedhub.registry.builtin.glove'

        Args:
            name: Name of a source.

        Raises:
            SourceNotFoundError: No source has that name.
        """
        return next(iter(self._discovered()[self[name].name]))

    def providers(self) -> Mapping[str, Mapping[str, EmbeddingSource]]:
        """Return every name with its providers: name -> provider -> source, clashes included.

        Example:
            >>> import embedhub
            >>> list(embedhub.sources().providers()["glove-6b"])
            ['embedhub.registry.builtin.glove']
        """
        return dict(sorted(self._discovered().items()))

    def register(self, source: EmbeddingSource) -> None:
        """Add a source; `embedhub.register` calls it.

        Example:
            >>> import embedhub
            >>> embedhub.sources().register(embedhub.sources()["glove-6b"])
            Traceback (most recent call last):
                ...
            ValueError: The source name 'glove-6b' is taken by ...

        Args:
            source: The source.
        """
        if not isinstance(source, EmbeddingSource):
            raise TypeError(f"expected an EmbeddingSource, got {source!r}")
        with self._lock:
            providers = self._discovered().setdefault(source.name, {})
            others = [provider for provider in providers if provider != _REGISTERED]
            if others:
                raise ValueError(
                    f"The source name {source.name!r} is taken by {' and by '.join(others)}. Choose another."
                )
            self._registered[source.name] = providers[_REGISTERED] = source

    def refresh(self) -> None:
        """Look again for plugins, such as one that was installed since this process began.

        What `register` has added stays. Modules that were imported are not imported again, so the new version
        of a plugin that was loaded needs a new process.

        Example:
            >>> import embedhub
            >>> embedhub.sources().refresh()
            >>> "glove-6b" in embedhub.sources()
            True
        """
        refuse_in_plugin("embedhub.sources().refresh()")
        with self._lock:
            self.plugins.refresh()
            self._providers = None

    def formats(self) -> tuple[Format, ...]:
        """Return the formats of all plugins, for files of the user.

        A plugin whose code fails to recognize a file is named in a warning, and the others are asked. An
        error of a reader names the format and its plugin.

        Example:
            >>> import embedhub
            >>> [format.name for format in embedhub.sources().formats()]
            []
        """
        refuse_in_plugin("embedhub.sources()")
        return tuple(
            isolated_format(provider, item, _isolated)
            for provider, item in self.plugins.offered("embedhub_formats")
        )

    def _problems(self) -> str:
        """Return why the source of a plugin may be missing, as sentences to add to a message."""
        sentences = [f" {problem}" for problem in self.plugins.failures]
        disabled = settings.disabled_plugins()
        if disabled is None or disabled:
            which = ", ".join(sorted(disabled)) if disabled else "all plugins"
            sentences.append(f" EMBEDHUB_DISABLE_PLUGINS leaves out {which}.")
        return "".join(sentences)

    def _discovered(self) -> dict[str, dict[str, EmbeddingSource]]:
        """Return name -> provider -> source; plugins are called the first time only."""
        refuse_in_plugin("embedhub.sources()")
        with self._lock:
            if self._providers is None:
                discovered: dict[str, dict[str, EmbeddingSource]] = {}
                for provider, source in self.plugins.offered("embedhub_sources"):
                    discovered.setdefault(source.name, {})[provider] = source
                for source in self._registered.values():
                    discovered.setdefault(source.name, {})[_REGISTERED] = source
                self._providers = discovered
                if unknown := unknown_disabled():
                    warn_or_log(
                        f"EMBEDHUB_DISABLE_PLUGINS names {' and '.join(map(repr, unknown))}, which no "
                        "installed plugin is named. `embedhub doctor` shows the plugins.",
                        PluginWarning,
                    )
            return self._providers


def _excerpt(items: list[str]) -> list[str]:
    """Return the first items, for one line."""
    return [*items[:_MAX_LISTED], *(["..."] if len(items) > _MAX_LISTED else [])]


_registry = Registry()


def _isolated(provider: str) -> AbstractContextManager[None]:
    """Return the context in which code of a plugin runs; a function of the module, so that it is pickled."""
    return _registry.plugins.isolated(provider)


def sources() -> Registry:
    """Return all sources by name: a read-only mapping in alphabetical order.

    Example:
        >>> import embedhub
        >>> "glove-6b" in embedhub.sources()
        True
        >>> embedhub.sources()["glove-6b"].dims
        (50, 100, 200, 300)

    Raises:
        PluginError: A plugin calls it at import or in a hook.
    """
    refuse_in_plugin("embedhub.sources()")
    return _registry


def register(source: EmbeddingSource) -> None:
    """Add a source for this process; an installed plugin adds it for every process.

    A second call with the same name replaces the first, so that a notebook's cell can run twice.

    Example:
        >>> import embedhub
        >>> file = embedhub.RemoteFile(url="https://example.org/vectors.txt", format="glove")
        >>> source = embedhub.RemoteSource(
        ...     name="my-corpus",
        ...     files={50: (file,)},
        ...     description="GloVe on my corpus",
        ...     language="en",
        ...     cased=False,
        ...     license="CC0-1.0",
        ...     citation="Me (2026)",
        ...     homepage="https://example.org",
        ... )
        >>> embedhub.register(source)
        >>> embedhub.sources().provider("my-corpus")
        'embedhub.register()'

    Args:
        source: The source.

    Raises:
        ValueError: A plugin or embedhub itself provides that name.
        TypeError: This is not an `EmbeddingSource`.
        PluginError: A plugin calls it at import or in a hook.
    """
    refuse_in_plugin("embedhub.register()")
    _registry.register(source)


def load(source: Source, dim: int | None = None, *, allow_truncated: bool = False) -> Vectors:
    """Open the vectors of a source; on first use, download them and build their store.

    Example:
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi", 50)
        <Vectors wordnet-ppmi: 78,781 words, dim 50>

    Args:
        source: A registered name, the path of a file of your own, an `EmbeddingSource`, or `Vectors`, which
            are returned unchanged. A string is a name if a source has it; else it is a path if it has a
            separator, starts with ``.`` or ``~``, or if there is such a file. The file may be GloVe text,
            word2vec text or binary, fastText ``.vec`` or ``.bin``, or token vectors in safetensors, each also
            in gzip, bzip2, xz, zip or tar; ``archive.zip#member`` names one of several in an archive. Its
            store is built again when the file has changed. A path that ends in ``.toml`` is the table of a
            `RemoteSource`: its arguments as keys, and a ``[[files]]`` for each `RemoteFile` with its ``dim``.
        dim: Dimension of the vectors; optional for a source with only one.
        allow_truncated: Whether the vectors of a file of your own that ends too early are used, with a
            warning each time. By default that is an error, since some may be missing or cut.

    Raises:
        ValueError: ``allow_truncated`` is given for what is not a file of your own.
        SourceNotFoundError: No source has that name.
        LocalFileError: There is no file at that path.
        DimNotFoundError: The source does not have that dimension, or has several and ``dim`` is None.
        TypeError: ``dim`` is not an integer, or ``source`` is none of the above.
        DownloadError: The file is not available.
        FormatError: The file is malformed.
        PluginError: A plugin calls it at import or in a hook.
    """
    refuse_in_plugin("embedhub.load()")
    named, dim = find(source, dim)
    if allow_truncated and not isinstance(named, LocalSource):
        raise ValueError(
            f"allow_truncated is only for a file of your own, given by its path; got {source!r}."
        )
    if isinstance(named, Vectors):
        return named
    reopen: Reopen | None = None
    if is_registered(named):
        reopen = load, (named.name, dim)
    elif isinstance(named, LocalSource):
        named = replace(named, allow_truncated=True) if allow_truncated else named
        reopen = _load_same_file, (named.path, named.cache_key(dim), named.allow_truncated)
    return named.vectors(dim, reopen=reopen)


def _load_same_file(path: Path, cache_key: str, allow_truncated: bool) -> Vectors:  # noqa: FBT001 - pickled by position
    """Load the same vectors of a file in another process, perhaps on a machine that has another file there.

    Raises:
        StoreError: The file at that path is another one, or another version of a reader reads it.
    """
    source = open_source(path, _registry.formats)
    actual = source.cache_key(source.format.dim)
    if actual != cache_key:
        raise StoreError(
            f"{path}: the vectors that were pickled came from a file with other bytes than the one that is "
            f"there now (XXH3 {cache_key}, got {actual}). Nothing was opened. Copy the same file to each "
            "machine, or load and pickle the vectors again."
        )
    return load(path, allow_truncated=allow_truncated)


def find(source: Source, dim: int | None) -> tuple[EmbeddingSource | Vectors, int]:
    """Return a source, or opened vectors as they are, and the dimension; nothing is downloaded.

    Raises:
        TypeError: ``dim`` is not an integer, or ``source`` is none of the above.
        EmbedhubError: As `resolve`.
    """
    if not isinstance(source, Vectors):
        return resolve(source, dim)
    if as_dim(dim) not in {None, source.dim}:
        raise DimNotFoundError(f"{source!r} has dim {source.dim}; {dim!r} was asked for.")
    return source, source.dim


def resolve(source: str | Path | EmbeddingSource, dim: int | None) -> tuple[EmbeddingSource, int]:
    """Return a source and one of its dimensions, its only one by default, without opening its vectors.

    Raises:
        SourceNotFoundError: No source has that name.
        LocalFileError: There is no file at that path.
        DimNotFoundError: The source does not have that dimension, or has several and ``dim`` is None.
    """
    dim = as_dim(dim)
    named = get_source(source)
    if dim is None and len(named.dims) != 1:
        raise DimNotFoundError(
            f"{named.name!r} has several dims, so one must be given: {', '.join(map(str, named.dims))}."
        )
    return named, named.check_dim(named.dims[0] if dim is None else dim)


def is_registered(source: EmbeddingSource) -> bool:
    """Return whether this very source is registered under its name, so that the name can stand for it."""
    return source.name in _registry and _registry[source.name] is source


def get_source(source: str | Path | EmbeddingSource) -> EmbeddingSource:
    """Return the source of a registered name, or that of a file, without opening its vectors.

    Raises:
        TypeError: This is not a name, a path or an `EmbeddingSource`.
        SourceNotFoundError: No source has that name.
        LocalFileError: There is no file at that path.
        FormatError: The file is in none of the known formats, or a TOML table is malformed.
    """
    if isinstance(source, EmbeddingSource):
        return source
    if not isinstance(source, str | Path):
        raise TypeError(f"source is {source!r}; expected a name, a path, an EmbeddingSource or Vectors.")
    if isinstance(source, str):
        if source in _registry:
            return _registry[source]
        refuse_address(source, _registry)
        if as_path(source) is None and not os.path.isdir(source):  # noqa: PTH112 - Path.is_dir raises an OSError for a long name
            return _registry[source]  # raises the error that names similar ones
        source = Path(source)
    if source.suffix.lower() == SUFFIX:
        return open_source_table(source)
    return open_source(source, _registry.formats)
