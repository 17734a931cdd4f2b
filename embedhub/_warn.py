"""Warnings that point to the caller's line."""

import re
import sys
import warnings
from typing import TYPE_CHECKING

from embedhub.errors import escaped

if TYPE_CHECKING:
    from types import FrameType

_PACKAGE = re.compile(r"embedhub(?:_\w+)?(?:\.|$)")


def warn(message: str, category: type[Warning]) -> None:
    """Issue a warning at the line that called embedhub.

    This is the outermost call into ``embedhub`` or a package named ``embedhub_...``, since frames of pluggy
    and of other plugins lie in between.
    """
    own = sys._getframe()  # noqa: SLF001 - as Python's warnings.py does; importing inspect is slow
    frame: FrameType | None = own
    while frame is not None:
        if _PACKAGE.match(str(frame.f_globals.get("__name__"))):
            own = frame
        frame = frame.f_back
    caller = own.f_back or own
    # warnings.warn does not work here: its stacklevel skips the frames of an import.
    warnings.warn_explicit(
        escaped(message),
        category,
        caller.f_code.co_filename,
        caller.f_lineno,
        module=caller.f_globals.get("__name__"),
        registry=caller.f_globals.setdefault("__warningregistry__", {}),
    )


def warn_or_log(message: str, category: type[Warning]) -> None:
    """Issue a warning as `warn` does; if a filter makes it an exception, log it instead.

    This is for problems that must not stop the caller, such as a broken plugin.
    """
    try:
        warn(message, category)
    except category:
        import logging

        logging.getLogger("embedhub").warning(message)
