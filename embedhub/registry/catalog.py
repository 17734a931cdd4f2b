"""Catalog of sources: their metadata as plain data, for listings, pages and bibliographies."""

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from embedhub import _cache as cache
from embedhub._json import CONTENT_ERRORS
from embedhub._url import shown_url
from embedhub.download.remote_file import RemoteFile
from embedhub.errors import StoreError
from embedhub.registry.failure import describe as describe_failure
from embedhub.registry.limited_source import LimitedSource
from embedhub.registry.loading import get_source, is_registered
from embedhub.registry.registry import sources
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.fingerprint import fingerprint, stored_digests
from embedhub.vectors.store import read_manifest

_MIN_FAMILY = 3
_SAME = ("provider", "cased", "unit", "license", "citation")
"""Metadata that all sources of a family share, besides their dimensions."""

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
    metadata cannot be read has the key ``error`` and few others.

    Example:
        >>> from embedhub.registry.catalog import list_sources
        >>> [entry["name"] for entry in list_sources(text="princeton")]
        ['wordnet-ppmi']

    Args:
        language: Only sources of this language: a BCP 47 code, as in ``"en"``.
        text: Only sources that contain all words of this text in their name, description, license, citation,
            homepage or provider, ignoring case.

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
        ``store_bytes`` (measured if it is in the cache, else estimated), ``store`` (its folder, or None),
        ``fingerprint`` (None without a store; see `embedhub.Vectors.fingerprint`), and the ``candidates``
        with ``url``, ``member``, ``hash``, ``size``. Unknown values are None. The ``words`` of the source are
        those of its first dimension in the cache, else those declared.

    Raises:
        SourceNotFoundError: No source has that name.
    """
    source = get_source(source)
    if provider is None and is_registered(source.whole if isinstance(source, LimitedSource) else source):
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


def families(entries: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return entries in groups: families of sources that differ only in their language, and single sources.

    Sources are a family if their names differ in one part, they have three or more languages, and they agree
    in provider, dimensions, case, unit, license and citation.

    Example:
        >>> from embedhub.registry.catalog import families, list_sources
        >>> [[entry["name"] for entry in family] for family in families(list_sources(text="princeton"))]
        [['wordnet-ppmi']]

    Args:
        entries: Results of `describe` or `list_sources`.
    """
    candidates: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for entry in entries:
        for key in _keys(entry):
            candidates.setdefault(key, []).append(entry)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for entry in entries:
        languages, key = max(
            ((len({one.get("language") for one in candidates[key]}), key) for key in _keys(entry)),
            key=lambda pair: pair[0],
        )
        groups.setdefault(key if languages >= _MIN_FAMILY else (id(entry),), []).append(entry)
    return list(groups.values())


def family_name(family: Sequence[dict[str, Any]]) -> str:
    """Return the name of a family, with a star for the language; of a single source, its name.

    Example:
        >>> from embedhub.registry.catalog import family_name
        >>> family_name([{"name": "fasttext-cc-de"}, {"name": "fasttext-cc-en"}])
        'fasttext-cc-*'

    Args:
        family: One of the groups of `families`.
    """
    first, last = family[0]["name"], family[-1]["name"]
    if first == last:
        return str(first)
    (name,) = set(_patterns(first)) & set(_patterns(last))
    return name


def family_description(family: Sequence[dict[str, Any]]) -> str:
    """Return the common description of a family, with dots where the descriptions differ.

    Example:
        >>> from embedhub.registry.catalog import family_description
        >>> family = [{"description": f"Texts in {name}, cased"} for name in ("German", "Thai")]
        >>> family_description(family)
        'Texts in ..., cased'

    Args:
        family: One of the groups of `families`.
    """
    texts = sorted({entry["description"] for entry in family})
    if len(texts) == 1:
        return str(texts[0])
    parts = [re.findall(r"\w+|\W", text) for text in texts]
    start = _common(parts)
    end = _common([part[: len(start) - 1 : -1] if start else part[::-1] for part in parts])[::-1]
    return f"{''.join(start)}...{''.join(end)}"


def _common(texts: Sequence[Sequence[str]]) -> list[str]:
    """Return the leading parts that all texts share."""
    columns = zip(*texts, strict=False)
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]


def _keys(entry: dict[str, Any]) -> list[tuple[Any, ...]]:
    dims = tuple(dim["dim"] for dim in entry.get("dims", ()))
    same = [entry.get(field) for field in _SAME]
    return [(dims, *same, pattern) for pattern in _patterns(entry["name"])]


def _patterns(name: str) -> list[str]:
    """Return a name with a star in place of each of its parts."""
    parts = name.split("-")
    return ["-".join([*parts[:i], "*", *parts[i + 1 :]]) for i in range(len(parts))]


def bibtex(source: str | Path | EmbeddingSource) -> str:
    """Return a BibTeX entry for a source.

    It is the ``bibtex`` of the source. Without one, the citation becomes the note of a ``@misc``, since
    guessed authors might be wrong.

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
    whole = source.whole if isinstance(source, LimitedSource) else source
    files = whole.candidates(dim) if isinstance(whole, RemoteSource) else ()
    download = source.download_size(dim)
    folder = source.store_path(dim)
    in_cache = _is_readable(folder)
    words, of_store = _read_store(folder) if in_cache else (source.vocab_size, None)
    store_size = cache.size(folder) if in_cache else source.store_size(dim)
    at_most = None
    if files and download is None:
        bounds = [_largest_download(part) for part in files[0].all_files]
        at_most = sum(bound for bound in bounds if bound is not None) if None not in bounds else None
    return {
        "dim": dim,
        "words": words,
        "download_bytes": download,
        "download_bytes_at_most": at_most,
        "store_bytes": store_size,
        "store": str(folder) if in_cache else None,
        "fingerprint": of_store,
        "candidates": [
            {"url": shown_url(part.url), "member": part.member, "hash": part.known_hash, "size": part.size}
            for file in files
            for part in file.all_files
        ],
    }


def _is_readable(folder: Path) -> bool:
    """Return whether the store exists and this user can read its folder."""
    try:
        return cache.exists(folder)
    except StoreError:
        return False


def _largest_download(file: RemoteFile) -> int | None:
    """Return an upper bound of the bytes to download for a file; a member is compressed in its archive."""
    sizes = (file.size, file.archive_size) if file.member else (file.size,)
    return min((size for size in sizes if size is not None), default=None)


def _read_store(store: Path) -> tuple[int | None, str | None]:
    """Return the number of words in a store and their fingerprint; None if its manifest is damaged."""
    with suppress(OSError, *CONTENT_ERRORS):
        manifest = read_manifest(store)
        return int(manifest["rows"]), fingerprint(stored_digests(manifest["xxh3_128"]))
    return None, None
