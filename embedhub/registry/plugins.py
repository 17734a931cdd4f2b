"""Plugins: found by their entry points, loaded once, and isolated from each other and from embedhub.

Whatever a plugin does at import or in a hook, the others work: it is recorded as a `Problem` of that plugin.
"""

import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module, invalidate_caches, metadata
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import pluggy
from pluggy import HookImpl

from embedhub._names import check_name
from embedhub._warn import warn_or_log
from embedhub.errors import PluginError, PluginWarning
from embedhub.registry.entry_points import entry_points, needed_version

_SLOW = 1.0  # seconds that a plugin may take to load
_MAX_REPR = 200  # characters
_ADVICE = "Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS."

_running = threading.local()


class Problem(NamedTuple):
    """A problem of a plugin, and what to do about it.

    Args:
        provider: The plugin: its distribution and entry point.
        text: A predicate, such as ``"is skipped, because it is broken: ..."``.
        advice: What to do.
        silent: Whether there is no warning of it: it is shown where problems are asked for.
    """

    provider: str
    text: str
    advice: str
    silent: bool = False

    def __str__(self) -> str:
        """Return a message for the user."""
        return f"The embedhub plugin {self.provider} {self.text}. {self.advice}"


class _Rejection(Exception):  # noqa: N818 - not an error of Python code
    """A plugin is skipped for a reason that needs no name of an exception."""


@dataclass
class _Loaded:
    """What the plugins of a group have given."""

    hooks: dict[str, dict[str, HookImpl]] = field(default_factory=dict)
    """Provider -> name of a hook -> its implementation."""

    offers: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    """Name of a hook -> each object with its provider."""

    reserved: dict[str, set[str]] = field(default_factory=dict)
    """Name of a hook -> names that no plugin can give to an object."""

    providers: dict[int, str] = field(default_factory=dict)
    """Identity of what an entry point names -> its provider."""


class _Functions:
    """The functions of a module, as a plugin for pluggy, which takes long to look at all other names."""

    def __init__(self, module: ModuleType) -> None:
        self.__dict__ = {
            name: value
            for name, value in vars(module).items()
            if isinstance(value, FunctionType | MethodType)
        }
        self._module = module

    def __dir__(self) -> list[str]:
        return [name for name in self.__dict__ if name != "_module"]

    def __repr__(self) -> str:
        return repr(self._module)


class Plugins:
    """All plugins of an entry-point group: loaded once, on first use, and each called by itself.

    An entry point names a module with hooks, or one of the objects that the hooks return.

    Args:
        hookspecs: Module with the specifications of the hooks, and the name of the group as ``PROJECT``.
        builtin: Names of modules that are plugins of the package itself. The names that their objects have
            are reserved.
        kinds: The hooks that return objects, each with their type: ``{"embedhub_sources": EmbeddingSource}``.
            Each object has a ``name``.
        reserved: Further reserved names for the objects of a hook.
    """

    def __init__(
        self,
        hookspecs: ModuleType,
        builtin: Collection[str],
        kinds: Mapping[str, type],
        reserved: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._hookspecs = hookspecs
        self._builtin = builtin
        self._kinds = kinds
        self._reserved = reserved or {}
        self._lock = threading.RLock()
        self._loaded: _Loaded | None = None
        self._distributions: dict[str, metadata.Distribution | None] = {}
        self._problems: list[Problem] = []
        self._warned: set[str] = set()

    @property
    def problems(self) -> list[Problem]:
        """The problems of all plugins so far; those that need another version of embedhub are found now."""
        self._load_once()
        problems = list(dict.fromkeys(self._problems))
        advised = {(problem.provider, problem.advice) for problem in problems}
        for provider, distribution in self._distributions.items():
            needed = needed_version(distribution)
            if (
                needed and (provider, needed[1]) not in advised
            ):  # a plugin that failed has this advice already
                problems.append(Problem(provider, *needed, silent=True))
        return problems

    def offered(self, hook: str) -> list[tuple[str, Any]]:
        """Return each object that plugins give by a hook or an entry point, with its provider."""
        return self._load_once().offers[hook]

    def providers(self, hook: str) -> list[str]:
        """Return the plugins that implement a hook."""
        return [provider for provider, hooks in self._load_once().hooks.items() if hook in hooks]

    def call_hook(self, hook: str, provider: str, **arguments: Any) -> Any:
        """Return what the hook of one plugin returns; call it in the context of `isolated`."""
        return _call(self._load_once().hooks[provider][hook], **arguments)

    @contextmanager
    def isolated(self, provider: str) -> Iterator[None]:
        """Run code of a plugin; whatever it raises is a `PluginWarning` that names it, and goes no further.

        Args:
            provider: The plugin.
        """
        with self._isolated(provider):
            yield
        self._warn()

    def refresh(self) -> None:
        """Forget all plugins: they are looked for again on the next use."""
        with self._lock:
            invalidate_caches()
            self._loaded = None

    def _load_once(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            loaded = self._loaded
        # Only now, so that a warning that is an exception makes nothing unreachable.
        self._warn()
        return loaded

    def _load(self) -> _Loaded:
        self._problems = []
        self._distributions = {}
        loaded = _Loaded(offers={hook: [] for hook in self._kinds})
        manager = pluggy.PluginManager(self._hookspecs.PROJECT)
        manager.add_hookspecs(self._hookspecs)
        for name in self._builtin:
            self._add(loaded, manager, name, import_module(name))
        for hook in self._kinds:
            own = (item.name for _, item in loaded.offers[hook])
            loaded.reserved[hook] = {*own, *self._reserved.get(hook, ())}
        for provider, entry_point in entry_points(self._hookspecs.PROJECT):
            self._distributions[provider] = entry_point.dist
            start, modules = time.perf_counter(), len(sys.modules)
            with self._isolated(provider):
                self._add(loaded, manager, provider, entry_point.load())
            seconds = time.perf_counter() - start
            if seconds > _SLOW:
                self._problems.append(_slow(provider, seconds, list(sys.modules)[modules:]))
        return loaded

    def _add(self, loaded: _Loaded, manager: pluggy.PluginManager, provider: str, plugin: Any) -> None:
        """Add what a plugin gives; all of it or, if it raises, nothing."""
        same = loaded.providers.get(id(plugin))
        if same is not None:
            raise _Rejection(f"it names the same object as {same}")
        hook = next((hook for hook, kind in self._kinds.items() if isinstance(plugin, kind)), None)
        hooks = {} if hook else self._find_hooks(manager, provider, plugin)
        given = (
            {hook: [plugin]} if hook else {name: _call(hooks[name]) for name in hooks if name in self._kinds}
        )
        offers = {name: self._check(loaded, provider, name, items) for name, items in given.items()}
        loaded.providers[id(plugin)] = provider
        loaded.hooks[provider] = hooks
        for name, items in offers.items():
            loaded.offers[name] += [(provider, item) for item in items]

    def _find_hooks(self, manager: pluggy.PluginManager, provider: str, plugin: Any) -> dict[str, HookImpl]:
        """Return the implementations of hooks in a plugin, checked by pluggy; the manager is empty again."""
        # One manager for all of them costs more for each further plugin, and one for each costs more than a
        # plugin takes to be imported.
        if isinstance(plugin, ModuleType):
            plugin = _Functions(plugin)
        try:
            manager.register(plugin, provider)
            manager.check_pending()
            callers = manager.get_hookcallers(plugin) or ()
            found = {
                caller.name: implementation
                for caller in callers
                if caller.has_spec()
                for implementation in caller.get_hookimpls()
            }
        finally:
            if manager.has_plugin(provider):
                manager.unregister(name=provider)
        if not found:
            names = [name for name in dir(self._hookspecs) if name.startswith("embedhub_")]
            kinds = " or ".join(kind.__name__ for kind in self._kinds.values())
            raise LookupError(
                f"it has no function {' or '.join(names)} marked with @hookimpl, and is not an object of "
                f"type {kinds}"
            )
        for name, implementation in found.items():
            if implementation.hookwrapper or implementation.wrapper:
                raise _Rejection(f"{name} is a wrapper; expected @hookimpl without wrapper or hookwrapper")
        return found

    def _check(self, loaded: _Loaded, provider: str, hook: str, given: Any) -> list[Any]:
        """Return the objects that a hook has returned, but for those whose name is not available."""
        kind = self._kinds[hook]
        if given is not None and not isinstance(given, Iterable):
            raise TypeError(f"{hook} returned {_repr(given)}; expected {kind.__name__} objects in a list")
        items: dict[str, Any] = {}
        count = 0
        for item in given if given is not None else ():
            count += 1
            if not isinstance(item, kind):
                raise TypeError(f"{hook} returned {_repr(item)}; expected {kind.__name__} objects")
            name = item.name  # type: ignore[attr-defined]  # every kind has a name
            check_name(name)
            if name in loaded.reserved.get(hook, ()):
                self._name(
                    provider, f"gives the name {name!r}, which is embedhub's own; that one is left out"
                )
            elif name in items:
                self._name(provider, f"gives the name {name!r} twice; the first one is used")
            else:
                items[name] = item
        if not count:
            what = "returned None" if given is None else "returned no objects"
            self._name(provider, f"gives nothing: its hook {hook} {what}; expected {kind.__name__} objects")
        return list(items.values())

    def _name(self, provider: str, text: str) -> None:
        self._problems.append(Problem(provider, text, _ADVICE))

    @contextmanager
    def _isolated(self, provider: str) -> Iterator[None]:
        outer = getattr(_running, "provider", None)
        _running.provider = provider
        count = len(self._problems)
        try:
            # Only results are printed to stdout: JSON stays JSON.
            with redirect_stdout(sys.stderr):
                yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - also SystemExit, and whatever a plugin may invent
            del self._problems[count:]
            text, advice = f"is skipped, because it is broken: {_describe(error)}", _ADVICE
            if needed := needed_version(self._distributions.get(provider)):
                text, advice = f"{text}; it {needed[0]}", needed[1]
            self._problems.append(Problem(provider, text, advice))
        finally:
            _running.provider = outer

    def _warn(self) -> None:
        """Issue a warning for each new problem."""
        for problem in [*self._problems]:
            text = str(problem)
            if not problem.silent and text not in self._warned:
                self._warned.add(text)
                warn_or_log(text, PluginWarning)


def refuse_in_plugin(function: str) -> None:
    """Raise PluginError if a plugin calls a function while it is loaded or its hook runs.

    Args:
        function: The function that it calls, as in ``"embedhub.sources()"``.
    """
    provider = getattr(_running, "provider", None)
    if provider is not None:
        raise PluginError(
            f"{function} was called by the plugin {provider} at import or in a hook, when not all plugins "
            "are loaded. Return sources from the hook, and call it later, in the function that needs it."
        )


def _call(implementation: HookImpl, **arguments: Any) -> Any:
    """Return what a hook returns, called with those of the arguments that it takes, as pluggy does."""
    return implementation.function(*(arguments[name] for name in implementation.argnames))


def _repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_REPR else f"{text[:_MAX_REPR]}..."


def _describe(error: BaseException) -> str:
    if isinstance(error, _Rejection):
        return str(error)
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception of a plugin may be broken too
        text = ""
    # Without its full stop: a sentence goes on, or ends, after it.
    return f"{type(error).__name__}: {text.removesuffix('.')}" if text else type(error).__name__


def _slow(provider: str, seconds: float, modules: list[str]) -> Problem:
    packages = dict.fromkeys(name.partition(".")[0] for name in modules)
    own = {name for name in packages if name in sys.stdlib_module_names or name.startswith("_")}
    counts = {
        name: sum(module.partition(".")[0] == name for module in modules)
        for name in packages
        if name not in own
    }
    largest = sorted(counts, key=lambda name: -counts[name])[:3]
    imported = f" (it imported {', '.join(largest)})" if largest else ""
    return Problem(
        provider,
        f"takes {seconds:.1f} s to load{imported}",
        "Ask its authors to import what is slow in the functions that need it, or name it in "
        "EMBEDHUB_DISABLE_PLUGINS.",
        silent=True,
    )
