"""Stores of the cache by the handle of their source."""

from embedhub import settings
from embedhub.errors import EmbedhubError
from embedhub.registry.folder import vectors_file
from embedhub.registry.handle import DERIVED, Handle, parse_handle, path_of
from embedhub.registry.inventory import CachedStore, list_stores
from embedhub.registry.loading import open_handle
from embedhub.registry.local_file import as_path
from embedhub.registry.registry import sources
from embedhub.registry.url_source import open_url


def find_stores(text: str) -> list[CachedStore]:
    """Return the stores of a handle, sorted by name and dimension.

    Args:
        text: A name, a path, a URL or an expression, perhaps with a dimension. With a limit, only the stores
            of that limit.

    Raises:
        SourceNotFoundError: It is not a handle.
        StoreError: The cache cannot be read.
    """
    handle = parse_handle(text)
    stores = [
        store for store in list_stores(dim=handle.dim) if handle.limit in {None, store.manifest.get("limit")}
    ]
    if handle.scheme == DERIVED:
        names = {handle.source, _name_of(handle)}
        return [store for store in stores if store.name in names or store.handle in names]
    if handle.scheme not in {"name", "path"}:
        return [store for store in stores if _is_of(store, handle)]
    named = [store for store in stores if store.name == handle.location]
    path = path_of(handle) if handle.scheme == "path" else as_path(handle.location)
    if named or path is None:
        return named
    absolute = path.expanduser().absolute()
    if absolute.is_dir():
        absolute = vectors_file(absolute, sources().formats)
    return [store for store in stores if store.manifest.get("path") == str(absolute)]


def _name_of(handle: Handle) -> str:
    """Return the name of derived vectors, which has absolute paths; the handle itself without the plugin."""
    try:
        with settings.without_network():
            return open_handle(handle, None).name
    except EmbedhubError:
        return handle.source


def _is_of(store: CachedStore, handle: Handle) -> bool:
    """Return whether a store is that of a URL, or of a handle of a plugin's scheme."""
    if store.handle == handle.source:
        return True
    # Another URL may have the same checksum, and a URL with a token is not recorded.
    return handle.is_url and store.folder == open_url(handle, store.dim).store_path(store.dim)
