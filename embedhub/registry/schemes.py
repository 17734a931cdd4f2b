"""Schemes of plugins: the entry point ``hf`` of the group ``embedhub.schemes`` opens ``hf://...``.

The function behind it is imported when a handle of its scheme is used, and not before.
"""

import difflib

from embedhub.errors import EmbedhubError, PluginError, SourceNotFoundError
from embedhub.registry.entry_points import entry_points
from embedhub.registry.failure import describe
from embedhub.registry.handle import DERIVED, Handle, shown_handle
from embedhub.registry.source import EmbeddingSource
from embedhub.registry.unknown_names import SCHEMES

GROUP = "embedhub.schemes"
_OWN = ("https", "file")
_MAX_REPR = 200  # characters


def open_scheme(handle: Handle, dim: int | None) -> EmbeddingSource:
    """Return the source of a handle whose scheme is a plugin's.

    Args:
        handle: The handle.
        dim: The dimension that the caller asks for; None if there is none.

    Raises:
        SourceNotFoundError: No plugin has that scheme, or several have.
        PluginError: The plugin fails, or returns something else than a source.
        EmbedhubError: As the plugin raises it.
    """
    shown = shown_handle(handle)
    found = [item for item in entry_points(GROUP) if item[1].name.lower() == handle.scheme]
    if not found:
        raise SourceNotFoundError(f"{shown!r}: {_what_to_install(handle.scheme)}")
    if len(found) > 1:
        raise SourceNotFoundError(
            f"{shown!r}: the scheme {handle.scheme}:// is provided by "
            f"{' and by '.join(provider for provider, _ in found)}. Uninstall one of them, or name one in "
            "EMBEDHUB_DISABLE_PLUGINS."
        )
    ((provider, entry_point),) = found
    try:
        source = entry_point.load()(handle.location, dim)
    except (EmbedhubError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{shown!r}: the embedhub plugin {provider} cannot open it: "
            f"{describe(error, entry_point.module)}. Update or uninstall it."
        ) from error
    if not isinstance(source, EmbeddingSource):
        raise PluginError(
            f"{shown!r}: the embedhub plugin {provider} returned {repr(source)[:_MAX_REPR]}; expected an "
            "EmbeddingSource. Update or uninstall it."
        )
    return source


def _what_to_install(scheme: str) -> str:
    if scheme == DERIVED:
        needed = "embedhub-derive, which is not installed or is disabled (docs/install.md)"
        return f"+ and steps need the plugin {needed}."
    if scheme in SCHEMES:
        return (
            f"{scheme}:// needs the plugin {SCHEMES[scheme]}, which is not installed or is disabled "
            "(docs/install.md)."
        )
    known = {*_OWN, *SCHEMES, *(entry_point.name for _, entry_point in entry_points(GROUP))} - {DERIVED}
    close = difflib.get_close_matches(scheme, sorted(known), n=1)
    hint = f" Did you mean {close[0]}://?" if close else ""
    return f"no installed plugin has the scheme {scheme}://.{hint} Schemes are {', '.join(sorted(known))}."
