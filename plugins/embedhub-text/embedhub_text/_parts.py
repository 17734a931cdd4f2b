"""The folder of parts of an interrupted run of `embed_file`: ownership and integrity."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa

from embedhub._cache_files import is_private
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._warn import warn_or_log
from embedhub.errors import OutputError, StoreWarning

SETTINGS = "manifest.json"


def remove(folder: Path) -> None:
    """Remove the folder, or a file or link of its name, but not the target of a link."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)


def read_settings(folder: Path) -> dict[str, Any] | None:
    """Return the settings of the run that made the parts; None if there are no usable parts.

    Raises:
        OutputError: Others can write to the folder, so its parts cannot be trusted.

    Warns:
        StoreWarning: The settings are damaged.
    """
    if not (folder.exists() or folder.is_symlink()):
        return None
    if not is_private(folder):
        raise OutputError(
            f"{folder}: expected a folder of parts that only you can write to, but this is a link, a file, "
            "or open to others. Remove it, or have it removed (--force, overwrite=True)."
        )
    try:
        text = (folder / SETTINGS).read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    try:
        settings = parse_json(text)
    except ValueError:
        settings = None
    if isinstance(settings, dict):
        return settings
    _warn_of(folder / SETTINGS, "all parts are made again")
    return None


def read_schema(part: Path) -> pa.Schema | None:
    """Return the columns of a part with its counts; None, with a warning, if it is damaged."""
    try:
        with pa.memory_map(str(part)) as file, pa.ipc.open_file(file) as reader:
            schema = reader.schema
            parse_json(schema.metadata[b"embedhub"])["rows"]
    except (pa.ArrowInvalid, *CONTENT_ERRORS):
        _warn_of(part, "this part and those after it are made again")
        return None
    return schema


def _warn_of(path: Path, consequence: str) -> None:
    warn_or_log(f"{path}: this file is empty, cut off or damaged; {consequence}.", StoreWarning)
