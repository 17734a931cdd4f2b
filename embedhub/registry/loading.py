"""Loading of vectors by name or path."""

import os
from dataclasses import replace
from pathlib import Path

from embedhub import _cache as cache
from embedhub._names import shown_names
from embedhub._url import shown_url
from embedhub.errors import DimNotFoundError, StoreError
from embedhub.registry.dims import as_dim
from embedhub.registry.handle import DERIVED, Handle, parse_handle, path_of, refuse_malformed
from embedhub.registry.limited_source import LimitedSource, limited
from embedhub.registry.lock import locked_dims
from embedhub.registry.plugins import refuse_in_plugin
from embedhub.registry.registry import sources
from embedhub.registry.source import EmbeddingSource
from embedhub.registry.source_table import SUFFIX, open_source_table
from embedhub.registry.unknown_names import refuse_dim, refuse_model_id
from embedhub.vectors.vectors import Vectors

Source = str | Path | EmbeddingSource | Vectors
"""A source as accepted by all functions: a registered name, a path or a URL, optionally with a dimension as
in ``"glove-6b:50"``; an `EmbeddingSource`; or opened `Vectors`."""


def load(
    source: Source, dim: int | None = None, *, limit: int | None = None, allow_truncated: bool = False
) -> Vectors:
    """Open the vectors of a source; on first use, download them and build their store.

    Example:
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi", 50)
        <Vectors wordnet-ppmi: 78,781 words, dim 50>

    Args:
        source: A registered name, the path of your own file, the URL of a file, an `EmbeddingSource`, or
            `Vectors`, which are returned unchanged. A string is first looked up as a name. Otherwise it is a
            URL if it starts with ``https://``, and a path if it has a separator, starts with ``.`` or ``~``,
            or names an existing file or folder, such as that of a model2vec model. Each string may end with a
            colon and the dimension, as in ``"glove-6b:50"``. A URL may end with ``#sha256=...``, the checksum
            to verify; without one, the first download is trusted, and its checksum remembered. A file may be
            GloVe text, word2vec text or binary, fastText ``.vec`` or ``.bin``, or token vectors in
            safetensors, each also compressed (gzip, bzip2, xz) or in a zip or tar archive;
            ``archive.zip#member`` selects one of several members. The store of a file is rebuilt when the
            file changes. A path that ends in ``.toml`` is the table of a `RemoteSource`: its arguments as
            keys, and a ``[[files]]`` entry for each `RemoteFile` with its ``dim``.
        dim: Dimension of the vectors; optional if the source has only one, or if ``source`` includes it.
        limit: Number of words to load, the first ones of the source, which are the most frequent. Only the
            part of the file that contains them is downloaded; a larger limit, or none, continues it.
        allow_truncated: Whether to use the vectors of a truncated file of your own, with a warning each time.
            By default a truncated file is an error, since vectors may be missing or incomplete.

    Raises:
        ValueError: ``allow_truncated`` is true, and ``source`` is not a file of your own; or ``source``
            includes another limit.
        VocabularyError: ``limit`` is not positive, or the words of the source are not sorted by frequency.
        SourceNotFoundError: No source has that name, or a URL is malformed.
        LocalFileError: The file does not exist.
        DimNotFoundError: The source does not have that dimension, or has several and ``dim`` is None.
        TypeError: ``dim`` is not an integer, or ``source`` is none of the above.
        DownloadError: The file is not available.
        FormatError: The file is malformed.
        LockError: The vectors are not those of the lock file; see `embedhub lock`.
        PluginError: A plugin calls this function at import or in a hook.
    """
    refuse_in_plugin("embedhub.load()")
    named, dim = find(source, dim)
    if isinstance(named, Vectors):
        if limit is not None or allow_truncated:
            option = "limit" if limit is not None else "allow_truncated"
            raise ValueError(f"{option} is for a source that is opened now; got the opened {source!r}.")
        return named
    if limit is not None:
        if isinstance(named, LimitedSource) and named.limit != limit:
            raise ValueError(f"{source!r} has a limit of {named.limit}, and limit={limit} was given too.")
        named = limited(named, limit)
    whole, limit = (named.whole, named.limit) if isinstance(named, LimitedSource) else (named, None)
    if is_registered(whole) and not allow_truncated:
        return named.vectors(dim, reopen=(load, (str(Handle("name", whole.name, dim, limit=limit)),)))
    # It imports all formats, and archives, which take longer than opening a store.
    from embedhub.registry.local_file import LocalSource

    if not isinstance(whole, LocalSource) or (allow_truncated and limit is not None):
        if allow_truncated:
            shown = shown_url(str(source))
            raise ValueError(
                "allow_truncated is only for a file of your own, given by its path, without a limit; got "
                f"{shown!r}."
            )
        return named.vectors(dim)
    if allow_truncated:
        named = whole = replace(whole, allow_truncated=True)
    reopen = _load_same_file, (whole.path, whole.cache_key(dim), allow_truncated, limit)
    return named.vectors(dim, reopen=reopen)


def _load_same_file(
    path: Path,
    cache_key: str,
    allow_truncated: bool,  # noqa: FBT001 - pickled by position
    limit: int | None = None,
) -> Vectors:
    """Load the same vectors of a file in another process, checking that its machine has the same file.

    Raises:
        StoreError: The file at that path is another one, or another version of a reader reads it.
    """
    from embedhub.registry.local_file import open_source

    source = open_source(path, sources().formats)
    actual = source.cache_key(source.format.dim)
    if actual != cache_key:
        raise StoreError(
            f"{path}: the vectors that were pickled came from a file with other bytes than the one that is "
            f"there now (XXH3 {cache_key}, got {actual}). Nothing was opened. Copy the same file to each "
            "machine, or load and pickle the vectors again."
        )
    return load(path, limit=limit, allow_truncated=allow_truncated)


def find(source: Source, dim: int | None) -> tuple[EmbeddingSource | Vectors, int]:
    """Return a source (opened vectors stay unchanged) and the dimension, without a download.

    Raises:
        TypeError: ``dim`` is not an integer, or ``source`` is none of the above.
        EmbedhubError: As `resolve`.
    """
    if not isinstance(source, Vectors):
        return resolve(source, dim)
    if as_dim(dim) not in {None, source.dim}:
        raise DimNotFoundError(f"{source!r} has dim {source.dim}; {dim!r} was requested.")
    return source, source.dim


def resolve(source: str | Path | EmbeddingSource, dim: int | None) -> tuple[EmbeddingSource, int]:
    """Return a source and one of its dimensions, by default its only one, without opening the vectors.

    Raises:
        SourceNotFoundError: No source has that name.
        LocalFileError: The file does not exist.
        DimNotFoundError: The source does not have that dimension, or has several and ``dim`` is None.
    """
    dim = as_dim(dim)
    named, own_dim = _parse(source, dim)
    if dim is not None and own_dim not in {None, dim}:
        shown = shown_url(str(source))
        raise DimNotFoundError(f"{shown!r} has dim {own_dim} in its name, and dim {dim} was given too.")
    dim = own_dim if dim is None else dim
    if dim is None and len(named.dims) != 1:
        raise DimNotFoundError(
            f"{named.name!r} has several dims: {shown_names(named.dims)}. Name one, as in "
            f"'{_with_dim(source, named)}'."
        )
    return named, named.check_dim(named.dims[0] if dim is None else dim)


def _with_dim(source: str | Path | EmbeddingSource, named: EmbeddingSource) -> str:
    """Return what names a source, with its first dimension."""
    if isinstance(source, str):
        return str(parse_handle(source)._replace(dim=named.dims[0]))
    return f"{source if isinstance(source, Path) else named.name}:{named.dims[0]}"


def find_any_dim(source: Source, dim: int | None) -> tuple[EmbeddingSource | Vectors, int]:
    """Return a source and a dimension, for its words, which are the same in each dimension.

    By default it is one whose store is in the cache, or else the smallest.

    Raises:
        TypeError: ``dim`` is not an integer, or ``source`` is none of the above.
        EmbedhubError: As `resolve`.
    """
    if isinstance(source, Vectors) or dim is not None:
        return find(source, dim)
    named, dim = _parse(source)
    if dim is None and named.vocab_size is not None and named.dims:  # one number of words for all dims
        dims = locked_dims(named)
        dim = next((one for one in dims if cache.exists(named.store_path(one))), dims[0])
        return named, dim
    return resolve(source, dim)


def is_registered(source: EmbeddingSource) -> bool:
    """Return whether this very source is registered under its name."""
    return source.name in sources() and sources()[source.name] is source


def get_source(source: str | Path | EmbeddingSource) -> EmbeddingSource:
    """Return the source of a registered name or a file, without opening its vectors.

    Raises:
        TypeError: The argument is not a name, a path or an `EmbeddingSource`.
        SourceNotFoundError: No source has that name.
        LocalFileError: The file does not exist.
        FormatError: The file is in none of the known formats, or a TOML table is malformed.
    """
    return _parse(source)[0]


def _parse(
    source: str | Path | EmbeddingSource, dim: int | None = None
) -> tuple[EmbeddingSource, int | None]:
    """Return a source, and the dimension in its handle; None if there is none.

    Args:
        source: A source, or the handle of one.
        dim: The dimension, if it is known; otherwise the file at a URL is asked for it.
    """
    if isinstance(source, EmbeddingSource):
        return source, None
    if isinstance(source, Path):
        return _open_path(source), None
    if not isinstance(source, str):
        raise TypeError(f"source is {source!r}; expected a name, a path, an EmbeddingSource or Vectors.")
    handle = parse_handle(source)
    if handle.scheme == DERIVED and os.path.lexists(source):  # a file whose name has such characters
        return _open_path(Path(source)), None
    named = open_handle(handle, dim if handle.dim is None else handle.dim)
    return named if handle.limit is None else limited(named, handle.limit), handle.dim


def open_handle(handle: Handle, dim: int | None) -> EmbeddingSource:
    """Return the source of a handle.

    Args:
        handle: The handle.
        dim: The dimension, if it is known.

    Raises:
        EmbedhubError: As `get_source`.
    """
    if handle.is_url:
        from embedhub.registry.url_source import open_url

        return open_url(handle, dim)
    if handle.scheme == "path":
        path = path_of(handle)
        if not os.path.lexists(os.path.expanduser(path)):  # noqa: PTH111 - of Path it raises for an unknown user
            refuse_malformed(str(handle).removesuffix("/"))
        refuse_model_id(path, handle.location)
        return _open_path(path)
    if handle.scheme != "name":
        from embedhub.registry.schemes import open_scheme

        return open_scheme(handle, dim)
    if handle.location not in sources():
        from embedhub.registry.local_file import as_path

        named = as_path(handle.location)
        if named is not None:
            return _open_path(named)
        refuse_dim(str(handle))
    return sources()[handle.location]  # or the error that names similar ones


def _open_path(path: Path) -> EmbeddingSource:
    """Return the source of a file of the user."""
    if path.suffix.lower() == SUFFIX:
        return open_source_table(path)
    from embedhub.registry.local_file import open_source

    return open_source(path, sources().formats)
