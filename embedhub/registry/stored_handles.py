"""Stores of the cache by the handle of their source."""

from embedhub.registry.folder import vectors_file
from embedhub.registry.handle import parse_handle, path_of
from embedhub.registry.inventory import CachedStore, list_stores
from embedhub.registry.local_file import as_path
from embedhub.registry.registry import sources
from embedhub.registry.url_source import open_url


def find_stores(text: str) -> list[CachedStore]:
    """Return the stores of a handle, sorted by name and dimension.

    Args:
        text: A name, a path or a URL, perhaps with a dimension.

    Raises:
        SourceNotFoundError: It is not a handle.
        StoreError: The cache cannot be read.
    """
    handle = parse_handle(text)
    stores = list_stores(dim=handle.dim)
    if handle.is_url:
        return [
            store for store in stores if store.folder == open_url(handle, store.dim).store_path(store.dim)
        ]
    named = [store for store in stores if store.name == handle.location]
    path = path_of(handle) if handle.scheme == "path" else as_path(handle.location)
    if named or path is None:
        return named
    absolute = path.expanduser().absolute()
    if absolute.is_dir():
        absolute = vectors_file(absolute, sources().formats)
    return [store for store in stores if store.manifest.get("path") == str(absolute)]
