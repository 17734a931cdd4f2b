"""Dimensions as users write them: as numbers, or after the name of a source, as in ``glove-6b:50``."""

import operator
import re
from contextlib import suppress
from typing import Any

_MAX_REPR = 50  # characters
_WITH_DIM = re.compile(r"(.+):([0-9]{1,9})", re.DOTALL)
_DIM_IN_TEXT = re.compile(r"\s*([1-9][0-9]{0,4})(?:\.0+)?\s*")


def as_dim(dim: Any) -> int | None:
    """Return a dimension as an int, None if there is none.

    Raises:
        TypeError: It is not an integer.
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


def split_dim(source: str) -> tuple[str, int | None]:
    """Return a name or path without the dimension at its end, and the dimension; None if it has none.

    Example:
        >>> split_dim("glove-6b:50"), split_dim("glove-6b")
        (('glove-6b', 50), ('glove-6b', None))
    """
    match = _WITH_DIM.fullmatch(source)
    return (match[1], int(match[2])) if match else (source, None)
