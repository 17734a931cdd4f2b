"""The command lock."""

from typing import Annotated

import typer

from embedhub.cli.app import USE, app, complete_sources, format_table


@app.command(rich_help_panel=USE)
def lock(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Sources that the project uses; by default those in the lock file.",
            autocompletion=complete_sources,
            show_default=False,
        ),
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if the vectors have changed.")
    ] = False,
) -> None:
    """Write what vectors a project uses to embedhub.lock, or check that.

    The file has the addresses, hashes, readers and license of each source, and
    the hashes of the words and vectors. In a folder with embedhub.lock, other
    vectors are an error; EMBEDHUB_LOCK names a file elsewhere, or is off.
    Sources that the file has already are kept. Without SOURCE all are renewed.

    Examples:
      embedhub lock glove-6b:50 ./my-vectors.vec
      embedhub lock --check
      embedhub lock
    """
    from embedhub.registry.locking import check_lock, write_lock

    if check:
        if sources:
            raise typer.BadParameter("--check is for all sources of the lock file; expected no SOURCE.")
        results = check_lock()
        for handle, difference in results.items():
            typer.echo(f"{handle}: {'unchanged' if difference is None else 'changed'}")
        differences = [difference for difference in results.values() if difference is not None]
        for difference in differences:
            typer.echo(difference, err=True)
        if differences:
            raise typer.Exit(1)
        return
    written = write_lock(sources or ())
    rows = [[one.handle, f"{one.words:,}", one.fingerprint, one.license] for one in written.vectors]
    typer.echo(format_table(["handle", "words", "fingerprint", "license"], rows, right_aligned=["words"]))
    typer.echo(f"Locked in {written.path}")
