"""Looks for what may be wrong with an installation. It asks nobody on the network, and imports no backend."""

import difflib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies

import embedhub
from embedhub import settings
from embedhub.errors import EmbedhubError, SettingsError
from embedhub.registry import inventory as stores
from embedhub.registry import plugins, registry
from embedhub.vectors import store

_LITTLE = 1_000_000_000  # bytes; the store of GloVe 6B 300d takes half of it
_BACKENDS = ("tensorflow", "jax", "torch")  # the packages have these names too
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:.*?>=(?P<floor>[\d.]+))?")
_SETTINGS: dict[str, Callable[[], object]] = {
    "EMBEDHUB_CACHE": settings.cache_folder,
    "EMBEDHUB_MIRROR": settings.mirror,
    "EMBEDHUB_OFFLINE": settings.offline,
    "EMBEDHUB_REQUIRE_HASH": settings.require_hash,
    "EMBEDHUB_KEEP_DOWNLOADS": settings.keep_downloads,
    "EMBEDHUB_PROGRESS": settings.show_progress,
    "EMBEDHUB_DISABLE_PLUGINS": settings.disabled_plugins,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        topic: What it is about: "versions", "cache", ...
        name: What was looked at.
        value: What was found.
        advice: What to do about it; None where nothing is wrong.
    """

    topic: str
    name: str
    value: str
    advice: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it, with ``ok``."""
        return {
            "topic": self.topic,
            "name": self.name,
            "value": self.value,
            "ok": self.advice is None,
            "advice": self.advice,
        }


def examine() -> list[Finding]:
    """Look at versions, the backend of Keras, the cache and its disk, settings, proxies, and plugins.

    Example:
        >>> from embedhub.cli._doctor import examine
        >>> [finding.advice for finding in examine() if finding.name == "embedhub"]
        [None]
    """
    return [*_versions(), *_backend(), *_cache(), *_settings(), *_plugins()]


def _versions() -> Iterator[Finding]:
    yield Finding("versions", "embedhub", embedhub.__version__)
    yield Finding("versions", "python", f"{platform.python_version()}, {platform.platform()}")
    try:
        needed = metadata.requires("embedhub") or []
    except metadata.PackageNotFoundError:
        needed = []  # run from its source, not installed
    for line in sorted(line for line in needed if "extra ==" not in line):
        parts = _REQUIREMENT.match(line)
        if parts is None:
            continue
        name, floor, version = parts["name"], parts["floor"] or "", _version(parts["name"])
        wrong = version is None or _numbers(version) < _numbers(floor)
        advice = f"embedhub needs {name} {floor} or later: python -m pip install -U {name}" if wrong else None
        yield Finding("versions", name, version or "not installed", advice)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", version)]


def _version(name: str) -> str | None:
    # What is written about a package: importing TensorFlow to ask it takes seconds.
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _backend() -> Iterator[Finding]:
    """Tell which backend Keras will take: KERAS_BACKEND, else its config file, else TensorFlow."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    config = home / "keras.json"
    name, origin = os.environ.get("KERAS_BACKEND", ""), "KERAS_BACKEND"
    if not name:
        name, origin = "tensorflow", "the default of Keras"
        with suppress(OSError, ValueError, AttributeError):
            said = json.loads(config.read_text("utf-8")).get("backend")
            if said:
                name, origin = str(said), str(config)
    version = _version(name)
    advice = None
    if name not in _BACKENDS:
        advice = f"embedhub is made for {', '.join(_BACKENDS)}; set KERAS_BACKEND to one of them."
    elif version is None:
        extra = name if name == "tensorflow" else f"embedhub[{name}]"
        advice = f"It is not installed: python -m pip install {extra}. Or choose another with KERAS_BACKEND."
    yield Finding("keras", "backend", f"{name} {version or ''}".strip() + f" (by {origin})", advice)


def _cache() -> Iterator[Finding]:
    folder = settings.cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    elsewhere = "Set EMBEDHUB_CACHE to a folder that you can write to."
    when = "" if folder.exists() else " (made on first use)"
    no_folder = None if there.is_dir() else f"{there} is no folder. {elsewhere}"
    yield Finding("cache", "folder", f"{folder}{when}", no_folder)
    if not there.is_dir():
        return
    try:
        with tempfile.TemporaryFile(dir=there):
            yield Finding("cache", "writable", "yes")
    except OSError as error:
        yield Finding(
            "cache", "writable", f"no ({error.strerror})", f"What is in it can be used; else: {elsewhere}"
        )
    free = shutil.disk_usage(there).free
    little = f"Large sources do not fit. Free some space. {elsewhere}"
    yield Finding("cache", "free space", f"{free / 1e9:,.1f} GB", little if free < _LITTLE else None)
    found = stores.stored()
    yield Finding("cache", "stores", f"{len(found)}, {sum(each.size for each in found) / 1e6:,.1f} MB")
    for each in found:
        try:
            store.open_store(each.folder)
        except EmbedhubError as error:
            yield Finding("cache", f"{each.name} {each.dim}d", str(error), "embedhub cache repair")
    for kind, rests in (("downloads", stores.downloads()), ("leftovers", stores.leftovers())):
        yield Finding("cache", kind, f"{len(rests)}, {sum(rest.size for rest in rests) / 1e6:,.1f} MB")
    machine_code = list(settings.compiled_folder().rglob("*parse_lines*.nbc"))
    yield Finding(
        "cache", "compiled reader", "yes" if machine_code else "not yet (the first build of a text does it)"
    )


def _settings() -> Iterator[Finding]:
    for name, read in _SETTINGS.items():
        text = os.environ.get(name, "")
        try:
            value = read()
        except SettingsError as error:
            yield Finding("settings", name, text, str(error))
            continue
        advice = None
        if name == "EMBEDHUB_MIRROR" and isinstance(value, Path) and not value.is_dir():
            advice = "There is no such folder."
        yield Finding("settings", name, _without_password(text) if text else "not set", advice)
    for name in sorted(os.environ):
        if name.startswith("EMBEDHUB_") and name not in _SETTINGS:
            close = difflib.get_close_matches(name, _SETTINGS, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            yield Finding("settings", name, os.environ[name], f"embedhub knows no such variable.{hint}")
    proxies = getproxies()
    for name in sorted(proxies):
        yield Finding("settings", f"proxy: {name}", _without_password(proxies[name]))


def _without_password(text: str) -> str:
    """Return an address as anybody may see it."""
    with suppress(ValueError):
        parts = urlsplit(text)
        if parts.password is not None:
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
    return text


def _plugins() -> Iterator[Finding]:
    providers = registry.sources().providers()
    failed = registry.failed_plugins()
    if settings.disabled_plugins() is None:
        yield Finding("plugins", "all", "switched off by EMBEDHUB_DISABLE_PLUGINS")
    for provider, entry_point in plugins.entry_points("embedhub"):
        version = entry_point.dist.version if entry_point.dist else "?"
        count = sum(provider in by for by in providers.values())
        yield Finding(
            "plugins",
            provider,
            failed.get(provider, f"{version}, {count} source{'' if count == 1 else 's'}"),
            "Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS." if provider in failed else None,
        )
    for name, by in providers.items():
        if len(by) > 1:
            advice = "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS."
            yield Finding("plugins", name, f"provided by {' and by '.join(sorted(by))}", advice)
