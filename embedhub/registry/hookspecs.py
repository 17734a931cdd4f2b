"""The hooks of a plugin, and the pluggy markers.

A plugin is what an installed distribution names in the entry-point group ``embedhub``: an `EmbeddingSource`
or a `Format` itself, or a module with at least one of::

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
    """Return a list of sources, also if there is only one; a generator does too.

    This runs whenever names of sources are looked up, so it reads no files but the plugin's own, and imports
    nothing that takes long.
    """


@hookspec
def embedhub_formats() -> Iterable[Format]:  # type: ignore[empty-body]
    """Return a list of file formats, also if there is only one; a generator does too.

    Each is then known for files of users, and the first whose ``detect`` recognizes a file reads it. This
    runs whenever sources are looked up, so it reads no files, and imports nothing that takes long.
    """


@hookspec
def embedhub_commands(app: Any) -> None:
    """Add commands to the `embedhub` command.

    This runs when help is shown, or a command is named that embedhub itself does not have.

    Args:
        app: A `typer.Typer`: ``app.command()(function)`` adds a command.
    """


@hookspec
def embedhub_plugins() -> "Plugins":  # type: ignore[empty-body]
    """Return the plugins of another entry-point group, for a package that has one such as ``embedhub_eval``.

    This runs only when `embedhub doctor` lists all plugins and their problems.
    """
