"""The `embedhub` command: one module of commands for each subject."""

from embedhub.cli import (
    caching,
    checking,
    choosing,
    drawing,
    embedding,
    evaluating,
    exporting,
    looking,
    making,
    sources,
)
from embedhub.cli._app import main

__all__ = [
    "caching",
    "checking",
    "choosing",
    "drawing",
    "embedding",
    "evaluating",
    "exporting",
    "looking",
    "main",
    "making",
    "sources",
]
