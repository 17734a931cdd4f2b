"""What drawings share: their colours, and how a figure becomes a file."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedhub import _atomic as outputs
from embedhub.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

# Of M. Okabe and K. Ito, "Color Universal Design" (2008), without black, and the yellow that white swallows;
# then two of ours.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#6A4C93", "#8C564B")
INK, GREY = "#1A1A1A", "#767676"
# Nothing in a file tells when it was drawn, so that equal figures are equal files. Text stays text in an SVG.
_STYLE: dict[Any, Any] = {"svg.hashsalt": "embedhub", "svg.fonttype": "none", "font.family": "DejaVu Sans"}
_METADATA: dict[str, dict[str, str | None]] = {".svg": {"Date": None}, ".png": {"Software": None}}
_DPI = 160  # of a PNG


def check(path: str | PathLike[str] | None, *, overwrite: bool) -> None:
    """Say what would keep `render` from writing there; to be asked before long work.

    Raises:
        ValueError: The path ends otherwise than with ``.svg`` or ``.png``.
        OutputError: The file is there already, and ``overwrite`` is false.
        DependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401, ICN001 - only whether it is there
    except ModuleNotFoundError as error:
        raise DependencyError(
            'To draw needs matplotlib, which is not installed: pip install "embedhub-eval[plot]"'
        ) from error
    if path is not None:
        if Path(path).suffix.lower() not in _METADATA:
            raise ValueError(f"{path}: expected a path that ends with {' or '.join(_METADATA)}.")
        outputs.ensure_writable(Path(path), overwrite=overwrite)


def render(draw: "Callable[[], Figure]", path: str | PathLike[str] | None, *, overwrite: bool) -> "Figure":
    """Draw in our style, and write the figure unless there is no path."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        figure = draw()
        if path is not None:
            suffix = Path(path).suffix.lower()
            with outputs.atomic_output(Path(path), overwrite=overwrite) as fresh:
                figure.savefig(fresh, format=suffix[1:], dpi=_DPI, metadata=_METADATA[suffix])
    return figure
