"""Catalog of sources: their metadata as plain data, for listings, pages and bibliographies."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from embedhub import _cache as cache
from embedhub._url import shown_url
from embedhub.download.remote_file import RemoteFile
from embedhub.errors import StoreError
from embedhub.registry.failure import describe as describe_failure
from embedhub.registry.loading import get_source, is_registered
from embedhub.registry.registry import sources
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.store import read_manifest

_YEAR = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def list_sources(*, language: str | None = None, text: str | None = None) -> list[dict[str, Any]]:
    """Return the metadata of all sources, in alphabetical order, without network access.

    A name that several plugins provide occurs once for each of them, with ``clash`` true. A source whose
    metadata cannot be read occurs with ``error`` and little else.

    Example:
        >>> from embedhub.registry.catalog import list_sources
        >>> [entry["name"] for entry in list_sources(text="princeton")]
        ['wordnet-ppmi']

    Args:
        language: Only sources of this language: a BCP 47 code, as in ``"en"``.
        text: Only sources that have all its words in their name, description, license, citation, homepage or
            provider, in any case.

    Returns:
        The result of `describe` for each.
    """
    entries = []
    for name, providers in sources().providers().items():
        for provider, source in sorted(providers.items()):
            try:
                entry = describe(source, provider)
            except Exception as error:  # noqa: BLE001 - a source with its own code may fail in any way
                entry = {
                    "name": name,
                    "provider": provider,
                    "error": describe_failure(error, type(source).__module__),
                }
            entry["clash"] = len(providers) > 1
            if _matches(entry, language, text or ""):
                entries.append(entry)
    return entries


def describe(source: str | Path | EmbeddingSource, provider: str | None = None) -> dict[str, Any]:
    """Return the metadata of a source, as a dictionary for JSON.

    Example:
        >>> from embedhub.registry.catalog import describe
        >>> metadata = describe("wordnet-ppmi")
        >>> metadata["words"], metadata["dims"][0]["dim"], metadata["dims"][0]["download_bytes"]
        (78781, 25, 0)

    Args:
        source: A registered name, a path, or an `EmbeddingSource`.
        provider: Name of the plugin that provides it; by default it is looked up.

    Returns:
        ``name``, ``description``, ``language``, ``cased``, ``unit``, ``words``, ``license``, ``citation``,
        ``bibtex``, ``homepage``, ``fallbacks``, ``provider``; and ``dims``, which has for each dimension
        ``words`` (counted if it is in the cache, else declared), ``download_bytes`` and
        ``download_bytes_at_most`` (the inflated size or that of the archive, if only these are known),
        ``store_bytes`` (measured if it is in the cache, else estimated), ``store`` (its folder, or None), and
        the ``candidates`` with ``url``, ``member``, ``hash``, ``size``. Unknown values are None. The
        ``words`` of the source are those of its first dimension in the cache, else those declared.

    Raises:
        SourceNotFoundError: No source has that name.
    """
    source = get_source(source)
    if provider is None and is_registered(source):
        provider = sources().provider(source.name)
    dims = [_describe_dim(source, dim) for dim in source.dims]
    return {
        "name": source.name,
        "description": source.description,
        "language": source.language,
        "cased": source.cased,
        "unit": source.unit,
        "words": next((dim["words"] for dim in dims if dim["store"]), source.vocab_size),
        "license": source.license,
        "citation": source.citation,
        "bibtex": source.bibtex,
        "homepage": source.homepage,
        "fallbacks": [step if isinstance(step, str) else step.__name__ for step in source.fallbacks],
        "provider": provider,
        "dims": dims,
    }


def bibtex(source: str | Path | EmbeddingSource) -> str:
    """Return an entry for a bibliography.

    It is the ``bibtex`` of the source. Without one, the citation becomes the note of a ``@misc``: its
    parts are not guessed, since a wrong author is worse than a plain note.

    Example:
        >>> from embedhub.registry.catalog import bibtex
        >>> print(bibtex("wordnet-ppmi").splitlines()[0])
        @book{fellbaum1998wordnet,

    Args:
        source: A registered name, a path, or an `EmbeddingSource`.
    """
    source = get_source(source)
    if source.bibtex:
        return source.bibtex.strip()
    years = set(_YEAR.findall(source.citation))
    fields = {
        "title": f"{{{_escaped(f'{source.name}: {source.description}')}}}",
        "note": _escaped(source.citation),
        "year": years.pop() if len(years) == 1 else "",
        "howpublished": rf"\url{{{source.homepage}}}" if source.homepage else "",
    }
    lines = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items() if value)
    return f"@misc{{{source.name},\n{lines}}}"


def _escaped(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _matches(entry: dict[str, Any], language: str | None, text: str) -> bool:
    if language is not None and str(entry.get("language", "")).lower() != language.lower():
        return False
    fields = ("name", "description", "license", "citation", "homepage", "provider")
    searched = " ".join(str(entry.get(field) or "") for field in fields).lower()
    return all(word in searched for word in text.lower().split())


def _describe_dim(source: EmbeddingSource, dim: int) -> dict[str, Any]:
    files = source.candidates(dim) if isinstance(source, RemoteSource) else ()
    download = source.download_size(dim)
    folder = source.store_path(dim)
    in_cache = _is_readable(folder)
    store_size = cache.size(folder) if in_cache else source.store_size(dim)
    at_most = None
    if files and download is None:
        bounds = [_largest_download(part) for part in files[0].all_files]
        at_most = sum(bound for bound in bounds if bound is not None) if None not in bounds else None
    return {
        "dim": dim,
        "words": _count_words(folder) if in_cache else source.vocab_size,
        "download_bytes": download,
        "download_bytes_at_most": at_most,
        "store_bytes": store_size,
        "store": str(folder) if in_cache else None,
        "candidates": [
            {"url": shown_url(part.url), "member": part.member, "hash": part.known_hash, "size": part.size}
            for file in files
            for part in file.all_files
        ],
    }


def _is_readable(folder: Path) -> bool:
    """Return whether there is a store, as far as this user may know."""
    try:
        return cache.exists(folder)
    except StoreError:
        return False


def _largest_download(file: RemoteFile) -> int | None:
    """Return the most bytes that a file may take to download: a member is compressed in its archive."""
    sizes = (file.size, file.archive_size) if file.member else (file.size,)
    return min((size for size in sizes if size is not None), default=None)


def _count_words(store: Path) -> int | None:
    """Return the number of words in a store; None if its manifest is damaged."""
    with suppress(OSError, ValueError):
        return int(read_manifest(store)["rows"])
    return None
