"""The commands list, info and download: sources, their details, and their vectors."""

import shutil
import sys
import textwrap
import time
from typing import Annotated, Any

import typer

import embedhub
from embedhub import _cache as cache
from embedhub.cli.app import (
    CHOOSE,
    USE,
    Json,
    Source,
    Sources,
    app,
    format_bytes,
    format_disk,
    format_download,
    format_table,
    print_message,
    print_result,
)
from embedhub.errors import StoreError
from embedhub.registry.unknown_names import DISTRIBUTIONS


@app.command("list", rich_help_panel=CHOOSE)
def list_sources(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Only sources with this in name, description or license."),
    ] = None,
    language: Annotated[str | None, typer.Option(help="Only sources of this language, such as de.")] = None,
    *,
    show_all: Annotated[bool, typer.Option("--all", help="A line for each source of a family.")] = False,
    as_json: Json = False,
) -> None:
    """List the sources, without the network.

    Sources that differ in their language only are one line, a family.
    A terminal shows the columns for which it is wide enough. A pipe gets one
    line for each: name, dims, words, language, download, cached, description,
    with two or more spaces between. --json has all details, and no families.

    Examples:
      embedhub list
      embedhub list wikipedia --language de
      embedhub list fasttext-cc --all
    """
    from embedhub.registry import catalog

    entries = catalog.list_sources(language=language, text=" ".join(text or ()))
    groups = [[entry] for entry in entries] if show_all else catalog.families(entries)
    for problem in embedhub.sources().plugins.problems:
        if problem.silent:  # there is a warning of the others
            print_message("Warning", str(problem))
    rows = [_row(family) for family in groups]
    columns = [name for name in _COLUMNS if sys.stdout.isatty() or name not in _TERMINAL_ONLY]
    print_result(
        entries,
        lambda: format_table(
            columns,
            [[row[name] for name in columns] for row in rows],
            right_aligned=["words", "download"],
            optional_columns=[*_TERMINAL_ONLY, "cached", "download", "language", "words"],
            wrapped_columns=["description"],
        ),
        as_json=as_json,
    )
    if not entries and not as_json:
        typer.echo(
            "No source matches; plugins add more. `embedhub list` shows all that are installed.", err=True
        )
    elif sys.stdout.isatty() and not as_json and (more := _plugins_not_installed()):
        width = shutil.get_terminal_size().columns
        line = f"More: plugins {', '.join(more)} (docs/catalog.md)"
        typer.echo(textwrap.fill(line, width, break_on_hyphens=False))


def _plugins_not_installed() -> list[str]:
    """Return the distributions of the project with sources that are not installed, or are disabled."""
    providers = embedhub.sources().plugins.providers("embedhub_sources")
    installed = {provider.partition(" ")[0] for provider in providers}
    return [name for name in DISTRIBUTIONS if name not in installed]


_COLUMNS = ("name", "dims", "words", "language", "download", "cached", "license", "provider", "description")
_TERMINAL_ONLY = ("provider", "license")
_MAX_DIMS = 4


def _row(family: list[dict[str, Any]]) -> dict[str, str]:
    """Return the cells of a source, or of a family of sources, by column."""
    from embedhub.registry import catalog

    first = family[0]
    if "error" in first:
        known = {name: first[name] for name in ("name", "provider")}
        description = f"broken: {first['error']} (plugin {first['provider']})"
        return dict.fromkeys(_COLUMNS, "?") | known | {"description": description}
    dims = [dim["dim"] for dim in first["dims"]]
    cells = {
        "name": first["name"],
        "dims": ", ".join(map(str, dims)) if len(dims) <= _MAX_DIMS else f"{dims[0]} to {dims[-1]}",
        "words": _format_count(first["words"]),
        "language": first["language"],
        "download": _format_downloads(first["dims"]),
        "cached": _format_cached(family),
        "license": first["license"],
        "provider": first["provider"],
        "description": first["description"] + (" (a clash: see embedhub info)" if first["clash"] else ""),
    }
    if len(family) > 1:
        languages = len({entry["language"] for entry in family})
        cells |= {
            "name": catalog.family_name(family),
            "words": "-",
            "language": f"{languages} of them",
            "download": "-",
            "description": catalog.family_description(family),
        }
    return cells


def _format_cached(family: list[dict[str, Any]]) -> str:
    """Return which dimensions of a source are in the cache, or how many sources of a family."""
    if len(family) > 1:
        return f"{sum(any(dim['store'] for dim in entry['dims']) for entry in family)} of {len(family)}"
    stored = [str(dim["dim"]) for dim in family[0]["dims"] if dim["store"]]
    return ", ".join(stored) or "no"


def _format_downloads(dims: list[dict[str, Any]]) -> str:
    """Return the size of the smallest download and, if it differs, that of the largest."""
    sizes = [format_download(dim["download_bytes"], dim["download_bytes_at_most"]) for dim in dims]
    return sizes[0] if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"


def _format_count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _format_case(*, cased: bool) -> str:
    return "cased" if cased else "uncased"


def _sizes(dim: dict[str, Any]) -> tuple[str, str]:
    """Return the size of a download, and that of the store."""
    return (
        format_download(dim["download_bytes"], dim["download_bytes_at_most"]),
        format_disk(dim["store_bytes"], measured=bool(dim["store"])),
    )


@app.command(rich_help_panel=CHOOSE)
def info(
    source: Source,
    *,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Write a BibTeX entry, and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """Show all details of a source: sizes, URLs, hashes, license, citation.

    Examples:
      embedhub info glove-6b
      embedhub info ./my-vectors.vec
      embedhub info glove-6b --bibtex >> paper.bib
    """
    from embedhub.registry import catalog
    from embedhub.registry.handle import parse_handle

    if bibtex:
        typer.echo(catalog.bibtex(source))
        return
    name = parse_handle(source).location
    providers = embedhub.sources().providers().get(name, {})
    if len(providers) > 1:
        entries = [catalog.describe(one, provider) for provider, one in sorted(providers.items())]
        print_result(entries, lambda: "\n".join(map(_describe, entries)), as_json=as_json)
        embedhub.sources()[name]  # raises the error of the clash
    entry = catalog.describe(source)
    print_result(entry, lambda: _describe(entry), as_json=as_json)


def _describe(entry: dict[str, Any]) -> str:
    details = {
        "language": entry["language"],
        "words": _format_count(entry["words"]),
        "unit": entry["unit"],
        "case": _format_case(cased=entry["cased"]),
        "fallbacks": ", ".join(entry["fallbacks"]) or "none",
        "license": entry["license"] or "?",
        "citation": entry["citation"] or "?",
        "homepage": entry["homepage"] or "?",
        "provider": entry["provider"] or "none: a file of yours, at a URL, or derived",
    }
    lines = [f"{entry['name']}: {entry['description']}"]
    lines += [f"  {label:<10} {value}" for label, value in details.items()]
    for dim in entry["dims"]:
        place = f"in the cache: {dim['store']}" if dim["store"] else "not in the cache"
        download, disk = _sizes(dim)
        lines.append(f"  dim {dim['dim']}: download {download}, on disk {disk}, {place}")
        if dim["fingerprint"]:
            lines.append(f"    fingerprint {dim['fingerprint']}")
        for candidate in dim["candidates"]:
            member = f"#{candidate['member']}" if candidate["member"] else ""
            size = f"{candidate['size']:,} bytes" if candidate["size"] else "size unknown"
            lines.append(f"    {candidate['url']}{member}")
            lines.append(f"      {size}, {candidate['hash'] or 'no published hash'}")
    return "\n".join(lines)


@app.command(rich_help_panel=USE)
def download(sources: Sources, *, as_json: Json = False) -> None:
    """Download vectors and build their local stores, for later offline use.

    Stores that exist already are kept.

    Examples:
      embedhub download glove-6b:50 glove-6b:100
      embedhub download ./my-vectors.vec
      EMBEDHUB_CACHE=/shared/embedhub embedhub download glove-6b:300
    """
    from embedhub.registry.loading import resolve

    # All are checked before the first download.
    selected = [resolve(source, None) for source in sources]
    results = []
    for source, dim in selected:
        start = time.perf_counter()
        built = not cache.exists(source.store_path(dim))
        vectors = embedhub.load(source, dim)
        seconds = time.perf_counter() - start
        folder = source.store_path(dim)  # of derived vectors it is known by now
        if not cache.exists(folder):
            raise StoreError(f"{folder}: this store could not be kept; `embedhub doctor` says why.")
        size = cache.size(folder)
        results.append(
            {
                "name": source.name,
                "dim": dim,
                "words": len(vectors),
                "store": str(folder),
                "bytes": size,
                "built": built,
                "seconds": round(seconds, 3),
            }
        )
        if not as_json:
            how = f"built in {seconds:.1f} s" if built else "in the cache already"
            typer.echo(f"{source.name} {dim}d: {len(vectors):,} words, {format_bytes(size)}, {how}: {folder}")
    if as_json:
        print_result(results, lambda: "", as_json=True)
