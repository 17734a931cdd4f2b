"""The `embedhub` command: one module for each command or group of commands."""

from embedhub.cli import cache, check, demo, doctor, export, lock, lookup, new_plugin, sources
from embedhub.cli.app import main

__all__ = ["cache", "check", "demo", "doctor", "export", "lock", "lookup", "main", "new_plugin", "sources"]
