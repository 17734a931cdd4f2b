"""The `embedhub` command: one module of commands for each subject."""

from embedhub.cli import drawing, exporting, making
from embedhub.cli._app import main

__all__ = ["drawing", "exporting", "main", "making"]
