"""Valid names of sources and benchmarks."""

import re

_MAX_SLUG = 80
_NAME = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*")
_DEVICE = re.compile(r"(?:aux|con|nul|prn|(?:com|lpt)[0-9])(?:\..*)?")


def is_reserved_on_windows(name: str) -> bool:
    """Return whether a lower-case name is reserved for a device on Windows, where no folder can have it."""
    return _DEVICE.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raise ValueError if a name is not safe in paths and commands on all systems."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(
            f"name is {name!r}; expected lower-case letters and digits, with single '-', '.' or '_' "
            "between them."
        )
    if is_reserved_on_windows(name):
        raise ValueError(f"name is {name!r}, which Windows reserves for a device; choose another.")


def slug(text: str) -> str:
    """Return a valid name that resembles a text, such as the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:_MAX_SLUG].strip("-") or "file"
