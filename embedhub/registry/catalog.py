"""Catalog of sources: their metadata as plain data, for listings, pages and bibliographies."""

import re
from pathlib import Path
from typing import Any

from embedhub.registry.registry import as_source, sources
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource

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
    return [
        entry
        for name, providers in sources().providers().items()
        for provider, source in sorted(providers.items())
        if _wanted(
            entry := _safely(name, source, provider) | {"clash": len(providers) > 1}, language, text or ""
        )
    ]


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
        ``name``, ``description``, ``language``, ``cased``, ``words``, ``license``, ``citation``,
        ``homepage``, ``fallbacks``, ``provider``; and ``dims``, which has for each dimension
        ``download_bytes`` and ``download_bytes_at_most`` (the inflated size, if only that is known),
        ``store_bytes`` (measured if it is in the cache, else estimated), ``store`` (its folder, or None), and
        the ``candidates`` with ``url``, ``member``, ``hash``, ``size``. Unknown values are None.

    Raises:
        SourceNotFoundError: No source has that name.
    """
    if not isinstance(source, EmbeddingSource):
        source = as_source(source)
    if provider is None and source.name in sources() and sources()[source.name] is source:
        provider = sources().provider(source.name)
    return {
        "name": source.name,
        "description": source.description,
        "language": source.language,
        "cased": source.cased,
        "words": source.vocab_size,
        "license": source.license,
        "citation": source.citation,
        "homepage": source.homepage,
        "fallbacks": [step if isinstance(step, str) else step.__name__ for step in source.fallbacks],
        "provider": provider,
        "dims": [_describe_dim(source, dim) for dim in source.dims],
    }


def bibtex(source: str | Path | EmbeddingSource) -> str:
    """Return an entry for a bibliography.

    A citation in BibTeX is returned unchanged. Any other becomes the note of a ``@misc``: its parts are not
    guessed, since a wrong author is worse than a plain note.

    Example:
        >>> from embedhub.registry.catalog import bibtex
        >>> print(bibtex("wordnet-ppmi").splitlines()[0])
        @misc{wordnet-ppmi,

    Args:
        source: A registered name, a path, or an `EmbeddingSource`.
    """
    if not isinstance(source, EmbeddingSource):
        source = as_source(source)
    if source.citation.lstrip().startswith("@"):
        return source.citation.strip()
    year = _YEAR.findall(source.citation)
    fields = {
        "title": f"{{{_escaped(f'{source.name}: {source.description}')}}}",
        "note": _escaped(source.citation),
        "year": year[0] if len(set(year)) == 1 else "",
        "howpublished": rf"\url{{{source.homepage}}}" if source.homepage else "",
    }
    lines = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items() if value)
    return f"@misc{{{source.name},\n{lines}}}"


def _escaped(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _safely(name: str, source: EmbeddingSource, provider: str) -> dict[str, Any]:
    # A source with code of its own may fail in any way, and must not break the listing.
    try:
        return describe(source, provider)
    except Exception as error:  # noqa: BLE001
        return {"name": name, "provider": provider, "error": f"{type(error).__name__}: {error}"}


def _wanted(entry: dict[str, Any], language: str | None, text: str) -> bool:
    if language is not None and str(entry.get("language", "")).lower() != language.lower():
        return False
    fields = ("name", "description", "license", "citation", "homepage", "provider")
    known = " ".join(str(entry.get(field) or "") for field in fields).lower()
    return all(word in known for word in text.lower().split())


def _describe_dim(source: EmbeddingSource, dim: int) -> dict[str, Any]:
    files = source.files.get(dim, ()) if isinstance(source, RemoteSource) else ()
    download = source.download_size(dim)
    folder = source.store_path(dim)
    in_cache = folder.exists()
    inflated = [part.size for part in files[0].all_files] if files else [None]
    size = sum(file.stat().st_size for file in folder.iterdir()) if in_cache else source.store_size(dim)
    return {
        "dim": dim,
        "download_bytes": download,
        "download_bytes_at_most": None
        if download is not None or None in inflated
        else sum(size for size in inflated if size is not None),
        "store_bytes": size,
        "store": str(folder) if in_cache else None,
        "candidates": [
            {"url": part.url, "member": part.member, "hash": part.known_hash, "size": part.size}
            for file in files
            for part in file.all_files
        ],
    }
