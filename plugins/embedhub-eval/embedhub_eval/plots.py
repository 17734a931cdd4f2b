"""Plots of words, and of quality against size, as SVG or PNG."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from itertools import cycle
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from embedhub import _atomic
from embedhub.errors import WordNotFoundError, missing_dependency
from embedhub.registry.loading import Source, load
from embedhub.registry.short_form import without_dim
from embedhub.vectors.tokens import whole_words
from embedhub_eval.comparison import ComparisonRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

# M. Okabe and K. Ito, "Color Universal Design" (2008), without black and yellow.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_GRAY = "#767676"
# No date and no random id, so that equal figures are equal files. Text stays text in an SVG.
_STYLE: dict[Any, Any] = {"svg.hashsalt": "embedhub", "svg.fonttype": "none", "font.family": "DejaVu Sans"}
_METADATA: dict[str, dict[str, str | None]] = {".svg": {"Date": None}, ".png": {"Software": None}}
_ROOMY = 40  # words on a map of normal size; with more words the map grows
_ANGLES = np.radians([0, 180, 90, 270, *(angle for angle in range(15, 360, 15) if angle % 90)])
_DISTANCES = np.array([5, 8, 12, 17, 23, 30, 38, 47, 57, 68, 80, 93, 107])  # points
_DPI = 100  # of the layout; a PNG has more
_TOKENS = "tokens found"


def check_plot(path: str | PathLike[str] | None, *, overwrite: bool) -> None:
    """Raise an error if a plot cannot be written to a path; called before long work.

    Raises:
        ValueError: The path does not end with ``.svg`` or ``.png``.
        TypeError: The argument is not a path.
        OutputError: The file exists, and ``overwrite`` is false.
        DependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401, ICN001 - only whether it is installed
    except ModuleNotFoundError as error:
        raise missing_dependency("Plotting", "matplotlib", "embedhub-eval[plot]") from error
    if path is not None:
        if not isinstance(path, str | PathLike):
            raise TypeError(f"path is {path!r:.60}; expected that of a {' or '.join(_METADATA)} file.")
        if Path(path).suffix.lower() not in _METADATA:
            raise ValueError(f"{path}: expected a path that ends with {' or '.join(_METADATA)}.")
        _atomic.ensure_writable(Path(path), overwrite=overwrite)


@overload
def plot_words(
    source: Source,
    dim: int | None,
    words: Iterable[str],
    path: str | PathLike[str] | None = None,
    *,
    topn: int = 8,
    overwrite: bool = False,
) -> "Figure": ...
@overload
def plot_words(
    source: Source,
    words: Iterable[str],
    *,
    path: str | PathLike[str] | None = None,
    topn: int = 8,
    overwrite: bool = False,
) -> "Figure": ...
@without_dim
def plot_words(
    source: Source,
    dim: int | None,
    words: Iterable[str],
    path: str | PathLike[str] | None = None,
    *,
    topn: int = 8,
    overwrite: bool = False,
) -> "Figure":
    """Plot words and their nearest neighbors on the first two principal components of their vectors.

    The vectors are normalized first. Each axis shows its fraction of the variance; the plot does not show the
    rest. The same words produce the same file. Of a source of tokens, only whole words are plotted, as in
    `evaluate`.

    Example:
        >>> import embedhub_eval
        >>> figure = embedhub_eval.plot_words("wordnet-ppmi", 50, ["music", "rain"], topn=5)
        >>> figure.axes[0].get_title(loc="left")
        'music, rain'

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Dimension; optional if the source has only one. Left out after a source that has it.
        words: The words, spelled as in the source.
        path: A ``.svg`` or ``.png`` file to write; None writes no file.
        topn: Number of neighbors of each word, by cosine.
        overwrite: Whether to replace an existing file.

    Returns:
        The matplotlib figure, which a notebook shows.

    Raises:
        ValueError: The path does not end with ``.svg`` or ``.png``, ``topn`` is not an integer of 0 or more,
            or there are fewer than two words to plot.
        TypeError: ``path`` is not a path.
        WordNotFoundError: A word is not in the source.
        OutputError: The file exists or cannot be written.
        DependencyError: matplotlib is not installed.
        EmbedhubError: Other errors of `embedhub.load`.
    """
    check_plot(path, overwrite=overwrite)
    if not isinstance(topn, int | np.integer) or topn < 0:
        raise ValueError(f"topn is {topn!r}; expected an integer from 0.")
    vectors = whole_words(load(source, dim))
    queries = [words] if isinstance(words, str) else list(dict.fromkeys(words))
    if missing := [word for word in queries if word not in vectors]:
        raise WordNotFoundError(
            f"{vectors.name} {vectors.dim}d does not have {', '.join(map(repr, missing))}. Spell words as in "
            "the source, mostly in lower case. Nothing was plotted."
        )
    query_of = {word: query for query, word in enumerate(queries)}
    for query, word in enumerate(queries if topn else []):
        for neighbor, _ in vectors.most_similar(word, topn=topn):
            query_of.setdefault(neighbor, query)
    if len(query_of) < 2:  # noqa: PLR2004 - two points make a map
        raise ValueError(
            f"The number of words to plot is {len(query_of)}; expected two or more. Raise topn, or pass more."
        )
    looked_up = vectors.lookup(query_of)
    norms = np.linalg.norm(looked_up, axis=1, keepdims=True)
    points, ratios = principal_components(looked_up / np.where(norms == 0, 1, norms))
    scale = max(1.0, (len(points) / _ROOMY) ** 0.5)
    with _figure(path, 9 * scale, 7 * scale, overwrite=overwrite) as figure:
        axes = figure.add_subplot(aspect="equal", adjustable="datalim")
        title = ", ".join([*queries[:6], *(["..."] if queries[6:] else [])])
        axes.set_title(_printable(title), loc="left", fontsize=15, parse_math=False)
        axes.set_title(f"{vectors.name} {vectors.dim}d", loc="right", fontsize=10, color=_GRAY)
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(f"first component: {ratios[0]:.1%} of the variance", color=_GRAY)
        axes.set_ylabel(f"second component: {ratios[1]:.1%} of the variance", color=_GRAY)
        axes.margins(0.09)
        words_drawn = enumerate(query_of.items())
        labels = [_draw_word(axes, word, query, number, points) for number, (word, query) in words_drawn]
        figure.draw_without_rendering()  # fixes the layout in pixels
        figure.set_layout_engine("none")
        _place_labels(axes, labels, axes.transData.transform(points))
    return figure


def principal_components(matrix: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``(k, 2)`` points on the first two principal components, and their fractions of the variance.

    The sign of a component is chosen so that the point furthest from the center is positive.
    """
    left, lengths, _ = np.linalg.svd(matrix - matrix.mean(axis=0, dtype=np.float64), full_matrices=False)
    lengths[lengths <= lengths[:1] * 1e-6] = 0  # rounding
    points = np.pad(left * lengths, ((0, 0), (0, 2)))[:, :2]
    ratios = np.pad(lengths**2 / (np.sum(lengths**2) or 1), (0, 2))[:2]
    # The first of those that are as far, but for rounding.
    furthest = points[(np.abs(points) >= np.abs(points).max(axis=0) * (1 - 1e-6)).argmax(axis=0), [0, 1]]
    return points * np.where(furthest < 0, -1, 1), ratios


def _draw_word(axes: "Axes", word: str, query: int, number: int, points: NDArray[np.float64]) -> "Annotation":
    """Draw a point, a line from its query, and a label without a position."""
    color, is_query = _COLORS[query % len(_COLORS)], query == number
    if not is_query:
        axes.plot(*points[[query, number]].T, color=color, alpha=0.22, linewidth=0.9, zorder=1)
    x, y = points[number]
    axes.scatter(x, y, s=78 if is_query else 24, color=color, edgecolors="white", zorder=2)
    label = axes.annotate(_printable(word), (x, y), (0, 0), textcoords="offset points", parse_math=False)
    label.set(ha="center", va="center", zorder=3, fontsize=13 if is_query else 9.5)
    label.set_fontweight("bold" if is_query else "normal")
    label.set_bbox({"boxstyle": "square,pad=0.05", "facecolor": "white", "alpha": 0.75, "linewidth": 0})
    return label


def _place_labels(axes: "Axes", labels: "list[Annotation]", points: NDArray[np.float64]) -> None:
    """Move each label to the nearest position around its point where it hides no label and few points."""
    unit = _DPI / 72  # pixels per point
    boxes = np.empty((0, 2, 2))
    directions = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    for label, point in zip(labels, points, strict=True):
        extent = label.get_window_extent()
        half = np.array([extent.width, extent.height]) / 2 + np.array([3, 1]) * unit
        centers = point + (directions * (half + (_DISTANCES[:, None, None] + 3) * unit)).reshape(-1, 2)
        low, high = centers - half, centers + half
        hidden = ((low[:, None] < boxes[:, 1]) & (high[:, None] > boxes[:, 0])).all(axis=2).sum(axis=1)
        covered = ((low[:, None] < points) & (high[:, None] > points)).all(axis=2).sum(axis=1)
        outside = ((low < axes.bbox.min) | (high > axes.bbox.max)).any(axis=1)
        costs = np.repeat(_DISTANCES, len(_ANGLES)) + 1000 * hidden + 150 * covered + 2000 * outside
        best = costs.argmin()
        label.set_position(tuple((centers[best] - point) / unit))
        boxes = np.concatenate([boxes, [[low[best], high[best]]]])


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def plot_comparison(
    rows: Sequence[ComparisonRow], path: str | PathLike[str] | None = None, *, overwrite: bool = False
) -> "Figure":
    """Plot the measures of `embedhub_eval.compare` against the size on disk, one panel for each measure.

    The panels are the benchmarks, with 95 % confidence intervals, and the fraction of tokens found. A line
    connects the dimensions of a source. The same rows produce the same file.

    Example:
        >>> import embedhub_eval
        >>> rows = embedhub_eval.compare(["wordnet-ppmi"], counts={"rain": 8, "qwxz": 1})
        >>> figure = embedhub_eval.plot_comparison(rows)
        >>> figure.axes[0].get_title(loc="left")
        'tokens found'

    Args:
        rows: The rows of `embedhub_eval.compare`.
        path: A ``.svg`` or ``.png`` file to write; None writes no file.
        overwrite: Whether to replace an existing file.

    Returns:
        The matplotlib figure, which a notebook shows.

    Raises:
        ValueError: The path does not end with ``.svg`` or ``.png``, or nothing was measured.
        TypeError: ``rows`` is not a list of rows of `embedhub_eval.compare`, or ``path`` is not a path.
        OutputError: The file exists or cannot be written.
        DependencyError: matplotlib is not installed.
    """
    check_plot(path, overwrite=overwrite)
    if not isinstance(rows, Sequence) or not all(isinstance(row, ComparisonRow) for row in rows):
        raise TypeError(f"rows is {rows!r:.60}; expected the rows that embedhub_eval.compare returns.")
    names = [*dict.fromkeys(name for row in rows for name in row.scores), _TOKENS]
    panels = {name: [(row, value) for row in rows if (value := _measure(row, name))] for name in names}
    panels = {name: measured for name, measured in panels.items() if measured}
    if not panels:
        raise ValueError(
            "There is nothing to plot: no score and no coverage was measured. Pass counts (--text), or "
            "download the vectors and the benchmarks (download=True, --download)."
        )
    from matplotlib.ticker import LogFormatter

    sources = dict.fromkeys(row.source for measured in panels.values() for row, _ in measured)
    colors = dict(zip(sources, cycle(_COLORS), strict=False))
    down, across = -(-len(panels) // 3), min(3, len(panels))
    with _figure(path, 4.2 * across, 3.8 * down + 0.5, overwrite=overwrite) as figure:
        for number, (name, measured) in enumerate(panels.items(), 1):
            axes = figure.add_subplot(down, across, number)
            axes.set_title(name, loc="left", parse_math=False)
            axes.set(xscale="log", xlabel="size on disk (MB)", ylabel="ratio" if name == _TOKENS else "score")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(LogFormatter())  # a few labels such as 20, not 2 x 10^1
            axes.grid(color="#E5E5E5")
            for source, color in colors.items():
                points = [(row, value) for row, value in measured if row.source == source]
                sizes = [(row.disk_bytes or 0) / 1e6 for row, _ in points]
                low, middle, high = np.array([value for _, value in points]).reshape(-1, 3).T
                errors = np.maximum([middle - low, high - middle], 0)
                axes.errorbar(sizes, middle, errors, color=color, capsize=3, marker="o", label=source)
                for (row, _), *point in zip(points, sizes, middle, strict=True):
                    axes.annotate(f"{row.dim}d", tuple(point), (6, -12), textcoords="offset points")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2 * across)
    return figure


def _measure(row: ComparisonRow, name: str) -> tuple[float, float, float] | None:
    """Return a value between both ends of its interval; None if it was not measured."""
    if name == _TOKENS:
        value, interval = row.coverage.token_ratio if row.coverage else None, None
    else:
        score = row.scores.get(name)
        value, interval = (score.score, score.interval) if score else (None, None)
    if value is None or row.disk_bytes is None:
        return None
    low, high = interval or (value, value)
    return low, value, high


def _png(figure: "Figure") -> bytes:
    """Return a figure as PNG."""
    import matplotlib as mpl

    with BytesIO() as file, mpl.rc_context(_STYLE):
        figure.savefig(file, format="png", metadata=_METADATA[".png"])
        return file.getvalue()


@contextmanager
def _figure(
    path: str | PathLike[str] | None, width: float, height: float, *, overwrite: bool
) -> "Iterator[Figure]":
    """Yield a new figure, and write it to the path if there is one."""
    import matplotlib as mpl
    from matplotlib.figure import Figure  # not pyplot, which keeps figures alive and selects a window system

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
        vars(figure)["_repr_png_"] = partial(_png, figure)  # notebooks show figures of pyplot only
        yield figure
        if path is not None:
            suffix = Path(path).suffix.lower()
            with _atomic.atomic_output(Path(path), overwrite=overwrite) as temporary:
                figure.savefig(temporary, format=suffix[1:], dpi=160, metadata=_METADATA[suffix])
