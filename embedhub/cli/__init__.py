"""The `embedhub` command: a module for each command, or each group of commands."""

from embedhub.cli import cache, compare, demo, doctor, embed, evaluate, export, lookup, plot, sources
from embedhub.cli._app import main

__all__ = [
    "cache",
    "compare",
    "demo",
    "doctor",
    "embed",
    "evaluate",
    "export",
    "lookup",
    "main",
    "plot",
    "sources",
]
