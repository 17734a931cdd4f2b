"""The environment variables of embedhub, read when they are used.

=========================== ============================================================================
``EMBEDHUB_CACHE``          folder for downloads and stores (default: the user's cache folder)
``EMBEDHUB_MIRROR``         base URL or folder that is asked first for ``<mirror>/<host>/<path>``
``EMBEDHUB_OFFLINE``        ``1`` asks nobody on the network
``EMBEDHUB_REQUIRE_HASH``   ``1`` refuses files without a published hash
``EMBEDHUB_KEEP_DOWNLOADS`` ``1`` keeps downloaded files when their store is built
``EMBEDHUB_PROGRESS``       ``0`` hides progress bars, ``1`` shows them even when not on a terminal
``EMBEDHUB_DISABLE_PLUGINS`` ``1`` ignores all third-party plugins, or a comma-separated list of names
=========================== ============================================================================
"""

import os
import sys
from pathlib import Path

import platformdirs

from embedhub.errors import SettingsError


def _text(name: str) -> str:
    return os.environ.get(f"EMBEDHUB_{name}", "").strip()


def _switch(name: str) -> bool | None:
    """Return the yes or no of a variable, None where it is not set."""
    text = _text(name).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    if text:
        raise SettingsError(f"EMBEDHUB_{name} is {text!r}; expected 1 or 0.")
    return None


def cache_folder() -> Path:
    """Return the folder that holds everything embedhub writes; it may not exist yet."""
    text = _text("CACHE")
    return Path(text).expanduser().absolute() if text else Path(platformdirs.user_cache_dir("embedhub"))


def compiled_folder() -> Path:
    """Return the folder of machine code: Numba's own variable, or else a folder in the cache."""
    text = os.environ.get("NUMBA_CACHE_DIR")
    return Path(text) if text else cache_folder() / "compiled"


def mirror() -> str | Path | None:
    """Return the mirror as a base URL without trailing slash, as a folder, or None."""
    text = _text("MIRROR")
    if not text:
        return None
    if text.startswith(("http://", "https://")):
        return text.rstrip("/")
    if "://" in text:
        raise SettingsError(f"EMBEDHUB_MIRROR is {text!r}; expected an http(s) URL or a folder.")
    return Path(text).expanduser().absolute()


def offline() -> bool:
    """Tell whether the network is forbidden."""
    return bool(_switch("OFFLINE"))


def require_hash() -> bool:
    """Tell whether files without a published hash are refused."""
    return bool(_switch("REQUIRE_HASH"))


def keep_downloads() -> bool:
    """Tell whether a fetched file stays when its store is built."""
    return bool(_switch("KEEP_DOWNLOADS"))


def show_progress() -> bool:
    """Tell whether bars are drawn: on a terminal by default."""
    switch = _switch("PROGRESS")
    return sys.stderr.isatty() if switch is None else switch


def disabled_plugins() -> frozenset[str] | None:
    """Return the plugins to ignore: a set of names, or None for all third-party ones."""
    text = _text("DISABLE_PLUGINS")
    if text.lower() in {"1", "true", "yes", "on", "all"}:
        return None
    return frozenset(name.strip() for name in text.split(",") if name.strip() not in {"", "0"})
