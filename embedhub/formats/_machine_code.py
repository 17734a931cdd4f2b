"""Compilation with Numba, with machine code cached in a folder that only its user can write to.

Numba unpickles that code, so anyone who can write to the folder can run code as its readers.
"""

import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba

from embedhub import settings
from embedhub._progress import activities


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function, and cache its machine code if a private folder is available.

    Otherwise each process compiles the function again, which takes two seconds.
    """
    folder = settings.compiled_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_private(folder):
        config: Any = numba.config
        saved = config.CACHE_DIR
        # Numba reads this setting only while it decorates, and has no argument for it.
        config.CACHE_DIR = str(folder)
        try:
            return _announced(_tolerant(numba.njit(nogil=True, cache=True)(function)))
        except RuntimeError:  # the folder is read-only, or the function is in no file
            pass
        finally:
            config.CACHE_DIR = saved
    return _announced(numba.njit(nogil=True)(function))


def is_private(folder: Path) -> bool:
    """Return whether a folder exists and only this user can write to, replace, or move it.

    Windows gives each user a folder of their own, and no modes to check.
    """
    if sys.platform == "win32":
        return folder.is_dir()
    import os

    try:
        folder = folder.resolve(strict=True)
        # Who can write to a folder above it can put another one in its place, unless that is sticky as /tmp.
        return (
            folder.stat().st_uid == os.getuid()
            and not _others_can_write(folder)
            and all(
                above.stat().st_uid in {0, os.getuid()}
                and (above.stat().st_mode & stat.S_ISVTX or not _others_can_write(above))
                for above in folder.parents
            )
        )
    except OSError:
        return False


def _others_can_write(folder: Path) -> bool:
    """Return whether others than the owner can write; a group with the name of the owner is not counted."""
    mode = folder.stat().st_mode
    try:
        by_group = bool(mode & stat.S_IWGRP) and folder.group() != folder.owner()
    except KeyError:  # a number without a name
        by_group = True
    return by_group or bool(mode & stat.S_IWOTH)


def _announced(compiled: Any) -> Any:
    """Show in progress bars that a function is being compiled."""
    compiler = compiled._compiler  # noqa: SLF001 - Numba's events are of all functions of the process
    compile_function = compiler.compile

    def announced(*arguments: Any) -> Any:
        activities.add("compiling")
        try:
            return compile_function(*arguments)
        finally:
            activities.discard("compiling")

    compiler.compile = announced
    return compiled


def _tolerant(compiled: Any) -> Any:
    """Compile a function again if its machine code is damaged, and ignore that it cannot be written."""
    cache = compiled._cache  # noqa: SLF001 - Numba has no other way to catch what reading its files raises
    load, save = cache.load_overload, cache.save_overload

    def load_or_compile(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except Exception:  # noqa: BLE001 - a damaged pickle may raise anything
            with suppress(OSError):
                cache.flush()
            return None

    def save_if_possible(*arguments: Any) -> None:
        with suppress(Exception):
            save(*arguments)

    cache.load_overload, cache.save_overload = load_or_compile, save_if_possible
    return compiled
