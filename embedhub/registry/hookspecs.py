"""The hooks of a plugin, and the pluggy markers.

An installed distribution registers a plugin in the entry-point group ``embedhub``. The entry point names an
`EmbeddingSource` or a `Format`, or a module with at least one of these hooks::

    from embedhub import hookimpl

    @hookimpl
    def embedhub_sources():
        return [EmbeddingSource(...), ...]

    @hookimpl
    def embedhub_formats():
        return [Format(...), ...]

    @hookimpl
    def embedhub_commands(app):
        app.command()(my_command)
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.blocks import Format

if TYPE_CHECKING:
    from embedhub.registry.plugins import Plugins

PROJECT = "embedhub"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def embedhub_sources() -> Iterable[EmbeddingSource]:  # type: ignore[empty-body]  # a specification has no body
    """Return a list of sources, even for a single one, or yield them.

    The hook is called whenever source names are looked up. It should read only the plugin's own files, and
    should not import large packages.
    """


@hookspec
def embedhub_formats() -> Iterable[Format]:  # type: ignore[empty-body]
    """Return a list of file formats, even for a single one, or yield them.

    Each format then reads the users' files that its ``detect`` recognizes. The hook is called whenever source
    names are looked up. It should not read files or import large packages.
    """


@hookspec
def embedhub_commands(app: Any) -> None:
    """Add commands to the `embedhub` command.

    The hook is called when help is shown, or for a command that embedhub itself does not have.

    Args:
        app: A `typer.Typer`: ``app.command()(function)`` adds a command.
    """


@hookspec
def embedhub_plugins() -> "Plugins":  # type: ignore[empty-body]
    """Return the plugins of another entry-point group, for packages such as ``embedhub_eval``.

    The hook is called only by `embedhub doctor`, which lists all plugins and their problems.
    """
