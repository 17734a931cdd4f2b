"""Quality against size, drawn."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from embedhub_eval.comparison import Compared
from embedhub_eval.plots import COLOURS, GREY, INK, check, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = (4.2, 3.8)  # inches
_ACROSS = 3
_MB = 1e6

_Measure = tuple[str, Callable[[Compared], tuple[float, float, float] | None]]
"""A name, and of a row the value with the ends of its interval; None where it was not measured."""


def plot_comparison(
    rows: Sequence[Compared], path: str | PathLike[str] | None = None, *, overwrite: bool = False
) -> "Figure":
    """Draw what `embedhub_eval.compare` has measured against the size on disk, a panel for each measure.

    The panels are the benchmarks, with the 95 % intervals of the scores, and the share of tokens found. A
    line joins the dims of a source. Sizes are those of the stores in the cache. The same rows always give
    the same file.

    Example:
        >>> import embedhub, embedhub_eval
        >>> rows = embedhub_eval.compare(["wordnet-ppmi"], counts={"rain": 8, "qwxz": 1})
        >>> figure = embedhub_eval.plot_comparison(rows)
        >>> figure.axes[0].get_title(loc="left")
        'tokens found'

    Args:
        rows: What `embedhub_eval.compare` gives.
        path: A ``.svg`` or ``.png`` file to write; None writes none.
        overwrite: Whether a file that is there already is replaced.

    Returns:
        The matplotlib figure, for a notebook or for changes of your own.

    Raises:
        ValueError: The path ends otherwise, or nothing was measured.
        OutputError: The file is there already, or the disk refuses it.
        DependencyError: matplotlib is not installed.
    """
    check(path, overwrite=overwrite)
    measures = [measure for measure in _measures(rows) if any(map(measure[1], rows))]
    if not measures:
        raise ValueError(
            "There is nothing to draw: no score and no coverage was measured. Give counts (--text), or fetch "
            "the vectors and the benchmarks (fetch=True, --fetch)."
        )
    measured = [row for row in rows if any(value(row) for _, value in measures)]
    return render(lambda: _draw(measured, measures), path, overwrite=overwrite)


def _measures(rows: Sequence[Compared]) -> list[_Measure]:
    names = dict.fromkeys(name for row in rows for name in row.scores)
    return [*((name, _score_of(name)) for name in names), ("tokens found", _tokens_of)]


def _score_of(name: str) -> Callable[[Compared], tuple[float, float, float] | None]:
    def value(row: Compared) -> tuple[float, float, float] | None:
        score = row.scores.get(name)
        if score is None or score.score is None or row.disk_bytes is None:
            return None
        return (score.score, *(score.interval or (score.score, score.score)))

    return value


def _tokens_of(row: Compared) -> tuple[float, float, float] | None:
    share = None if row.coverage is None else row.coverage.token_ratio
    return None if share is None or row.disk_bytes is None else (share, share, share)


def _draw(rows: Sequence[Compared], measures: Sequence[_Measure]) -> "Figure":
    # Not pyplot, which would keep each figure alive, and choose a window system.
    from matplotlib.figure import Figure

    across = min(2 if len(measures) == 4 else _ACROSS, len(measures))  # noqa: PLR2004 - four make a square
    down = -(-len(measures) // across)
    figure = Figure(figsize=(_PANEL[0] * across, _PANEL[1] * down + 0.5), layout="constrained")
    sources = list(dict.fromkeys(row.source for row in rows))
    for number, (name, value) in enumerate(measures):
        axes = figure.add_subplot(down, across, number + 1)
        axes.set_title(name, loc="left", fontsize=12, color=INK, parse_math=False)
        for colour, source in enumerate(sources):
            _line(axes, [row for row in rows if row.source == source], value, COLOURS[colour % len(COLOURS)])
        _tidy(axes, rows, share=name == "tokens found")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2 * across, frameon=False)
    return figure


def _line(axes: "Axes", rows: Sequence[Compared], value: Callable[[Compared], Any], colour: str) -> None:
    """Draw the dims of one source, each with its number."""
    measured = sorted((row.disk_bytes or 0, row.dim, value(row)) for row in rows if value(row))
    sizes = [size / _MB for size, _, _ in measured]
    middles = [middle for _, _, (middle, _, _) in measured]
    # The percentiles of a bootstrap need not enclose the score.
    below = [max(0.0, middle - low) for _, _, (middle, low, _) in measured]
    above = [max(0.0, high - middle) for _, _, (middle, _, high) in measured]
    axes.errorbar(
        sizes,
        middles,
        yerr=[below, above] if any(below + above) else None,
        color=colour,
        ecolor=colour,
        elinewidth=1.2,
        capsize=3,
        linewidth=1,
        marker="o",
        markersize=6,
        label=rows[0].source,
    )
    for size, middle, (_, dim, _) in zip(sizes, middles, measured, strict=True):
        axes.annotate(
            f"{dim}d",
            (size, middle),
            (6, -12),
            textcoords="offset points",
            fontsize=9,
            color=INK,
        )


def _tidy(axes: "Axes", rows: Sequence[Compared], *, share: bool) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_xscale("log")
    sizes = [row.disk_bytes / _MB for row in rows if row.disk_bytes]
    axes.set_xlim(min(sizes) / 1.6, max(sizes) * 2)  # with room for the last label
    axes.set_xticks([tick for tick in _ticks() if min(sizes) / 1.6 <= tick <= max(sizes) * 2])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("size on disk, MB", color=GREY, fontsize=10)
    axes.set_ylabel("share of tokens" if share else "score", color=GREY, fontsize=10)
    if share:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{100 * tick:g} %"))
    axes.margins(y=0.15)
    axes.grid(color="#E5E5E5", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _ticks() -> list[float]:
    return [digit * 10.0**power for power in range(-4, 6) for digit in (1, 2, 5)]
