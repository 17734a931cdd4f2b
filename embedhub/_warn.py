"""Warnings that point to the line of the caller."""

import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def warn(message: str, category: type[Warning]) -> None:
    """Issue a warning at the line that called embedhub.

    The outermost call counts: frames of pluggy, and of a plugin's source, lie between those of this package.

    Args:
        message: What is wrong.
        category: Its class.
    """
    own = sys._getframe()  # noqa: SLF001 - as in Python's own warnings.py; inspect is slow to import
    frame: FrameType | None = own
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "embedhub":
            own = frame
        frame = frame.f_back
    caller = own.f_back or own
    # Not warnings.warn: its stacklevel does not count the frames of an import.
    warnings.warn_explicit(
        message,
        category,
        caller.f_code.co_filename,
        caller.f_lineno,
        module=caller.f_globals.get("__name__"),
        registry=caller.f_globals.setdefault("__warningregistry__", {}),
    )
