"""The spelling of several sources side by side: ``glove-6b:50 wordnet-ppmi:100``."""

import re
from collections.abc import Iterable
from typing import Any

from embedhub.registry.registry import Source

Choice = str | tuple[Source, int | None]
"""``"name"``, ``"name:dim"``, or a source and its dim."""

_WITH_DIM = re.compile(r"(.+):([0-9]+)", re.DOTALL)


def choices(given: Choice | Iterable[Choice]) -> list[tuple[Source, int | None]]:
    """Return sources and their dims out of what the caller lists.

    A number after a name is its dim too, as in the other commands: ``glove-6b 50 100`` is
    ``glove-6b:50 glove-6b:100``.

    Example:
        >>> choices(["glove-6b:50", "wordnet-ppmi", "./my.vec"])
        [('glove-6b', 50), ('wordnet-ppmi', None), ('./my.vec', None)]
        >>> choices("glove-6b 50 100".split())
        [('glove-6b', 50), ('glove-6b', 100)]

    Args:
        given: ``"name:dim"``, ``"name"``, a path likewise, or a pair of a source and its dim; or several.

    Returns:
        Pairs of a source and its dim, None where none was given, in their order, none of them twice.

    Raises:
        ValueError: There is none, or a dim without a source before it.
        TypeError: This is none of these.
    """
    several: list[Any] = [given] if isinstance(given, (str, tuple)) else list(given)
    found: list[tuple[Source, int | None]] = []
    bare = False  # whether the last one is a name that may still get its dim
    for one in several:
        if isinstance(one, str) and one.isdecimal():
            if not found:
                raise ValueError(f"{one!r} is a dim without a source before it; expected name:dim.")
            name = found[-1][0]
            if bare:
                found.pop()
            found.append((name, int(one)))
            bare = False
        elif isinstance(one, str):
            parts = _WITH_DIM.fullmatch(one)
            found.append((parts[1], int(parts[2])) if parts else (one, None))
            bare = parts is None
        elif isinstance(one, tuple) and len(one) == 2:  # noqa: PLR2004 - source, dim
            found.append(one)
            bare = False
        else:
            raise TypeError(
                f"{one!r} is no source to choose; expected 'name:dim', or a pair of source and dim."
            )
    if not found:
        raise ValueError("No source was given; expected name:dim, such as glove-6b:50.")
    return [one for i, one in enumerate(found) if one not in found[:i]]
