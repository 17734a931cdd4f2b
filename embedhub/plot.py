"""A map of words and their neighbours. The only module that imports matplotlib."""

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import DependencyError, WordNotFoundError
from embedhub.outputs import check, output
from embedhub.registry import Source, load
from embedhub.vectors import Vectors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png")

# The colours of M. Okabe and K. Ito, "Color Universal Design" (2008), without the yellow that white swallows.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B4B9A")
_INK, _GREY = "#222222", "#777777"
# Nothing in the file tells when or where it was drawn, so that equal maps are equal files.
_STYLE = {"svg.hashsalt": "embedhub", "svg.fonttype": "none", "font.family": "DejaVu Sans"}
_METADATA: dict[str, dict[str, str | None]] = {".svg": {"Date": None}, ".png": {"Software": None}}
_DPI = 160
_ANGLES = (0.0, 180.0, 90.0, 270.0, 45.0, 315.0, 135.0, 225.0)
_DISTANCES = (7.0, 13.0, 21.0, 31.0)  # points
_LEADER = 15.0  # points: a label further off has a line to its point
