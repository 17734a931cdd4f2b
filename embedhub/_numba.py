"""Loops that Numba compiles: the only module that imports it, and that only for who needs such a loop."""

from collections.abc import Callable
from typing import Any

import numba

from embedhub import settings


def compiled(function: Callable[..., Any]) -> Any:
    """Compile with the machine code kept outside the package, whose folder may be read-only.

    Where nothing may be written at all, each process compiles for itself, in a second.
    """
    config: Any = numba.config
    saved = config.CACHE_DIR
    config.CACHE_DIR = str(settings.compiled_folder())
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # there is no place for the machine code
        return numba.njit(nogil=True)(function)
    finally:
        config.CACHE_DIR = saved
