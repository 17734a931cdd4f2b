"""Validation of names of sources and benchmarks, and their folder names."""

import hashlib
import re
from collections.abc import Iterable

_MAX_NAME = 100
_MAX_SLUG = 80
_MAX_SHOWN = 10
_RESERVED = re.compile(r"[:/|+#@\\\s]")
_DEVICE = re.compile(r"(?:aux|con|nul|prn|(?:com|lpt)[0-9])(?:\..*)?")


def is_reserved_on_windows(name: str) -> bool:
    """Return whether a lower-case name is reserved for a device on Windows, where no folder can have it."""
    return _DEVICE.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raise ValueError if a name could be confused with a path, an option or a longer expression."""
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
        raise ValueError(f"name is {name!r}; expected a string of 1 to {_MAX_NAME} characters.")
    if _RESERVED.search(name) or not name.isprintable() or name[0] in ".~-":
        raise ValueError(
            f"name is {name!r}; expected printable characters without spaces and without any of : / | + # @ "
            "and the backslash, and none of . ~ - as the first."
        )


def folder_name(name: str) -> str:
    """Return the folder name for a valid name: readable, unique, and safe on every system."""
    return f"{slug(name)}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def slug(text: str) -> str:
    """Return a valid name that resembles a text, such as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:_MAX_SLUG].strip("-") or "file"


def shown_names(names: Iterable[object]) -> str:
    """Return names for a message, ten at most."""
    shown = list(map(str, names))
    return ", ".join(shown[:_MAX_SHOWN]) + (", ..." if len(shown) > _MAX_SHOWN else "")
