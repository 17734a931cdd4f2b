"""Validation of dimensions."""

import operator
import re
from contextlib import suppress
from typing import Any

_MAX_REPR = 50  # characters
_DIM_IN_TEXT = re.compile(r"\s*([1-9][0-9]{0,4})(?:\.0+)?\s*")


def as_dim(dim: Any) -> int | None:
    """Return a dimension as an int; None stays None.

    Raises:
        TypeError: The dimension is not an integer.
    """
    if dim is None:
        return None
    with suppress(TypeError):
        if not isinstance(dim, bool) and getattr(dim, "ndim", 0) == 0:
            return operator.index(dim)
    number = _DIM_IN_TEXT.fullmatch(str(dim)) if isinstance(dim, str | float) else None
    shown = repr(dim) if isinstance(dim, str | float | bool) else f"a {type(dim).__name__}"
    raise TypeError(
        f"dim is {shown[:_MAX_REPR]}; expected an integer, as in dim={number[1] if number else 50}."
    )
