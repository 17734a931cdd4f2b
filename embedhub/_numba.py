"""Just-in-time compilation: the only module that imports Numba, imported by those with a compiled loop."""

from collections.abc import Callable
from typing import Any

import numba

from embedhub import settings


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function, and keep its machine code in the cache folder, since the package may be read-only.

    If no folder is writable, each process compiles it again, which takes a second.
    """
    config: Any = numba.config
    saved = config.CACHE_DIR
    # Numba reads this setting only while it decorates, and has no argument for it.
    config.CACHE_DIR = str(settings.compiled_folder())
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no writable folder for the machine code
        return numba.njit(nogil=True)(function)
    finally:
        config.CACHE_DIR = saved
