"""A map of words and their neighbours."""

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import WordNotFoundError
from embedhub.registry.registry import Source, load
from embedhub.vectors.vectors import Vectors
from embedhub_eval.plots import COLOURS, GREY, INK, check, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

_PIXELS = 100  # an inch, while labels are placed
_INCHES = (9.0, 7.0)
_TITLE = 6  # words
_ROOMY = 40  # words on a map of that size; one with more grows
_LEADER = 10.5  # points: a label further off than that has a line to its point
_DISTANCES = np.array([5, 8, 12, 17, 23, 30, 38, 47, 57, 68, 80, 93, 107])[:, None, None]  # points
# Beside a point first, then above and below it, then between.
_DEGREES = np.radians(
    [0, 180, 90, 270, *range(15, 90, 15), *range(105, 180, 15), *range(195, 270, 15), *range(285, 360, 15)]
)
_WAYS = np.stack([np.cos(_DEGREES), np.sin(_DEGREES)], axis=1)
_STEPS = np.linspace(0, 1, 25)[:, None]

_Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Map:
    """Words on a plane: the asked-for ones first, then their neighbours.

    Args:
        words: ``k`` words.
        owners: Of each word the number of the asked-for one that it belongs to: itself, or its own.
        places: ``(k, 2)``.
        shares: Of the variance, on each axis.
    """

    words: list[str]
    owners: list[int]
    places: NDArray[np.float64]
    shares: tuple[float, float]


def plot_words(
    source: Source,
    dim: int | None,
    words: Iterable[str],
    path: str | PathLike[str] | None = None,
    *,
    topn: int = 8,
    overwrite: bool = False,
) -> "Figure":
    """Draw a map of words and their nearest neighbours in the source.

    Rows of length one, so that near means a large cosine, are laid on the two axes along which they differ
    most: a principal component analysis (H. Hotelling, "Analysis of a complex of statistical variables into
    principal components", 1933). Each axis says its share of the variance; what they do not say, the map does
    not show. Nothing in a file tells when it was drawn: the same words give the same file.

    Example:
        >>> import embedhub, embedhub_eval
        >>> figure = embedhub_eval.plot_words("wordnet-ppmi", 50, ["music", "rain"], topn=5)
        >>> figure.axes[0].get_title(loc="left")
        'music, rain'

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        words: The words, spelled as the source spells them.
        path: A ``.svg`` or ``.png`` file to write; None writes none.
        topn: How many neighbours of each word, by cosine.
        overwrite: Whether a file that is there already is replaced.

    Returns:
        The matplotlib figure, for a notebook or for changes of your own.

    Raises:
        ValueError: The path ends otherwise, or there are not two words to draw.
        WordNotFoundError: A word is not in the source.
        OutputError: The file is there already, or the disk refuses it.
        DependencyError: matplotlib is not installed.
        EmbedhubError: What `embedhub.load` raises.
    """
    check(path, overwrite=overwrite)
    vectors = load(source, dim)
    laid_out = _lay_out(vectors, words, topn)
    return render(lambda: _draw(laid_out, f"{vectors.name}, dim {vectors.dim}"), path, overwrite=overwrite)


def principal_plane(rows: NDArray[np.floating]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Project rows on the two axes along which they vary most.

    Args:
        rows: ``(k, dim)``.

    Returns:
        ``(k, 2)`` float64 places, and the share of the variance on each axis. Of each axis the direction is
        such that the place furthest from the middle is positive: the decomposition leaves it open.
    """
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    # Rounding leaves a little of an axis that is not there.
    lengths[lengths <= lengths[:1] * 1e-6] = 0
    places = np.zeros((len(rows), 2))
    count = min(2, len(lengths))
    places[:, :count] = (left * lengths)[:, :count]
    # The first of those that are as far, but for rounding.
    furthest = places[(np.abs(places) >= np.abs(places).max(axis=0) * (1 - 1e-6)).argmax(axis=0), [0, 1]]
    places *= np.where(furthest < 0, -1, 1)
    variance = np.zeros(2)
    variance[:count] = lengths[:count] ** 2 / (np.sum(lengths**2) or 1)
    return places, (float(variance[0]), float(variance[1]))


def _lay_out(vectors: Vectors, words: Iterable[str], topn: int) -> _Map:
    asked = [words] if isinstance(words, str) else list(dict.fromkeys(words))
    missing = [word for word in asked if word not in vectors]
    if missing:
        raise WordNotFoundError(
            f"{vectors.name} {vectors.dim}d has no word {', '.join(map(repr, missing))}. "
            "Words are to be spelled as the source spells them, most in lower case. Nothing was drawn."
        )
    if topn < 0:
        raise ValueError(f"topn is {topn}; expected 0 or more.")
    owners = {word: number for number, word in enumerate(asked)}
    if topn:
        for number, word in enumerate(asked):
            for near, _ in vectors.most_similar(word, topn):
                owners.setdefault(near, number)
    if len(owners) < 2:  # noqa: PLR2004 - two places make a map
        raise ValueError(f"There is nothing to draw but {len(owners)} word; name more, or a larger topn.")
    rows = vectors.lookup(owners)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    places, shares = principal_plane(rows / np.where(norms == 0, 1, norms))
    return _Map(list(owners), list(owners.values()), places, shares)


def _draw(drawn: _Map, subtitle: str) -> "Figure":
    # Not pyplot, which would keep each figure alive, and choose a window system.
    from matplotlib.figure import Figure

    asked = [word for number, word in enumerate(drawn.words) if drawn.owners[number] == number]
    grown = max(1.0, (len(drawn.words) / _ROOMY) ** 0.5)
    figure = Figure(figsize=(_INCHES[0] * grown, _INCHES[1] * grown), dpi=_PIXELS, layout="constrained")
    axes = figure.add_subplot()
    title = ", ".join([*asked[:_TITLE], *(["..."] if asked[_TITLE:] else [])])
    axes.set_title(_shown(title), loc="left", fontsize=15, color=INK, pad=24, parse_math=False)
    axes.annotate(
        f"{subtitle}: with the nearest words by cosine" if len(asked) < len(drawn.words) else subtitle,
        (0, 1),
        (0, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        color=GREY,
        fontsize=10,
        parse_math=False,
    )
    for axis, share, name in zip((axes.xaxis, axes.yaxis), drawn.shares, ("first", "second"), strict=True):
        axis.set_label_text(f"{name} component: {share:.1%} of the variance", color=GREY, fontsize=10)
        axis.set_ticks([])
    for spine in axes.spines.values():
        spine.set_color("#DDDDDD")
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.09)
    labels = _mark(axes, drawn)
    figure.draw_without_rendering()  # settles where all of it is, in pixels; there it stays
    figure.set_layout_engine("none")
    axes.autoscale(enable=False)
    _place(axes, labels, drawn)
    return figure


def _mark(axes: "Axes", drawn: _Map) -> "list[Annotation]":
    """Draw the points, lines from each word to its neighbours, and labels that have no place yet."""
    labels = []
    for number, (word, owner) in enumerate(zip(drawn.words, drawn.owners, strict=True)):
        colour = COLOURS[owner % len(COLOURS)]
        x, y = drawn.places[number]
        is_asked = owner == number
        if not is_asked:
            axes.plot(*drawn.places[[owner, number]].T, color=colour, alpha=0.22, linewidth=0.9, zorder=1)
        axes.scatter(
            [x],
            [y],
            s=78 if is_asked else 24,
            color=colour,
            zorder=3 if is_asked else 2,
            edgecolors=INK if is_asked else "white",
            linewidths=1.1 if is_asked else 0.6,
        )
        labels.append(
            axes.annotate(
                _shown(word),
                (x, y),
                (0, 0),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=13 if is_asked else 9.5,
                fontweight="bold" if is_asked else "normal",
                color=INK if is_asked else "#333333",
                zorder=5 if is_asked else 4,
                parse_math=False,
                # So that a line behind it does not cross it out.
                bbox={"boxstyle": "square,pad=0.05", "color": "white", "alpha": 0.75, "linewidth": 0},
            )
        )
    return labels


def _place(axes: "Axes", labels: "list[Annotation]", drawn: _Map) -> None:
    """Move each label to the nearest place around its point where it hides nothing, if there is one."""
    unit = _PIXELS / 72  # pixels of a point
    points = axes.transData.transform(drawn.places)
    boxes, marks = np.empty((0, 2, 2)), points
    for number, (label, point) in enumerate(zip(labels, points, strict=True)):
        extent = label.get_window_extent()
        half = np.array([extent.width, extent.height]) / 2 + np.array([3, 1]) * unit
        # All places that it could have at once: (c, 2), and the lines from there to the point: (c, s, 2).
        room = _DISTANCES + 4 * (drawn.owners[number] == number)  # its point is larger
        middles = point + (_WAYS * (half + room * unit)).reshape(-1, 2)
        low, high = middles - half, middles + half
        lines = point + _STEPS * (np.clip(point, low, high) - point)[:, None]
        lengths = np.hypot(*(lines[:, -1] - point).T) / unit
        overlaps = np.minimum(high[:, None], boxes[:, 1]) - np.maximum(low[:, None], boxes[:, 0])
        hidden = np.prod(np.maximum(overlaps, 0), axis=2)
        crossed = _inside(lines[:, :, None], boxes[:, 0], boxes[:, 1]).any(axis=1)
        covered = _inside(marks, low[:, None] - 3 * unit, high[:, None] + 3 * unit)
        outside = ((low < axes.bbox.min) | (high > axes.bbox.max)).any(axis=1)
        costs = (
            np.repeat(_DISTANCES, len(_WAYS))
            + hidden.sum(axis=1)
            + 700 * (hidden > 0).sum(axis=1)
            + 2000 * outside
        )
        costs += 500 * (crossed.sum(axis=1) * (lengths > _LEADER)) + 150 * np.minimum(covered.sum(axis=1), 4)
        best = costs.argmin()
        label.set_position(tuple((middles[best] - point) / unit))
        boxes = np.concatenate([boxes, [[low[best], high[best]]]])
        if lengths[best] > _LEADER:
            marks = np.concatenate([marks, lines[best]])
            ends = axes.transData.inverted().transform(lines[best, [0, -1]])
            colour = COLOURS[drawn.owners[number] % len(COLOURS)]
            axes.plot(*ends.T, color=colour, linewidth=0.7, zorder=1)


def _inside(points: _Places, low: _Places, high: _Places) -> NDArray[np.bool_]:
    """Tell which points lie in which boxes."""
    within: NDArray[np.bool_] = np.all((points > low) & (points < high), axis=-1)
    return within


def _shown(text: str) -> str:
    """Return a text that can be drawn: control characters, and bytes that are no text, show as a mark."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
