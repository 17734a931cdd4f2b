"""Registry of sources by name, loaded from all plugins on first use.

A name that two plugins provide raises an error only when it is used.
"""

import difflib
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from embedhub import settings
from embedhub._html import html_table
from embedhub._names import check_name, shown_names
from embedhub._warn import warn_or_log
from embedhub.errors import PluginWarning, SourceNotFoundError
from embedhub.formats import FORMATS
from embedhub.registry import hookspecs
from embedhub.registry.entry_points import unknown_disabled
from embedhub.registry.plugin_format import isolated_format
from embedhub.registry.plugins import Plugins, refuse_in_plugin
from embedhub.registry.source import EmbeddingSource
from embedhub.registry.unknown_names import missing_file, plugin_hint, several, translated
from embedhub.vectors.blocks import Format

_REGISTERED = "embedhub.register()"
_BUILTIN = tuple(f"embedhub.registry.builtin.{name}" for name in ("glove", "wordnet"))

_MAX_LISTED = 6
_MAX_REPR = 50  # characters

_KINDS = {"embedhub_sources": EmbeddingSource, "embedhub_formats": Format}


class Registry(Mapping[str, EmbeddingSource]):
    """A read-only mapping of names to sources; plugins are loaded on first use.

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
            text = str(name)
            exact = [other for other in self if other.lower() == text.lower()] or translated(text, self)
            close = exact or difflib.get_close_matches(text, self, n=3, cutoff=0.4)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            hint = several(text, self) or hint
            plugins = "" if exact else plugin_hint(text, is_misspelled=bool(close))
            raise SourceNotFoundError(
                f"{missing_file(text)}No source is named {name!r}.{hint}{plugins} "
                "`embedhub list` and list(embedhub.sources()) show all. A file of your own is named by its "
                f"path, as in './vectors.vec'.{self._problems()}"
            )
        if len(providers) > 1:
            raise SourceNotFoundError(
                f"The source name {name!r} is provided by {' and by '.join(sorted(providers))}. "
                "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS."
            )
        return next(iter(providers.values()))

    def __iter__(self) -> Iterator[str]:
        """Yield the names that exactly one plugin provides, in alphabetical order."""
        return (name for name, providers in sorted(self._discovered().items()) if len(providers) == 1)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return len(self._discovered().get(name, ())) == 1  # type: ignore[call-overload]  # any object may be asked for

    def __repr__(self) -> str:
        groups = self._groups()
        own = ", ".join(_excerpt(groups.pop("", [])))
        others = [f"{len(names):,} of {provider[:_MAX_REPR]}" for provider, names in groups.items()]
        more = f"; {', '.join(_excerpt(others))}" if others else ""
        return f"<{len(self):,} embedhub sources: {own}{more}>"

    def _repr_html_(self) -> str:
        rows = []
        for provider, names in self._groups().items():
            for source in map(self.__getitem__, names[:_MAX_LISTED]):
                words = "?" if source.vocab_size is None else f"{source.vocab_size:,}"
                facts = [source.language, source.license, source.description]
                rows.append([source.name, _dims(source), words, *facts])
            if len(names) > _MAX_LISTED:
                more = f"{len(names) - _MAX_LISTED:,} more of {provider[:_MAX_REPR] or 'embedhub'}"
                rows.append([more, *[""] * 5])
        columns = ["source", "dims", "words", "language", "license", "description"]
        title = f"{len(self):,} sources; `embedhub info NAME` describes one, `embedhub list` shows all"
        return html_table(title, columns, rows, right_aligned=["dims", "words"])

    def _groups(self) -> dict[str, list[str]]:
        """Return the names by provider; an empty one stands for embedhub itself, and is the first."""
        groups: dict[str, list[str]] = {"": []}
        for name in self:
            provider = self.provider(name)
            groups.setdefault("" if provider in _BUILTIN else provider, []).append(name)
        return groups

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
        """Add a source; `embedhub.register` calls this method.

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
        check_name(source.name)  # and no expression
        with self._lock:
            providers = self._discovered().setdefault(source.name, {})
            others = [provider for provider in providers if provider != _REGISTERED]
            if others:
                raise ValueError(
                    f"The source name {source.name!r} is taken by {' and by '.join(others)}. Choose another."
                )
            self._registered[source.name] = providers[_REGISTERED] = source

    def refresh(self) -> None:
        """Look for plugins again, such as those installed since this process started.

        Sources added by `register` stay. Imported modules are not reloaded, so a new version of a loaded
        plugin needs a new process.

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
        """Return the formats of all plugins, for local files.

        A plugin whose ``detect`` fails is named in a warning, and the others are tried. Errors of a reader
        name the format and its plugin.

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
        """Return reasons why a plugin's source may be missing, as sentences for a message."""
        sentences = [f" {problem}" for problem in self.plugins.failures]
        disabled = settings.disabled_plugins()
        if disabled is None or disabled:
            which = ", ".join(sorted(disabled)) if disabled else "all plugins"
            sentences.append(f" EMBEDHUB_DISABLE_PLUGINS leaves out {which}.")
        return "".join(sentences)

    def _discovered(self) -> dict[str, dict[str, EmbeddingSource]]:
        """Return name -> provider -> source; plugins are called only the first time."""
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


def _dims(source: EmbeddingSource) -> str:
    """Return the dimensions of a source for a table."""
    try:
        return shown_names(source.dims)
    except Exception:  # noqa: BLE001 - a source with its own code may fail in any way
        return "?"


def _excerpt(items: list[str]) -> list[str]:
    """Return the first items, for one line."""
    return [*items[:_MAX_LISTED], *(["..."] if len(items) > _MAX_LISTED else [])]


_registry = Registry()


def _isolated(provider: str) -> AbstractContextManager[None]:
    """Return the context in which code of a plugin runs; a function of the module, so that it is pickled."""
    return _registry.plugins.isolated(provider)


def sources() -> Registry:
    """Return all sources, as a read-only mapping of names in alphabetical order.

    Example:
        >>> import embedhub
        >>> "glove-6b" in embedhub.sources()
        True
        >>> embedhub.sources()["glove-6b"].dims
        (50, 100, 200, 300)

    Raises:
        PluginError: A plugin calls this function at import or in a hook.
    """
    refuse_in_plugin("embedhub.sources()")
    return _registry


def register(source: EmbeddingSource) -> None:
    """Add a source for this process; an installed plugin adds it for every process.

    A second call with the same name replaces the source, so that a notebook cell can be run again.

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
        TypeError: The argument is not an `EmbeddingSource`.
        PluginError: A plugin calls this function at import or in a hook.
    """
    refuse_in_plugin("embedhub.register()")
    _registry.register(source)
