"""The `embedhub` command: a module for each command, or each group of commands."""

from embedhub.cli import cache, demo, doctor, export, lookup, sources
from embedhub.cli.app import App, main

__all__ = [
    "App",
    "cache",
    "demo",
    "doctor",
    "export",
    "lookup",
    "main",
    "sources",
]
