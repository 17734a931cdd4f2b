"""The commands cache list, verify, repair, remove, forget and path."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedhub._url import shown_url
from embedhub.cli.app import (
    CACHE,
    Json,
    app,
    complete_sources,
    format_bytes,
    format_table,
    print_result,
)
from embedhub.errors import EmbedhubError

if TYPE_CHECKING:
    from embedhub.registry.inventory import CachedStore, CacheFile

cache = typer.Typer(help="Manage the stores and downloads in the cache.", no_args_is_help=True)
app.add_typer(cache, name="cache", rich_help_panel=CACHE)

StoredSource = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE",
        help="Only the stores of this source: a name, a path or a URL, as in glove-6b:50.",
        autocompletion=complete_sources,
        show_default=False,
    ),
]


@cache.command()
def path() -> None:
    """Print the cache folder, which EMBEDHUB_CACHE sets.

    Examples:
      du -sh "$(embedhub cache path)"
    """
    from embedhub import settings

    typer.echo(settings.cache_folder())


@cache.command("list")
def list_stores(source: StoredSource = None, *, as_json: Json = False) -> None:
    """List the stores, partial downloads, and the leftovers of interrupted builds.

    A store is "current" if its source opens it, "outdated" if the files of its
    source have changed, and "unknown" if no installed source has its name.

    Examples:
      embedhub cache list
      embedhub cache list glove-6b --json
    """
    from embedhub import settings
    from embedhub.registry import inventory
    from embedhub.registry.stored_handles import find_stores

    found = find_stores(source) if source else inventory.list_stores()
    stores = [store.to_dict() for store in found]
    files = {"downloads": inventory.downloads(), "leftovers": inventory.incomplete()} if not source else {}
    print_result(
        {"folder": str(settings.cache_folder()), "stores": stores}
        | {kind: [file.to_dict() for file in of_kind] for kind, of_kind in files.items()},
        lambda: _format_stores(stores, files),
        as_json=as_json,
    )


def _format_stores(stores: list[dict[str, Any]], files: dict[str, list["CacheFile"]]) -> str:
    rows = [
        [
            store["handle"],
            str(store["dim"]),
            "?" if store["rows"] is None else f"{store['rows']:,}",
            format_bytes(store["bytes"]),
            (store["built"] or "?")[:10],
            store["state"],
            store["origin"] or "?",
        ]
        for store in stores
    ]
    table = format_table(
        ["name", "dim", "words", "disk", "built", "state", "from"],
        rows,
        right_aligned=["dim", "words", "disk"],
        optional_columns=["from", "built"],
    )
    lines = [table, f"stores: {len(stores)}, {format_bytes(sum(store['bytes'] for store in stores))}"]
    for kind, of_kind in files.items():
        if of_kind:
            lines.append(f"{kind}: {len(of_kind)}, {format_bytes(sum(file.size for file in of_kind))}")
    return "\n".join(lines)


def _select(source: str | None) -> list["CachedStore"]:
    """Return the stores of a source, or all stores; raise StoreError if a source has none."""
    from embedhub import settings
    from embedhub.errors import StoreError
    from embedhub.registry import inventory
    from embedhub.registry.stored_handles import find_stores

    stores = inventory.list_stores() if source is None else find_stores(source)
    if source is not None and not stores:
        raise StoreError(
            f"There is no store of {shown_url(source)} in {settings.cache_folder()}. `embedhub cache "
            "list` shows all."
        )
    return stores


@cache.command()
def verify(source: StoredSource = None, *, as_json: Json = False) -> None:
    """Verify the stores by comparing each file with its hash in the manifest.

    The exit code is 1 if a store is damaged, or cannot be read. `embedhub cache
    repair` rebuilds damaged stores.

    Examples:
      embedhub cache verify
      embedhub cache verify glove-6b:300
    """
    _verify(source, rebuild=False, as_json=as_json)


@cache.command()
def repair(source: StoredSource = None, *, as_json: Json = False) -> None:
    """Verify the stores, and rebuild the damaged ones.

    A damaged store is kept until the new one is complete. The exit code is 1 if a
    store could not be repaired.

    Examples:
      embedhub cache repair
      embedhub cache repair glove-6b:300
    """
    _verify(source, rebuild=True, as_json=as_json)


def _verify(source: str | None, *, rebuild: bool, as_json: bool) -> None:
    """Verify the stores, rebuild the damaged ones if requested, and print the outcome for each."""
    from embedhub.registry import inventory

    results = []
    for store, faults in inventory.verify(_select(source)).items():
        unreadable = any(fault.is_refusal for fault in faults)
        outcome, problem = "unreadable" if unreadable else "damaged" if faults else "intact", None
        if faults and rebuild:
            try:
                inventory.repair(store, faults)
                outcome = "repaired"
            except EmbedhubError as error:
                problem = str(error)
        findings = {"faults": [str(fault) for fault in faults], "outcome": outcome, "problem": problem}
        results.append(store.to_dict() | findings)
    print_result(
        results, lambda: "\n".join(map(_describe, results)) or "There are no stores.", as_json=as_json
    )
    if any(result["outcome"] in {"damaged", "unreadable"} for result in results):
        raise typer.Exit(1)


def _describe(result: dict[str, Any]) -> str:
    line = f"{result['name']} {result['dim']}d: {result['outcome']}"
    if result["outcome"] == "intact":
        return f"{line} ({format_bytes(result['bytes'])})"
    if result["outcome"] in {"damaged", "unreadable"}:
        return f"{line}: {result['problem'] or '; '.join(result['faults']) + ': ' + result['store']}"
    return line


@cache.command()
def remove(
    source: StoredSource = None,
    *,
    remove_all: Annotated[
        bool, typer.Option("--all", help="Remove all stores, partial downloads and leftovers.")
    ] = False,
    downloads: Annotated[
        bool,
        typer.Option("--downloads", help="Remove partial downloads, and leftovers of interrupted builds."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove stores or downloads, after confirmation.

    Programs that have a store open keep working; on Windows they prevent its
    removal. Downloads and builds in progress are kept.

    Examples:
      embedhub cache remove glove-6b:300
      embedhub cache remove --downloads --yes
      embedhub cache remove --all
    """
    from embedhub.registry import inventory

    if remove_all and source is not None:
        raise typer.BadParameter("--all and SOURCE exclude each other.")
    if not (remove_all or downloads or source):
        raise typer.BadParameter("expected a SOURCE, --downloads or --all.")
    stores = _select(source) if remove_all or source else []
    files = [*inventory.downloads(), *inventory.incomplete()] if remove_all or downloads else []
    for store in stores:
        typer.echo(f"{store.handle} {store.dim}d, {format_bytes(store.size)}: {store.folder}")
    for file in files:
        typer.echo(f"{format_bytes(file.size)}: {file.path}")
    if not stores and not files:
        typer.echo("There is nothing to remove.")
        return
    if not yes and not _confirm("Remove this? [y/N] "):
        typer.echo("Nothing was removed.", err=True)
        raise typer.Exit(1)
    for store in stores:
        inventory.remove(store)
    locked = [str(file.path) for file in files if not inventory.remove_file(file)]
    typer.echo(f"Removed, except files in use: {', '.join(locked)}" if locked else "Removed.")


@cache.command()
def forget(
    location: Annotated[
        str, typer.Argument(metavar="URL", help="URL of the file, as messages show it.", show_default=False)
    ],
) -> None:
    """Forget the remembered hash of a file without a published hash.

    The next download of the file is accepted, and its hash remembered. Existing
    stores are kept.

    Examples:
      embedhub cache forget https://example.org/vectors.txt
      embedhub cache forget "https://example.org/vectors.zip#vectors.txt"
    """
    from embedhub.download.remembered import forget_hash

    typer.echo(f"Forgotten: {forget_hash(location)}")


def _confirm(question: str) -> bool:
    # Not typer.confirm: it writes a space to stdout, even if it asks on stderr.
    typer.echo(question, err=True, nl=False)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
