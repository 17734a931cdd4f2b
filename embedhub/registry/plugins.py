"""Discovery, loading and isolation of plugins.

A plugin that fails at import or in a hook does not affect the others: the error becomes its `Problem`.
"""

import difflib
import inspect
import logging
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module, invalidate_caches, metadata
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import pluggy

from embedhub._names import check_name
from embedhub._warn import warn_or_log
from embedhub.errors import PluginError, PluginWarning
from embedhub.registry.entry_points import entry_points, needed_version
from embedhub.registry.failure import describe, end_sentence

_SLOW = 1.0  # seconds that a plugin may take to load
_MAX_REPR = 200  # characters
_ADVICE = "Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS."
_ADVICE_ON_CLASH = "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS."

_log = logging.getLogger("embedhub")
_running = threading.local()


class Problem(NamedTuple):
    """A problem of a plugin, and what to do about it.

    Args:
        provider: The plugin: its distribution and entry point.
        text: A predicate, such as ``"is skipped, because it is broken: ..."``.
        advice: What to do.
        silent: Whether the problem is not a warning, and shown only where problems are listed.
    """

    provider: str
    text: str
    advice: str
    silent: bool = False

    def __str__(self) -> str:
        """Return a message for the user."""
        return f"The embedhub plugin {self.provider} {end_sentence(self.text)} {self.advice}"


class _Rejection(Exception):  # noqa: N818 - not an error of Python code
    """The reason for skipping a plugin, shown without the name of an exception."""


class _Hook(NamedTuple):
    """A plugin's function for a hook, and the arguments of the hook that it takes."""

    function: Callable[..., Any]
    arguments: tuple[str, ...]


@dataclass
class _Loaded:
    """The hooks and objects of the plugins of a group."""

    hooks: dict[str, dict[str, _Hook]] = field(default_factory=dict)
    """Provider -> name of a hook -> its implementation."""

    offers: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    """Name of a hook -> each object with its provider."""

    reserved: dict[str, set[str]] = field(default_factory=dict)
    """Name of a hook -> reserved names of objects."""

    providers: dict[int, str] = field(default_factory=dict)
    """Identity of the object that an entry point names -> its provider."""


class Plugins:
    """All plugins of an entry-point group, loaded once on first use, and isolated from each other.

    An entry point names a module with hooks, or one of the objects that the hooks return.

    Args:
        hookspecs: Module with the specifications of the hooks, and the name of the group as ``PROJECT``.
        builtin: Names of modules that are plugins of the package itself. The names of their objects are
            reserved.
        kinds: The hooks that return objects, each with their type: ``{"embedhub_sources": EmbeddingSource}``.
            Each object has a ``name``.
        reserved: Further reserved names for the objects of a hook.
        shared: Hooks for which the caller handles names that several plugins provide. For other hooks such a
            name is a problem, and the first plugin's object is used.
    """

    def __init__(
        self,
        hookspecs: ModuleType,
        builtin: Collection[str],
        kinds: Mapping[str, type],
        reserved: Mapping[str, Collection[str]] | None = None,
        shared: Collection[str] = (),
    ) -> None:
        self.group: str = hookspecs.PROJECT
        self.kinds = kinds
        self._arguments = {
            name: tuple(inspect.signature(specification).parameters)
            for name, specification in vars(hookspecs).items()
            if name.startswith("embedhub_")
        }
        self._builtin = builtin
        self._reserved = reserved or {}
        self._shared = shared
        self._manager = pluggy.PluginManager(self.group)
        self._lock = threading.RLock()
        self._loaded: _Loaded | None = None
        self._entry_points: dict[str, metadata.EntryPoint] = {}
        self._problems: list[Problem] = []
        self._warned: set[str] = set()

    @property
    def failures(self) -> list[Problem]:
        """The problems so far that make an object of a plugin unavailable."""
        self._load_once()
        return [problem for problem in dict.fromkeys(self._problems) if not problem.silent]

    @property
    def problems(self) -> list[Problem]:
        """The problems of all plugins so far, including those that need another version of embedhub."""
        self._load_once()
        problems = list(dict.fromkeys(self._problems))
        advised = {(problem.provider, problem.advice) for problem in problems}
        for provider, entry_point in self._entry_points.items():
            needed = needed_version(entry_point.dist)
            if (
                needed and (provider, needed[1]) not in advised
            ):  # a plugin that failed has this advice already
                problems.append(Problem(provider, *needed, silent=True))
        return problems

    def offered(self, hook: str) -> list[tuple[str, Any]]:
        """Return each object that plugins provide by a hook or an entry point, with its provider."""
        return self._load_once().offers[hook]

    def providers(self, hook: str) -> list[str]:
        """Return the plugins that implement a hook."""
        return [provider for provider, hooks in self._load_once().hooks.items() if hook in hooks]

    def call_hook(self, hook: str, provider: str, **arguments: Any) -> Any:
        """Return the result of the hook of one plugin; call it in the context of `isolated`."""
        return _call(self._load_once().hooks[provider][hook], **arguments)

    @contextmanager
    def isolated(self, provider: str) -> Iterator[None]:
        """Run code of a plugin; turn any error into a `PluginWarning` that names the plugin.

        Args:
            provider: The plugin.
        """
        with self._isolated(provider):
            yield
        self._warn()

    def refresh(self) -> None:
        """Forget all plugins, and look for them again on the next use."""
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
        self._entry_points = {}
        loaded = _Loaded(offers={hook: [] for hook in self.kinds})
        for name in self._builtin:
            self._add(loaded, name, import_module(name))
        for hook in self.kinds:
            own = (item.name for _, item in loaded.offers[hook])
            loaded.reserved[hook] = {*own, *self._reserved.get(hook, ())}
        for provider, entry_point in entry_points(self.group):
            self._entry_points[provider] = entry_point
            start, modules = time.perf_counter(), len(sys.modules)
            with self._isolated(provider):
                self._add(loaded, provider, entry_point.load())
            seconds = time.perf_counter() - start
            if seconds > _SLOW:
                self._problems.append(_slow(provider, seconds, list(sys.modules)[modules:]))
        for hook in self.kinds.keys() - set(self._shared):
            loaded.offers[hook] = self._first_of_each_name(loaded.offers[hook])
        return loaded

    def _first_of_each_name(self, offers: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Return the first object of each name; record a problem for each plugin that shares a name."""
        providers: dict[str, list[str]] = {}
        for provider, item in offers:
            providers.setdefault(item.name, []).append(provider)
        for name, several in providers.items():
            for provider in several if len(several) > 1 else ():
                others = " and ".join(other for other in several if other != provider)
                used = "its own" if provider == several[0] else f"that of {several[0]}"
                text = f"provides the name {name!r}, as does {others}; {used} is used"
                self._problems.append(Problem(provider, text, _ADVICE_ON_CLASH))
        return [(provider, item) for provider, item in offers if providers[item.name][0] == provider]

    def _add(self, loaded: _Loaded, provider: str, plugin: Any) -> None:
        """Add the hooks and objects of a plugin; none of them if it raises an error."""
        same = loaded.providers.get(id(plugin))
        if same is not None:
            raise _Rejection(f"it names the same object as {same}")
        hook = next((hook for hook, kind in self.kinds.items() if isinstance(plugin, kind)), None)
        hooks = {} if hook else self._find_hooks(plugin)
        given = (
            {hook: [plugin]} if hook else {name: _call(hooks[name]) for name in hooks if name in self.kinds}
        )
        offers = {name: self._check(loaded, provider, name, items) for name, items in given.items()}
        loaded.providers[id(plugin)] = provider
        loaded.hooks[provider] = hooks
        for name, items in offers.items():
            loaded.offers[name] += [(provider, item) for item in items]

    def _find_hooks(self, plugin: Any) -> dict[str, _Hook]:
        """Return the implementations of hooks in a plugin."""
        # Not by PluginManager.register: its errors are long, and it takes as long as to import the plugin.
        names = dir(plugin)
        if isinstance(plugin, ModuleType):  # it may have names that are loaded on first use
            functions = FunctionType, MethodType
            names = [name for name, value in vars(plugin).items() if isinstance(value, functions)]
        found: dict[str, _Hook] = {}
        for name in names:
            options = self._manager.parse_hookimpl_opts(plugin, name)
            hook = (options and options["specname"]) or name
            if options is None or (options["optionalhook"] and hook not in self._arguments):
                continue
            if hook not in self._arguments:
                close = difflib.get_close_matches(hook, self._arguments, n=1)
                hint = f". Did you mean {close[0]}?" if close else f"; expected {self._hooks()}"
                raise _Rejection(f"there is no hook {hook}{hint}")
            if options["hookwrapper"] or options["wrapper"]:
                raise _Rejection(f"{hook} is a wrapper; expected @hookimpl without wrapper or hookwrapper")
            function = getattr(plugin, name)
            parameters = inspect.signature(function).parameters.values()
            # As pluggy has it, a parameter with a default is the plugin's own.
            taken = tuple(taken.name for taken in parameters if taken.default is taken.empty)
            if unknown := [name for name in taken if name not in self._arguments[hook]]:
                expected = ", ".join(self._arguments[hook]) or "no arguments"
                raise _Rejection(f"its hook {hook} takes {', '.join(unknown)}; expected {expected}")
            found[hook] = _Hook(function, taken)
        if not found:
            kinds = " or ".join(kind.__name__ for kind in self.kinds.values())
            raise _Rejection(
                f"it has no function {self._hooks()} marked with @hookimpl, and is not an object of type "
                f"{kinds}"
            )
        return found

    def _hooks(self) -> str:
        return " or ".join(sorted(self._arguments))

    def _check(self, loaded: _Loaded, provider: str, hook: str, given: Any) -> list[Any]:
        """Return the objects that a hook returned, except those whose name is not available."""
        kind = self.kinds[hook]
        if given is not None and not isinstance(given, Iterable):
            raise _Rejection(f"{hook} returned {_repr(given)}; expected {kind.__name__} objects in a list")
        items: dict[str, Any] = {}
        count = 0
        for item in given if given is not None else ():
            count += 1
            if not isinstance(item, kind):
                raise _Rejection(f"{hook} returned {_repr(item)}; expected {kind.__name__} objects")
            name = item.name  # type: ignore[attr-defined]  # every kind has a name
            check_name(name)
            if name in loaded.reserved.get(hook, ()):
                self._name(
                    provider, f"provides the name {name!r}, which is embedhub's own; that one is skipped"
                )
            elif name in items:
                self._name(provider, f"provides the name {name!r} twice; the first one is used")
            else:
                items[name] = item
        if not count:
            what = "returned None" if given is None else "returned no objects"
            self._name(
                provider, f"provides nothing: its hook {hook} {what}; expected {kind.__name__} objects"
            )
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
            self._record(provider, error)
        finally:
            _running.provider = outer

    def _record(self, provider: str, error: BaseException) -> None:
        """Record an error of a plugin's code as its problem, and log the traceback."""
        _log.debug("The embedhub plugin %s failed.", provider, exc_info=error)
        entry_point = self._entry_points.get(provider)
        module, distribution = (entry_point.module, entry_point.dist) if entry_point else ("", None)
        what = str(error) if isinstance(error, _Rejection) else describe(error, module)
        text, advice = f"is skipped, because it is broken: {what}", _ADVICE
        if needed := needed_version(distribution):
            text, advice = f"{end_sentence(text)} It {needed[0]}", needed[1]
        self._problems.append(Problem(provider, text, advice))

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


def _call(hook: _Hook, **arguments: Any) -> Any:
    """Call a hook with those of the arguments that it takes, as pluggy does."""
    return hook.function(*(arguments[name] for name in hook.arguments))


def _repr(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _MAX_REPR else f"{text[:_MAX_REPR]}..."


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
