"""The commands list, info and download: sources, their details, and their vectors."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

import embedhub
from embedhub import _cache as cache
from embedhub.cli.app import (
    Dims,
    Json,
    Name,
    app,
    format_bytes,
    format_disk,
    format_download,
    format_table,
    print_message,
    print_result,
)
from embedhub.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence


@app.command("list")
def list_sources(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Only sources with this in name, description or license."),
    ] = None,
    language: Annotated[str | None, typer.Option(help="Only sources of this language, such as de.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the sources, with a line for each dimension, without the network.

    "~" marks an estimate, "<" an upper limit, "?" an unknown number. A narrow
    terminal shows fewer columns.

    Examples:
      embedhub list
      embedhub list wikipedia --language de
      embedhub list --json
    """
    from embedhub.registry.catalog import list_sources

    entries = list_sources(language=language, text=" ".join(text or ()))
    for problem in embedhub.sources().plugins.problems:
        if problem.silent:  # there is a warning of the others
            print_message("Warning", str(problem))
    print_result(
        entries,
        lambda: format_table(
            ["name", "dim", "words", "language", "case", "download", "disk", "cached", "license", "provider"],
            [row for entry in entries for row in _rows(entry)],
            right_aligned=["dim", "words", "download", "disk"],
            optional_columns=["provider", "license", "case", "language", "cached"],
        ),
        as_json=as_json,
    )
    if not entries and not as_json:
        typer.echo(
            "No source matches; plugins add more. `embedhub list` shows all that are installed.", err=True
        )


def _rows(entry: dict[str, Any]) -> list[list[str]]:
    if "error" in entry:
        return [[entry["name"], *["?"] * 7, f"broken: {entry['error']}", entry["provider"]]]
    clash = " (a clash: see embedhub info)" if entry["clash"] else ""
    return [
        [
            entry["name"],
            str(dim["dim"]),
            _format_count(dim["words"]),
            entry["language"],
            _format_case(cased=entry["cased"]),
            *_sizes(dim),
            "yes" if dim["store"] else "no",
            entry["license"],
            f"{entry['provider']}{clash}",
        ]
        for dim in entry["dims"]
    ]


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


@app.command()
def info(
    name: Name,
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

    if bibtex:
        typer.echo(catalog.bibtex(name))
        return
    providers = embedhub.sources().providers().get(name, {})
    if len(providers) > 1:
        entries = [catalog.describe(source, provider) for provider, source in sorted(providers.items())]
        print_result(entries, lambda: "\n".join(map(_describe, entries)), as_json=as_json)
        embedhub.sources()[name]  # raises the error of the clash
    entry = catalog.describe(name)
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
        "provider": entry["provider"] or "a file of yours",
    }
    lines = [f"{entry['name']}: {entry['description']}"]
    lines += [f"  {label:<10} {value}" for label, value in details.items()]
    for dim in entry["dims"]:
        place = f"in the cache: {dim['store']}" if dim["store"] else "not in the cache"
        download, disk = _sizes(dim)
        lines.append(f"  dim {dim['dim']}: download {download}, on disk {disk}, {place}")
        for candidate in dim["candidates"]:
            member = f"#{candidate['member']}" if candidate["member"] else ""
            size = f"{candidate['size']:,} bytes" if candidate["size"] else "size unknown"
            lines.append(f"    {candidate['url']}{member}")
            lines.append(f"      {size}, {candidate['hash'] or 'no published hash'}")
    return "\n".join(lines)


@app.command()
def download(name: Name, dims: Dims = None, *, as_json: Json = False) -> None:
    """Download vectors and build their local stores, for later offline use.

    Stores that exist already are kept. A source with one dimension, such as a
    file, needs no DIM.

    Examples:
      embedhub download glove-6b 50 100
      embedhub download ./my-vectors.vec
      EMBEDHUB_CACHE=/shared/embedhub embedhub download glove-6b 300
    """
    from embedhub.registry.registry import resolve

    # All dimensions are checked before the first download.
    requested: Sequence[int | None] = dims or [None]
    selected = [resolve(name, dim) for dim in requested]
    results = []
    for source, dim in selected:
        start = time.perf_counter()
        folder = source.store_path(dim)
        built = not cache.exists(folder)
        vectors = embedhub.load(name, dim)
        seconds = time.perf_counter() - start
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
