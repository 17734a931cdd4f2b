"""The `embedhub` command: one module of commands for each subject."""

from embedhub.cli import evaluating, making
from embedhub.cli._app import main

__all__ = ["evaluating", "main", "making"]
