"""The command that draws: plot."""

from pathlib import Path
from typing import Annotated

import typer

from embedhub.cli.app import Dim, Force, Name, usage_errors


def plot(
    name: Name,
    dim: Dim,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="The .svg or .png file to write.")] = Path("words.svg"),
    topn: Annotated[int, typer.Option(help="How many of the nearest words of each.", min=0)] = 8,
    force: Force = False,
) -> None:
    """Draw a map of words and their neighbours: the two main components of their rows.

    Each axis says its share of the variance; what is on neither does not show.
    Needs "embedhub-eval[plot]".

    Examples:
      embedhub plot wordnet-ppmi 100 music rain doctor
      embedhub plot glove-6b 50 paris tokyo tiger --topn 12 --out map.png
    """
    from embedhub_eval import plots as figures
    from embedhub_eval.plot_words import plot_words

    with usage_errors():
        figures.check(out, overwrite=force)
    plot_words(name, dim, words, out, topn=topn, overwrite=force)
    typer.echo(f"Drew {out}")
