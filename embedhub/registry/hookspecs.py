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
from typing import Any

import pluggy

from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.blocks import Format

PROJECT = "embedhub"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def embedhub_sources() -> Iterable[EmbeddingSource]:  # type: ignore[empty-body]  # a specification has no body
    """Return the sources of a plugin. No I/O but its own files, no heavy imports: this lists names."""


@hookspec
def embedhub_formats() -> Iterable[Format]:  # type: ignore[empty-body]
    """Return file formats in which users can have files of their own. No I/O and no heavy imports."""


@hookspec
def embedhub_commands(app: Any) -> None:
    """Add commands to the `embedhub` command.

    This runs when help is shown, or a command is named that embedhub itself does not have.

    Args:
        app: A `typer.Typer`: ``app.command()(function)`` adds a command.
    """
