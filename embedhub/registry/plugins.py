"""Plugins: found by their entry points, loaded once, called one by one.

One broken plugin does not take the others down: it is named in a `PluginWarning`.
"""

import threading
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any, TypeVar

import pluggy

from embedhub import settings
from embedhub._warn import warn
from embedhub.errors import PluginWarning
from embedhub.registry import hookspecs

T = TypeVar("T")


class Plugins:
    """All plugins: loaded once, when first asked; each is called by itself, so that none can hurt another."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._manager: pluggy.PluginManager | None = None
        self._broken: dict[str, str] = {}

    @property
    def broken(self) -> Mapping[str, str]:
        """Those that were left out so far, and why: provider -> reason."""
        return dict(self._broken)

    def answers(self, hook_name: str, kind: type[T]) -> Iterator[tuple[str, T]]:
        """Give what the plugins' functions of that name give, each with its provider."""
        with self._lock:
            if self._manager is None:
                self._manager = self._loaded()
            manager = self._manager
        for provider, plugin in manager.list_name_plugin():
            others = [other for other in manager.get_plugins() if other is not plugin]
            hook = manager.subset_hook_caller(hook_name, others)
            # As in _loaded: whatever a plugin does wrong, it is its own wrong.
            try:
                things: list[Any] = [thing for answer in hook() for thing in answer]
                for thing in things:
                    if not isinstance(thing, kind):
                        raise TypeError(f"{hook_name} gave {thing!r}, which is no {kind.__name__}")
            except Exception as error:  # noqa: BLE001
                self._leave_out(provider, error)
                continue
            yield from ((provider, thing) for thing in things)

    def _loaded(self) -> pluggy.PluginManager:
        from embedhub.evaluation import builtin_benchmarks as benchmarks
        from embedhub.registry.builtin import glove, glove_20k, wordnet

        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        for module in (benchmarks, glove, glove_20k, wordnet):
            manager.register(module, module.__name__)
        for provider, entry_point in entry_points():
            # Whatever a plugin does wrong, it is its own wrong: from SyntaxError at import to a bad hook.
            try:
                plugin = entry_point.load()
                manager.register(plugin, provider)
                manager.check_pending()
                if not manager.get_hookcallers(plugin):
                    raise LookupError(
                        "it has no function embedhub_sources marked with @hookimpl, nor embedhub_benchmarks"
                    )
            except Exception as error:  # noqa: BLE001
                if manager.has_plugin(provider):
                    manager.unregister(name=provider)
                self._leave_out(provider, error)
        return manager

    def _leave_out(self, provider: str, error: Exception) -> None:
        self._broken[provider] = f"{type(error).__name__}: {error}"
        warn(
            f"The embedhub plugin {provider} is left out, because it is broken: {self._broken[provider]}. "
            "Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS.",
            PluginWarning,
        )


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
