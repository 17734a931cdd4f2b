"""The `embedhub` command: one module of commands for each subject."""

from embedhub.cli import drawing, embedding, evaluating, exporting, making
from embedhub.cli._app import main

__all__ = ["drawing", "embedding", "evaluating", "exporting", "main", "making"]
