"""Parsing of untrusted JSON."""

import json
from typing import Any

CONTENT_ERRORS = (ValueError, LookupError, TypeError, AttributeError)
"""Errors of `parse_json`, and of using a value of an unexpected shape."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; any problem is a ValueError.

    Example:
        >>> parse_json("[" * 100_000)
        Traceback (most recent call last):
            ...
        ValueError: it is nested too deep

    Args:
        text: The text; bytes are UTF-8, UTF-16 or UTF-32.

    Raises:
        ValueError: The text is not JSON, has a number of thousands of digits, or is nested too deep.
    """
    try:
        return json.loads(text)
    except (RecursionError, MemoryError) as error:
        raise ValueError("it is nested too deep") from error
