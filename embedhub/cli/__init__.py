"""The `embedhub` command: one module of commands for each subject."""

from embedhub.cli import choosing, making, sources
from embedhub.cli._app import main

__all__ = ["choosing", "main", "making", "sources"]
