"""Commands that tell what there is, and bring it: list, info, download."""

import time
from typing import Annotated, Any

import typer

import embedhub
from embedhub.cli.app import (
    Dims,
    Json,
    Name,
    app,
    format_bytes,
    format_disk,
    format_download,
    format_table,
    print_result,
)


@app.command("list")
def list_sources(
    text: Annotated[
        list[str] | None, typer.Argument(help="Only sources whose name, description or licence has this.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Only sources of this language, such as de.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the sources, with a line for each dim. It asks nobody on the network.

    "~" is about so much, "<" is less than that, "?" is not known.
    A narrow terminal shows fewer columns.

    Examples:
      embedhub list
      embedhub list wikipedia --language de
      embedhub list --json
    """
    from embedhub.registry.catalog import catalogue

    entries = catalogue(language=language, text=" ".join(text or ()))
    print_result(
        entries,
        lambda: format_table(
            ["name", "dim", "words", "language", "case", "download", "disk", "cached", "licence", "provider"],
            [row for entry in entries for row in _rows(entry)],
            right_aligned=["dim", "words", "download", "disk"],
            optional_columns=["provider", "licence", "case", "language", "cached"],
        ),
        as_json=as_json,
    )
    if not entries and not as_json:
        typer.echo("No source is like that; `embedhub list` shows all. More come with plugins.", err=True)


def _rows(entry: dict[str, Any]) -> list[list[str]]:
    if "error" in entry:
        return [[entry["name"], *["?"] * 7, f"broken: {entry['error']}", entry["provider"]]]
    clash = " (a clash: see embedhub info)" if entry["clash"] else ""
    return [
        [
            entry["name"],
            str(dim["dim"]),
            "?" if entry["words"] is None else f"{entry['words']:,}",
            entry["language"],
            "cased" if entry["cased"] else "uncased",
            *_sizes(dim),
            "yes" if dim["store"] else "no",
            entry["license"],
            f"{entry['provider']}{clash}",
        ]
        for dim in entry["dims"]
    ]


def _sizes(dim: dict[str, Any]) -> tuple[str, str]:
    """Return what a fetch brings, and what the store takes."""
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
    """Tell all that is known of a source: sizes, addresses, pins, licence, whom to cite.

    Examples:
      embedhub info glove-6b
      embedhub info ./my-vectors.vec
      embedhub info glove-6b --bibtex >> paper.bib
    """
    from embedhub.registry import catalog as catalogue

    providers = embedhub.sources().providers().get(name, {})
    if len(providers) > 1 and not bibtex:
        print_result(
            [catalogue.facts(source, provider) for provider, source in sorted(providers.items())],
            lambda: _everything(
                *(catalogue.facts(source, provider) for provider, source in sorted(providers.items()))
            ),
            as_json=as_json,
        )
        embedhub.sources()[name]  # raises what every other use of the name would
    if bibtex:
        typer.echo(catalogue.bibtex(name))
        return
    entry = catalogue.facts(name)
    print_result(entry, lambda: _everything(entry), as_json=as_json)


def _everything(*entries: dict[str, Any]) -> str:
    lines = []
    for entry in entries:
        lines.append(f"{entry['name']}: {entry['description']}")
        lines += [
            f"  {label:<10} {value}"
            for label, value in (
                ("language", entry["language"]),
                ("words", "?" if entry["words"] is None else f"{entry['words']:,}"),
                ("case", "cased" if entry["cased"] else "uncased"),
                ("fallbacks", ", ".join(entry["fallbacks"]) or "none"),
                ("licence", entry["license"] or "?"),
                ("cite", entry["citation"] or "?"),
                ("read more", entry["homepage"] or "?"),
                ("provider", entry["provider"] or "a file of yours"),
            )
        ]
        for dim in entry["dims"]:
            where = f"in the cache: {dim['store']}" if dim["store"] else "not in the cache"
            brought, taken = _sizes(dim)
            lines.append(f"  dim {dim['dim']}: download {brought}, on disk {taken}, {where}")
            for candidate in dim["candidates"]:
                member = f"#{candidate['member']}" if candidate["member"] else ""
                size = f"{candidate['size']:,} bytes" if candidate["size"] else "size unknown"
                lines.append(f"    {candidate['url']}{member}")
                lines.append(f"      {size}, {candidate['hash'] or 'no hash is published'}")
    return "\n".join(lines)


@app.command()
def download(name: Name, dims: Dims = None, *, as_json: Json = False) -> None:
    """Bring the vectors of a source and build their stores, so that later uses need no network.

    What is there already is not brought again. A source with one dim, such as
    a file, needs no DIM.

    Examples:
      embedhub download glove-6b 50 100
      embedhub download ./my-vectors.vec
      EMBEDHUB_CACHE=/shared/embedhub embedhub download glove-6b 300
    """
    from embedhub.registry.registry import as_source

    source = as_source(name)
    wanted = dims or (source.dims if len(source.dims) == 1 else ())
    if not wanted:
        raise typer.BadParameter(
            f"{name} comes in several dims; say which: {' '.join(map(str, source.dims))}"
        )
    for dim in wanted:
        source.check_dim(dim)  # all of them, before the first download
    done = []
    for dim in wanted:
        began = time.perf_counter()
        folder = source.store_path(dim)
        there = folder.exists()
        vectors = embedhub.load(name, dim)
        seconds = time.perf_counter() - began
        size = sum(file.stat().st_size for file in folder.iterdir())
        done.append(
            {
                "name": source.name,
                "dim": dim,
                "rows": len(vectors),
                "store": str(folder),
                "bytes": size,
                "built": not there,
                "seconds": round(seconds, 3),
            }
        )
        if not as_json:
            how = "there already" if there else f"built in {seconds:.1f} s"
            typer.echo(f"{source.name} {dim}d: {len(vectors):,} words, {format_bytes(size)}, {how}: {folder}")
    if as_json:
        print_result(done, lambda: "", as_json=True)
