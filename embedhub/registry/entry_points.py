"""Entry points of installed plugins that EMBEDHUB_DISABLE_PLUGINS does not disable."""

import re
from collections.abc import Iterator
from importlib import metadata

from embedhub import __version__, settings

_SEPARATORS = re.compile(r"[-_.]+")
_NAME = re.compile(r"^Name:[ \t]*(\S+)[ \t\r]*$", re.MULTILINE)


def entry_points(group: str) -> Iterator[tuple[str, metadata.EntryPoint]]:
    """Yield the entry points of a group that are not disabled, each with a unique name of its provider.

    They are in order of their names, which is the same on every machine: of two formats or benchmarks with
    one name, the first is used.
    """
    disabled = settings.disabled_plugins()
    if disabled is None:
        return
    names = {canonical_name(name) for name in disabled}
    providers: set[str] = set()
    for entry_point in sorted(
        metadata.entry_points(group=group), key=lambda found: (found.name, found.value)
    ):
        labels = _labels(entry_point)
        if names and names & {canonical_name(label) for label in labels}:
            continue
        # Two distributions may use one entry-point name, and two of them may have no name at all.
        provider, number = labels[-1], 1
        while provider in providers:
            number += 1
            provider = f"{labels[-1]} #{number}"
        providers.add(provider)
        yield provider, entry_point


def unknown_disabled() -> list[str]:
    """Return the names in EMBEDHUB_DISABLE_PLUGINS that match no installed plugin of any group."""
    disabled = settings.disabled_plugins()
    if not disabled:
        return []
    groups = [group for group in metadata.entry_points().groups if re.split("[_.]", group)[0] == "embedhub"]
    known = {
        canonical_name(label)
        for group in groups
        for entry_point in metadata.entry_points(group=group)
        for label in _labels(entry_point)
    }
    return sorted(name for name in disabled if canonical_name(name) not in known)


def _labels(entry_point: metadata.EntryPoint) -> tuple[str, str, str]:
    """Return the distribution of an entry point, its own name, and both in the form used by messages."""
    distribution = distribution_name(entry_point.dist) if entry_point.dist else "?"
    return distribution, entry_point.name, f"{distribution} ({entry_point.name})"


def distribution_name(distribution: metadata.Distribution) -> str:
    """Return the name of a distribution; "?" if it has no metadata."""
    # Without parsing the metadata, which takes longer than to load a plugin.
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    match = _NAME.search(text)
    return match[1] if match else "?"


def canonical_name(name: str) -> str:
    """Return the normalized name of a distribution, as pip compares it."""
    return _SEPARATORS.sub("-", name.strip()).lower()


def needed_version(distribution: metadata.Distribution | None) -> tuple[str, str] | None:
    """Return the problem and the remedy if a distribution needs another version of embedhub, else None."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.version import InvalidVersion, Version

    for line in (distribution.requires if distribution else None) or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        specifier = requirement.specifier
        if (
            canonical_name(requirement.name) != "embedhub"
            or (requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}))
            or specifier.contains(__version__, prereleases=True)
        ):
            continue
        outdated = False
        for part in specifier:
            try:
                lowest = Version(part.version.removesuffix(".*"))
            except InvalidVersion:
                continue
            outdated |= part.operator in {">=", ">", "~=", "=="} and lowest >= Version(__version__)
        package = "embedhub" if outdated else distribution_name(distribution)  # type: ignore[arg-type]  # it has a requirement
        return (
            f"needs {requirement}, and this is embedhub {__version__}",
            f"Run: python -m pip install -U {package}",
        )
    return None
