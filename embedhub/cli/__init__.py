"""The `embedhub` command: one module of commands for each subject."""

from embedhub.cli import making, sources
from embedhub.cli._app import main

__all__ = ["main", "making", "sources"]
