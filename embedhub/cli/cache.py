"""Commands about what is on disk: cache list, verify, repair, remove, path."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedhub.cli.app import (
    App,
    Json,
    app,
    complete_dims,
    complete_names,
    format_bytes,
    format_table,
    print_result,
)
from embedhub.errors import EmbedhubError

if TYPE_CHECKING:
    from embedhub.registry.inventory import Fault, Rest, Store

cache = App(help="What is on disk: list it, verify it, repair it, remove it.")
app.add_typer(cache, name="cache")

SomeName = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Only the stores of this source.", autocompletion=complete_names),
]
SomeDim = Annotated[
    int | None,
    typer.Argument(metavar="DIM", help="Only the store of this dim.", autocompletion=complete_dims),
]


@cache.command()
def path() -> None:
    """Write the cache folder; EMBEDHUB_CACHE moves it.

    Examples:
      du -sh "$(embedhub cache path)"
    """
    from embedhub import settings

    typer.echo(settings.cache_folder())


@cache.command("list")
def list_stores(name: SomeName = None, dim: SomeDim = None, *, as_json: Json = False) -> None:
    """List the stores, and what is left of downloads and of builds that were killed.

    A store is current if its source would open it, outdated if its source is of
    other bytes by now, unknown if no installed source has its name.

    Examples:
      embedhub cache list
      embedhub cache list glove-6b --json
    """
    from embedhub import settings
    from embedhub.registry import inventory as stores

    found = [store.to_dict() for store in stores.stored(name, dim)]
    rests = {"downloads": stores.downloads(), "leftovers": stores.leftovers()} if name is None else {}
    print_result(
        {"folder": str(settings.cache_folder()), "stores": found}
        | {kind: [rest.to_dict() for rest in some] for kind, some in rests.items()},
        lambda: _listing(found, rests),
        as_json=as_json,
    )


def _listing(found: list[dict[str, Any]], rests: dict[str, list["Rest"]]) -> str:
    rows = [
        [
            store["name"],
            str(store["dim"]),
            "?" if store["rows"] is None else f"{store['rows']:,}",
            format_bytes(store["bytes"]),
            (store["built"] or "?")[:10],
            store["state"],
            store["origin"] or "?",
        ]
        for store in found
    ]
    columns = ["name", "dim", "rows", "disk", "built", "state", "from"]
    parts = [
        format_table(columns, rows, right_aligned=["dim", "rows", "disk"], optional_columns=["from", "built"])
    ]
    parts.append(f"stores: {len(found)}, {format_bytes(sum(store['bytes'] for store in found))}")
    for kind, some in rests.items():
        if some:
            parts.append(f"{kind}: {len(some)}, {format_bytes(sum(rest.size for rest in some))}")
    return "\n".join(parts)


def _chosen(name: str | None, dim: int | None) -> list["Store"]:
    """Return the stores that are meant; a name without a store is an error."""
    from embedhub import settings
    from embedhub.errors import StoreError
    from embedhub.registry import inventory as stores

    found = stores.stored(name, dim)
    if name is not None and not found:
        wanted = name if dim is None else f"{name} {dim}d"
        raise StoreError(
            f"There is no store of {wanted} in {settings.cache_folder()}; `embedhub cache list` shows all."
        )
    return found


@cache.command()
def verify(name: SomeName = None, dim: SomeDim = None, *, as_json: Json = False) -> None:
    """Read the stores whole, and compare every file with its digest in the manifest.

    The exit code is 1 if one is damaged; `embedhub cache repair` makes it whole.

    Examples:
      embedhub cache verify
      embedhub cache verify glove-6b 300
    """
    from embedhub.registry import inventory as stores

    found = stores.verify(_chosen(name, dim))
    print_result(
        [store.to_dict() | {"faults": [str(fault) for fault in faults]} for store, faults in found.items()],
        lambda: (
            "\n".join(_verdict(store, faults) for store, faults in found.items()) or "There are no stores."
        ),
        as_json=as_json,
    )
    if any(found.values()):
        raise typer.Exit(1)


def _verdict(store: "Store", faults: list["Fault"]) -> str:
    label = f"{store.name} {store.dim}d"
    if not faults:
        return f"{label}: whole ({format_bytes(store.size)})"
    return f"{label}: damaged: {'; '.join(map(str, faults))}: {store.folder}"


@cache.command()
def repair(name: SomeName = None, dim: SomeDim = None, *, as_json: Json = False) -> None:
    """Verify the stores, and build the damaged ones anew.

    A damaged store stays until the new one is whole, so nothing is lost where the
    network is down. The exit code is 1 if one could not be repaired.

    Examples:
      embedhub cache repair
      embedhub cache repair glove-6b 300
    """
    from embedhub.registry import inventory as stores

    results: list[dict[str, Any]] = []
    for store, faults in stores.verify(_chosen(name, dim)).items():
        problem = None
        if faults:
            try:
                stores.repair(store, faults)
            except EmbedhubError as error:
                problem = str(error)
        outcome = "whole" if not faults else "repaired" if problem is None else "damaged"
        results.append(
            {
                "name": store.name,
                "dim": store.dim,
                "store": str(store.folder),
                "faults": [str(fault) for fault in faults],
                "outcome": outcome,
                "problem": problem,
            }
        )
    print_result(results, lambda: _outcomes(results), as_json=as_json)
    if any(each["problem"] for each in results):
        raise typer.Exit(1)


def _outcomes(results: list[dict[str, Any]]) -> str:
    lines = [
        f"{each['name']} {each['dim']}d: {each['outcome']}"
        + (f": {each['problem']}" if each["problem"] else "")
        for each in results
    ]
    return "\n".join(lines) or "There are no stores."


@cache.command()
def remove(
    name: SomeName = None,
    dim: SomeDim = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All stores, downloads and leftovers.")] = False,
    downloads: Annotated[
        bool, typer.Option("--downloads", help="What is left of downloads, and of builds that were killed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove stores or downloads, after asking.

    A program that has a store open keeps working; on Windows the store stays
    until that program ends. What is being fetched or built just now stays.

    Examples:
      embedhub cache remove glove-6b 300
      embedhub cache remove --downloads --yes
      embedhub cache remove --all
    """
    from embedhub.registry import inventory as stores

    if everything and name is not None:
        raise typer.BadParameter("--all goes with no NAME.")
    if not (everything or downloads or name):
        raise typer.BadParameter("Say what: a NAME, --downloads or --all.")
    chosen = _chosen(name, dim) if everything or name else []
    rests = [*stores.downloads(), *stores.leftovers()] if everything or downloads else []
    for each in chosen:
        typer.echo(f"{each.name} {each.dim}d, {format_bytes(each.size)}: {each.folder}")
    for rest in rests:
        typer.echo(f"{format_bytes(rest.size)}: {rest.path}")
    if not chosen and not rests:
        typer.echo("There is nothing to remove.")
        return
    if not yes and not _agreed("Remove this? [y/N] "):
        typer.echo("Nothing was removed.", err=True)
        raise typer.Exit(1)
    for each in chosen:
        stores.remove(each)
    busy = [rest.path for rest in rests if not stores.remove_rest(rest)]
    typer.echo("Removed." if not busy else f"Removed, but for what is in use: {', '.join(map(str, busy))}")


def _agreed(question: str) -> bool:
    # Not typer.confirm: it writes a blank to stdout, even where it asks on stderr.
    typer.echo(question, err=True, nl=False)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
