"""Settings from environment variables, read whenever they are used.

=========================== ============================================================================
``EMBEDHUB_CACHE``          folder of downloads and stores (default: the user's cache folder)
``EMBEDHUB_MIRROR``         base URL or folder to try first, as ``<mirror>/<host>/<path>``
``EMBEDHUB_OFFLINE``        ``1`` forbids network access
``EMBEDHUB_LOCK``           lock file, ``off`` for none (default: ``embedhub.lock`` in the working folder)
``EMBEDHUB_REQUIRE_HASH``   ``1`` rejects files without a published checksum
``EMBEDHUB_KEEP_DOWNLOADS`` ``1`` keeps downloaded files after their store is built
``EMBEDHUB_PROGRESS``       ``0`` hides all progress, ``1`` draws bars even if stderr is not a terminal
``EMBEDHUB_DISABLE_PLUGINS`` ``1`` disables all third-party plugins, a comma-separated list only those named
=========================== ============================================================================
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import platformdirs

from embedhub._url import shown_url
from embedhub.errors import SettingsError

_offline_by: ContextVar[str | None] = ContextVar("_offline_by", default=None)
_LOCK = "embedhub.lock"
_OFF = {"0", "false", "no", "off"}


def _value(name: str) -> str:
    return os.environ.get(f"EMBEDHUB_{name}", "").strip()


def _boolean(name: str) -> bool | None:
    """Return the boolean value of a variable, None if it is not set."""
    text = _value(name).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in _OFF:
        return False
    if text:
        raise SettingsError(f"EMBEDHUB_{name} is {text!r}; expected 1 or 0.")
    return None


def _path(name: str) -> Path:
    text = _value(name)
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError(f"EMBEDHUB_{name} is {text!r}: there is no such user or home folder.") from error


def cache_folder() -> Path:
    """Return the cache folder, which may not exist yet."""
    return _path("CACHE") if _value("CACHE") else Path(platformdirs.user_cache_dir("embedhub"))


def compiled_folder() -> Path:
    """Return the folder for machine code: ``NUMBA_CACHE_DIR``, or one in the user's cache folder.

    It is never in ``EMBEDHUB_CACHE``, which may be shared: others could run code through it.
    """
    text = os.environ.get("NUMBA_CACHE_DIR")
    return Path(text or Path(platformdirs.user_cache_dir("embedhub"), "compiled"))


def mirror() -> str | Path | None:
    """Return the mirror: a base URL without trailing slash, a folder, or None."""
    text = _value("MIRROR")
    if not text:
        return None
    if text.startswith(("http://", "https://")):
        return text.rstrip("/")
    if "://" in text:
        raise SettingsError(
            f"EMBEDHUB_MIRROR is {shown_url(text, query=False)!r}; expected an http(s) URL or a folder."
        )
    return _path("MIRROR")


def offline() -> bool:
    """Return whether network access is forbidden."""
    return _offline_by.get() is not None or bool(_boolean("OFFLINE"))


def offline_by() -> str:
    """Return the name of what forbids network access, for messages."""
    return _offline_by.get() or "EMBEDHUB_OFFLINE"


@contextmanager
def without_network(name: str = "EMBEDHUB_OFFLINE") -> Iterator[None]:
    """Forbid network access in a block of code, in this thread.

    Example:
        >>> with without_network("HF_HUB_OFFLINE"):
        ...     offline(), offline_by()
        (True, 'HF_HUB_OFFLINE')

    Args:
        name: Name of what forbids it, for messages, such as a variable of a plugin.
    """
    token = _offline_by.set(name)
    try:
        yield
    finally:
        _offline_by.reset(token)


def lock_file() -> Path | None:
    """Return the lock file, which says which vectors may be opened; None if there is none, or it is off.

    Raises:
        SettingsError: EMBEDHUB_LOCK is not a file.
    """
    text = _value("LOCK")
    if text.lower() in _OFF:
        return None
    if text and not lock_path().is_file():
        raise SettingsError(
            f"EMBEDHUB_LOCK is {text!r}; expected a lock file, as `embedhub lock` writes it, or off."
        )
    return lock_path() if text or os.path.lexists(_LOCK) else None


def lock_path() -> Path:
    """Return where the lock file is, or would be written."""
    text = _value("LOCK")
    return _path("LOCK") if text and text.lower() not in _OFF else Path.cwd() / _LOCK


def require_hash() -> bool:
    """Return whether files without a published checksum are rejected."""
    return bool(_boolean("REQUIRE_HASH"))


def keep_downloads() -> bool:
    """Return whether downloaded files are kept after their store is built."""
    return bool(_boolean("KEEP_DOWNLOADS"))


def show_progress() -> bool | None:
    """Return whether progress is shown; None draws bars where possible, and lines elsewhere."""
    return _boolean("PROGRESS")


def disabled_plugins() -> frozenset[str] | None:
    """Return the names of the plugins to disable; None means all third-party plugins.

    A name is that of a distribution or an entry point, or both as messages have them: ``my-plugin (mine)``.
    """
    text = _value("DISABLE_PLUGINS")
    if text.lower() in {"1", "true", "yes", "on", "all"}:
        return None
    if text.lower() in _OFF:
        return frozenset()
    return frozenset(name.strip() for name in text.split(",") if name.strip())
