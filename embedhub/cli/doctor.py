"""The command doctor: checks of an installation."""

import difflib
import os
import platform
import re
import shutil
import warnings
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import getproxies

import typer

import embedhub
from embedhub import _cache as cache
from embedhub import settings
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._url import shown_url
from embedhub.cli.app import (
    CACHE,
    COMMANDS_OF_EXTRAS,
    Json,
    app,
    format_bytes,
    format_table,
    plugin_commands,
    print_result,
)
from embedhub.errors import EmbedhubError, PluginWarning, SettingsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from embedhub.registry.plugins import Plugins

_LOW_DISK = 1_000_000_000  # bytes; the store of GloVe 6B 300d takes half of it
_BACKENDS = ("tensorflow", "jax", "torch")  # the packages have these names too
_SETTINGS: "dict[str, Callable[[], object]]" = {
    "EMBEDHUB_CACHE": settings.cache_folder,
    "EMBEDHUB_MIRROR": settings.mirror,
    "EMBEDHUB_OFFLINE": settings.offline,
    "EMBEDHUB_LOCK": settings.lock_file,
    "EMBEDHUB_REQUIRE_HASH": settings.require_hash,
    "EMBEDHUB_KEEP_DOWNLOADS": settings.keep_downloads,
    "EMBEDHUB_PROGRESS": settings.show_progress,
    "EMBEDHUB_DISABLE_PLUGINS": settings.disabled_plugins,
}


class Finding(NamedTuple):
    """The result of one check; it is a problem if it has advice."""

    topic: str
    name: str
    value: str
    advice: str | None = None


@app.command(rich_help_panel=CACHE)
def doctor(*, as_json: Json = False) -> None:
    """Check versions, the backend, the cache, settings, proxies and plugins.

    Nothing is downloaded, and no backend is imported. The exit code is 1 if
    there is a problem; each one is shown with its solution.

    Examples:
      embedhub doctor
      embedhub doctor --json
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # they are shown as findings
        findings = examine()
    print_result(
        [finding._asdict() | {"ok": finding.advice is None} for finding in findings],
        lambda: _format_findings(findings),
        as_json=as_json,
    )
    if any(finding.advice for finding in findings):
        raise typer.Exit(1)


def _format_findings(findings: list[Finding]) -> str:
    from embedhub.registry.failure import end_sentence

    rows = [
        [finding.topic, finding.name, "problem" if finding.advice else "ok", finding.value]
        for finding in findings
    ]
    problems = [finding for finding in findings if finding.advice]
    summary = f"Problems: {len(problems)}" if problems else "No problems."
    details = [
        f"- {finding.topic}, {finding.name}: {end_sentence(finding.value)} {finding.advice}"
        for finding in problems
    ]
    return "\n".join([format_table(["topic", "name", "state", "value"], rows), "", summary, *details])


def examine() -> list[Finding]:
    """Return the findings of all checks."""
    return [*_check_versions(), *_check_backend(), *_check_cache(), *_check_settings(), *_check_plugins()]


def _check_versions() -> "Iterator[Finding]":
    from packaging.requirements import Requirement

    yield Finding("versions", "embedhub", embedhub.__version__)
    yield Finding("versions", "python", f"{platform.python_version()}, {platform.platform()}")
    try:
        requirements = [Requirement(line) for line in metadata.requires("embedhub") or []]
    except metadata.PackageNotFoundError:
        requirements = []  # run from a checkout that is not installed
    for requirement in sorted(requirements, key=lambda requirement: requirement.name):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name, version = requirement.name, _installed_version(requirement.name)
        advice = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            advice = f'embedhub needs {requirement}. Run: python -m pip install -U "{requirement}"'
        yield Finding("versions", name, version or "not installed", advice)


def _installed_version(name: str) -> str | None:
    # From the metadata: importing TensorFlow for its version takes seconds.
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _check_backend() -> "Iterator[Finding]":
    """Check the backend that Keras will use: from KERAS_BACKEND, else its config file, else TensorFlow."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    config = home / "keras.json"
    name, origin = os.environ.get("KERAS_BACKEND", ""), "KERAS_BACKEND"
    if not name:
        name, origin = "tensorflow", "the default of Keras"
        with suppress(OSError, *CONTENT_ERRORS):
            configured = parse_json(config.read_text("utf-8")).get("backend")
            if configured:
                name, origin = str(configured), str(config)
    version = _installed_version(name)
    advice = None
    if name not in _BACKENDS:
        advice = f"embedhub supports {', '.join(_BACKENDS)}. Set KERAS_BACKEND to one of them."
    elif version is None:
        extra = name if name == "tensorflow" else f"embedhub[{name}]"
        advice = f'Install it with: python -m pip install "{extra}". Or set KERAS_BACKEND to another one.'
    yield Finding("keras", "backend", f"{name} {version or ''}".strip() + f" (from {origin})", advice)


def _check_cache() -> "Iterator[Finding]":
    folder = settings.cache_folder()
    move = "Set EMBEDHUB_CACHE to a writable folder."
    try:
        is_there = cache.exists(folder)
        existing = next(path for path in (folder, *folder.parents) if cache.exists(path))
    except StoreError as error:
        yield Finding("cache", "folder", str(error), move)
        return
    not_a_folder = None if existing.is_dir() else f"{existing} is not a folder. {move}"
    yield Finding("cache", "folder", f"{folder}{'' if is_there else ' (created on first use)'}", not_a_folder)
    if not existing.is_dir():
        return
    refused = _refused_to_write(existing) if is_there else cache.refused_to_write(existing)
    advice = f"Existing stores can be used. For new ones: {move}" if refused else None
    yield Finding("cache", "writable", f"no ({refused})" if refused else "yes", advice)
    free = shutil.disk_usage(existing).free
    low_disk = f"Large sources do not fit. Free some space. {move}" if free < _LOW_DISK else None
    yield Finding("cache", "free space", format_bytes(free), low_disk)
    try:
        yield from _check_stores()
    except StoreError as error:
        yield Finding("cache", "stores", str(error), "Its content cannot be used.")
    compiled = any(settings.compiled_folder().rglob("*parse_lines*.nbc"))
    yield Finding("cache", "compiled reader", "yes" if compiled else "not yet (on the first build from text)")


def _refused_to_write(folder: Path) -> str | None:
    """Return the reason why the cache cannot be written to; None if it can."""
    inside = [path for path in cache.entries(folder) if path.is_dir()]
    sources = cache.entries(folder / "vectors")
    for each in (folder, *inside, *sources):
        if refused := cache.refused_to_write(each):
            return refused
    try:
        with cache.lock_if_free("doctor"):
            return None
    except StoreError as error:
        return str(error)


def _check_stores() -> "Iterator[Finding]":
    """Check the content of the cache."""
    from embedhub.registry import inventory
    from embedhub.registry.handle import quoted_handle
    from embedhub.vectors.store import DamagedStoreError, open_store

    stores = inventory.list_stores()
    yield Finding("cache", "stores", f"{len(stores)}, {format_bytes(sum(store.size for store in stores))}")
    for store in stores:
        try:
            open_store(store.folder)
        except EmbedhubError as error:
            if not cache.exists(store.folder):
                continue  # removed meanwhile
            is_damaged = isinstance(error, DamagedStoreError)
            repair = f"Run: embedhub cache repair {quoted_handle(store.name, store.dim)}"
            advice = repair if is_damaged else "Whether it is damaged is unknown."
            yield Finding("cache", f"{store.name} {store.dim}d", str(error), advice)
    for kind, files in (("downloads", inventory.downloads()), ("leftovers", inventory.incomplete())):
        yield Finding("cache", kind, f"{len(files)}, {format_bytes(sum(file.size for file in files))}")


def _check_settings() -> "Iterator[Finding]":
    from embedhub.registry.entry_points import unknown_disabled

    for name, read in _SETTINGS.items():
        text = os.environ.get(name, "")
        try:
            value = read()
        except SettingsError as error:
            # Its value is not shown, which may be a password in the wrong place.
            expected = re.split("[;:] ", str(error))[-1]
            yield Finding("settings", name, "refused", expected[:1].upper() + expected[1:])
            continue
        advice = None
        if name == "EMBEDHUB_MIRROR" and isinstance(value, Path) and not value.is_dir():
            advice = "There is no such folder."
        if name == "EMBEDHUB_DISABLE_PLUGINS" and (unknown := unknown_disabled()):
            advice = (
                f"No installed plugin is named {' or '.join(map(repr, unknown))}. The topic plugins has all."
            )
        text = str(value) if name == "EMBEDHUB_LOCK" and value else text  # of the working folder, too
        yield Finding("settings", name, _without_password(text) if text else "not set", advice)
    for name in sorted(os.environ):
        if name.startswith("EMBEDHUB_") and name not in _SETTINGS:
            similar = difflib.get_close_matches(name, _SETTINGS, n=1)
            hint = f" Did you mean {similar[0]}?" if similar else ""
            yield Finding("settings", name, "set", f"embedhub has no such setting.{hint}")
    proxies = getproxies()
    for name in sorted(proxies):
        yield Finding("settings", f"proxy: {name}", _without_password(proxies[name]))


def _without_password(address: str) -> str:
    """Return an address without user, password and query, also one without a scheme."""
    shown = shown_url(address, query=False)
    _, at, host = shown.rpartition("@")
    return f"...@{host}" if at else shown


def _check_plugins() -> "Iterator[Finding]":
    from embedhub.registry.entry_points import entry_points
    from embedhub.registry.plugins import Plugins
    from embedhub.registry.schemes import GROUP as SCHEMES

    plugins = embedhub.sources().plugins
    commands = plugin_commands()
    groups = [plugins]
    for provider in plugins.providers("embedhub_plugins"):
        with plugins.isolated(provider):
            other = plugins.call_hook("embedhub_plugins", provider)
            if not isinstance(other, Plugins):
                raise TypeError(f"embedhub_plugins returned {other!r}; expected Plugins")
            groups.append(other)
    if settings.disabled_plugins() is None:
        yield Finding("plugins", "all", "disabled by EMBEDHUB_DISABLE_PLUGINS")
    for group in groups:
        yield from _check_group(group, commands if group is plugins else {})
    for provider, entry_point in entry_points(SCHEMES):
        version = entry_point.dist.version if entry_point.dist else "?"
        yield Finding("plugins", provider, f"{version}, scheme: {entry_point.name}://")
    for extra, names in COMMANDS_OF_EXTRAS.items():
        if _installed_version(f"embedhub-{extra}") is None:
            value = f"not installed; commands: {', '.join(names)} (docs/install.md)"
            yield Finding("plugins", f"embedhub-{extra}", value)
    yield from _check_clashes()


def _check_group(plugins: "Plugins", commands: "Mapping[str, Collection[str]]") -> "Iterator[Finding]":
    from embedhub.registry.entry_points import entry_points

    problems = plugins.problems  # after the calls that load and call them all
    for provider, entry_point in entry_points(plugins.group):
        own = [problem for problem in problems if problem.provider == provider]
        yield from (Finding("plugins", provider, problem.text, problem.advice) for problem in own)
        if own:
            continue
        value = entry_point.dist.version if entry_point.dist else "?"
        for hook in plugins.kinds:
            if count := sum(by == provider for by, _ in plugins.offered(hook)):
                value += f", {hook.removeprefix('embedhub_')}: {count}"
        if provider in commands:
            value += f", commands: {', '.join(sorted(commands[provider]))}"
        yield Finding("plugins", provider, value)


def _check_clashes() -> "Iterator[Finding]":
    for name, by in embedhub.sources().providers().items():
        if len(by) > 1:
            advice = "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS."
            yield Finding("plugins", name, f"provided by {' and by '.join(sorted(by))}", advice)
