"""Rules for a plugin as a whole: installed, with the tested objects, and without side effects."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from embedhub.errors import PluginWarning
from embedhub.registry.entry_points import entry_points
from embedhub.registry.plugins import Plugins
from embedhub.testing._failures import expect, fail, skip
from embedhub.testing.import_audit import side_effects

_SHOWN_EFFECTS = 20  # of each kind


@dataclass(frozen=True)
class Group:
    """The plugins of a group that provide objects of one kind.

    Args:
        plugins: The plugins.
        hook: The hook that returns the objects.
        name: Name of the group of entry points.
        how: How a plugin provides an object, to follow "Its pyproject.toml needs".
    """

    plugins: Plugins
    hook: str
    name: str
    how: str

    def providers(self, name: str) -> dict[str, Any]:
        """Return the plugins that provide an object of this name, with the object."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginWarning)  # the failure has its reason
            offered = self.plugins.offered(self.hook)
        return {provider: item for provider, item in offered if item.name == name}


def check_loaded(group: Group, tested: Any, others: Sequence[Any]) -> None:
    """Fail unless exactly one plugin provides an object, and its distribution is without problems.

    Args:
        group: The plugins.
        tested: A source, a format or a benchmark.
        others: All objects that the class tests; if several are missing, only the first fails.
    """
    providers = group.providers(tested.name)
    if not providers:
        _fail_as_missing(group, tested, others)
    distributions = {_distribution(provider) for provider in providers}
    own = [
        _sentence(f"{problem.provider} {problem.text}")
        for problem in group.plugins.problems
        # How long it takes to load is measured without other processes in check_side_effects.
        if (_distribution(problem.provider) in distributions or repr(tested.name) in problem.text)
        and not problem.text.startswith("takes ")
    ]
    expect(not own, f"The plugin has problems, which `embedhub doctor` shows too: {' '.join(own)}")
    expect(
        len(providers) == 1,
        f"The name {tested.name!r} is provided by {' and by '.join(sorted(providers))}. Choose another name, "
        "or uninstall one of them.",
    )
    (provider, given), *_ = providers.items()
    expect(
        given == tested,
        f"{tested.name!r} is registered, but not as the tested object: {given!r} of {provider}. Install the "
        "distribution again (python -m pip install .), or choose another name if that is another plugin.",
    )


def _fail_as_missing(group: Group, tested: Any, others: Sequence[Any]) -> NoReturn:
    first = next(other for other in (*others, tested) if not group.providers(other.name))
    if first.name != tested.name:
        skip(f"no plugin provides {tested.name!r}, as {first.name!r}, whose failure says what to do")
    failed = [f"\n  {_sentence(f'{problem.provider} {problem.text}')}" for problem in group.plugins.problems]
    if failed:
        fail(
            f"No plugin provides {tested.name!r}. If yours is one of these, this is why:{''.join(failed)}"
            "\nOtherwise its distribution is not installed: python -m pip install ."
        )
    fail(
        f"No installed plugin provides {tested.name!r}. Its pyproject.toml needs, in "
        f"[project.entry-points.{group.name}], {group.how}. Install the distribution: python -m pip install ."
    )


def check_side_effects(group: Group, tested: Any, allowed: Sequence[str] = ()) -> None:
    """Fail if loading the plugin of an object has side effects; skip the test without such a plugin.

    Args:
        group: The plugins.
        tested: The object that the plugin provides.
        allowed: Effects that are allowed.
    """
    providers = group.providers(tested.name)
    if len(providers) != 1:
        skip(f"no plugin provides {tested.name!r}, or several do: test_plugin_is_loaded says why")
    (provider,) = providers
    modules = {provider: entry_point.value for provider, entry_point in entry_points(group.name)}
    try:
        found = side_effects(modules.get(provider, provider))  # embedhub's own modules are their providers
    except RuntimeError as error:
        fail(str(error))
    effects = [effect for effect in found if effect not in allowed]
    # A few of hundreds of imports or files are enough, but one kind must not hide the other.
    imports = [effect for effect in effects if effect.startswith("imports ")]
    others = [effect for effect in effects if effect not in imports]
    shown = [
        effect
        for kind in (others, imports)
        for effect in (*kind[:_SHOWN_EFFECTS], *(["..."] if len(kind) > _SHOWN_EFFECTS else []))
    ]
    expect(
        not effects,
        f"The plugin {provider} {'; '.join(shown)}. It is loaded whenever names are listed. Import large "
        "packages, read files other than code, compute and print in the function that needs it: `compute`, "
        "`read` or `parse`.",
    )


def _distribution(provider: str) -> str:
    """Return the distribution of a provider, which may have several entry points."""
    return provider.partition(" (")[0]


def _sentence(text: str) -> str:
    """Return text with one period at its end."""
    return f"{text.rstrip('. ')}."
