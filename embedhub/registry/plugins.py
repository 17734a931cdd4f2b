"""Plugins: found by their entry points, loaded once, called one by one.

A broken plugin does not affect the others: a `PluginWarning` names it.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module, metadata
from types import ModuleType
from typing import Any

import pluggy

from embedhub import settings
from embedhub._warn import warn
from embedhub.errors import PluginWarning


class Plugins:
    """All plugins of an entry-point group: loaded once, on first use, and each called by itself.

    Args:
        hookspecs: Module with the specifications of the hooks, and the name of the group as ``PROJECT``.
        builtin: Names of modules that are plugins of the package itself.
    """

    def __init__(self, hookspecs: ModuleType, builtin: Collection[str] = ()) -> None:
        self._hookspecs = hookspecs
        self._builtin = builtin
        self._lock = threading.RLock()
        self._manager: pluggy.PluginManager | None = None
        self._failed: dict[str, str] = {}

    @property
    def failed(self) -> Mapping[str, str]:
        """The plugins that were skipped so far, and why: provider -> reason."""
        return dict(self._failed)

    def providers(self, hook: str) -> list[str]:
        """Return the names of the plugins that implement a hook."""
        manager = self._loaded_manager()
        return [
            provider
            for provider, plugin in manager.list_name_plugin()
            if any(caller.name == hook for caller in manager.get_hookcallers(plugin) or ())
        ]

    def call_hook(self, hook: str, provider: str, **arguments: Any) -> Any:
        """Return what the hook of one plugin returns; an exception is that of the plugin."""
        manager = self._loaded_manager()
        others = [plugin for name, plugin in manager.list_name_plugin() if name != provider]
        (result,) = manager.subset_hook_caller(hook, others)(**arguments) or [None]
        return result

    def collect(self, hook: str, kind: type) -> Iterator[tuple[str, Any]]:
        """Yield each object that the hooks of all plugins return, with its provider.

        A plugin that fails, or returns an object of another kind, is skipped with a warning.
        """
        for provider in self.providers(hook):
            # A failing plugin must not affect the others.
            try:
                provided = list(self.call_hook(hook, provider) or ())
                for item in provided:
                    if not isinstance(item, kind):
                        raise TypeError(f"{hook} returned {item!r}; expected {kind.__name__} objects")
            except Exception as error:  # noqa: BLE001
                self.skip(provider, error)
                continue
            yield from ((provider, item) for item in provided)

    def skip(self, provider: str, error: Exception) -> None:
        """Record and warn that a plugin is skipped."""
        self._failed[provider] = f"{type(error).__name__}: {error}"
        warn(
            f"The embedhub plugin {provider} is skipped, because it is broken: {self._failed[provider]}. "
            "Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS.",
            PluginWarning,
        )

    def _loaded_manager(self) -> pluggy.PluginManager:
        with self._lock:
            if self._manager is None:
                self._manager = self._load()
            return self._manager

    def _load(self) -> pluggy.PluginManager:
        manager = pluggy.PluginManager(self._hookspecs.PROJECT)
        manager.add_hookspecs(self._hookspecs)
        for name in self._builtin:
            manager.register(import_module(name), name)
        for provider, entry_point in entry_points(self._hookspecs.PROJECT):
            # A failing plugin must not affect the others, from SyntaxError at import to a bad hook.
            try:
                plugin = entry_point.load()
                manager.register(plugin, provider)
                manager.check_pending()
                if not manager.get_hookcallers(plugin):
                    hooks = [name for name in dir(self._hookspecs) if name.startswith("embedhub_")]
                    raise LookupError(
                        f"it has no function {' or '.join(reversed(hooks))} marked with @hookimpl"
                    )
            except Exception as error:  # noqa: BLE001
                if manager.has_plugin(provider):
                    manager.unregister(name=provider)
                self.skip(provider, error)
        return manager


def entry_points(group: str) -> Iterator[tuple[str, metadata.EntryPoint]]:
    """Yield the entry points of a group that are not disabled, each with a unique name of its provider."""
    disabled = settings.disabled_plugins()
    if disabled is None:
        return
    for entry_point in metadata.entry_points(group=group):
        distribution = entry_point.dist.name if entry_point.dist else "?"
        # Two distributions may use one entry-point name, and pluggy would drop the second silently.
        provider = f"{distribution} ({entry_point.name})"
        if not disabled & {distribution, entry_point.name}:
            yield provider, entry_point
