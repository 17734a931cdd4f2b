"""JSON of files that may hold anything."""

import json
from typing import Any

CONTENT_ERRORS = (ValueError, LookupError, TypeError, AttributeError)
"""What `parse_json` raises, and what a value of another shape leads to where it is used."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a text; all that may be wrong with it is a ValueError.

    Example:
        >>> parse_json("[" * 100_000)
        Traceback (most recent call last):
            ...
        ValueError: it is nested too deep

    Args:
        text: The text; bytes are UTF-8, UTF-16 or UTF-32.

    Raises:
        ValueError: It is not JSON, has a number of thousands of digits, or is nested too deep.
    """
    try:
        return json.loads(text)
    except (RecursionError, MemoryError) as error:
        raise ValueError("it is nested too deep") from error
